/* Turning: pixels and a JPEG's coefficients go the same way, and back. */
#include "channel/codec.h"
#include "channel/turn.h"
#include "check.h"
#include "kern/dct8.h"
#include "stage/hide/extract.h"
#include <math.h>

static const unsigned inverse[9] = { 0, 1, 2, 3, 4, 5, 8, 7, 6 };

static void paint(ut_picture *p, uint32_t w, uint32_t h)
{
    unsigned long long seed = 3;
    if (ut_picture_alloc(p, w, h, true, NULL) != UT_OK) abort();
    for (size_t i = 0; i < (size_t)w * h * 3; i++) p->rgb[i] = (uint8_t)(60 + i / 3 % w * 100 / w + i / 3 / w * 60 / h + (check_rand(&seed) & 31));
    for (size_t i = 0; i < (size_t)w * h; i++) p->alpha[i] = (uint8_t)i;
}

static void test_pixels(void)
{
    ut_picture p, q;
    paint(&p, 75, 41);
    for (unsigned o = 1; o <= 8; o++) {
        if (ut_picture_copy(&q, &p, NULL) != UT_OK) abort();
        CHECK(ut_orient(&q, o, NULL) == UT_OK);
        CHECK(q.width == (o >= 5 ? 41u : 75u) && q.height == (o >= 5 ? 75u : 41u), "orientation %u: %ux%u", o, q.width, q.height);
        CHECK(o == 1 || memcmp(q.rgb, p.rgb, 75 * 41 * 3) != 0, "orientation %u does nothing", o);
        CHECK(ut_orient(&q, inverse[o], NULL) == UT_OK);
        CHECK(q.width == 75 && memcmp(q.rgb, p.rgb, 75 * 41 * 3) == 0 && memcmp(q.alpha, p.alpha, 75 * 41) == 0, "orientation %u and back", o);
        ut_picture_free(&q);
    }
    /* 6: what is left of the received picture's bottom is the upright one's top left (CIPA DC-008) */
    if (ut_picture_copy(&q, &p, NULL) != UT_OK || ut_orient(&q, 6, NULL) != UT_OK) abort();
    CHECK(memcmp(q.rgb, p.rgb + (size_t)40 * 75 * 3, 3) == 0);
    ut_picture_free(&q);
    ut_picture_free(&p);
}

/* Coefficients turned are the coefficients of the pixels turned, but for the decoder's rounding. */
static void test_coefficients(void)
{
    ut_picture p, shown, turned;
    ut_file_info info;
    ut_jpeg_coefs j, t;
    ut_buf file = { 0 };
    ut_channel_jpeg tables;
    ut_jpeg_quality(80, &tables);
    paint(&p, 48, 80);
    if (ut_jpeg_encode(&p, &tables, &file, NULL) != UT_OK || ut_codec_read(file.data, file.len, "it", &shown, &j, &info, NULL) != UT_OK) abort();
    for (unsigned o = 1; o <= 8; o++) {
        CHECK(ut_orient_luma(&j, o, &t, NULL) == UT_OK && t.nplanes == 1, "orientation %u", o);
        if (ut_picture_copy(&turned, &shown, NULL) != UT_OK || ut_orient(&turned, o, NULL) != UT_OK) abort();
        CHECK(t.width == turned.width && t.height == turned.height, "orientation %u: %ux%u", o, t.width, t.height);
        ut_view a = { .jpeg = &t }, b = { .picture = &turned };
        double sum = 0, n = 0;
        for (uint32_t y = 0; y < t.height / 8; y++)
            for (uint32_t x = 0; x < t.width / 8; x++) {
                float c[64], d[64];
                ut_view_block(&a, x, y, c);
                ut_view_block(&b, x, y, d);
                for (int k = 1; k < 64; k++) sum += (c[k] - d[k]) * (c[k] - d[k]), n++;
            }
        CHECK(sqrt(sum / n) < 1, "orientation %u: coefficients differ by %.2f", o, sqrt(sum / n));
        ut_picture_free(&turned);
        ut_jpeg_coefs_free(&t);
    }
    ut_jpeg_coefs_free(&j);
    ut_picture_free(&shown);
    ut_picture_free(&p);
    ut_buf_free(&file);
}

/* 50 pixels are not whole blocks: what is mirrored sideways would begin within one. */
static void test_refusals(void)
{
    static const bool exact[9] = { false, true, false, false, true, true, true, false, false };
    ut_picture p;
    ut_jpeg_coefs j, t;
    ut_buf file = { 0 };
    ut_channel_jpeg tables;
    ut_jpeg_quality(80, &tables);
    paint(&p, 50, 80);
    if (ut_jpeg_encode(&p, &tables, &file, NULL) != UT_OK || ut_jpeg_read_coefs(file.data, file.len, "it", &j, NULL) != UT_OK) abort();
    for (unsigned o = 1; o <= 8; o++) {
        CHECK(ut_orient_luma(&j, o, &t, NULL) == UT_OK);
        CHECK((t.nplanes == 1) == exact[o], "orientation %u", o);
        ut_jpeg_coefs_free(&t);
    }
    ut_jpeg_coefs_free(&j);
    ut_picture_free(&p);
    ut_buf_free(&file);
}

int main(void)
{
    test_pixels();
    test_coefficients();
    test_refusals();
    return check_end();
}
