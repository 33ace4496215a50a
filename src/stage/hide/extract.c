#include "stage/hide/extract.h"
#include "base/parallel.h"
#include "kern/dct8.h"
#include "stage/hide/embed.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

uint32_t ut_view_width(const ut_view *v) { return v->width ? v->width : v->jpeg && v->jpeg->nplanes ? v->jpeg->width : v->picture->width; }
uint32_t ut_view_height(const ut_view *v) { return v->height ? v->height : v->jpeg && v->jpeg->nplanes ? v->jpeg->height : v->picture->height; }

bool ut_view_has(const ut_view *v, uint32_t bx, uint32_t by)
{
    if (!v->width) return true;
    return 8 * bx >= v->x && 8 * by >= v->y && 8 * bx + 8 <= v->x + v->picture->width && 8 * by + 8 <= v->y + v->picture->height;
}

static void view_block(const ut_view *v, const ut_dct8 *dct, uint32_t bx, uint32_t by, float c[64])
{
    if (!ut_view_has(v, bx, by)) {
        memset(c, 0, 64 * sizeof *c);
    } else if (v->jpeg && v->jpeg->nplanes) {
        const ut_jpeg_plane *p = &v->jpeg->plane[0];
        const int16_t *q = p->coef + ((size_t)by * p->blocks_w + bx) * 64;
        for (int i = 0; i < 64; i++) c[i] = (float)(q[i] * p->quant[i]);
    } else {
        ut_luma_pixels(v->picture, 8 * bx - v->x, 8 * by - v->y, c);
        dct->forward(c, c);
    }
}

void ut_view_block(const ut_view *v, uint32_t bx, uint32_t by, float c[64]) { view_block(v, ut_dct8_get(), bx, by, c); }

enum { PHASES = 64 }; /* steps over two cells */

typedef struct job {
    const ut_view *view;
    const ut_dct8 *dct;
    uint32_t blocks_w;
    float inverse[64]; /* steps per coefficient unit */
    bool keep_sign;    /* c / W modulo 2 instead of |c| / W */
    uint8_t *map;      /* [nblocks][64]: |c| / W modulo 2, in 1/32 */
    float *energy;     /* [nblocks]: sum of squares but DC's; or NULL */
} job;

static uint8_t phase_of(const job *j, unsigned k, float c)
{
    if (j->keep_sign) return (uint8_t)((int)floorf(c * j->inverse[k]) & (PHASES - 1));
    return (uint8_t)((unsigned)(fabsf(c) * j->inverse[k]) & (PHASES - 1));
}

static void read_row(void *arg, size_t by)
{
    job *j = arg;
    for (uint32_t bx = 0; bx < j->blocks_w; bx++) {
        float c[64];
        uint8_t *out = j->map + (by * j->blocks_w + bx) * 64;
        view_block(j->view, j->dct, bx, (uint32_t)by, c);
        for (unsigned k = 0; k < 64; k++) out[k] = phase_of(j, k, c[k]);
        bool has = ut_view_has(j->view, bx, (uint32_t)by);
        if (!has) memset(out, UT_PHASE_NONE, 64);
        if (!j->energy) continue;
        float sum = has ? 0 : -1;
        for (unsigned k = 1; k < 64; k++) sum += c[k] * c[k];
        j->energy[by * j->blocks_w + bx] = sum;
    }
}

/* The phase of every carrier: by way of a map of the whole picture, or block by block where there are few. */
static ut_status phases(job *j, ut_grid g, const ut_carriers *c, uint8_t *phase, unsigned nthreads, ut_err *e)
{
    if (!j->energy && c->n < ut_grid_nblocks(g) / 2) {
        for (size_t i = 0; i < c->n; i++) {
            float x[64];
            uint32_t b = c->pos[i] / 64;
            view_block(j->view, j->dct, b % g.blocks_w, b / g.blocks_w, x);
            phase[i] = phase_of(j, c->pos[i] & 63, x[c->pos[i] & 63]);
            if (!ut_view_has(j->view, b % g.blocks_w, b / g.blocks_w)) phase[i] = UT_PHASE_NONE;
        }
        return UT_OK;
    }
    j->map = ut_calloc(ut_grid_nblocks(g), 64, e);
    if (!j->map) return UT_E_MEMORY;
    ut_parallel(nthreads, g.blocks_h, read_row, j);
    for (size_t i = 0; i < c->n; i++) phase[i] = j->map[c->pos[i]];
    free(j->map);
    return UT_OK;
}

