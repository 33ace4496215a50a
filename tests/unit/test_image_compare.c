/* PSNR and SSIM against scikit-image, Lanczos against Pillow. */
#include "channel/resize.h"
#include "image_vectors.h"
#include <math.h>

static void test_figures(void)
{
    ut_buf b = load("figures.txt");
    int n = 0;
    if (ut_buf_append(&b, "", 1, NULL) != UT_OK) exit(1);
    for (char *line = strtok((char *)b.data, "\n"); line; line = strtok(NULL, "\n"), n++) {
        char fa[64], fb[64];
        double psnr, ssim, got_psnr, got_ssim;
        ut_err e = { 0 };
        CHECK(sscanf(line, "%63s %63s %lf %lf", fa, fb, &psnr, &ssim) == 4);
        ut_picture p = read_vector(fa, NULL, NULL), q = read_vector(fb, NULL, NULL);
        CHECK(ut_image_compare(&p, &q, &got_psnr, &got_ssim, &e) == UT_OK, "%s", e.text);
        CHECK(fabs(got_psnr - psnr) < 1e-6, "%s: %.9f dB, should be %.9f", fb, got_psnr, psnr);
        CHECK(fabs(got_ssim - ssim) < 2e-5, "%s: SSIM %.9f, should be %.9f", fb, got_ssim, ssim);
        CHECK(ut_image_compare(&p, &p, &got_psnr, &got_ssim, &e) == UT_OK && isinf(got_psnr) && fabs(got_ssim - 1) < 1e-6);
        ut_picture_free(&p);
        ut_picture_free(&q);
    }
    CHECK(n == 3);
    ut_buf_free(&b);
}

static void test_compare_errors(void)
{
    ut_picture a, b, c;
    ut_err e = { 0 };
    double d, s;
    if (ut_picture_alloc(&a, 20, 20, false, &e) || ut_picture_alloc(&b, 20, 21, false, &e) ||
        ut_picture_alloc(&c, 10, 30, false, &e))
        exit(1);
    memset(c.rgb, 5, 900);
    CHECK(ut_image_compare(&a, &b, &d, NULL, &e) == UT_E_USAGE && strstr(e.text, "20x21"), "%s", e.text);
    CHECK(ut_image_compare(&c, &c, &d, &s, &e) == UT_E_USAGE && ut_image_compare(&c, &c, &d, NULL, &e) == UT_OK);
    ut_picture_free(&a);
    ut_picture_free(&b);
    ut_picture_free(&c);
}

static void test_lanczos(void)
{
    static const unsigned size[][2] = { { 20, 14 }, { 101, 60 }, { 53, 9 }, { 7, 70 } };
    ut_picture in = read_vector("rgb.png", NULL, NULL), out;
    ut_err e = { 0 };
    for (int i = 0; i < 4; i++) {
        char name[64];
        snprintf(name, sizeof name, "lanczos_%ux%u.png", size[i][0], size[i][1]);
        ut_picture ref = read_vector(name, NULL, NULL);
        CHECK(ut_image_resize(&in, size[i][0], size[i][1], &out, &e) == UT_OK, "%s", e.text);
        int worst = 0;
        for (size_t k = 0; k < (size_t)ref.width * ref.height * 3; k++) {
            int d = abs(out.rgb[k] - ref.rgb[k]);
            if (d > worst) worst = d;
        }
        CHECK(worst <= 1, "%s: %d levels off", name, worst);
        ut_picture_free(&out);
        ut_picture_free(&ref);
    }
    ut_picture_free(&in);
}

/* The taps sum to one exactly: flat stays flat, up and down, to the last level. */
static void test_flat(void)
{
    static const unsigned to[][2] = { { 1, 1 }, { 13, 200 }, { 400, 3 }, { 97, 89 } };
    ut_picture in, out;
    ut_err e = { 0 };
    if (ut_picture_alloc(&in, 90, 70, true, &e) != UT_OK) exit(1);
    for (int v = 0; v < 256; v += 51)
        for (int i = 0; i < 4; i++) {
            memset(in.rgb, v, 90 * 70 * 3);
            memset(in.alpha, 255 - v, 90 * 70);
            CHECK(ut_image_resize(&in, to[i][0], to[i][1], &out, &e) == UT_OK, "%s", e.text);
            size_t n = (size_t)out.width * out.height, bad = 0;
            for (size_t k = 0; k < 3 * n; k++) bad += out.rgb[k] != v;
            for (size_t k = 0; k < n; k++) bad += out.alpha[k] != 255 - v;
            CHECK(bad == 0, "%u of %zu samples differ", (unsigned)bad, n);
            ut_picture_free(&out);
        }
    ut_picture_free(&in);
}

static void test_sharpen(void)
{
    ut_picture in, out;
    ut_err e = { 0 };
    if (ut_picture_alloc(&in, 9, 9, false, &e) != UT_OK) exit(1);
    memset(in.rgb, 100, 243);
    in.rgb[(4 * 9 + 4) * 3] = 116; /* one red impulse of 16: blurred 4 there, 2 beside, 1 across */
    CHECK(ut_sharpen(&in, 256, &out, &e) == UT_OK);
    CHECK(out.rgb[(4 * 9 + 4) * 3] == 128 && out.rgb[(4 * 9 + 5) * 3] == 98 && out.rgb[(5 * 9 + 5) * 3] == 99);
    CHECK(out.rgb[0] == 100 && out.rgb[(4 * 9 + 4) * 3 + 1] == 100);
    ut_picture_free(&out);
    ut_picture_free(&in);
}

int main(void)
{
    test_figures();
    test_compare_errors();
    test_lanczos();
    test_flat();
    test_sharpen();
    return check_end();
}
