/* Damaged, cut off and lying files: one clear line, never a crash, never a picture that is silently wrong. */
#include "image_vectors.h"

static ut_status attempt(const uint8_t *d, size_t n, ut_err *e)
{
    ut_picture p;
    ut_jpeg_coefs c;
    *e = (ut_err){ 0 };
    uint8_t *exact = malloc(n ? n : 1); /* so that the address sanitizer sees a read past the end */
    if (!exact) exit(1);
    if (n) memcpy(exact, d, n);
    ut_status s = ut_image_read(exact, n, "bad.file", &p, &c, NULL, e);
    if (s == UT_OK) {
        ut_picture_free(&p);
        ut_jpeg_coefs_free(&c);
    } else {
        CHECK(!p.rgb && !c.nplanes && strncmp(e->text, "bad.file", 8) == 0 && !strchr(e->text, '\n'), "%s", e->text);
    }
    free(exact);
    return s;
}

static void test_truncation(void)
{
    static const char *const files[] = { "q75.jpg", "progressive.jpg", "cmyk.jpg", "icc.jpg", "grey.jpg", "rgb.png",
                                         "interlaced_alpha.png", "rgb16.png", "palette_trns.png", "icc.png", "lossy.webp",
                                         "lossless_alpha.webp", "lossy_alpha.webp", "photo.avif", "photo.heic" };
    ut_err e;
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
        ut_buf b = load(files[i]);
        size_t step = b.len < 4000 ? 7 : 97;
        for (size_t n = 0; n < b.len; n += step)
            CHECK(attempt(b.data, n, &e) != UT_OK, "%s cut to %zu of %zu bytes is taken", files[i], n, b.len);
        CHECK(attempt(b.data, b.len - 1, &e) != UT_OK, "%s without its last byte is taken", files[i]);
        CHECK(attempt(b.data, b.len, &e) == UT_OK, "%s", e.text);
        ut_buf_free(&b);
    }
}

/* Flipped bytes may still be a picture; they must not be a crash.  A PNG's chunks have checksums: never a picture. */
static void test_damage(void)
{
    static const char *const files[] = { "q75.jpg", "progressive.jpg", "rgba.png", "lossy.webp", "lossless_alpha.webp",
                                         "orientation6.jpg", "alpha.avif", "photo.heic" };
    unsigned long long seed = 99;
    ut_err e;
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
        ut_buf b = load(files[i]);
        for (int k = 0; k < 60; k++) {
            size_t at = check_rand(&seed) % b.len;
            uint8_t old = b.data[at];
            b.data[at] ^= (uint8_t)(1 + check_rand(&seed) % 255);
            ut_status s = attempt(b.data, b.len, &e);
            if (strstr(files[i], ".png")) CHECK(s != UT_OK, "byte %zu of %s", at, files[i]);
            b.data[at] = old;
        }
        ut_buf_free(&b);
    }
}

static void put_be32(uint8_t *p, uint32_t v)
{
    for (int i = 0; i < 4; i++) p[i] = (uint8_t)(v >> (24 - 8 * i));
}
static uint32_t crc(const uint8_t *p, size_t n)
{
    uint32_t c = ~0u;
    for (size_t i = 0; i < n; i++) {
        c ^= p[i];
        for (int k = 0; k < 8; k++) c = c >> 1 ^ (0xedb88320u & -(c & 1));
    }
    return ~c;
}

/* Headers that promise far more pixels than there are bytes: refused by size, before memory is taken. */
static void test_bombs(void)
{
    ut_err e;
    ut_buf b = load("rgb.png");
    put_be32(b.data + 16, 60000);
    put_be32(b.data + 20, 60000);
    put_be32(b.data + 29, crc(b.data + 12, 17));
    CHECK(attempt(b.data, b.len, &e) == UT_E_INPUT && strstr(e.text, "60000x60000") && strstr(e.text, "200 megapixels"), "%s",
          e.text);
    put_be32(b.data + 16, 0x7fffffff);
    put_be32(b.data + 29, crc(b.data + 12, 17));
    CHECK(attempt(b.data, b.len, &e) == UT_E_INPUT && strstr(e.text, "too many"), "%s", e.text);
    ut_buf_free(&b);
    b = load("q75.jpg");
    size_t at = 0;
    while (at + 9 < b.len && !(b.data[at] == 0xff && b.data[at + 1] == 0xc0)) at++;
    memcpy(b.data + at + 5, "\xff\xdc\xff\xdc", 4); /* 65500 x 65500 */
    CHECK(attempt(b.data, b.len, &e) == UT_E_INPUT && strstr(e.text, "65500x65500"), "%s", e.text);
    ut_buf_free(&b);
}

static void test_not_pictures(void)
{
    static const struct { const char *bytes; size_t n; const char *says; } row[] = {
        { "", 0, "empty" },
        { "hello, this is a text", 21, "not a picture" },
        { "RIFF\x10\0\0\0WAVEfmt ", 16, "not a picture" },
        { "\xff\xd8\xff", 3, "JPEG" },
        { "\x89PNG\r\n\x1a\n", 8, "PNG" },
        { "RIFF\xff\xff\xff\xffWEBPVP8 \xff\xff\xff\xff", 20, "WebP" },
        { "\0\0\0\x14" "ftypheic\0\0\0\0heic", 20, "HEIC" },
        { "\0\0\0\x14" "ftypmp42\0\0\0\0mp42", 20, "not a picture" },
    };
    ut_err e;
    for (size_t i = 0; i < sizeof row / sizeof row[0]; i++) {
        CHECK(attempt((const uint8_t *)row[i].bytes, row[i].n, &e) != UT_OK);
        CHECK(strstr(e.text, row[i].says) != NULL, "\"%s\" lacks \"%s\"", e.text, row[i].says);
    }
    ut_picture p;
    CHECK(ut_image_read(NULL, 0, NULL, &p, NULL, NULL, &e) == UT_E_INPUT && !p.rgb);
}

int main(void)
{
    test_truncation();
    test_damage();
    test_bombs();
    test_not_pictures();
    return check_end();
}
