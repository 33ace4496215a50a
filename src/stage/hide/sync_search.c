/* Scale, turning and place of a received picture, without knowing any: the pattern's waves are sharp lines in the spectrum, wherever
 * the picture was cut.  First the lines' powers alone at every scale, then, where those are high, the lines' phases, which say the place. */
#include "stage/hide/sync_internal.h"
#include "base/parallel.h"
#include "kern/fft2.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { N = UT_SYNC_FFT, P = UT_SYNC_PERIOD, L = UT_SYNC_NLINES, NEAR = 6, KEEP = 64, FINE = 256, FIRST = 115, LAST = 666, ASPECT = 4, SCREEN = 32 };
#define CAP 8.f       /* a line counts at most so many times the power around it: photos have lines of their own */
#define HOPEFUL .8f
#define CERTAIN 6.3f  /* standard deviations that chance does not reach in all these trials */
static const double tau = 6.28318530717958647692;

typedef struct spectrum {
    float *re, *im; /* [N][N], transposed: [frequency in x][frequency in y] */
} spectrum;

typedef struct candidate {
    unsigned a, b;  /* scales of the received x and y axis, in 1/FINE */
    unsigned class; /* bit 0: x and y are exchanged, bit 1: x is mirrored, seen from y */
    float power, score;
    ut_sync_fit fit;
} candidate;

typedef struct search {
    const ut_sync *sync;
    const ut_picture *got;
    ut_sync_windows win;
    spectrum spec[UT_SYNC_MAX_WINDOWS];
    ut_fft2 fft, small;
    float *noise, *power; /* [N][N]: mean power around, the lines' power over it */
    bool wide;
    candidate best[LAST + 1][KEEP]; /* of each scale of x */
    candidate top[KEEP];
    size_t ntop;
} search;

static void transform(void *arg, size_t i)
{
    search *s = arg;
    const ut_sync_window *w = &s->win.at[i];
    for (uint32_t y = 0; y < w->h; y++) memcpy(s->spec[i].re + (size_t)y * N, w->a + (size_t)y * w->w, w->w * sizeof(float));
    ut_fft2_run(&s->fft, s->spec[i].re, s->spec[i].im);
}

static ut_status spectra(search *s, unsigned nthreads, ut_err *e)
{
    size_t n = (size_t)N * N;
    ut_fft2_init(&s->fft, N);
    ut_fft2_init(&s->small, P);
    s->noise = ut_calloc(n, sizeof(float), e);
    s->power = ut_calloc(n, sizeof(float), e);
    if (!s->noise || !s->power) return UT_E_MEMORY;
    for (size_t i = 0; i < s->win.n; i++) {
        s->spec[i].re = ut_calloc(n, sizeof(float), e);
        s->spec[i].im = ut_calloc(n, sizeof(float), e);
        if (!s->spec[i].re || !s->spec[i].im) return UT_E_MEMORY;
    }
    ut_parallel(nthreads, s->win.n, transform, s);
    for (size_t k = 0; k < s->win.n; k++)
        for (size_t i = 0; i < n; i++) s->power[i] += s->spec[k].re[i] * s->spec[k].re[i] + s->spec[k].im[i] * s->spec[k].im[i];
    ut_status st = ut_sync_blur(s->power, N, N, NEAR, s->noise, e);
    for (size_t i = 0; i < n; i++) {
        float r = s->noise[i] > 0 ? s->power[i] / s->noise[i] : 0;
        s->power[i] = r > CAP ? CAP : r;
        s->noise[i] /= (float)s->win.n;
    }
    return st;
}

/* Bin of wave l at these scales; false where it lies beyond what the picture can show. */
static inline bool bin_of(const search *s, const candidate *c, unsigned l, int *kx, int *ky)
{
    int u = s->sync->u[l], v = s->sync->v[l];
    int p = (c->class & 1 ? v : u) * (int)c->a * (N / P), q = (c->class & 1 ? u : v) * (int)c->b * (N / P);
    if (c->class & 2) p = -p;
    *kx = (p + (p < 0 ? -FINE / 2 : FINE / 2)) / FINE;
    *ky = (q + (q < 0 ? -FINE / 2 : FINE / 2)) / FINE;
    return abs(*kx) < N / 2 && abs(*ky) < N / 2;
}

