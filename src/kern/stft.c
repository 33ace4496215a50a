#include "kern/stft.h"
#include "base/buf.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define L UT_STFT_LANES
#define LANES for (size_t l = 0; l < L; l++)

/* Sum of squared windows at `at`, counted from the padding's start, of the frames first to last. */
static double window_power(const ut_stft *s, size_t at, size_t first, size_t last)
{
    double power = 0;
    for (size_t t = first; t <= last; t++) power += s->window[at - t * s->hop] * s->window[at - t * s->hop];
    return power > 1e-8 ? power : 1e-8;
}

ut_status ut_stft_init(ut_stft *s, size_t n_fft, size_t win_length, size_t hop, ut_err *e)
{
    const double pi = 3.14159265358979323846;
    *s = (ut_stft){ .n_fft = n_fft, .win_length = win_length, .hop = hop };
    if (n_fft < 8 || n_fft > UT_STFT_MAX || (n_fft & (n_fft - 1)) || win_length > n_fft || hop == 0 || hop > win_length / 2)
        return ut_fail(e, UT_E_INPUT, "a transform of %zu samples, window %zu, hop %zu is not supported: a power of two from 8 to %d, 0 < hop <= window/2", n_fft,
                       win_length, hop, UT_STFT_MAX);
    s->window = ut_calloc(2 * n_fft + hop, sizeof *s->window, e);
    s->reversed = ut_calloc(n_fft / 2, sizeof *s->reversed, e);
    if (!s->window || !s->reversed) {
        ut_stft_free(s);
        return UT_E_MEMORY;
    }
    s->cosine = s->window + n_fft;
    s->sine = s->cosine + n_fft / 2;
    s->steady = s->sine + n_fft / 2;
    size_t left = (n_fft - win_length) / 2;
    for (size_t i = 0; i < win_length; i++) s->window[left + i] = 0.5 - 0.5 * cos(2 * pi * (double)i / (double)win_length);
    for (size_t k = 0; k < n_fft / 2; k++) {
        s->cosine[k] = cos(2 * pi * (double)k / (double)n_fft);
        s->sine[k] = sin(2 * pi * (double)k / (double)n_fft);
        size_t r = 0;
        for (size_t bit = 1, top = n_fft / 4; bit < n_fft / 2; bit *= 2, top /= 2)
            if (k & bit) r |= top;
        s->reversed[k] = (uint16_t)r;
    }
    for (size_t i = 0; i < hop; i++) {
        size_t at = n_fft * hop + i; /* a multiple of the hop far from the start */
        s->steady[i] = 1 / window_power(s, at, (at - n_fft) / hop + 1, at / hop);
    }
    return UT_OK;
}

void ut_stft_free(ut_stft *s)
{
    free(s->window);
    free(s->reversed);
    *s = (ut_stft){ 0 };
}

size_t ut_stft_count(const ut_stft *s, size_t nsamples) { return nsamples / s->hop + (nsamples % s->hop != 0) + 1; }

size_t ut_stft_scratch(const ut_stft *s) { return (s->n_fft + 2) * L; }

/* Complex transform of n_fft/2 points for L frames at once, in place; input in bit-reversed order (Cooley and Tukey, 1965). */
static void transform(const ut_stft *s, double (*re)[L], double (*im)[L])
{
    size_t n = s->n_fft / 2;
    for (size_t half = 1; half < n; half *= 2)
        for (size_t k = 0; k < half; k++) {
            double c = s->cosine[k * (n / half)], w = -s->sine[k * (n / half)];
            for (size_t a = k; a < n; a += 2 * half) {
                size_t b = a + half;
                LANES
                {
                    double x = c * re[b][l] - w * im[b][l], y = c * im[b][l] + w * re[b][l];
                    re[b][l] = re[a][l] - x;
                    im[b][l] = im[a][l] - y;
                    re[a][l] += x;
                    im[a][l] += y;
                }
            }
        }
}

/* Spectrum of the real signal from that of even samples + i * odd samples: X[k] = E[k] + e^(-2 pi i k/n_fft) O[k]. */
static void split(const ut_stft *s, double (*re)[L], double (*im)[L])
{
    size_t n = s->n_fft / 2;
    LANES
    {
        double a = re[0][l], b = im[0][l];
        re[0][l] = a + b;
        re[n][l] = a - b;
        im[0][l] = im[n][l] = 0;
    }
    for (size_t k = 1; k <= n / 2; k++) {
        size_t m = n - k;
        double c = s->cosine[k], w = s->sine[k];
        LANES
        {
            double er = (re[k][l] + re[m][l]) / 2, ei = (im[k][l] - im[m][l]) / 2;
            double dr = (im[k][l] + im[m][l]) / 2, di = (re[m][l] - re[k][l]) / 2;
            double tr = c * dr + w * di, ti = c * di - w * dr;
            re[k][l] = er + tr;
            im[k][l] = ei + ti;
            re[m][l] = er - tr;
            im[m][l] = ti - ei;
        }
    }
}

