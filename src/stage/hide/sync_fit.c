/* From a scale known to half a percent and one place known to half a pixel to a few hundredths of a pixel everywhere: the waves' phases in
 * patches all over the picture, to which a straight line in x and one in y are fitted. */
#include "stage/hide/sync_internal.h"
#include "base/parallel.h"
#include <math.h>
#include <stdlib.h>

enum { P = UT_SYNC_PERIOD, L = UT_SYNC_NLINES, LANES = 16, PATCH = 160, MAX_GRID = 81, ROUNDS = 8 };
static const double tau = 6.28318530717958647692;

typedef struct patch {
    const ut_sync_window *win;
    uint32_t x, y, w, h;   /* within the window */
    double cx, cy;         /* centre, in the picture */
    float re[L], im[L];    /* of each wave, turned back by what the present fit expects; noise of variance one */
} patch;

typedef struct fit {
    const ut_sync *sync;
    ut_sync_fit *at;
    ut_sync_windows win;
    patch *p;
    size_t np;
    unsigned grid_x, grid_y;
    double step_x, step_y;
    float *px, *py;        /* [grid][np][L][2]: turning of each wave by a change of scale */
    float *row_best;       /* [grid_x] */
    unsigned *row_at;
} fit;

static ut_status cut(fit *f, ut_err *e)
{
    size_t room = 0;
    for (int pass = 0; pass < 2; pass++) {
        for (size_t i = 0; i < f->win.n; i++) {
            const ut_sync_window *w = &f->win.at[i];
            uint32_t nx = w->w / PATCH, ny = w->h / PATCH;
            nx = nx < 2 ? 2 : nx;
            ny = ny < 2 ? 2 : ny;
            for (uint32_t k = 0; k < nx * ny; k++) {
                if (!pass) {
                    room++;
                    continue;
                }
                patch *p = &f->p[f->np++];
                p->win = w;
                p->x = w->w * (k % nx) / nx, p->w = w->w * (k % nx + 1) / nx - p->x;
                p->y = w->h * (k / nx) / ny, p->h = w->h * (k / nx + 1) / ny - p->y;
                p->cx = w->x + p->x + p->w / 2.;
                p->cy = w->y + p->y + p->h / 2.;
            }
        }
        if (!pass && !(f->p = ut_calloc(room, sizeof *f->p, e))) return UT_E_MEMORY;
    }
    return UT_OK;
}

/* Sums of one row of pixels against LANES waves. */
static void row_sums(const float *a, uint32_t n, const float (*c)[LANES], const float (*s)[LANES], float *re, float *im)
{
    float x[LANES] = { 0 }, y[LANES] = { 0 };
    for (uint32_t i = 0; i < n; i++)
        for (unsigned l = 0; l < LANES; l++) {
            x[l] += a[i] * c[i][l];
            y[l] -= a[i] * s[i][l];
        }
    for (unsigned l = 0; l < LANES; l++) re[l] = x[l], im[l] = y[l];
}

static void correlate(void *arg, size_t i)
{
    const fit *f = arg;
    patch *p = &f->p[i];
    float c[PATCH * 2][LANES], s[PATCH * 2][LANES];
    double power = 0;
    for (unsigned g = 0; g < L; g += LANES) {
        double re[LANES] = { 0 }, im[LANES] = { 0 };
        for (uint32_t x = 0; x < p->w; x++)
            for (unsigned l = 0; l < LANES; l++) {
                double at = f->at->x0 + f->at->scale_x * (p->win->x + p->x + x + .5), angle = tau * f->sync->u[g + l] * at / P;
                c[x][l] = (float)cos(angle);
                s[x][l] = (float)sin(angle);
            }
        for (uint32_t y = 0; y < p->h; y++) {
            float a[LANES], b[LANES];
            double at = f->at->y0 + f->at->scale_y * (p->win->y + p->y + y + .5);
            row_sums(p->win->a + (size_t)(p->y + y) * p->win->w + p->x, p->w, (const float(*)[LANES])c, (const float(*)[LANES])s, a, b);
            for (unsigned l = 0; l < LANES; l++) {
                double angle = tau * f->sync->v[g + l] * at / P + ut_sync_phase(f->sync, g + l), k = cos(angle), d = sin(angle);
                re[l] += a[l] * k + b[l] * d;
                im[l] += b[l] * k - a[l] * d;
            }
        }
        for (unsigned l = 0; l < LANES; l++) {
            p->re[g + l] = (float)re[l];
            p->im[g + l] = (float)im[l];
            power += re[l] * re[l] + im[l] * im[l];
        }
    }
    float norm = (float)sqrt(L / (power + 1e-9));
    for (unsigned l = 0; l < L; l++) p->re[l] *= norm, p->im[l] *= norm;
}

