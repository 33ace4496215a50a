#include "stage/hide/sync_internal.h"
#include "base/parallel.h"
#include "base/rng.h"
#include "stage/hide/embed.h"
#include "stage/hide/preamble.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { LEAST = 24, MOST = 52, OFF_AXIS = 6, P = UT_SYNC_PERIOD };
static const double tau = 6.28318530717958647692;

ut_status ut_sync_init(ut_sync *s, const uint8_t key[32], ut_err *e)
{
    ut_stream *st = ut_stream_new(key, UT_DOMAIN_SYNC, e);
    if (!st) return UT_E_MEMORY;
    for (unsigned n = 0; n < UT_SYNC_NLINES;) {
        int u = (int)ut_stream_below(st, 2 * MOST + 1) - MOST, v = (int)ut_stream_below(st, MOST + 1), r = u * u + v * v;
        uint32_t phase = ut_stream_u32(st);
        bool seen = r < LEAST * LEAST || r > MOST * MOST || abs(u) < OFF_AXIS || v < OFF_AXIS;
        for (unsigned i = 0; i < n; i++) seen = seen || (s->u[i] == u && s->v[i] == v);
        if (seen) continue;
        s->u[n] = (int16_t)u;
        s->v[n] = (int16_t)v;
        s->phase[n++] = (float)((double)phase * (tau / 4294967296.0));
    }
    ut_stream_free(st);
    return UT_OK;
}

double ut_sync_phase(const ut_sync *s, unsigned l) { return s->phase[l] - tau / 2 * (s->u[l] + s->v[l]) / P; }

/* One period, of variance one. */
static void tile(const ut_sync *s, float *t)
{
    float *wave = t; /* row by row: cos(a + b) = cos a cos b - sin a sin b */
    for (unsigned y = 0; y < P; y++) {
        for (unsigned x = 0; x < P; x++) wave[x] = 0;
        for (unsigned l = 0; l < UT_SYNC_NLINES; l++) {
            double a = tau * s->u[l] / P, b = tau * s->v[l] * y / P + s->phase[l];
            double c = cos(b), d = sin(b), ca = cos(a), sa = sin(a);
            for (unsigned x = 0; x < P; x++) {
                wave[x] += (float)c;
                double n = c * ca - d * sa;
                d = c * sa + d * ca;
                c = n;
            }
        }
        for (unsigned x = 0; x < P; x++) wave[x] *= 0.125f; /* sqrt(2 / UT_SYNC_NLINES) */
        wave += P;
    }
}

ut_status ut_sync_blur(const float *in, uint32_t w, uint32_t h, unsigned r, float *out, ut_err *e)
{
    float *mid = ut_calloc((size_t)w * h, sizeof *mid, e);
    double *sum = ut_calloc(w, sizeof *sum, e);
    if (!mid || !sum) {
        free(mid);
        free(sum);
        return UT_E_MEMORY;
    }
    for (uint32_t y = 0; y < h; y++) {
        const float *a = in + (size_t)y * w;
        float *o = mid + (size_t)y * w;
        double s = 0;
        for (uint32_t x = 0; x < r && x < w; x++) s += a[x];
        for (uint32_t x = 0; x < w; x++) {
            if (x + r < w) s += a[x + r];
            if (x > r) s -= a[x - r - 1];
            uint32_t lo = x > r ? x - r : 0, hi = x + r < w ? x + r : w - 1;
            o[x] = (float)(s / (hi - lo + 1));
        }
    }
    for (uint32_t y = 0; y < h + r; y++) { /* row y enters, row y - 2r - 1 leaves, row y - r is ready */
        if (y < h)
            for (uint32_t x = 0; x < w; x++) sum[x] += mid[(size_t)y * w + x];
        if (y > 2 * r)
            for (uint32_t x = 0; x < w; x++) sum[x] -= mid[(size_t)(y - 2 * r - 1) * w + x];
        if (y < r) continue;
        uint32_t at = y - r, lo = at > r ? at - r : 0, hi = y < h ? y : h - 1;
        double inverse = 1.0 / (hi - lo + 1);
        for (uint32_t x = 0; x < w; x++) out[(size_t)at * w + x] = (float)(sum[x] * inverse);
    }
    free(mid);
    free(sum);
    return UT_OK;
}

static void luma(const ut_picture *p, uint32_t x0, uint32_t y0, uint32_t w, uint32_t h, float *a)
{
    for (uint32_t y = 0; y < h; y++) {
        const uint8_t *s = p->rgb + ((size_t)(y0 + y) * p->width + x0) * 3;
        for (uint32_t x = 0; x < w; x++) a[(size_t)y * w + x] = (float)ut_luma8(s[3 * x], s[3 * x + 1], s[3 * x + 2]);
    }
}

/* a becomes a without its mean over squares of 2r + 1; b its strength over squares of 2q + 1. */
static ut_status strength(float *a, uint32_t w, uint32_t h, unsigned r, unsigned q, float *b, ut_err *e)
{
    size_t n = (size_t)w * h;
    ut_status s = ut_sync_blur(a, w, h, r, b, e);
    if (s != UT_OK) return s;
    for (size_t i = 0; i < n; i++) {
        a[i] -= b[i];
        b[i] = a[i] * a[i];
    }
    s = ut_sync_blur(b, w, h, q, b, e);
    for (size_t i = 0; i < n; i++) b[i] = sqrtf(b[i] > 0 ? b[i] : 0);
    return s;
}

