/* What is written comes back: pixels, alpha, grey, profile, EXIF. */
#include "channel/codec.h"
#include "channel/exif.h"
#include "image_vectors.h"

static void append(ut_buf *b, size_t n, unsigned long long seed)
{
    for (size_t i = 0; i < n; i++) {
        uint8_t v = (uint8_t)check_rand(&seed);
        if (ut_buf_append(b, &v, 1, NULL) != UT_OK) exit(1);
    }
}
static bool same_buf(const ut_buf *a, const ut_buf *b)
{
    return a->len == b->len && (!a->len || memcmp(a->data, b->data, a->len) == 0);
}

static const uint8_t tiny_exif[26] = { 'I', 'I', '*', 0, 8, 0, 0, 0, 1, 0, 0x12, 1, 3, 0, 1, 0, 0, 0, 1, 0, 0, 0 };

static void test_exact(const char *file)
{
    ut_picture p = read_vector(file, NULL, NULL), q;
    ut_buf icc = load("icc.expected"), f = { 0 };
    ut_image_info info;
    ut_err e = { 0 };
    ut_buf_free(&p.icc);
    ut_buf_free(&p.exif);
    if (!p.grey && ut_buf_append(&p.icc, icc.data, icc.len, NULL) != UT_OK) exit(1);
    if (ut_buf_append(&p.exif, tiny_exif, sizeof tiny_exif, NULL) != UT_OK) exit(1);
    for (int webp = 0; webp < 2; webp++) {
        ut_status s = webp ? ut_image_write_webp_lossless(&p, &f, &e) : ut_image_write_png(&p, &f, &e);
        CHECK(s == UT_OK, "%s: %s", file, e.text);
        CHECK(ut_image_read(f.data, f.len, file, &q, NULL, &info, &e) == UT_OK, "%s", e.text);
        CHECK(same_pixels(&p, &q) && info.lossless, "%s by way of %s", file, info.format);
        CHECK(same_buf(&p.icc, &q.icc) && same_buf(&p.exif, &q.exif), "%s: metadata in %s", file, info.format);
        if (!webp) CHECK(q.grey == p.grey, "%s", file);
        ut_picture_free(&q);
    }
    ut_buf_free(&f);
    ut_buf_free(&icc);
    ut_picture_free(&p);
}

/* A profile of several APP2 segments and EXIF up to the limit. */
static void test_jpeg_metadata(void)
{
    ut_picture p = read_vector("rgba.png", NULL, NULL), q;
    ut_channel_jpeg t;
    ut_buf f = { 0 };
    ut_err e = { 0 };
    ut_jpeg_quality(90, &t);
    append(&p.icc, 200000, 5);
    if (ut_buf_append(&p.exif, tiny_exif, sizeof tiny_exif, NULL) != UT_OK) exit(1);
    append(&p.exif, 60000, 6);
    CHECK(ut_image_write_jpeg(&p, &t, &f, &e) == UT_OK, "%s", e.text);
    CHECK(ut_image_read(f.data, f.len, "x", &q, NULL, NULL, &e) == UT_OK, "%s", e.text);
    CHECK(same_buf(&p.icc, &q.icc) && same_buf(&p.exif, &q.exif) && !q.alpha);
    ut_picture_free(&q);
    append(&p.exif, 6000, 6);
    CHECK(ut_image_write_jpeg(&p, &t, &f, &e) == UT_E_USAGE && strstr(e.text, "EXIF") && !f.len, "%s", e.text);
    ut_buf_free(&p.exif);
    ut_buf_free(&p.icc);
    append(&p.icc, 777, 8); /* no profile at all: PNG drops it, the picture stays */
    CHECK(ut_image_write_png(&p, &f, &e) == UT_OK, "%s", e.text);
    CHECK(ut_image_read(f.data, f.len, "x", &q, NULL, NULL, &e) == UT_OK && same_pixels(&p, &q) && !q.icc.len, "%s", e.text);
    ut_picture_free(&q);
    ut_picture_free(&p);
    ut_buf_free(&f);
}

static void test_avif_metadata(void)
{
    ut_picture p = read_vector("rgba.png", NULL, NULL), q;
    ut_buf f = { 0 };
    ut_err e = { 0 };
    append(&p.icc, 500, 5);
    if (ut_buf_append(&p.exif, tiny_exif, sizeof tiny_exif, NULL) != UT_OK) exit(1);
    CHECK(ut_avif_encode(&p, 70, &f, &e) == UT_OK, "%s", e.text);
    CHECK(ut_image_read(f.data, f.len, "x", &q, NULL, NULL, &e) == UT_OK, "%s", e.text);
    CHECK(same_buf(&p.icc, &q.icc) && same_buf(&p.exif, &q.exif) && q.alpha, "%zu %zu", q.icc.len, q.exif.len);
    ut_picture_free(&q);
    ut_picture_free(&p);
    ut_buf_free(&f);
}

/* The orientation tag is reset to 1 and nothing else in the EXIF bytes changes. */
static void test_orientation_reset(void)
{
    ut_picture p = read_vector("orientation6.jpg", NULL, NULL);
    ut_buf one = load("exif.expected"), b = load("orientation6.jpg");
    const uint8_t *found = NULL;
    for (size_t i = 0; i + 6 < b.len && !found; i++)
        if (memcmp(b.data + i, "Exif\0\0", 6) == 0) found = b.data + i + 6;
    CHECK(found && p.exif.len == one.len);
    size_t differ = 0;
    for (size_t i = 0; i < p.exif.len; i++) differ += p.exif.data[i] != found[i];
    CHECK(differ == 1, "%zu bytes differ", differ);
    ut_exif x = ut_exif_normalise(p.exif.data, p.exif.len);
    CHECK(x.orientation == 1 && x.width == 4000 && x.height == 3000);
    ut_buf_free(&b);
    ut_buf_free(&one);
    ut_picture_free(&p);
}

/* Directories that point at themselves, past the end, or promise 65535 entries. */
static void test_exif_hostile(void)
{
    unsigned long long seed = 3;
    for (int round = 0; round < 20000; round++) {
        uint8_t b[64];
        size_t n = check_rand(&seed) % sizeof b;
        for (size_t i = 0; i < n; i++) b[i] = (uint8_t)(check_rand(&seed) % (round % 2 ? 20 : 256));
        if (n >= 8) memcpy(b, round % 3 ? "II*\0\x08\0\0\0" : "MM\0*\0\0\0\x08", 8);
        if (n >= 12 && round % 5) memcpy(b + 8, "\x02\0\x12\x01", 4);
        uint8_t *exact = malloc(n ? n : 1);
        if (!exact) exit(1);
        if (n) memcpy(exact, b, n);
        ut_exif x = ut_exif_normalise(exact, n);
        CHECK(x.orientation >= 1 && x.orientation <= 8);
        free(exact);
    }
}

int main(void)
{
    static const char *const files[] = { "rgb.png", "rgba.png", "grey.png", "grey_alpha.png", "rgb_trns.png" };
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) test_exact(files[i]);
    test_jpeg_metadata();
    test_avif_metadata();
    test_orientation_reset();
    test_exif_hostile();
    return check_end();
}
