#include "stage/hide/latent.h"
#include "base/parallel.h"
#include "kern/dct8.h"
#include <math.h>
#include <stdlib.h>

enum { DITHER = 63, BIT = 64, KIND = 128, HALF = UT_SCS_PHASES / 2 }; /* as in aim.c */

typedef struct job {
    const ut_view *view;    /* read from here ... */
    const ut_embedding *m;  /* ... or from this one's cover, its marks of kind 1 settled */
    const float *width, *alpha;
    const uint8_t *still;
    ut_grid grid;
    float *x;
} job;

static void load_row(void *arg, size_t by)
{
    const job *j = arg;
    const ut_dct8 *dct = ut_dct8_get();
    for (uint32_t bx = 0; bx < j->grid.blocks_w; bx++) {
        size_t b = by * j->grid.blocks_w + bx;
        float *c = j->x + b * 64;
        if (j->view) {
            ut_view_block(j->view, bx, (uint32_t)by, c);
            continue;
        }
        ut_luma_block(j->m->cover, bx, (uint32_t)by, c);
        dct->forward(c, c);
        for (unsigned k = 0; k < 64; k++) {
            unsigned mark = (unsigned)j->m->aim[b * 64 + k];
            if (j->m->aim[b * 64 + k] == UT_AIM_NONE || !(mark & KIND)) continue;
            c[k] = ut_scs_aim(c[k], j->width[1], mark & DITHER, !!(mark & BIT), j->alpha[1]);
        }
    }
}

static int16_t aim_of(float c)
{
    float to = c * UT_AIM_UNIT;
    return (int16_t)lrintf(to > 32000 ? 32000 : to < -32000 ? -32000 : to);
}

/* Moves the payload's latents. */
static void move_row(void *arg, size_t by)
{
    const job *j = arg;
    for (size_t b = by * j->grid.blocks_w; b < (by + 1) * j->grid.blocks_w; b++)
        for (unsigned k = 0; k < 64; k++) {
            unsigned mark = (unsigned)j->m->aim[b * 64 + k];
            if (j->m->aim[b * 64 + k] == UT_AIM_NONE || (mark & KIND) || (j->still && j->still[b])) continue;
            float *u = j->x + b * 64 + k;
            *u = ut_scs_aim(*u, j->width[0], mark & DITHER, !!(mark & BIT), j->alpha[0]);
        }
}

static void aim_row(void *arg, size_t by)
{
    const job *j = arg;
    for (size_t i = by * j->grid.blocks_w * 64; i < (by + 1) * j->grid.blocks_w * 64; i++)
        if (j->m->aim[i] != UT_AIM_NONE) j->m->aim[i] = aim_of(j->x[i]);
}

static uint8_t *map_of(const ut_scs_carriers *c, ut_grid g, ut_err *e)
{
    uint8_t *map = ut_calloc(ut_grid_nblocks(g), 8, e);
    for (size_t i = 0; map && i < c->at.n; i++) map[c->at.pos[i] >> 3] |= (uint8_t)(1 << (c->at.pos[i] & 7));
    return map;
}

/* Of the moves that are to be made of the carriers in the map. */
static double squares(const ut_embedding *m, const uint8_t *map)
{
    const ut_dct8 *dct = ut_dct8_get();
    double sum = 0;
    for (size_t b = 0; b < ut_grid_nblocks(m->grid); b++) {
        float c[64];
        ut_luma_block(m->cover, (uint32_t)(b % m->grid.blocks_w), (uint32_t)(b / m->grid.blocks_w), c);
        dct->forward(c, c);
        for (unsigned k = 0; k < 64; k++) {
            double d = !ut_taken(map, (uint32_t)(b * 64 + k)) ? 0 : (double)m->aim[b * 64 + k] / UT_AIM_UNIT - (double)c[k];
            sum += d * d;
        }
    }
    return sum;
}

ut_status ut_latent_settle(ut_embedding *m, const ut_inn *inn, const ut_scs_carriers *payload, const float width[2], const float alpha[2],
                           const uint8_t *still, double *moved, unsigned nthreads, ut_err *e)
{
    size_t n = ut_grid_nblocks(m->grid);
    job j = { .m = m, .width = width, .alpha = alpha, .still = still, .grid = m->grid, .x = ut_calloc(n, 64 * sizeof *j.x, e) };
    uint8_t *map = map_of(payload, m->grid, e);
    ut_inn_planes p = { m->grid, j.x, map };
    ut_status s = j.x && map ? UT_OK : UT_E_MEMORY;
    if (s == UT_OK) ut_parallel(nthreads, m->grid.blocks_h, load_row, &j);
    if (s == UT_OK) s = ut_inn_forward(inn, &p, nthreads, e);
    if (s == UT_OK) ut_parallel(nthreads, m->grid.blocks_h, move_row, &j);
    if (s == UT_OK) s = ut_inn_inverse(inn, &p, nthreads, e);
    if (s == UT_OK) ut_parallel(nthreads, m->grid.blocks_h, aim_row, &j);
    if (s == UT_OK) *moved = squares(m, map);
    free(j.x);
    free(map);
    return s;
}

ut_status ut_latent_read(const ut_view *v, const ut_inn *inn, const ut_scs_carriers *c, float width, ut_scs_reading *r, unsigned nthreads, ut_err *e)
{
    ut_grid g = ut_grid_of(ut_view_width(v), ut_view_height(v));
    size_t nblocks = ut_grid_nblocks(g), n = c->at.n ? c->at.n : 1;
    *r = (ut_scs_reading){ ut_calloc(n, 1, e), ut_calloc(n, 1, e) };
    job j = { .view = v, .grid = g, .x = ut_calloc(nblocks, 64 * sizeof *j.x, e) };
    uint8_t *map = map_of(c, g, e), *class = ut_calloc(nblocks, 64, e);
    ut_inn_planes p = { g, j.x, map };
    ut_status s = r->phase && r->liveliness && j.x && map && class ? UT_OK : UT_E_MEMORY;
    if (s == UT_OK) ut_parallel(nthreads, g.blocks_h, load_row, &j);
    if (s == UT_OK) s = ut_inn_trust(inn, &p, class, nthreads, e);
    if (s == UT_OK) s = ut_inn_forward(inn, &p, nthreads, e);
    for (size_t i = 0; i < c->at.n && s == UT_OK; i++) {
        uint32_t pos = c->at.pos[i], b = pos / 64;
        bool has = ut_view_has(v, b % g.blocks_w, b / g.blocks_w);
        r->phase[i] = has ? (uint8_t)(((int)floorf(j.x[pos] * (float)HALF / width) + c->dither[i]) & (UT_SCS_PHASES - 1)) : UT_SCS_LOST;
        r->liveliness[i] = class[pos];
    }
    free(j.x);
    free(map);
    free(class);
    if (s != UT_OK) ut_scs_reading_free(r);
    return s;
}