static float line_power(const search *s, const candidate *c)
{
    float sum = 0;
    unsigned n = 0;
    for (unsigned l = 0; l < L; l++) {
        int kx, ky;
        if (l == SCREEN && s->wide && sum - (float)n < HOPEFUL * sqrtf((float)n)) return 0; /* so many pairs of scales: most are not worth all lines */
        if (!bin_of(s, c, l, &kx, &ky)) continue;
        sum += s->power[(size_t)(kx & (N - 1)) * N + (ky & (N - 1))];
        n++;
    }
    return n < L / 4 ? 0 : (sum - (float)n) / sqrtf((float)n);
}

static void insert(candidate *list, const candidate *c)
{
    if (c->power <= list[KEEP - 1].power) return;
    size_t i = KEEP - 1;
    for (; i && list[i - 1].power < c->power; i--) list[i] = list[i - 1];
    list[i] = *c;
}

/* All partners of one scale of x: near it, for most pictures keep their shape, or any. */
static void try_scale(void *arg, size_t i)
{
    search *s = arg;
    unsigned a = FIRST + (unsigned)i, lo = a > FIRST + ASPECT ? a - ASPECT : FIRST, hi = a + ASPECT < LAST ? a + ASPECT : LAST;
    if (s->wide) lo = FIRST, hi = LAST;
    for (unsigned class = 0; class < 4; class++)
        for (unsigned b = lo; b <= hi; b++) {
            candidate c = { .a = a, .b = b, .class = class };
            c.power = line_power(s, &c);
            insert(s->best[a], &c);
        }
}

/* A wave's amplitude in a window, its phase counted from the window's centre, over the noise. */
static void amplitude(const search *s, size_t w, int kx, int ky, double *re, double *im)
{
    size_t at = (size_t)(kx & (N - 1)) * N + (ky & (N - 1));
    const ut_sync_window *win = &s->win.at[w];
    double norm = 1 / sqrt((double)s->noise[at] + 1e-9), x = s->spec[w].re[at] * norm, y = s->spec[w].im[at] * norm, m = hypot(x, y);
    if (m > 3) x *= 3 / m, y *= 3 / m;
    double angle = tau * (kx * (win->w / 2. - .5) + ky * (win->h / 2. - .5)) / N, c = cos(angle), d = sin(angle);
    *re = x * c - y * d;
    *im = x * d + y * c;
}

/* Where in the period the window's centre lies: the highest point of the correlation.  The two turnings of a class differ by half a turn, which
 * turns phases over; bin_of has the signs of the first. */
