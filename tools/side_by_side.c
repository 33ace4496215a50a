/* Three panels in a row: before, after, and their difference magnified (grey = equal).
 * Usage: side_by_side BEFORE AFTER OUT.png [PANEL-WIDTH [GAIN]]
 */
#include "media/image.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { GAP = 8 };

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

/* b becomes 128 + gain * (b - a). */
static void subtract(const ut_picture *a, ut_picture *b, int gain)
{
    size_t n = (size_t)a->width * a->height * 3;
    for (size_t i = 0; i < n; i++) {
        int v = 128 + gain * (b->rgb[i] - a->rgb[i]);
        b->rgb[i] = (uint8_t)(v < 0 ? 0 : v > 255 ? 255 : v);
    }
}

static ut_status place(const ut_picture *pic, uint32_t width, uint32_t height, uint32_t column, ut_picture *sheet, ut_err *e)
{
    ut_picture small = { 0 };
    ut_status s = ut_image_resize(pic, width, height, &small, e);
    for (uint32_t y = 0; s == UT_OK && y < height; y++)
        memcpy(sheet->rgb + ((size_t)y * sheet->width + column * (width + GAP)) * 3, small.rgb + (size_t)y * width * 3,
               (size_t)width * 3);
    ut_picture_free(&small);
    return s;
}

static ut_status compose(const char *const *path, uint32_t width, int gain, ut_buf *file, ut_err *e)
{
    ut_picture before = { 0 }, after = { 0 }, sheet = { 0 };
    uint32_t height = 0;
    ut_status s = load(path[0], &before, e);
    if (s == UT_OK)
        s = load(path[1], &after, e);
    if (s == UT_OK && (before.width != after.width || before.height != after.height)) {
        ut_picture fitted = { 0 };
        s = ut_image_resize(&before, after.width, after.height, &fitted, e);
        ut_picture_free(&before);
        before = fitted;
    }
    if (s == UT_OK) {
        height = (uint32_t)((uint64_t)after.height * width / after.width);
        height = height ? height : 1;
        s = ut_picture_alloc(&sheet, 3 * width + 2 * GAP, height, false, e);
    }
    if (s == UT_OK)
        memset(sheet.rgb, 255, (size_t)sheet.width * sheet.height * 3);
    if (s == UT_OK)
        s = place(&before, width, height, 0, &sheet, e);
    if (s == UT_OK)
        s = place(&after, width, height, 1, &sheet, e);
    if (s == UT_OK) {
        subtract(&before, &after, gain);
        s = place(&after, width, height, 2, &sheet, e);
    }
    if (s == UT_OK)
        s = ut_image_write_png(&sheet, file, e);
    ut_picture_free(&before);
    ut_picture_free(&after);
    ut_picture_free(&sheet);
    return s;
}

int main(int argc, char **argv)
{
    long width = argc > 4 ? strtol(argv[4], NULL, 10) : 533, gain = argc > 5 ? strtol(argv[5], NULL, 10) : 12;
    ut_buf file = { 0 };
    ut_err e = { 0 };
    if (argc < 4 || argc > 6 || width < 16 || width > 8000 || gain < 1 || gain > 255) {
        fprintf(stderr, "usage: side_by_side BEFORE AFTER OUT.png [PANEL-WIDTH [GAIN]]\n");
        return 2;
    }
    const char *const path[] = { argv[1], argv[2] };
    ut_status s = compose(path, (uint32_t)width, (int)gain, &file, &e);
    FILE *f = s == UT_OK ? fopen(argv[3], "wb") : NULL;
    int failed = !f || fwrite(file.data, 1, file.len, f) != file.len;
    failed |= f && fclose(f);
    if (failed)
        fprintf(stderr, "side_by_side: %s\n", s == UT_OK ? "cannot write the output" : e.text);
    ut_buf_free(&file);
    return failed ? 7 : 0;
}