/* Nearest change of luma that whole steps of G, of R and G, of all three make; cheap, and finer than steps of luma. */
static unsigned steps(float t, bool grey, int d[3])
{
    float a = fabsf(t);
    int whole = (int)a, sign = t < 0 ? -1 : 1;
    a -= (float)whole;
    int g = a > (grey ? .5f : .29f), r = a > (grey ? .5f : .74f), b = a > (grey ? .5f : .94f);
    d[0] = sign * (whole + r);
    d[1] = sign * (whole + g);
    d[2] = sign * (whole + b);
    return (unsigned)(d[0] * d[0] + d[1] * d[1] + d[2] * d[2]);
}

typedef struct adding {
    ut_picture *p;
    const float *gain, *tile;
    float scale;
} adding;

static void add_row(void *arg, size_t y)
{
    const adding *j = arg;
    uint8_t *out = j->p->rgb + y * j->p->width * 3;
    for (uint32_t x = 0; x < j->p->width; x++, out += 3) {
        int d[3];
        (void)steps(j->scale * j->gain[y * j->p->width + x] * j->tile[y % P * P + x % P], j->p->grey, d);
        for (int c = 0; c < 3; c++) {
            int v = out[c] + d[c];
            out[c] = (uint8_t)(v < 0 ? 0 : v > 255 ? 255 : v);
        }
    }
}

/* Squared error per sample at a scale, from every seventh pixel. */
static double cost(const adding *j)
{
    size_t n = (size_t)j->p->width * j->p->height, m = 0;
    double sum = 0;
    for (size_t i = 0; i < n; i += 7, m++) {
        int d[3];
        size_t x = i % j->p->width, y = i / j->p->width;
        sum += steps(j->scale * j->gain[i] * j->tile[y % P * P + x % P], j->p->grey, d);
    }
    return sum / (3 * (double)m);
}

ut_status ut_sync_add(const ut_sync *s, ut_picture *p, double mse, unsigned nthreads, ut_err *e)
{
    size_t n = (size_t)p->width * p->height;
    float *a = ut_calloc(n, sizeof *a, e), *gain = ut_calloc(n, sizeof *gain, e), *t = ut_calloc(P * P, sizeof *t, e);
    ut_status st = a && gain && t ? UT_OK : UT_E_MEMORY;
    if (st == UT_OK) {
        luma(p, 0, 0, p->width, p->height, a);
        st = strength(a, p->width, p->height, 2, 3, gain, e);
    }
    if (st == UT_OK) {
        for (size_t i = 0; i < n; i++) gain[i] = sqrtf(fminf(fmaxf(gain[i], .8f), 8));
        st = ut_sync_blur(gain, p->width, p->height, 2, gain, e);
    }
    if (st == UT_OK) {
        tile(s, t);
        adding j = { p, gain, t, 0 };
        float lo = 0, hi = 4;
        for (int i = 0; i < 14; i++) {
            j.scale = (lo + hi) / 2;
            if (cost(&j) > mse) hi = j.scale;
            else lo = j.scale;
        }
        j.scale = lo;
        ut_parallel(nthreads, p->height, add_row, &j);
    }
    free(a);
    free(gain);
    free(t);
    return st;
}

typedef struct whitening {
    ut_sync_windows *w;
    const ut_picture *p;
    ut_status status[UT_SYNC_MAX_WINDOWS];
} whitening;

static void whiten(void *arg, size_t i)
{
    whitening *j = arg;
    ut_sync_window *w = &j->w->at[i];
    size_t n = (size_t)w->w * w->h;
    float *b = ut_calloc(n, sizeof *b, NULL);
    w->a = ut_calloc(n, sizeof *w->a, NULL);
    if (!w->a || !b) {
        free(b);
        j->status[i] = UT_E_MEMORY;
        return;
    }
    luma(j->p, w->x, w->y, w->w, w->h, w->a);
    j->status[i] = strength(w->a, w->w, w->h, 4, 8, b, NULL);
    for (size_t k = 0; k < n; k++) w->a[k] /= b[k] + 1.5f;
    free(b);
}

ut_status ut_sync_windows_init(ut_sync_windows *w, const ut_picture *p, unsigned nthreads, ut_err *e)
{
    *w = (ut_sync_windows){ 0 };
    if (p->width < UT_SYNC_LEAST || p->height < UT_SYNC_LEAST) return ut_fail(e, UT_E_CAPACITY, "the picture is too small to be put right");
    uint32_t ww = p->width < UT_SYNC_WINDOW ? p->width : UT_SYNC_WINDOW, wh = p->height < UT_SYNC_WINDOW ? p->height : UT_SYNC_WINDOW;
    unsigned nx = (p->width + ww - 1) / ww, ny = (p->height + wh - 1) / wh, long_x = p->width >= p->height;
    if (nx > (long_x ? 3u : 2u)) nx = long_x ? 3 : 2;
    if (ny > (long_x ? 2u : 3u)) ny = long_x ? 2 : 3;
    whitening j = { w, p, { UT_OK } };
    for (unsigned y = 0; y < ny; y++)
        for (unsigned x = 0; x < nx; x++)
            w->at[w->n++] = (ut_sync_window){ nx > 1 ? (p->width - ww) * x / (nx - 1) : 0, ny > 1 ? (p->height - wh) * y / (ny - 1) : 0,
                                              ww, wh, NULL };
    ut_parallel(nthreads, w->n, whiten, &j);
    for (size_t i = 0; i < w->n; i++)
        if (j.status[i] != UT_OK) {
            ut_sync_windows_free(w);
            return ut_fail_memory(e, (size_t)ww * wh * sizeof(float));
        }
    return UT_OK;
}

void ut_sync_windows_free(ut_sync_windows *w)
{
    for (size_t i = 0; i < w->n; i++) free(w->at[i].a);
    *w = (ut_sync_windows){ 0 };
}
