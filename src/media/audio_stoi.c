/* STOI: Taal, Hendriks, Heusdens, Jensen 2011, "An Algorithm for Intelligibility Prediction of Time-Frequency Weighted
 * Noisy Speech".  10 kHz; frames of 256, hop 128, FFT 512; 15 third-octave bands from 150 Hz; segments of 30 frames;
 * lower bound -15 dB; frames more than 40 dB below the loudest are left out.
 * Figures agree with the common Python implementation to 1e-6 (tests/vectors/audio). */
#include "media/audio_internal.h"
#include <complex.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { FRAME = 256, HOP = 128, NFFT = 512, BANDS = 15, SEGMENT = 30, UP = 5, DOWN = 8, HALF = 290, TAPS = 2 * HALF + 1 };
static const double PI = 3.14159265358979323846, EPS = 2.220446049250313e-16, FS = 10000;

/* Modified Bessel function of the first kind, order 0, by its power series. */
static double bessel_i0(double x)
{
    double sum = 1, term = 1;
    for (int k = 1; k < 200 && term > sum * 1e-18; k++) {
        term *= (x / (2 * k)) * (x / (2 * k));
        sum += term;
    }
    return sum;
}

/* Low pass at 5 kHz for 16 kHz * 5 / 8: Kaiser window, 60 dB (beta 0.1102 (60 - 8.7)), roll-off a tenth of the cut-off,
 * so half length ceil((60 - 8) / (28.714 / 160)) = 290; unity gain times UP. */
static void make_filter(double h[TAPS])
{
    double cut = 1.0 / (2 * DOWN), beta = 0.1102 * (60 - 8.7), sum = 0;
    for (int i = 0; i < TAPS; i++) {
        double t = i - HALF, x = 2 * cut * t * PI, r = t / HALF;
        h[i] = (i == HALF ? 1 : sin(x) / x) * bessel_i0(beta * sqrt(1 - r * r));
        sum += h[i];
    }
    for (int i = 0; i < TAPS; i++) h[i] *= UP / sum;
}

static double *resample(const int16_t *in, size_t n, size_t nout, const double h[TAPS], ut_err *e)
{
    double *out = ut_calloc(nout, sizeof *out, e);
    for (size_t m = 0; out && m < nout; m++) {
        long long centre = (long long)m * DOWN; /* at 80 kHz; sample i sits at 5 i */
        long long first = (centre - HALF + UP - 1) / UP, last = (centre + HALF) / UP;
        if (centre < HALF) first = 0;
        if (last > (long long)n - 1) last = (long long)n - 1;
        double sum = 0;
        for (long long i = first; i <= last; i++) sum += in[i] / 32768.0 * h[centre - i * UP + HALF];
        out[m] = sum;
    }
    return out;
}

static double window(int i) { return 0.5 - 0.5 * cos(2 * PI * (i + 1) / (FRAME + 1)); }

static void fft(double complex x[NFFT])
{
    for (unsigned i = 1, j = 0; i < NFFT; i++) {
        unsigned bit = NFFT / 2;
        for (; j & bit; bit /= 2) j ^= bit;
        j ^= bit;
        if (i < j) {
            double complex t = x[i];
            x[i] = x[j];
            x[j] = t;
        }
    }
    for (unsigned len = 2; len <= NFFT; len *= 2) {
        for (unsigned k = 0; k < len / 2; k++) {
            double complex w = cos(2 * PI * k / len) - I * sin(2 * PI * k / len);
            for (unsigned i = k; i < NFFT; i += len) {
                double complex a = x[i], b = x[i + len / 2] * w;
                x[i] = a + b;
                x[i + len / 2] = a - b;
            }
        }
    }
}

/* Frames wholly inside [0, n), the very last possible one left out as in the reference implementation. */
static size_t frames_in(size_t n) { return n <= FRAME ? 0 : (n - FRAME - 1) / HOP + 1; }

