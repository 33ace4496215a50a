#include "channel/codec.h"
#include "image_vectors.h"
#include <jpeglib.h>

static ut_picture made(uint32_t w, uint32_t h, bool alpha, bool grey)
{
    ut_picture p;
    ut_err e = { 0 };
    unsigned long long seed = 7;
    if (ut_picture_alloc(&p, w, h, alpha, &e) != UT_OK) exit(1);
    p.grey = grey;
    for (uint32_t y = 0; y < h; y++)
        for (uint32_t x = 0; x < w; x++) {
            uint8_t *c = p.rgb + 3 * ((size_t)y * w + x);
            c[0] = (uint8_t)(40 + (x * 150) / w + check_rand(&seed) % 16);
            c[1] = (uint8_t)(30 + (y * 160) / h + check_rand(&seed) % 16);
            c[2] = (uint8_t)(60 + ((x + y) * 90) / (w + h) + ((x / 9 + y / 7) % 2) * 40);
            if (grey) c[1] = c[2] = c[0];
            if (alpha) p.alpha[(size_t)y * w + x] = (uint8_t)(x * 3 + y);
        }
    return p;
}

static bool same(const ut_picture *a, const ut_picture *b)
{
    return a->width == b->width && a->height == b->height &&
           memcmp(a->rgb, b->rgb, (size_t)a->width * a->height * 3) == 0;
}
static double psnr(const ut_picture *a, const ut_picture *b)
{
    double d = 0;
    ut_err e = { 0 };
    CHECK(ut_image_compare(a, b, &d, NULL, &e) == UT_OK, "%s", e.text);
    return d;
}

static ut_received apply(const char *spec, size_t variant, const ut_picture *in, unsigned want)
{
    ut_channel *c = NULL;
    ut_err e = { 0 };
    ut_received r = { 0 };
    CHECK(ut_channel_parse(spec, NULL, &c, &e) == UT_OK, "%s: %s", spec, e.text);
    if (!c) return r;
    CHECK(ut_channel_apply(c, variant, in, want, &r, &e) == UT_OK, "%s: %s", spec, e.text);
    ut_channel_free(c);
    return r;
}

/* What the channel gives is what reading its file gives; coefficients alone equal those beside a picture. */
static void test_consistent(const ut_picture *in)
{
    static const char *const specs[] = { "png", "jpeg:75", "jpeg:90:444", "jpeg:30:422", "webp:80", "avif:60",
                                         "resize:0.5+jpeg:80", "whatsapp", "telegram", "instagram", "facebook",
                                         "jpeg:80+png", "webp:70+jpeg:75", "jpeg:75+resize:0.7", "crop:0.9" };
    for (size_t i = 0; i < sizeof specs / sizeof specs[0]; i++) {
        ut_err e = { 0 };
        ut_received r = apply(specs[i], 0, in, UT_WANT_PICTURE | UT_WANT_JPEG | UT_WANT_FILE);
        ut_received j = apply(specs[i], 0, in, UT_WANT_JPEG);
        ut_picture p;
        ut_jpeg_coefs c;
        ut_image_info info;
        CHECK(ut_image_read(r.file.data, r.file.len, specs[i], &p, &c, &info, &e) == UT_OK, "%s", e.text);
        CHECK(same(&p, &r.picture), "%s", specs[i]);
        CHECK(c.nplanes == r.jpeg.nplanes && c.nplanes == j.jpeg.nplanes, "%s", specs[i]);
        CHECK((j.jpeg.nplanes != 0) != (j.picture.rgb != NULL), "%s: coefficients or else the picture", specs[i]);
        for (unsigned k = 0; k < c.nplanes; k++) {
            size_t n = (size_t)c.plane[k].blocks_w * c.plane[k].blocks_h * 128;
            CHECK(memcmp(c.plane[k].coef, j.jpeg.plane[k].coef, n) == 0, "%s", specs[i]);
            CHECK(c.plane[k].blocks_w == (((c.width * c.plane[k].hsamp + c.plane[0].hsamp - 1) / c.plane[0].hsamp) + 7) / 8);
        }
        ut_picture_free(&p);
        ut_jpeg_coefs_free(&c);
        ut_received_free(&r);
        ut_received_free(&j);
    }
}