/* A wave that is strong everywhere is the photo's own; no single value counts too much. */
static void level(fit *f)
{
    for (unsigned l = 0; l < L; l++) {
        double power = 4;
        for (size_t i = 0; i < f->np; i++) power += f->p[i].re[l] * f->p[i].re[l] + f->p[i].im[l] * f->p[i].im[l];
        float norm = (float)sqrt(((double)f->np + 4) / power);
        for (size_t i = 0; i < f->np; i++) {
            patch *p = &f->p[i];
            float m = hypotf(p->re[l], p->im[l]) * norm, k = m > 2.5f ? norm * 2.5f / m : norm;
            p->re[l] *= k;
            p->im[l] *= k;
        }
    }
}

static void turnings(const fit *f, unsigned grid, double step, bool y, float *out)
{
    for (unsigned g = 0; g < grid; g++)
        for (size_t i = 0; i < f->np; i++)
            for (unsigned l = 0; l < L; l++, out += 2) {
                double d = ((double)g - (grid - 1) / 2.) * step * (y ? f->p[i].cy - f->at->anchor_y : f->p[i].cx - f->at->anchor_x);
                double angle = -tau * (y ? f->sync->v[l] : f->sync->u[l]) * d / P;
                out[0] = (float)cos(angle);
                out[1] = (float)sin(angle);
            }
}

/* One change of scale in x against all in y. */
static void grid_row(void *arg, size_t gx)
{
    fit *f = arg;
    size_t n = f->np * L;
    float *z = malloc(n * 2 * sizeof *z);
    f->row_best[gx] = -1;
    if (!z) return;
    const float *px = f->px + gx * n * 2;
    for (size_t i = 0; i < n; i++) {
        const patch *p = &f->p[i / L];
        float re = p->re[i % L], im = p->im[i % L];
        z[2 * i] = re * px[2 * i] - im * px[2 * i + 1];
        z[2 * i + 1] = re * px[2 * i + 1] + im * px[2 * i];
    }
    for (unsigned gy = 0; gy < f->grid_y; gy++) {
        const float *py = f->py + gy * n * 2;
        float lane[16] = { 0 }, sum = 0;
        for (size_t i = 0; i < 2 * n; i += 16)
            for (size_t k = 0; k < 16; k += 2) {
                lane[k] += z[i + k] * py[i + k];
                lane[k + 1] += z[i + k + 1] * py[i + k + 1];
            }
        for (size_t k = 0; k < 16; k++) sum += k & 1 ? -lane[k] : lane[k];
        if (sum > f->row_best[gx]) f->row_best[gx] = sum, f->row_at[gx] = gy;
    }
    free(z);
}

/* Which scales near the search's explain all patches at once. */
static ut_status grid(fit *f, uint32_t width, uint32_t height, unsigned nthreads, ut_err *e)
{
    const double reach = 1.25 / 256;
    double far_x = fmax(f->at->anchor_x, width - f->at->anchor_x), far_y = fmax(f->at->anchor_y, height - f->at->anchor_y);
    f->grid_x = 2 * (unsigned)ceil(reach * far_x / .8) + 1;
    f->grid_y = 2 * (unsigned)ceil(reach * far_y / .8) + 1;
    if (f->grid_x > MAX_GRID) f->grid_x = MAX_GRID;
    if (f->grid_y > MAX_GRID) f->grid_y = MAX_GRID;
    f->step_x = 2 * reach / (f->grid_x - 1);
    f->step_y = 2 * reach / (f->grid_y - 1);
    size_t n = f->np * L * 2;
    f->px = ut_calloc(n * f->grid_x, sizeof *f->px, e);
    f->py = ut_calloc(n * f->grid_y, sizeof *f->py, e);
    f->row_best = ut_calloc(f->grid_x, sizeof *f->row_best, e);
    f->row_at = ut_calloc(f->grid_x, sizeof *f->row_at, e);
    if (!f->px || !f->py || !f->row_best || !f->row_at) return UT_E_MEMORY;
    turnings(f, f->grid_x, f->step_x, false, f->px);
    turnings(f, f->grid_y, f->step_y, true, f->py);
    ut_parallel(nthreads, f->grid_x, grid_row, f);
    unsigned best = 0;
    for (unsigned g = 1; g < f->grid_x; g++)
        if (f->row_best[g] > f->row_best[best]) best = g;
    double dx = (best - (f->grid_x - 1) / 2.) * f->step_x, dy = (f->row_at[best] - (f->grid_y - 1) / 2.) * f->step_y;
    for (size_t i = 0; i < f->np; i++) {
        patch *p = &f->p[i];
        for (unsigned l = 0; l < L; l++) {
            double angle = -tau * (f->sync->u[l] * dx * (p->cx - f->at->anchor_x) + f->sync->v[l] * dy * (p->cy - f->at->anchor_y)) / P;
            float c = (float)cos(angle), s = (float)sin(angle), re = p->re[l];
            p->re[l] = re * c - p->im[l] * s;
            p->im[l] = re * s + p->im[l] * c;
        }
    }
    f->at->scale_x += dx;
    f->at->x0 -= dx * f->at->anchor_x;
    f->at->scale_y += dy;
    f->at->y0 -= dy * f->at->anchor_y;
    return UT_OK;
}

