#include "stage/hide/embed.h"
#include "base/parallel.h"
#include "kern/dct8.h"
#include "stage/hide/polish.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_ROUNDS = 18, AIM_ROUNDS = 4, DITHER_ROUND = 6, POLISH_ROUND = 1 };
#define POLISH_SLACK .01f /* kept from the slack when pixels are settled one by one */
#define FREE 1e9f
#define GIVE 2.0f /* see move() */

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
    free(m->aim);
    free(m->guide);
    *m = (ut_embedding){ 0 };
}

void ut_embedding_want(ut_embedding *m, const ut_carriers *c, const uint8_t *bits, uint8_t layer)
{
    for (size_t i = 0; i < c->n; i++) {
        m->want[c->pos[i]] = (uint8_t)(bits[i] + layer);
        m->dirty[c->pos[i] / 64] = 1;
    }
}

void ut_luma_pixels(const ut_picture *p, uint32_t x, uint32_t y, float l[64])
{
    for (uint32_t r = 0; r < 8; r++) {
        const uint8_t *s = p->rgb + ((size_t)(y + r) * p->width + x) * 3;
        for (int i = 0; i < 8; i++) l[r * 8 + (unsigned)i] = (float)(ut_luma8(s[3 * i], s[3 * i + 1], s[3 * i + 2]) - 128);
    }
}

void ut_luma_block(const ut_picture *p, uint32_t bx, uint32_t by, float y[64]) { ut_luma_pixels(p, 8 * bx, 8 * by, y); }

/* The least change of R, G and B that changes luma by one: their weights in it, divided by the sum of squares.  It costs three
 * quarters of moving all three alike, at the price of some colour noise.  Grey pictures stay grey. */
static const float gains[2][3] = { { 1, 1, 1 }, { .6684f, 1.3124f, .2549f } };

/* One block at work. */
typedef struct block {
    float lo[64], hi[64];      /* where each coefficient should be; infinite where it is no carrier */
    uint8_t cover[3][64];
    const float *gain;         /* of R, G, B for a unit of luma */
    float exact[3][64];        /* R, G, B wanted, not yet rounded, clipped to what 8 bit can show */
    uint8_t shown[3][64];      /* R, G, B rounded */
} block;

/* What lies nearer to an edge than that may stay there. */
#define HELD .3f

static void hold(float q, float c, float *lo, float *hi)
{
    float middle = q * floorf(c / q + .5f), half = q / 2 - HELD;
    *lo = fminf(c, middle - half);
    *hi = fmaxf(c, middle + half);
}

static void targets(const ut_embedding *m, size_t b, const float c[64], block *w)
{
    if (m->aim) {
        const int16_t *aim = m->aim + b * 64;
        for (unsigned k = 0; k < 64; k++) {
            float at = (float)aim[k] / UT_AIM_UNIT;
            w->lo[k] = aim[k] == UT_AIM_NONE ? -FREE : at - m->tolerance;
            w->hi[k] = aim[k] == UT_AIM_NONE ? FREE : at + m->tolerance;
        }
        return;
    }
    const uint8_t *want = m->want + b * 64, *push = m->push + b * 64;
    for (unsigned k = 0; k < 64; k++) {
        w->lo[k] = -FREE, w->hi[k] = FREE;
        if (want[k] == UT_FREE && m->hold) hold((float)m->hold[k], c[k], &w->lo[k], &w->hi[k]);
        if (!k || want[k] == UT_FREE) continue;
        const ut_place *p = m->layer[want[k] >= UT_WANT_LAYER2];
        ut_place_find(p, k, want[k] & 1, c[k], (float)push[k] / UT_PUSH_STEPS, &w->lo[k], &w->hi[k]);
    }
}

/* How far each carrier is outside its interval; returns how many are by more than slack. */
static unsigned shortfall(const block *w, const float c[64], float slack, float d[64])
{
    unsigned bad = 0;
    for (unsigned k = 0; k < 64; k++) {
        float x = c[k] < w->lo[k] ? w->lo[k] - c[k] : c[k] > w->hi[k] ? w->hi[k] - c[k] : 0;
        d[k] = x;
        bad += x > slack || x < -slack;
    }
    return bad;
}

