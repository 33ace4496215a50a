/* The short-time Fourier transform against its defining sum, and back to the very signal. */
#include "check.h"
#include "kern/stft.h"
#include <math.h>

static double window(size_t i, size_t n_fft, size_t win)
{
    size_t left = (n_fft - win) / 2;
    return i < left || i >= left + win ? 0 : 0.5 - 0.5 * cos(2 * acos(-1) * (double)(i - left) / (double)win);
}

/* The greatest difference of all bins of frame t from the sum in stft.h. */
static double frame_error(const ut_stft *s, const float *x, size_t n, size_t t, const float *re, const float *im, size_t stride)
{
    double worst = 0;
    for (size_t k = 0; k <= s->n_fft / 2; k++) {
        double a = 0, b = 0;
        for (size_t i = 0; i < s->n_fft; i++) {
            size_t at = t * s->hop + i;
            if (at < s->n_fft / 2 || at - s->n_fft / 2 >= n) continue;
            double v = (double)x[at - s->n_fft / 2] * window(i, s->n_fft, s->win_length), angle = 2 * acos(-1) * (double)(k * i % s->n_fft) / (double)s->n_fft;
            a += v * cos(angle);
            b -= v * sin(angle);
        }
        worst = fmax(worst, fmax(fabs(a - (double)re[k * stride + t]), fabs(b - (double)im[k * stride + t])));
    }
    return worst;
}

static void test_both_ways(size_t n_fft, size_t win, size_t hop, size_t n)
{
    ut_stft s;
    ut_err e = { 0 };
    unsigned long long seed = 5;
    CHECK(ut_stft_init(&s, n_fft, win, hop, &e) == UT_OK, "%s", e.text);
    size_t frames = ut_stft_count(&s, n), stride = frames + 3;
    CHECK(frames == (n + hop - 1) / hop + 1);
    float *x = calloc(n, sizeof *x), *y = calloc(n, sizeof *y), *re = calloc((n_fft / 2 + 1) * stride, sizeof *re), *im = calloc((n_fft / 2 + 1) * stride, sizeof *im);
    double *scratch = calloc(ut_stft_scratch(&s), sizeof *scratch);
    if (!x || !y || !re || !im || !scratch) exit(1);
    for (size_t i = 0; i < n; i++) x[i] = (float)(check_rand(&seed) % 65536) / 32768 - 1;
    for (size_t first = 0; first < 3; first++) { /* every third frame: into its own column each */
        float *r = calloc((n_fft / 2 + 1) * stride, sizeof *r), *q = calloc((n_fft / 2 + 1) * stride, sizeof *q);
        if (!r || !q) exit(1);
        size_t count = first < frames ? (frames - first + 2) / 3 : 0;
        ut_stft_forward(&s, x, n, &(ut_stft_frames){ r, q, stride, first, 3, count }, scratch);
        for (size_t k = 0; k <= n_fft / 2; k++)
            for (size_t c = 0; c < count; c++) {
                re[k * stride + first + 3 * c] = r[k * stride + c];
                im[k * stride + first + 3 * c] = q[k * stride + c];
            }
        free(r);
        free(q);
    }
    for (size_t t = 0; t < frames; t++) CHECK(frame_error(&s, x, n, t, re, im, stride) < 1e-4, "n_fft %zu, frame %zu", n_fft, t);
    for (size_t t = 0; t < frames; t++) im[t] = im[n_fft / 2 * stride + t] = 99; /* must not matter */
    ut_stft_inverse(&s, &(ut_stft_frames){ re, im, stride, 0, 1, frames }, y, n, scratch);
    ut_stft_finish(&s, y, n);
    for (size_t i = 0; i < n; i++) CHECK(fabsf(y[i] - x[i]) < 2e-5f, "n_fft %zu hop %zu n %zu, sample %zu: %g", n_fft, hop, n, i, (double)(y[i] - x[i]));
    free(x), free(y), free(re), free(im), free(scratch);
    ut_stft_free(&s);
}

int main(void)
{
    static const size_t bad[][3] = { { 500, 400, 100 }, { 4, 4, 1 }, { 0, 0, 0 }, { 16384, 400, 100 }, { 512, 513, 100 }, { 512, 400, 0 }, { 512, 400, 201 } };
    test_both_ways(512, 400, 100, 1234);
    test_both_ways(512, 512, 256, 2000);
    test_both_ways(64, 64, 16, 1);
    test_both_ways(64, 50, 25, 24);
    test_both_ways(8, 8, 4, 100);
    test_both_ways(16, 9, 3, 77);
    test_both_ways(4096, 4000, 1999, 4001);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        ut_stft s;
        ut_err e = { 0 };
        CHECK(ut_stft_init(&s, bad[i][0], bad[i][1], bad[i][2], &e) == UT_E_INPUT, "%zu", i);
        ut_stft_free(&s);
    }
    return check_end();
}