/* Leaves out the frames where the reference is silent and overlap-adds the rest, in place; *left: the new length. */
static ut_status drop_silence(double *x, double *y, size_t n, size_t *left, ut_err *e)
{
    size_t count = frames_in(n), kept = 0;
    double *energy = ut_calloc(count, sizeof *energy, e), loudest = -INFINITY;
    *left = 0;
    if (!energy) return UT_E_MEMORY;
    for (size_t f = 0; f < count; f++) {
        double sum = 0;
        for (int i = 0; i < FRAME; i++) sum += pow(window(i) * x[f * HOP + (size_t)i], 2);
        energy[f] = 20 * log10(sqrt(sum) + EPS);
        loudest = fmax(loudest, energy[f]);
    }
    /* frame f is read before anything at or behind f * HOP is overwritten, as kept <= f: go by halves of a frame */
    double xtail[HOP] = { 0 }, ytail[HOP] = { 0 };
    for (size_t f = 0; f < count; f++) {
        if (!(loudest - 40 - energy[f] < 0)) continue;
        double xf[FRAME], yf[FRAME];
        for (int i = 0; i < FRAME; i++) {
            xf[i] = window(i) * x[f * HOP + (size_t)i];
            yf[i] = window(i) * y[f * HOP + (size_t)i];
        }
        for (int i = 0; i < HOP; i++) {
            x[kept * HOP + (size_t)i] = xtail[i] + xf[i];
            y[kept * HOP + (size_t)i] = ytail[i] + yf[i];
        }
        memcpy(xtail, xf + HOP, sizeof xtail);
        memcpy(ytail, yf + HOP, sizeof ytail);
        kept++;
    }
    free(energy);
    if (!kept) return UT_OK;
    memcpy(x + kept * HOP, xtail, sizeof xtail);
    memcpy(y + kept * HOP, ytail, sizeof ytail);
    *left = kept * HOP + HOP;
    return UT_OK;
}

static int nearest_bin(double hz)
{
    return (int)ceil(hz * NFFT / FS - 0.5); /* ties go down */
}

/* band: [frames][BANDS], root of the energy in third-octave bands around 150 * 2^(k/3) Hz */
static void third_octaves(const double *x, size_t frames, double *band)
{
    for (size_t f = 0; f < frames; f++) {
        double complex s[NFFT] = { 0 };
        for (int i = 0; i < FRAME; i++) s[i] = window(i) * x[f * HOP + (size_t)i];
        fft(s);
        for (int b = 0; b < BANDS; b++) {
            int low = nearest_bin(150 * pow(2, (2 * b - 1) / 6.0)), high = nearest_bin(150 * pow(2, (2 * b + 1) / 6.0));
            double sum = 0;
            for (int k = low; k < high; k++) sum += creal(s[k]) * creal(s[k]) + cimag(s[k]) * cimag(s[k]);
            band[f * BANDS + (size_t)b] = sqrt(sum);
        }
    }
}

/* Correlation of one band's segment with its normalised, clipped counterpart (equations 3 to 5). */
static double segment_correlation(const double *x, const double *y)
{
    double xs[SEGMENT], ys[SEGMENT], xx = 0, yy = 0, mx = 0, my = 0, xy = 0;
    for (int i = 0; i < SEGMENT; i++) {
        xs[i] = x[i * BANDS];
        ys[i] = y[i * BANDS];
        xx += xs[i] * xs[i];
        yy += ys[i] * ys[i];
    }
    double gain = sqrt(xx) / (sqrt(yy) + EPS), clip = 1 + pow(10, 15 / 20.0);
    for (int i = 0; i < SEGMENT; i++) {
        ys[i] = fmin(ys[i] * gain, xs[i] * clip);
        mx += xs[i] / SEGMENT;
        my += ys[i] / SEGMENT;
    }
    xx = yy = 0;
    for (int i = 0; i < SEGMENT; i++) {
        xx += (xs[i] - mx) * (xs[i] - mx);
        yy += (ys[i] - my) * (ys[i] - my);
        xy += (xs[i] - mx) * (ys[i] - my);
    }
    return xy / ((sqrt(xx) + EPS) * (sqrt(yy) + EPS));
}

static ut_status score(const double *x, const double *y, size_t n, double *stoi, ut_err *e)
{
    size_t frames = frames_in(n);
    if (frames < SEGMENT) return UT_OK;
    double *xb = ut_calloc(frames * BANDS, sizeof *xb, e), *yb = ut_calloc(frames * BANDS, sizeof *yb, e), sum = 0;
    ut_status s = xb && yb ? UT_OK : UT_E_MEMORY;
    if (s == UT_OK) {
        third_octaves(x, frames, xb);
        third_octaves(y, frames, yb);
        for (size_t m = 0; m + SEGMENT <= frames; m++)
            for (int b = 0; b < BANDS; b++) sum += segment_correlation(xb + m * BANDS + b, yb + m * BANDS + b);
        *stoi = sum / ((double)(frames - SEGMENT + 1) * BANDS);
    }
    free(xb);
    free(yb);
    return s;
}

ut_status ut_stoi(const int16_t *ref, const int16_t *deg, size_t n, double *stoi, ut_err *e)
{
    double h[TAPS];
    size_t n10 = (n * UP + DOWN - 1) / DOWN;
    *stoi = NAN;
    make_filter(h);
    double *x = resample(ref, n, n10, h, e), *y = x ? resample(deg, n, n10, h, e) : NULL;
    ut_status s = x && y ? UT_OK : UT_E_MEMORY;
    size_t left = 0;
    if (s == UT_OK && frames_in(n10)) s = drop_silence(x, y, n10, &left, e);
    if (s == UT_OK) s = score(x, y, left, stoi, e);
    free(x);
    free(y);
    return s;
}