static void test_quality(const ut_picture *in)
{
    static const struct { const char *spec; double least, most; } row[] = { { "jpeg:95:444", 36, 60 },
        { "jpeg:75", 28, 45 }, { "webp:90", 28, 50 }, { "avif:80", 28, 55 }, { "avif:20", 15, 38 } };
    for (size_t i = 0; i < sizeof row / sizeof row[0]; i++) {
        ut_received r = apply(row[i].spec, 0, in, UT_WANT_PICTURE);
        double d = psnr(in, &r.picture);
        CHECK(d > row[i].least && d < row[i].most, "%s gives %.2f dB", row[i].spec, d);
        ut_received_free(&r);
    }
    ut_received r = apply("png", 0, in, UT_WANT_PICTURE);
    CHECK(same(in, &r.picture));
    ut_received_free(&r);
}

/* The tables a file holds are those that ut_channel_jpegs promises. */
static void test_tables(const ut_picture *in)
{
    static const char *const specs[] = { "jpeg:1", "jpeg:33:444", "jpeg:100:422", "whatsapp", "instagram" };
    for (size_t i = 0; i < sizeof specs / sizeof specs[0]; i++) {
        ut_err e = { 0 };
        ut_channel *c;
        ut_channel_jpeg t[4];
        ut_received r = apply(specs[i], 0, in, UT_WANT_JPEG);
        if (ut_channel_parse(specs[i], NULL, &c, &e) != UT_OK) exit(1);
        CHECK(ut_channel_jpegs(c, 0, t, 4) == 1 && t[0].last && r.jpeg.nplanes == 3);
        CHECK(memcmp(t[0].luma, r.jpeg.plane[0].quant, 128) == 0 && memcmp(t[0].chroma, r.jpeg.plane[1].quant, 128) == 0);
        CHECK(r.jpeg.plane[0].hsamp == t[0].hsamp && r.jpeg.plane[0].vsamp == t[0].vsamp && r.jpeg.plane[2].hsamp == 1);
        ut_channel_free(c);
        ut_received_free(&r);
    }
}

/* 16-bit quantiser steps make an extended sequential file and still come back. */
static void test_wide_table(const ut_picture *in)
{
    ut_channel_jpeg t;
    ut_buf f = { 0 };
    ut_err e = { 0 };
    ut_jpeg_coefs c;
    ut_jpeg_quality(50, &t);
    t.luma[63] = 3000;
    CHECK(ut_image_write_jpeg(in, &t, &f, &e) == UT_OK, "%s", e.text);
    CHECK(ut_jpeg_read_coefs(f.data, f.len, "wide", &c, &e) == UT_OK && c.plane[0].quant[63] == 3000, "%s", e.text);
    ut_jpeg_coefs_free(&c);
    ut_buf_free(&f);
}

static void test_geometry(const ut_picture *in)
{
    static const struct { const char *spec; uint32_t w, h; } row[] = { { "resize:0.5", 80, 60 }, { "resize:2", 320, 240 },
        { "resize:64", 64, 48 }, { "resize:1600", 160, 120 }, { "crop:0.5", 80, 60 }, { "instagram", 1440, 1440 },
        { "resize:0.05", 8, 6 } };
    for (size_t i = 0; i < sizeof row / sizeof row[0]; i++) {
        ut_received r = apply(row[i].spec, 0, in, UT_WANT_PICTURE);
        CHECK(r.picture.width == row[i].w && r.picture.height == row[i].h, "%s: %ux%u", row[i].spec, r.picture.width,
              r.picture.height);
        ut_received_free(&r);
    }
    ut_received r = apply("crop:0.5", 0, in, UT_WANT_PICTURE);
    CHECK(memcmp(r.picture.rgb, in->rgb + 3 * (30 * 160 + 40), 80 * 3) == 0);
    ut_received_free(&r);
}

/* Running twice gives the same bytes: AVIF's encoder runs on several threads. */
static void test_repeatable(const ut_picture *in)
{
    static const char *const specs[] = { "avif:50", "resize:0.37+jpeg:80", "webp:80" };
    for (size_t i = 0; i < 3; i++) {
        ut_received a = apply(specs[i], 0, in, UT_WANT_FILE), b = apply(specs[i], 0, in, UT_WANT_FILE);
        CHECK(a.file.len == b.file.len && memcmp(a.file.data, b.file.data, a.file.len) == 0, "%s", specs[i]);
        ut_received_free(&a);
        ut_received_free(&b);
    }
}

static void test_grey(void)
{
    ut_picture g = made(64, 48, false, true);
    ut_received r = apply("jpeg:80", 0, &g, UT_WANT_PICTURE | UT_WANT_JPEG);
    CHECK(r.jpeg.nplanes == 1 && r.picture.grey);
    ut_received_free(&r);
    g.rgb[1] ^= 8; /* the flag says grey, a pixel does not: colour must not be lost */
    r = apply("jpeg:80", 0, &g, UT_WANT_JPEG);
    CHECK(r.jpeg.nplanes == 3);
    ut_received_free(&r);
    ut_picture_free(&g);
}