/* What 0..255 cuts off is lost to the carriers unless the block's brightness gives way: DC is nobody's carrier, so the
 * whole block is shifted away from the limit by `give` times the mean of what was cut.  True if it was. */
static bool move(block *w, const float delta[64], float give)
{
    float cut = 0;
    for (int ch = 0; ch < 3; ch++)
        for (int i = 0; i < 64; i++) {
            float v = w->exact[ch][i] + delta[i] * w->gain[ch];
            cut += v > 255.4f ? v - 255.4f : v < -.4f ? v + .4f : 0;
        }
    float shift = cut * give / 192;
    for (int ch = 0; ch < 3; ch++)
        for (int i = 0; i < 64; i++) {
            float v = w->exact[ch][i] + (delta[i] - shift) * w->gain[ch];
            v = v < -.4f ? -.4f : v > 255.4f ? 255.4f : v;
            w->exact[ch][i] = v;
            w->shown[ch][i] = (uint8_t)(v + .5f);
        }
    return cut != 0;
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

typedef struct job {
    ut_embedding *m;
    ut_picture *stego;
    const ut_dct8 *dct;
    ut_basis basis;
} job;

static bool polish(const job *j, block *w, const float c[64], float slack)
{
    float lo[64], hi[64];
    for (int k = 0; k < 64; k++) lo[k] = w->lo[k] - slack, hi[k] = w->hi[k] + slack;
    return ut_polish(&j->basis, (const uint8_t (*)[64])w->cover, j->m->cover->grey, c, lo, hi, w->shown);
}

static void embed_block(const job *j, uint32_t bx, uint32_t by)
{
    const ut_embedding *m = j->m;
    ut_picture *stego = j->stego;
    const ut_dct8 *dct = j->dct;
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
        for (int i = 0; i < 64; i++) w.exact[ch][i] = w.cover[ch][i] = w.shown[ch][i];
    w.gain = gains[!m->cover->grey];
    shown_luma(&w, y);
    dct->forward(y, c);
    targets(m, b, c, &w);
    for (int round = 0; round < (m->aim ? AIM_ROUNDS : MAX_ROUNDS); round++) {
        unsigned bad = shortfall(&w, c, m->slack, d);
        if (bad < fewest) {
            fewest = bad;
            memcpy(best, w.shown, sizeof best);
        }
        if (!bad) break;
        if (round >= 6) /* clipping eats part of each step: lengthen it */
            for (int i = 0; i < 64; i++) d[i] *= 1.6f;
        if (!m->aim && (round == POLISH_ROUND || round + 1 == MAX_ROUNDS)) {
            if (polish(j, &w, c, m->slack - POLISH_SLACK)) {
                memcpy(best, w.shown, sizeof best);
                break;
            }
        }
        dct->inverse(d, d);
        if (round == DITHER_ROUND) dither(d);
        if (move(&w, d, GIVE)) w.lo[0] = -FREE, w.hi[0] = FREE; /* held no longer */
        shown_luma(&w, y);
        dct->forward(y, c);
    }
    if (!m->cover->grey) ut_recolour((const uint8_t (*)[64])w.cover, best);
    for (uint32_t r = 0; r < 8; r++) {
        uint8_t *o = stego->rgb + ((size_t)(by * 8 + r) * stego->width + bx * 8) * 3;
        for (unsigned i = 0; i < 8; i++)
            for (unsigned ch = 0; ch < 3; ch++) o[3 * i + ch] = best[ch][r * 8 + i];
    }
}

static void embed_row(void *arg, size_t by)
{
    job *j = arg;
    for (uint32_t bx = 0; bx < j->m->grid.blocks_w; bx++) {
        uint8_t *dirty = &j->m->dirty[by * j->m->grid.blocks_w + bx];
        if (!*dirty) continue;
        embed_block(j, bx, (uint32_t)by);
        *dirty = 0;
    }
}

void ut_embed(ut_embedding *m, ut_picture *stego, unsigned nthreads)
{
    job j = { .m = m, .stego = stego, .dct = ut_dct8_get() };
    ut_basis_init(&j.basis);
    ut_parallel(nthreads, m->grid.blocks_h, embed_row, &j);
}
