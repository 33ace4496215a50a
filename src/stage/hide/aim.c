/* Where dithered carriers are to lie in the picture. */
#include "base/parallel.h"
#include "kern/dct8.h"
#include "stage/hide/embed.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { DITHER = 63, BIT = 64, KIND = 128 }; /* a mark in the map before it is settled */

ut_status ut_embedding_aim(ut_embedding *m, const ut_scs_carriers *c, const uint8_t *bits, size_t nbits, unsigned kind, ut_err *e)
{
    size_t n = ut_grid_nblocks(m->grid) * 64;
    if (!m->aim) {
        m->aim = ut_calloc(n, sizeof *m->aim, e);
        if (!m->aim) return UT_E_MEMORY;
        for (size_t i = 0; i < n; i++) m->aim[i] = UT_AIM_NONE;
    }
    for (size_t i = 0; i < c->at.n; i++) {
        size_t b = ut_scs_bit(c, i, nbits);
        m->aim[c->at.pos[i]] = (int16_t)(c->dither[i] | (bits[b] ? BIT : 0) | (kind ? KIND : 0));
    }
    memset(m->dirty, 1, ut_grid_nblocks(m->grid));
    return UT_OK;
}

typedef struct settling {
    ut_embedding *m;
    const ut_dct8 *dct;
    const float *width, *alpha;
    const uint8_t *still;
} settling;

static void settle_row(void *arg, size_t by)
{
    settling *j = arg;
    for (uint32_t bx = 0; bx < j->m->grid.blocks_w; bx++) {
        float c[64];
        int16_t *aim = j->m->aim + (by * j->m->grid.blocks_w + bx) * 64;
        ut_luma_block(j->m->cover, bx, (uint32_t)by, c);
        j->dct->forward(c, c);
        for (unsigned k = 0; k < 64; k++) {
            if (aim[k] == UT_AIM_NONE) continue;
            unsigned mark = (unsigned)aim[k], kind = !!(mark & KIND);
            if (!kind && j->still && j->still[by * j->m->grid.blocks_w + bx]) {
                aim[k] = UT_AIM_NONE;
                continue;
            }
            float to = ut_scs_aim(c[k], j->width[kind], mark & DITHER, !!(mark & BIT), j->alpha[kind]) * UT_AIM_UNIT;
            aim[k] = (int16_t)lrintf(to > 32000 ? 32000 : to < -32000 ? -32000 : to);
        }
    }
}

void ut_embedding_settle(ut_embedding *m, const float width[2], const float alpha[2], const uint8_t *still, unsigned nthreads)
{
    settling j = { m, ut_dct8_get(), width, alpha, still };
    ut_parallel(nthreads, m->grid.blocks_h, settle_row, &j);
}

typedef struct weighing {
    const ut_picture *cover;
    const ut_dct8 *dct;
    float *energy;
} weighing;

static void weigh_row(void *arg, size_t by)
{
    weighing *j = arg;
    ut_grid g = ut_grid_of(j->cover->width, j->cover->height);
    for (uint32_t bx = 0; bx < g.blocks_w; bx++) {
        float c[64], sum = 0;
        ut_luma_block(j->cover, bx, (uint32_t)by, c);
        j->dct->forward(c, c);
        for (unsigned k = 1; k < 64; k++) sum += c[k] * c[k];
        j->energy[by * g.blocks_w + bx] = sum;
    }
}

static int by_size(const void *a, const void *b)
{
    float x = *(const float *)a, y = *(const float *)b;
    return (x > y) - (x < y);
}

ut_status ut_embed_still(const ut_picture *cover, double share, uint8_t *still, unsigned nthreads, ut_err *e)
{
    ut_grid g = ut_grid_of(cover->width, cover->height);
    size_t n = ut_grid_nblocks(g), at = (size_t)(share * (double)n);
    float *energy = ut_calloc(2 * n, sizeof *energy, e);
    if (!energy) return UT_E_MEMORY;
    weighing j = { cover, ut_dct8_get(), energy };
    ut_parallel(nthreads, g.blocks_h, weigh_row, &j);
    memcpy(energy + n, energy, n * sizeof *energy);
    qsort(energy + n, n, sizeof *energy, by_size);
    for (size_t i = 0; i < n; i++) still[i] = at > 0 && energy[i] < energy[n + (at < n ? at : n - 1)];
    free(energy);
    return UT_OK;
}