/* The same picture through Pillow's encoder (libjpeg-turbo too): the same tables and the same coefficients. */
static void test_against_pillow(void)
{
    static const char *const row[][2] = { { "jpeg:75", "q75.jpg" }, { "jpeg:90:444", "q90_444.jpg" },
                                          { "jpeg:60:422", "q60_422.jpg" }, { "whatsapp", "whatsapp.jpg" } };
    ut_picture in = read_vector("rgb.png", NULL, NULL);
    for (int i = 0; i < 4; i++) {
        ut_jpeg_coefs ref;
        ut_picture p = read_vector(row[i][1], &ref, NULL);
        ut_received r = apply(row[i][0], 0, &in, UT_WANT_JPEG | UT_WANT_PICTURE);
        CHECK(r.jpeg.nplanes == 3 && ref.nplanes == 3 && same_pixels(&p, &r.picture), "%s", row[i][0]);
        for (int k = 0; k < 3; k++) {
            const ut_jpeg_plane *a = &ref.plane[k], *b = &r.jpeg.plane[k];
            CHECK(memcmp(a->quant, b->quant, 128) == 0 && a->blocks_w == b->blocks_w && a->blocks_h == b->blocks_h);
            CHECK(memcmp(a->coef, b->coef, (size_t)a->blocks_w * a->blocks_h * 128) == 0, "%s, plane %d", row[i][0], k);
        }
        ut_received_free(&r);
        ut_jpeg_coefs_free(&ref);
        ut_picture_free(&p);
    }
    ut_picture_free(&in);
}

/* Our tables are those that libjpeg makes of a quality. */
static void test_quality_tables(void)
{
    struct jpeg_compress_struct c;
    struct jpeg_error_mgr er;
    c.err = jpeg_std_error(&er);
    jpeg_create_compress(&c);
    c.in_color_space = JCS_RGB;
    c.input_components = 3;
    jpeg_set_defaults(&c);
    for (unsigned q = 1; q <= 100; q++) {
        ut_channel_jpeg t;
        jpeg_set_quality(&c, (int)q, TRUE);
        ut_jpeg_quality(q, &t);
        CHECK(memcmp(t.luma, c.quant_tbl_ptrs[0]->quantval, 128) == 0, "luma at quality %u", q);
        CHECK(memcmp(t.chroma, c.quant_tbl_ptrs[1]->quantval, 128) == 0, "chroma at quality %u", q);
    }
    jpeg_destroy_compress(&c);
}

static void test_errors(const ut_picture *in)
{
    ut_channel *c;
    ut_received r;
    ut_err e = { 0 };
    if (ut_channel_parse("jpeg:75-95", NULL, &c, &e) != UT_OK) exit(1);
    CHECK(ut_channel_apply(c, 5, in, UT_WANT_PICTURE, &r, &e) == UT_E_USAGE && !r.picture.rgb, "%s", e.text);
    ut_channel_free(c);
    ut_picture wide = made(20000, 8, false, false);
    if (ut_channel_parse("webp:80", NULL, &c, &e) != UT_OK) exit(1);
    CHECK(ut_channel_apply(c, 0, &wide, UT_WANT_PICTURE, &r, &e) == UT_E_USAGE && strstr(e.text, "20000x8"), "%s", e.text);
    ut_channel_free(c);
    if (ut_channel_parse("resize:4", NULL, &c, &e) != UT_OK) exit(1);
    CHECK(ut_channel_apply(c, 0, &wide, UT_WANT_PICTURE, &r, &e) == UT_E_INPUT && strstr(e.text, "80000x32"), "%s", e.text);
    ut_channel_free(c);
    ut_picture_free(&wide);
}

int main(void)
{
    setenv("XDG_CONFIG_HOME", "/nonexistent", 1);
    test_against_pillow();
    test_quality_tables();
    ut_picture p = made(160, 120, false, false), odd = made(151, 117, true, false);
    test_consistent(&p);
    test_consistent(&odd);
    test_quality(&p);
    test_tables(&p);
    test_wide_table(&p);
    test_geometry(&p);
    test_repeatable(&p);
    test_grey();
    test_errors(&p);
    ut_picture_free(&p);
    ut_picture_free(&odd);
    return check_end();
}