/* Sharpness of one frequency: E cos(2 pi c / W) over its carriers -> noise variance in cells -> slope of the LLR. */
static void slopes(const ut_carriers *c, const uint8_t *phase, float slope[64])
{
    double sum[64] = { 0 }, n[64] = { 0 }, cosine[PHASES];
    for (int i = 0; i < PHASES; i++) cosine[i] = cos(2 * 3.14159265358979 * (i + .5) * 2 / PHASES);
    size_t step = c->n / 200000 + 1;
    for (size_t i = 0; i < c->n; i += step) {
        unsigned k = c->pos[i] & 63;
        if (phase[i] >= PHASES) continue;
        sum[k] += cosine[phase[i]];
        n[k] += 1;
    }
    for (int k = 0; k < 64; k++) {
        double r = n[k] > 0 ? sum[k] / n[k] : 0, least = n[k] > 0 ? 1.5 / sqrt(n[k]) : .5;
        if (least > .5) least = .5;
        if (r < least) r = least;
        if (r > .9) r = .9;
        double var = -log(r) / (2 * 9.8696044); /* in cells squared */
        double a = 8 / (2 * var);               /* LLR at a cell's centre, in 1/8 */
        slope[k] = (float)(a > 120 ? 120 : a);
    }
}

/* Phase steps per coefficient unit. */
static void set_lattice(job *j, const ut_lattice *l)
{
    for (int k = 1; k < 64; k++) j->inverse[k] = (float)(UT_LATTICE_UNIT * PHASES / 2) / (float)l->width[k];
}

void ut_extract_values(const ut_view *v, const ut_carriers *c, float *value)
{
    ut_grid g = ut_grid_of(ut_view_width(v), ut_view_height(v));
    const ut_dct8 *dct = ut_dct8_get();
    for (size_t i = 0; i < c->n; i++) {
        float x[64];
        uint32_t b = c->pos[i] / 64, bx = b % g.blocks_w, by = b / g.blocks_w;
        view_block(v, dct, bx, by, x);
        value[i] = ut_view_has(v, bx, by) ? x[c->pos[i] & 63] : NAN;
    }
}

void ut_phases_of(const float *value, const ut_lattice *l, const ut_carriers *c, uint8_t *phase)
{
    job j = { .view = NULL };
    set_lattice(&j, l);
    for (size_t i = 0; i < c->n; i++) phase[i] = isnan(value[i]) ? UT_PHASE_NONE : phase_of(&j, c->pos[i] & 63, value[i]);
}

ut_status ut_extract_phases(const ut_view *v, const ut_lattice *l, const ut_carriers *c, uint8_t *phase, unsigned nthreads,
                            ut_err *e)
{
    ut_grid g = ut_grid_of(ut_view_width(v), ut_view_height(v));
    job j = { .view = v, .dct = ut_dct8_get(), .blocks_w = g.blocks_w };
    set_lattice(&j, l);
    return phases(&j, g, c, phase, nthreads, e);
}

ut_status ut_extract_steps(const ut_view *v, float per_unit, const ut_carriers *c, uint8_t *phase, float *energy,
                           unsigned nthreads, ut_err *e)
{
    ut_grid g = ut_grid_of(ut_view_width(v), ut_view_height(v));
    job j = { .view = v, .dct = ut_dct8_get(), .blocks_w = g.blocks_w, .keep_sign = true, .energy = energy };
    for (int k = 1; k < 64; k++) j.inverse[k] = per_unit;
    return phases(&j, g, c, phase, nthreads, e);
}

void ut_phase_llrs(const ut_carriers *c, const uint8_t *phase, unsigned profile, int8_t *llr)
{
    static const float knee[UT_NPROFILES] = { .5f, .15f, .04f };
    float slope[64];
    int8_t table[64][PHASES];
    if (profile == 0) slopes(c, phase, slope);
    for (int k = 0; k < 64; k++)
        for (int p = 0; p < PHASES; p++) {
            float u = ((float)p + .5f) * 2 / PHASES;    /* 0: centre of an even cell, 1: of an odd one */
            float d = u <= 1 ? .5f - u : u - 1.5f;      /* distance from the edge, positive for bit 0 */
            float x = d / knee[profile];
            x = x > 1 ? 1 : x < -1 ? -1 : x;
            table[k][p] = (int8_t)lrintf((profile ? 64 : slope[k]) * x);
        }
    for (size_t i = 0; i < c->n; i++) llr[i] = phase[i] < PHASES ? table[c->pos[i] & 63][phase[i]] : 0;
}

ut_status ut_extract(const ut_view *v, const ut_lattice *l, const ut_carriers *c, unsigned profile, int8_t *llr,
                     unsigned nthreads, ut_err *e)
{
    ut_status s = ut_extract_phases(v, l, c, (uint8_t *)llr, nthreads, e);
    if (s == UT_OK) ut_phase_llrs(c, (const uint8_t *)llr, profile, llr);
    return s;
}