/* a: symmetric positive, becomes its inverse by Gauss and Jordan. */
static bool invert(double a[4][4])
{
    double b[4][4] = { { 0 } };
    for (int i = 0; i < 4; i++) b[i][i] = 1;
    for (int i = 0; i < 4; i++) {
        double d = a[i][i];
        if (fabs(d) < 1e-12) return false;
        for (int k = 0; k < 4; k++) a[i][k] /= d, b[i][k] /= d;
        for (int r = 0; r < 4; r++) {
            double m = r == i ? 0 : a[r][i];
            for (int k = 0; k < 4; k++) a[r][k] -= m * a[i][k], b[r][k] -= m * b[i][k];
        }
    }
    for (int i = 0; i < 4; i++)
        for (int k = 0; k < 4; k++) a[i][k] = b[i][k];
    return true;
}

/* Gauss and Newton: the imaginary parts say by how much the phases are off.  theta: shift and stretch, about (mx, my), of x and of y. */
static void settle(fit *f, uint32_t width, uint32_t height)
{
    double t[4] = { 0 }, mx = width / 2., my = height / 2., a[4][4];
    double real = 0;
    for (int round = 0; round < ROUNDS; round++) {
        double g[4] = { 0 }, h[4][4] = { { 0 } };
        real = 0;
        for (size_t i = 0; i < f->np; i++) {
            const patch *p = &f->p[i];
            double X = (p->cx - mx) / mx, Y = (p->cy - my) / my;
            for (unsigned l = 0; l < L; l++) {
                double ku = tau * f->sync->u[l] / P, kv = tau * f->sync->v[l] / P, d[4] = { ku, ku * X, kv, kv * Y };
                double angle = -(d[0] * t[0] + d[1] * t[1] + d[2] * t[2] + d[3] * t[3]), c = cos(angle), s = sin(angle);
                real += p->re[l] * c - p->im[l] * s;
                double im = p->re[l] * s + p->im[l] * c;
                for (int r = 0; r < 4; r++) {
                    g[r] += im * d[r];
                    for (int k = 0; k < 4; k++) h[r][k] += d[r] * d[k];
                }
            }
        }
        double mean = real / (double)(f->np * L);
        for (int r = 0; r < 4; r++)
            for (int k = 0; k < 4; k++) a[r][k] = h[r][k];
        if (mean < 1e-3 || !invert(a)) break;
        for (int r = 0; r < 4; r++) {
            double step = 0;
            for (int k = 0; k < 4; k++) step += a[r][k] * g[k] / mean;
            t[r] += fmax(-.5, fmin(.5, step));
        }
        f->at->sigma = sqrt(.5 * fmax(a[0][0] + a[1][1], a[2][2] + a[3][3])) / mean;
    }
    f->at->score = real / sqrt((double)(f->np * L) / 2);
    f->at->scale_x += t[1] / mx;
    f->at->x0 += t[0] - t[1];
    f->at->scale_y += t[3] / my;
    f->at->y0 += t[2] - t[3];
}

ut_status ut_sync_refine(const ut_sync *s, const ut_picture *upright, unsigned nthreads, ut_sync_fit *hit, ut_err *e)
{
    fit f = { .sync = s, .at = hit };
    ut_status st = ut_sync_windows_init(&f.win, upright, nthreads, e);
    if (st == UT_OK) st = cut(&f, e);
    if (st == UT_OK) {
        ut_parallel(nthreads, f.np, correlate, &f);
        level(&f);
        st = grid(&f, upright->width, upright->height, nthreads, e);
    }
    if (st == UT_OK) settle(&f, upright->width, upright->height);
    free(f.p);
    free(f.px);
    free(f.py);
    free(f.row_best);
    free(f.row_at);
    ut_sync_windows_free(&f.win);
    return st;
}
