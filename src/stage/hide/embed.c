#include "stage/hide/embed.h"
#include "base/parallel.h"
#include "kern/dct8.h"
#include <stdlib.h>
#include <string.h>

enum { MAX_ROUNDS = 18, DITHER_ROUND = 6 };
#define GIVE 3.0f /* see move(): 41.9 dB and 0.001 % wrong bits on Kodak, against 0.04 % with none */

ut_status ut_embedding_init(ut_embedding *m, const ut_picture *cover, ut_err *e)
{
    *m = (ut_embedding){ .cover = cover, .grid = ut_grid_of(cover->width, cover->height) };
    size_t n = ut_grid_nblocks(m->grid);
    m->want = ut_calloc(n, 64, e);
    m->push = ut_calloc(n, 64, e);
    m->dirty = ut_calloc(n, 1, e);
    if (!m->want || !m->push || !m->dirty) {
        ut_embedding_free(m);
        return UT_E_MEMORY;
    }
    memset(m->want, UT_FREE, n * 64);
    return UT_OK;
}

void ut_embedding_free(ut_embedding *m)
{
    if (!m) return;
    free(m->want);
    free(m->push);
    free(m->dirty);
    *m = (ut_embedding){ 0 };
}

void ut_embedding_want(ut_embedding *m, const ut_carriers *c, const uint8_t *bits, uint8_t layer)
{
    for (size_t i = 0; i < c->n; i++) {
        m->want[c->pos[i]] = (uint8_t)(bits[i] + layer);
        m->dirty[c->pos[i] / 64] = 1;
    }
}

void ut_luma_block(const ut_picture *p, uint32_t bx, uint32_t by, float y[64])
{
    for (uint32_t r = 0; r < 8; r++) {
        const uint8_t *s = p->rgb + ((size_t)(by * 8 + r) * p->width + bx * 8) * 3;
        for (int i = 0; i < 8; i++) y[r * 8 + (unsigned)i] = (float)(ut_luma8(s[3 * i], s[3 * i + 1], s[3 * i + 2]) - 128);
    }
}

/* One block at work. */
typedef struct block {
    unsigned n;                /* carriers */
    uint8_t freq[64];
    float lo[64], hi[64];
    float exact[3][64];        /* R, G, B wanted, not yet rounded, clipped to what 8 bit can show */
    uint8_t shown[3][64];      /* R, G, B rounded */
} block;

static void targets(const ut_embedding *m, size_t b, const float c[64], block *w)
{
    const uint8_t *want = m->want + b * 64, *push = m->push + b * 64;
    w->n = 0;
    for (unsigned k = 1; k < 64; k++) {
        if (want[k] == UT_FREE) continue;
        const ut_place *p = m->layer[want[k] >= UT_WANT_LAYER2];
        ut_place_find(p, k, want[k] & 1, c[k], (float)push[k] / UT_PLACE_STEPS, &w->lo[w->n], &w->hi[w->n]);
        w->freq[w->n++] = (uint8_t)k;
    }
}

/* How far each carrier is outside its interval; returns how many are by more than slack. */
static unsigned shortfall(const block *w, const float c[64], float slack, float d[64])
{
    unsigned bad = 0;
    memset(d, 0, 64 * sizeof *d);
    for (unsigned i = 0; i < w->n; i++) {
        float v = c[w->freq[i]], x = v < w->lo[i] ? w->lo[i] - v : v > w->hi[i] ? w->hi[i] - v : 0;
        d[w->freq[i]] = x;
        bad += x > slack || x < -slack;
    }
    return bad;
}

/* What 0..255 cuts off is lost to the carriers unless the block's brightness gives way: DC is nobody's carrier, so the
 * whole block is shifted away from the limit by `give` times the mean of what was cut. */
static void move(block *w, const float delta[64], float give)
{
    float cut = 0;
    for (int ch = 0; ch < 3; ch++)
        for (int i = 0; i < 64; i++) {
            float v = w->exact[ch][i] + delta[i];
            cut += v > 255.4f ? v - 255.4f : v < -.4f ? v + .4f : 0;
        }
    float shift = cut * give / 192;
    for (int ch = 0; ch < 3; ch++)
        for (int i = 0; i < 64; i++) {
            float v = w->exact[ch][i] + delta[i] - shift;
            v = v < -.4f ? -.4f : v > 255.4f ? 255.4f : v;
            w->exact[ch][i] = v;
            w->shown[ch][i] = (uint8_t)(v + .5f);
        }
}

/* A move of less than half a grey level changes no pixel, then many at once.  Fixed noise of half a level makes the
 * rounding of pixels independent. */
