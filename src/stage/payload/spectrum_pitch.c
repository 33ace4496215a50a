/* What a frame would be if the voice went on as it did: the last pitch period, repeated, through the forward MDCT.
 * The receiver finds the period itself, in the samples that it has decoded; sent is only by how much it has changed since.
 * The prediction is not subtracted: it goes into the network, which has learned how far to trust it. */
#include "stage/payload/spectrum.h"
#include <string.h>

enum {
    N = UT_SPECTRUM_HOP,
    SHORTEST = 32,   /* 500 Hz */
    WINDOW = 320     /* samples that are compared with those one period earlier */
};

void ut_spectrum_remember(ut_spectrum_pitch *p, const int16_t out[UT_SPECTRUM_HOP])
{
    memmove(p->past, p->past + N, (UT_SPECTRUM_PAST - N) * sizeof *p->past);
    memcpy(p->past + UT_SPECTRUM_PAST - N, out, N * sizeof *out);
}

/* The past in 11 bits and a sign, so that correlations fit 32 bits. */
static void scaled_past(const ut_spectrum_pitch *p, int16_t v[UT_SPECTRUM_PAST])
{
    int32_t most = 0, divide = 1;
    for (int i = 0; i < UT_SPECTRUM_PAST; i++) {
        int32_t a = p->past[i] < 0 ? -p->past[i] : p->past[i];
        if (a > most) most = a;
    }
    while (most / divide > 2047) divide *= 2;
    for (int i = 0; i < UT_SPECTRUM_PAST; i++) v[i] = (int16_t)(p->past[i] / divide);
}

static int32_t product(const int16_t *a, const int16_t *b)
{
    int32_t sum = 0;
    for (int i = 0; i < WINDOW; i++) sum += (int32_t)a[i] * b[i]; /* 320 * 2047^2 < 2^31 */
    return sum;
}

/* Between two lags, in eighths, where the parabola through three correlations has its top. */
static int32_t top(int64_t before, int64_t at, int64_t after)
{
    int64_t bend = 2 * at - before - after;
    if (bend <= 0) return 0;
    int64_t eighths = 4 * (after - before) / bend;
    return (int32_t)(eighths > 4 ? 4 : eighths < -4 ? -4 : eighths);
}

void ut_spectrum_find_period(ut_spectrum_pitch *p)
{
    int16_t v[UT_SPECTRUM_PAST];
    const int16_t *now = v + UT_SPECTRUM_PAST - WINDOW;
    int32_t c[UT_SPECTRUM_LONGEST + 2], lag = 0;
    uint64_t best = 0;
    scaled_past(p, v);
    int64_t own = product(now, now), energy = product(now - SHORTEST + 1, now - SHORTEST + 1);
    p->trust = p->period = 0;
    if (own < 1) return;
    for (int t = SHORTEST - 1; t <= UT_SPECTRUM_LONGEST + 1; t++) {
        c[t] = product(now, now - t);
        if (t > SHORTEST - 1) energy += (int64_t)now[-t] * now[-t] - (int64_t)now[WINDOW - t] * now[WINDOW - t];
        if (c[t] <= 0 || t < SHORTEST || t > UT_SPECTRUM_LONGEST) continue;
        uint64_t score = (uint64_t)((int64_t)c[t] * c[t]) / (uint64_t)(energy + 1);
        if (score <= best + best / 16) continue; /* a little in favour of the shorter */
        best = score;
        lag = t;
    }
    if (!lag) return;
    p->trust = (int32_t)(best * 256 / (uint64_t)own);
    if (p->trust > 256) p->trust = 256;
    p->period = 8 * lag + top(c[lag - 1], c[lag], c[lag + 1]);
}

void ut_spectrum_predict(ut_spectrum_pitch *p, int32_t warp)
{
    int32_t x[2 * N], fold[N], period = p->period + p->period * warp / 200;
    memset(p->x, 0, sizeof p->x);
    if (!p->period) return;
    if (period > 8 * UT_SPECTRUM_LONGEST) period = 8 * UT_SPECTRUM_LONGEST;
    for (int32_t n = 0; n < 2 * N; n++) {
        int32_t back = n * 8 - (n * 8 / period + 1) * period; /* -period..-1 eighths behind the end of the past */
        int32_t at = (back + 8 * UT_SPECTRUM_PAST) / 8, part = (back + 8 * UT_SPECTRUM_PAST) % 8;
        int32_t a = p->past[at], b = at + 1 < UT_SPECTRUM_PAST ? p->past[at + 1] : a;
        int32_t w = ut_spectrum_window[n < N ? n : 2 * N - 1 - n];
        x[n] = (a * (8 - part) + b * part) / 8 * w / 16384; /* Q4 */
    }
    for (int n = 0; n < N / 2; n++) {
        fold[n] = -x[3 * N / 2 - 1 - n] - x[3 * N / 2 + n];
        fold[N / 2 + n] = x[n] - x[N - 1 - n];
    }
    for (uint32_t k = 0; k < UT_SPECTRUM_PREDICTED; k++) {
        int64_t sum = 0;
        for (uint32_t n = 0; n < N; n++) sum += (int64_t)fold[n] * ut_spectrum_cos[(2 * n + 1) * (2 * k + 1) % (8 * N)];
        p->x[k] = (int32_t)(sum / (1 << 24));
    }
}