/* The opposite, times two; the imaginary parts of the first and last bin do not matter. */
static void join(const ut_stft *s, double (*re)[L], double (*im)[L])
{
    size_t n = s->n_fft / 2;
    LANES
    {
        double a = re[0][l], b = re[n][l];
        re[0][l] = a + b;
        im[0][l] = a - b;
    }
    for (size_t k = 1; k <= n / 2; k++) {
        size_t m = n - k;
        double c = s->cosine[k], w = s->sine[k];
        LANES
        {
            double er = re[k][l] + re[m][l], ei = im[k][l] - im[m][l];
            double tr = re[k][l] - re[m][l], ti = im[k][l] + im[m][l];
            double dr = c * tr - w * ti, di = c * ti + w * tr;
            re[k][l] = er - di;
            im[k][l] = ei + dr;
            re[m][l] = er + di;
            im[m][l] = dr - ei;
        }
    }
}

/* L windowed frames from wave into bit-reversed order, two samples a complex number. */
static void cut(const ut_stft *s, const float *wave, size_t nsamples, const size_t *frame, size_t n, double (*re)[L], double (*im)[L])
{
    for (size_t l = 0; l < L; l++)
        for (size_t i = 0; i < s->n_fft; i++) {
            size_t at = (l < n ? frame[l] : 0) * s->hop + i, half = s->n_fft / 2; /* counted from the padding's start */
            bool inside = l < n && at >= half && at - half < nsamples;
            (i & 1 ? im : re)[s->reversed[i / 2]][l] = inside ? (double)wave[at - half] * s->window[i] : 0;
        }
}

void ut_stft_forward(const ut_stft *s, const float *wave, size_t nsamples, const ut_stft_frames *f, double *scratch)
{
    double (*re)[L] = (double (*)[L])scratch, (*im)[L] = re + s->n_fft / 2 + 1;
    for (size_t at = 0; at < f->count; at += L) {
        size_t n = f->count - at < L ? f->count - at : L, frame[L];
        for (size_t l = 0; l < n; l++) frame[l] = f->first + (at + l) * f->step;
        cut(s, wave, nsamples, frame, n, re, im);
        transform(s, re, im);
        split(s, re, im);
        for (size_t k = 0; k <= s->n_fft / 2; k++)
            for (size_t l = 0; l < n; l++) {
                f->re[k * f->row_stride + at + l] = (float)re[k][l];
                f->im[k * f->row_stride + at + l] = (float)im[k][l];
            }
    }
}

static void overlap(const ut_stft *s, size_t frame, size_t l, double (*re)[L], double (*im)[L], float *wave, size_t nsamples)
{
    size_t half = s->n_fft / 2;
    double scale = 1 / (double)s->n_fft;
    for (size_t i = 0; i < s->n_fft; i++) {
        size_t at = frame * s->hop + i;
        if (at < half || at - half >= nsamples) continue;
        wave[at - half] += (float)((i & 1 ? im : re)[i / 2][l] * s->window[i] * scale);
    }
}

void ut_stft_inverse(const ut_stft *s, const ut_stft_frames *f, float *wave, size_t nsamples, double *scratch)
{
    size_t half = s->n_fft / 2;
    double (*re)[L] = (double (*)[L])scratch, (*im)[L] = re + half + 1;
    for (size_t at = 0; at < f->count; at += L) {
        size_t n = f->count - at < L ? f->count - at : L;
        for (size_t k = 0; k <= half; k++)
            for (size_t l = 0; l < L; l++) {
                re[k][l] = l < n ? (double)f->re[k * f->row_stride + at + l] : 0;
                im[k][l] = l < n ? (double)f->im[k * f->row_stride + at + l] : 0;
            }
        join(s, re, im);
        for (size_t k = 0; k < half; k++) { /* into bit-reversed order */
            size_t r = s->reversed[k];
            if (r <= k) continue;
            double t[L];
            memcpy(t, re[k], sizeof t), memcpy(re[k], re[r], sizeof t), memcpy(re[r], t, sizeof t);
            memcpy(t, im[k], sizeof t), memcpy(im[k], im[r], sizeof t), memcpy(im[r], t, sizeof t);
        }
        transform(s, im, re); /* parts exchanged: the inverse transform, parts exchanged */
        for (size_t l = 0; l < n; l++) overlap(s, f->first + (at + l) * f->step, l, re, im, wave, nsamples);
    }
}

void ut_stft_finish(const ut_stft *s, float *wave, size_t nsamples)
{
    size_t frames = ut_stft_count(s, nsamples);
    for (size_t i = 0; i < nsamples; i++) {
        size_t at = i + s->n_fft / 2, last = at / s->hop;
        if (at >= s->n_fft && last < frames) { /* away from the ends it repeats with the hop */
            wave[i] = (float)((double)wave[i] * s->steady[at - last * s->hop]);
        } else {
            size_t first = at < s->n_fft ? 0 : (at - s->n_fft) / s->hop + 1;
            wave[i] = (float)((double)wave[i] / window_power(s, at, first, last < frames ? last : frames - 1));
        }
    }
}