static void dither(float d[64])
{
    uint32_t x = 0x2545f491u;
    for (int i = 0; i < 64; i++) {
        x = x * 1664525u + 1013904223u;
        d[i] += (float)(x >> 8) * (1 / 16777216.f) - .5f;
    }
}

static void shown_luma(const block *w, float y[64])
{
    for (int i = 0; i < 64; i++) y[i] = (float)(ut_luma8(w->shown[0][i], w->shown[1][i], w->shown[2][i]) - 128);
}

static void embed_block(const ut_embedding *m, ut_picture *stego, const ut_dct8 *dct, uint32_t bx, uint32_t by)
{
    block w;
    float y[64], c[64], d[64];
    size_t b = (size_t)by * m->grid.blocks_w + bx;
    uint8_t best[3][64];
    unsigned fewest = ~0u;
    for (uint32_t r = 0; r < 8; r++) {
        const uint8_t *s = m->cover->rgb + ((size_t)(by * 8 + r) * m->cover->width + bx * 8) * 3;
        for (unsigned i = 0; i < 8; i++)
            for (unsigned ch = 0; ch < 3; ch++) w.shown[ch][r * 8 + i] = s[3 * i + ch];
    }
    for (int ch = 0; ch < 3; ch++)
        for (int i = 0; i < 64; i++) w.exact[ch][i] = w.shown[ch][i];
    shown_luma(&w, y);
    dct->forward(y, c);
    targets(m, b, c, &w);
    for (int round = 0; round < MAX_ROUNDS; round++) {
        unsigned bad = shortfall(&w, c, m->slack, d);
        if (bad < fewest) {
            fewest = bad;
            memcpy(best, w.shown, sizeof best);
        }
        if (!bad) break;
        if (round >= 6) /* clipping eats part of each step: lengthen it */
            for (int i = 0; i < 64; i++) d[i] *= 1.6f;
        dct->inverse(d, d);
        if (round == DITHER_ROUND) dither(d);
        move(&w, d, GIVE);
        shown_luma(&w, y);
        dct->forward(y, c);
    }
    for (uint32_t r = 0; r < 8; r++) {
        uint8_t *o = stego->rgb + ((size_t)(by * 8 + r) * stego->width + bx * 8) * 3;
        for (unsigned i = 0; i < 8; i++)
            for (unsigned ch = 0; ch < 3; ch++) o[3 * i + ch] = best[ch][r * 8 + i];
    }
}

typedef struct costing {
    const ut_embedding *m;
    const ut_dct8 *dct;
    float scale, most;
    int16_t *cost;
} costing;

static void cost_row(void *arg, size_t by)
{
    costing *j = arg;
    const ut_place *p = j->m->layer[0];
    for (uint32_t bx = 0; bx < j->m->grid.blocks_w; bx++) {
        size_t b = by * j->m->grid.blocks_w + bx;
        float c[64];
        ut_luma_block(j->m->cover, bx, (uint32_t)by, c);
        j->dct->forward(c, c);
        for (unsigned k = 1; k < 64; k++) {
            float push = (float)j->m->push[b * 64 + k] / UT_PLACE_STEPS;
            float d = (ut_place_move(p, k, 1, c[k], push) - ut_place_move(p, k, 0, c[k], push)) * j->scale;
            d = d > j->most ? j->most : d < -j->most ? -j->most : d;
            j->cost[b * 64 + k] = (int16_t)(d < 0 ? d - .5f : d + .5f);
        }
    }
}

void ut_embed_costs(const ut_embedding *m, float scale, int most, int16_t *cost, unsigned nthreads)
{
    costing j = { m, ut_dct8_get(), scale, (float)most, cost };
    ut_parallel(nthreads, m->grid.blocks_h, cost_row, &j);
}

typedef struct job {
    ut_embedding *m;
    ut_picture *stego;
    const ut_dct8 *dct;
} job;

static void embed_row(void *arg, size_t by)
{
    job *j = arg;
    for (uint32_t bx = 0; bx < j->m->grid.blocks_w; bx++) {
        uint8_t *dirty = &j->m->dirty[by * j->m->grid.blocks_w + bx];
        if (!*dirty) continue;
        embed_block(j->m, j->stego, j->dct, bx, (uint32_t)by);
        *dirty = 0;
    }
}

void ut_embed(ut_embedding *m, ut_picture *stego, unsigned nthreads)
{
    job j = { m, stego, ut_dct8_get() };
    ut_parallel(nthreads, m->grid.blocks_h, embed_row, &j);
}
