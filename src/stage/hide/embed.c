#include "stage/hide/embed.h"
#include "base/parallel.h"
#include "kern/dct8.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_ROUNDS = 18, AIM_ROUNDS = 4, DITHER_ROUND = 6, POLISH_STEPS = 120, POLISH_TRIES = 5 };
#define MU 0.1f      /* price of a pixel's step when polishing begins, in squared coefficient units; it halves until all fits */
#define MU_LEAST 1e-5f
#define FREE 1e9f
#define GIVE 2.0f /* see move() */

ut_status ut_embedding_init(ut_embedding *m, const ut_picture *cover, ut_err *e)
{
    *m = (ut_embedding){ .cover = cover, .grid = ut_grid_of(cover->width, cover->height), .patience = 1 };
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
    float price[128];          /* [2 * pixel + (up)]: change of the squared distance from the cover, a third of it, for a luma step */
    uint8_t mask[128];         /* and the colours that make it, bit 0 R, 1 G, 2 B */
    float exact[3][64];        /* R, G, B wanted, not yet rounded, clipped to what 8 bit can show */
    uint8_t shown[3][64];      /* R, G, B rounded */
} block;

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
 * whole block is shifted away from the limit by `give` times the mean of what was cut. */
static void move(block *w, const float delta[64], float give)
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
    float basis[64][64]; /* [pixel]: coefficients of that pixel alone */
} job;

/* Sum of squares outside the intervals widened by slack, after c += step * b. */
static float outside(const block *w, const float c[64], float slack, float step, const float b[64])
{
    float lane[8] = { 0 };
    for (unsigned k = 0; k < 64; k += 8)
        for (unsigned i = 0; i < 8; i++) {
            float v = c[k + i] + step * b[k + i], lo = w->lo[k + i] - slack - v, hi = v - w->hi[k + i] - slack;
            float x = lo > hi ? lo : hi;
            x = x > 0 ? x : 0;
            lane[i] += x * x;
        }
    return (lane[0] + lane[1]) + (lane[2] + lane[3]) + ((lane[4] + lane[5]) + (lane[6] + lane[7]));
}

static int luma_of(const block *w, int i, unsigned mask, int step)
{
    int v[3];
    for (int ch = 0; ch < 3; ch++) {
        v[ch] = w->shown[ch][i] + (mask >> ch & 1 ? step : 0);
        if (v[ch] < 0 || v[ch] > 255) return -2; /* no luma, nor next to one */
    }
    return ut_luma8((unsigned)v[0], (unsigned)v[1], (unsigned)v[2]);
}

/* The cheapest steps of pixel i that move its luma down or up by one: often green alone, where rounding is about to tip. */
static void find_steps(block *w, int i)
{
    int now = luma_of(w, i, 0, 0);
    for (int up = 0; up < 2; up++) {
        int step = up ? 1 : -1, grey = w->gain == gains[0];
        w->price[2 * i + up] = FREE;
        for (unsigned mask = grey ? 7 : 1; mask < 8; mask++) {
            if (luma_of(w, i, mask, step) != now + step) continue;
            int sum = 0;
            for (int ch = 0; ch < 3; ch++)
                if (mask >> ch & 1) sum += 2 * step * (w->shown[ch][i] - w->cover[ch][i]) + 1;
            if ((float)sum / 3 >= w->price[2 * i + up]) continue;
            w->price[2 * i + up] = (float)sum / 3;
            w->mask[2 * i + up] = (uint8_t)mask;
        }
    }
}

static void nudge(block *w, const job *j, float c[64], int at)
{
    int i = at / 2, step = at & 1 ? 1 : -1;
    for (int ch = 0; ch < 3; ch++)
        if (w->mask[at] >> ch & 1) w->shown[ch][i] = (uint8_t)(w->shown[ch][i] + step);
    for (int k = 0; k < 64; k++) c[k] += (float)step * j->basis[i][k];
    find_steps(w, i);
}

/* The last fractions of a unit, pixel by pixel: of the single steps up or down that the gradient likes best, the best one, as
 * long as it helps.  Changes are dear at first, so that few pixels do most of the work, then ever cheaper. */
static bool polish(block *w, const job *j, float c[64], float slack)
{
    float d[64], g[64], mu = MU;
    for (int i = 0; i < 64; i++) find_steps(w, i);
    float now = outside(w, c, slack, 0, c);
    for (int n = 0; n < POLISH_STEPS && now > 0; n++) {
        int best = -1;
        float best_value = now, best_out = 0, score[128];
        for (unsigned k = 0; k < 64; k++) {
            float lo = w->lo[k] - slack - c[k], hi = w->hi[k] + slack - c[k];
            d[k] = lo > 0 ? lo : hi < 0 ? hi : 0;
        }
        j->dct->inverse(d, g);
        for (int i = 0; i < 64; i++) {
            score[2 * i] = -2 * g[i] - mu * w->price[2 * i];
            score[2 * i + 1] = 2 * g[i] - mu * w->price[2 * i + 1];
        }
        for (int t = 0; t < POLISH_TRIES; t++) {
            int at = 0;
            for (int i = 1; i < 128; i++)
                if (score[i] > score[at]) at = i;
            int step = at & 1 ? 1 : -1;
            if (score[at] <= 0) break;
            score[at] = -FREE;
            float out = outside(w, c, slack, (float)step, j->basis[at / 2]), value = out + mu * w->price[at];
            if (value < best_value) best = at, best_value = value, best_out = out;
        }
        if (best < 0) {
            mu *= .5f;
            if (mu < MU_LEAST) return false;
            continue;
        }
        nudge(w, j, c, best);
        now = best_out;
    }
    return now <= 0;
}

/* Pixels that need not have moved go back. */
static void relax(block *w, const job *j, float c[64], float slack)
{
    for (int at = 0; at < 128; at++)
        if (w->price[at] < 0 && outside(w, c, slack, at & 1 ? 1.f : -1.f, j->basis[at / 2]) <= 0) nudge(w, j, c, at);
}

/* Colours go back towards the cover as far as luma stays what it is. */
static void recolour(const block *w, uint8_t shown[3][64])
{
    for (int i = 0; i < 64; i++) {
        int y = ut_luma8(shown[0][i], shown[1][i], shown[2][i]);
        for (int ch = 0; ch < 3; ch++)
            while (shown[ch][i] != w->cover[ch][i]) {
                uint8_t was = shown[ch][i];
                shown[ch][i] = (uint8_t)(was + (w->cover[ch][i] > was ? 1 : -1));
                if (ut_luma8(shown[0][i], shown[1][i], shown[2][i]) == y) continue;
                shown[ch][i] = was;
                break;
            }
    }
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
        if (!m->aim && (round == (int)m->patience || round + 1 == MAX_ROUNDS)) {
            block p = w;
            float pc[64];
            memcpy(pc, c, sizeof pc);
            if (polish(&p, j, pc, m->slack - .01f)) {
                relax(&p, j, pc, m->slack - .01f);
                memcpy(best, p.shown, sizeof best);
                break;
            }
        }
        dct->inverse(d, d);
        if (round == DITHER_ROUND) dither(d);
        move(&w, d, GIVE);
        shown_luma(&w, y);
        dct->forward(y, c);
    }
    if (!m->cover->grey) recolour(&w, best);
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
    for (int i = 0; i < 64; i++) {
        float pixel[64] = { 0 };
        pixel[i] = 1;
        j.dct->forward(pixel, j.basis[i]);
    }
    ut_parallel(nthreads, m->grid.blocks_h, embed_row, &j);
}
