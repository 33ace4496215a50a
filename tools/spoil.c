/* Spoils a picture as people and platforms do, for tests of what the receiver is told.
 * Usage: spoil IN OUT.png blot SHARE    a grey square over that share (0..1) of the area, in the middle
 *        spoil IN OUT.png rotate        turned by 180 degrees
 *        spoil IN OUT.png shift         one pixel to the left
 */
#include "media/image.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static ut_status load(const char *path, ut_picture *pic, ut_err *e)
{
    ut_buf file = { 0 };
    ut_image_info info;
    FILE *f = fopen(path, "rb");
    ut_status s = f ? UT_OK : ut_fail(e, UT_E_INPUT, "cannot open %s", path);
    uint8_t chunk[65536];
    for (size_t n; s == UT_OK && (n = fread(chunk, 1, sizeof chunk, f)) > 0;)
        s = ut_buf_append(&file, chunk, n, e);
    if (f)
        fclose(f);
    if (s == UT_OK)
        s = ut_image_read(file.data, file.len, path, pic, NULL, &info, e);
    ut_buf_free(&file);
    return s;
}

static void blot(ut_picture *p, double share)
{
    double side = sqrt(share < 0 ? 0 : share > 1 ? 1 : share);
    uint32_t w = (uint32_t)(p->width * side), h = (uint32_t)(p->height * side);
    uint32_t left = (p->width - w) / 2, top = (p->height - h) / 2;
    for (uint32_t y = top; y < top + h; y++)
        memset(p->rgb + ((size_t)y * p->width + left) * 3, 128, (size_t)w * 3);
}

static void rotate(ut_picture *p)
{
    size_t n = (size_t)p->width * p->height;
    for (size_t i = 0; i < n / 2; i++) {
        uint8_t t[3];
        memcpy(t, p->rgb + 3 * i, 3);
        memcpy(p->rgb + 3 * i, p->rgb + 3 * (n - 1 - i), 3);
        memcpy(p->rgb + 3 * (n - 1 - i), t, 3);
    }
}

int main(int argc, char **argv)
{
    ut_picture pic = { 0 };
    ut_buf file = { 0 };
    ut_err e = { 0 };
    bool known = (argc == 5 && !strcmp(argv[3], "blot")) || (argc == 4 && (!strcmp(argv[3], "rotate") || !strcmp(argv[3], "shift")));
    if (!known) {
        fprintf(stderr, "usage: spoil IN OUT.png blot SHARE | rotate | shift\n");
        return 2;
    }
    ut_status s = load(argv[1], &pic, &e);
    if (s == UT_OK && argv[3][0] == 'b')
        blot(&pic, strtod(argv[4], NULL));
    else if (s == UT_OK && argv[3][0] == 'r')
        rotate(&pic);
    else if (s == UT_OK)
        memmove(pic.rgb, pic.rgb + 3, (size_t)pic.width * pic.height * 3 - 3);
    if (s == UT_OK)
        s = ut_image_write_png(&pic, &file, &e);
    FILE *f = s == UT_OK ? fopen(argv[2], "wb") : NULL;
    int failed = !f || fwrite(file.data, 1, file.len, f) != file.len;
    failed |= f && fclose(f);
    if (failed)
        fprintf(stderr, "spoil: %s\n", s == UT_OK ? "cannot write the output" : e.text);
    ut_picture_free(&pic);
    ut_buf_free(&file);
    return failed ? 7 : 0;
}
