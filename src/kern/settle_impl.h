/* Included by settle.c and settle_avx2.c with
 *   V          a vector of W floats, W 4 or 8; v_load, v_store, v_set, v_max, v_pick(a, b, x, y) = a > b ? x : y
 *   SETTLE(n)  the name with the instruction set's prefix
 * Sums run in eight lanes whatever W is. */
#include "kern/settle.h"
#define UT_DCT8(n) SETTLE(n)
#include "kern/dct8_impl.h"

#define EIGHT for (unsigned i = 0; i < 8 / W; i++)

static inline __attribute__((always_inline)) float SETTLE(after)(const ut_settle_block *s, float step, const float basis[64])
{
    float lane[8];
    V sum[8 / W], zero = v_set(0.f), t = v_set(step);
    EIGHT sum[i] = zero;
    for (unsigned k = 0; k < 64; k += 8) EIGHT
    {
        unsigned at = k + i * W;
        V v = v_load(s->c + at) + t * v_load(basis + at);
        V x = v_max(v_max(v_load(s->lo + at) - v, v - v_load(s->hi + at)), zero);
        sum[i] = sum[i] + x * x;
    }
    EIGHT v_store(lane + i * W, sum[i]);
    return (lane[0] + lane[1]) + (lane[2] + lane[3]) + ((lane[4] + lane[5]) + (lane[6] + lane[7]));
}

static float SETTLE(outside)(const ut_settle_block *s, float step, const float basis[64]) { return SETTLE(after)(s, step, basis); }

/* Half the gradient's opposite, pixel by pixel: what the coefficients lack, brought back to pixels. */
static inline void SETTLE(pull)(const ut_settle_block *s, float g[64])
{
    V zero = v_set(0.f);
    for (unsigned k = 0; k < 64; k += W) {
        V c = v_load(s->c + k);
        v_store(g + k, v_max(v_load(s->lo + k) - c, zero) - v_max(c - v_load(s->hi + k), zero));
    }
    SETTLE(inverse)(g, g);
}

/* The best score of each column for one direction, and its row. */
static inline void SETTLE(columns_best)(const float g[64], const float price[64], float slope, float mu, float best[8], float row[8])
{
    V b[8 / W], r[8 / W], t = v_set(slope), m = v_set(mu);
    EIGHT b[i] = v_set(-1e30f), r[i] = v_set(0.f);
    for (unsigned k = 0; k < 8; k++) EIGHT
    {
        V x = t * v_load(g + 8 * k + i * W) - m * v_load(price + 8 * k + i * W);
        r[i] = v_pick(x, b[i], v_set((float)k), r[i]);
        b[i] = v_max(x, b[i]);
    }
    EIGHT v_store(best + i * W, b[i]);
    EIGHT v_store(row + i * W, r[i]);
}

static int SETTLE(choose)(const ut_settle_block *s, const float basis[64][64], float mu, float now, float *outside)
{
    float g[64], score[16], row[16], least = now;
    int found = -1;
    SETTLE(pull)(s, g);
    SETTLE(columns_best)(g, s->price[0], -2.f, mu, score, row);
    SETTLE(columns_best)(g, s->price[1], 2.f, mu, score + 8, row + 8);
    for (int t = 0; t < 16; t++) {
        if (score[t] <= 0) continue;
        int up = t >> 3, pixel = (int)row[t] * 8 + (t & 7);
        float out = SETTLE(after)(s, up ? 1.f : -1.f, basis[pixel]), value = out + mu * s->price[up][pixel];
        if (value < least) found = pixel + 64 * up, least = value, *outside = out;
    }
    return found;
}

#undef EIGHT
#define SETTLE_TABLE(name) { SETTLE(outside), SETTLE(choose), name }
