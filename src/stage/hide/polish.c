#include "stage/hide/polish.h"
#include "kern/dct8.h"
#include "kern/settle.h"
#include "stage/hide/embed.h"
#include <string.h>

enum { STEPS = 120 };
#define MU 0.1f /* price of a pixel's step when polishing begins, in squared coefficient units; it halves until all fits */
#define MU_LEAST 1e-5f
#define NEVER 1e9f

/* What R, G and B are in luma's fixed point, and the sums by mask: bit 0 R, 1 G, 2 B. */
static const int weight[8] = { 0, 19595, 38470, 58065, 7471, 27066, 45941, 65536 };

typedef struct work {
    ut_settle_block s;   /* price: change of the squared distance from the cover, a third of it, for a step */
    uint8_t mask[2][64]; /* and the colours that make it */
    uint8_t (*shown)[64];
    const uint8_t (*cover)[64];
    bool grey;
} work;

void ut_basis_init(ut_basis *b)
{
    for (int i = 0; i < 64; i++) {
        float pixel[64] = { 0 };
        pixel[i] = 1;
        ut_dct8_get()->forward(pixel, b->of[i]);
    }
}

/* The cheapest steps of pixel i that move its luma down or up by one: often green alone, where rounding is about to tip. */
static void find_steps(work *w, int i)
{
    int over = 32768, away[3];
    unsigned full = 0, empty = 0;
    for (int ch = 0; ch < 3; ch++) {
        int v = w->shown[ch][i];
        over += v * weight[1 << ch];
        away[ch] = 2 * (v - w->cover[ch][i]);
        full |= (unsigned)(v == 255) << ch;
        empty |= (unsigned)(v == 0) << ch;
    }
    over &= 65535; /* above the last whole unit */
    int best[2] = { INT32_MAX, INT32_MAX };
    for (unsigned m = w->grey ? 7 : 1; m < 8; m++) {
        int sum = (m & 1 ? away[0] : 0) + (m & 2 ? away[1] : 0) + (m & 4 ? away[2] : 0), n = (m & 1) + (m >> 1 & 1) + (m >> 2);
        if (!(m & empty) && weight[m] > over && n - sum < best[0]) best[0] = n - sum, w->mask[0][i] = (uint8_t)m;
        if (!(m & full) && weight[m] + over >= 65536 && n + sum < best[1]) best[1] = n + sum, w->mask[1][i] = (uint8_t)m;
    }
    for (int up = 0; up < 2; up++) w->s.price[up][i] = best[up] == INT32_MAX ? NEVER : (float)best[up] / 3;
}

static void nudge(work *w, const ut_basis *basis, int at)
{
    int up = at >> 6, i = at & 63, step = up ? 1 : -1;
    for (int ch = 0; ch < 3; ch++)
        if (w->mask[up][i] >> ch & 1) w->shown[ch][i] = (uint8_t)(w->shown[ch][i] + step);
    for (int k = 0; k < 64; k++) w->s.c[k] += (float)step * basis->of[i][k];
    find_steps(w, i);
}

/* Changes are dear at first, so that few pixels do most of the work, then ever cheaper. */
static bool settle(work *w, const ut_basis *basis, const ut_settle *kern)
{
    float mu = MU, now = kern->outside(&w->s, 0, basis->of[0]);
    for (int n = 0; n < STEPS && now > 0; n++) {
        int at = kern->choose(&w->s, basis->of, mu, now, &now);
        if (at >= 0) {
            nudge(w, basis, at);
            continue;
        }
        mu *= .5f;
        if (mu < MU_LEAST) return false;
    }
    return now <= 0;
}

/* Pixels that need not have moved go back. */
static void relax(work *w, const ut_basis *basis, const ut_settle *kern)
{
    for (int at = 0; at < 128; at++)
        if (w->s.price[at >> 6][at & 63] < 0 && kern->outside(&w->s, at >> 6 ? 1.f : -1.f, basis->of[at & 63]) <= 0) nudge(w, basis, at);
}

bool ut_polish(const ut_basis *basis, const uint8_t cover[3][64], bool grey, const float c[64], const float lo[64],
               const float hi[64], uint8_t shown[3][64])
{
    const ut_settle *kern = ut_settle_get();
    uint8_t trial[3][64];
    work w = { .shown = trial, .cover = cover, .grey = grey };
    memcpy(trial, shown, sizeof trial);
    memcpy(w.s.c, c, sizeof w.s.c);
    memcpy(w.s.lo, lo, sizeof w.s.lo);
    memcpy(w.s.hi, hi, sizeof w.s.hi);
    for (int i = 0; i < 64; i++) find_steps(&w, i);
    if (!settle(&w, basis, kern)) return false;
    relax(&w, basis, kern);
    memcpy(shown, trial, sizeof trial);
    return true;
}

void ut_recolour(const uint8_t cover[3][64], uint8_t shown[3][64])
{
    for (int i = 0; i < 64; i++) {
        int y = ut_luma8(shown[0][i], shown[1][i], shown[2][i]);
        for (int ch = 0; ch < 3; ch++)
            while (shown[ch][i] != cover[ch][i]) {
                uint8_t was = shown[ch][i];
                shown[ch][i] = (uint8_t)(was + (cover[ch][i] > was ? 1 : -1));
                if (ut_luma8(shown[0][i], shown[1][i], shown[2][i]) == y) continue;
                shown[ch][i] = was;
                break;
            }
    }
}