static void place(search *s, candidate *c, size_t w, float *re, float *im)
{
    static const unsigned turns[4][2] = { { 1, 3 }, { 5, 7 }, { 2, 4 }, { 8, 6 } };
    memset(re, 0, P * P * sizeof *re);
    memset(im, 0, P * P * sizeof *im);
    double total = 0;
    for (unsigned l = 0; l < L; l++) {
        int kx, ky;
        if (!bin_of(s, c, l, &kx, &ky)) continue;
        double x, y, phase = ut_sync_phase(s->sync, l), cp = cos(phase), sp = sin(phase);
        amplitude(s, w, kx, ky, &x, &y);
        double ar = x * cp + y * sp, ai = y * cp - x * sp;   /* first turning */
        double br = x * cp - y * sp, bi = -y * cp - x * sp;  /* second: the conjugate amplitude */
        unsigned u = (unsigned)s->sync->u[l] & (P - 1), v = (unsigned)s->sync->v[l] & (P - 1), nu = (P - u) & (P - 1), nv = (P - v) & (P - 1);
        /* both surfaces are real: one in the real part, one in the imaginary */
        re[v * P + u] += (float)(ar - bi), im[v * P + u] += (float)(ai + br);
        re[nv * P + nu] += (float)(ar + bi), im[nv * P + nu] += (float)(-ai + br);
        total += 1;
    }
    ut_fft2_run(&s->small, re, im);
    for (int k = 0; k < 2; k++) {
        const float *map = k ? im : re;
        size_t peak = 0;
        for (size_t i = 1; i < (size_t)P * P; i++)
            if (map[i] > map[peak]) peak = i;
        float score = map[peak] / (float)sqrt(2 * total);
        if (score <= c->score) continue;
        c->score = score;
        const ut_sync_window *win = &s->win.at[w];
        c->fit = (ut_sync_fit){ .turn = turns[c->class][k], .score = score, .sigma = 1 };
        ut_sync_fit *f = &c->fit;
        bool swapped = f->turn >= 5;
        double cx = win->x + win->w / 2., cy = win->y + win->h / 2., W = s->got->width, H = s->got->height;
        double tx = swapped ? cy : cx, ty = swapped ? cx : cy; /* upright place of the window's centre */
        if (f->turn == 2 || f->turn == 3 || f->turn == 6 || f->turn == 7) tx = (swapped ? H : W) - tx;
        if (f->turn == 3 || f->turn == 4 || f->turn == 7 || f->turn == 8) ty = (swapped ? W : H) - ty;
        f->scale_x = (swapped ? c->b : c->a) / (double)FINE;
        f->scale_y = (swapped ? c->a : c->b) / (double)FINE;
        f->anchor_x = tx;
        f->anchor_y = ty;
        f->x0 = (double)(peak / P) - f->scale_x * tx; /* transposed: the row is x */
        f->y0 = (double)(peak % P) - f->scale_y * ty;
    }
}

static void verify(void *arg, size_t i)
{
    search *s = arg;
    candidate *c = &s->top[i];
    float *re = malloc(P * P * sizeof *re), *im = malloc(P * P * sizeof *im);
    c->score = 0;
    if (re && im)
        for (size_t w = 0; w < s->win.n; w++) place(s, c, w, re, im);
    free(re);
    free(im);
}

static int by_score(const void *a, const void *b)
{
    float x = ((const candidate *)a)->score, y = ((const candidate *)b)->score;
    return x < y ? 1 : x > y ? -1 : 0;
}

static void round_of(search *s, bool wide, unsigned nthreads)
{
    s->wide = wide;
    memset(s->best, 0, sizeof s->best);
    memset(s->top, 0, sizeof s->top);
    ut_parallel(nthreads, LAST - FIRST + 1, try_scale, s);
    for (unsigned a = FIRST; a <= LAST; a++)
        for (size_t i = 0; i < KEEP; i++) insert(s->top, &s->best[a][i]);
    ut_parallel(nthreads, KEEP, verify, s);
    qsort(s->top, KEEP, sizeof *s->top, by_score);
}

ut_status ut_sync_search(const ut_sync *sync, const ut_picture *got, unsigned nthreads, ut_sync_fit *hit, size_t max, size_t *n,
                         ut_err *e)
{
    *n = 0;
    search *s = ut_calloc(1, sizeof *s, e);
    if (!s) return UT_E_MEMORY;
    s->sync = sync;
    s->got = got;
    ut_status st = ut_sync_windows_init(&s->win, got, nthreads, e);
    if (st == UT_OK) st = spectra(s, nthreads, e);
    for (int wide = 0; wide < 2 && st == UT_OK && !*n; wide++) {
        round_of(s, wide, nthreads);
        for (size_t i = 0; i < KEEP && *n < max && s->top[i].score > CERTAIN; i++) hit[(*n)++] = s->top[i].fit;
    }
    for (size_t i = 0; i < s->win.n; i++) {
        free(s->spec[i].re);
        free(s->spec[i].im);
    }
    free(s->noise);
    free(s->power);
    ut_sync_windows_free(&s->win);
    free(s);
    return st == UT_E_CAPACITY ? UT_OK : st; /* too small for it: nothing is found */
}
