/* What parities cost: the prices that the syndrome-trellis code weighs. */
#include "base/parallel.h"
#include "kern/dct8.h"
#include "stage/hide/embed.h"
#include "stage/hide/guide.h"
#include <math.h>

#define FLAT 60.f     /* squared units, all frequencies but DC's: what counts as no liveliness at all */
#define USUAL 1500.f
#define LIVELY .08f

typedef struct costing {
    const ut_embedding *m;
    const ut_dct8 *dct;
    float scale, most;
    int16_t *cost;
    float guided[256]; /* where there is a guide */
} costing;

/* Changes show less where a block is lively: its carriers are a little cheaper than the square of their moves.  The exponent buys a tenth of what
 * is missing in SSIM for some 0.05 dB of PSNR; twice as much would cost 0.2 dB. */
static float weight(const float c[64])
{
    float energy = 0;
    for (unsigned k = 1; k < 64; k++) energy += c[k] * c[k];
    return powf((energy + FLAT) / USUAL, -LIVELY);
}

static void cost_row(void *arg, size_t by)
{
    costing *j = arg;
    const ut_place *p = j->m->layer[0];
    for (uint32_t bx = 0; bx < j->m->grid.blocks_w; bx++) {
        size_t b = by * j->m->grid.blocks_w + bx;
        float c[64];
        ut_luma_block(j->m->cover, bx, (uint32_t)by, c);
        j->dct->forward(c, c);
        const uint8_t *guide = j->m->guide ? j->m->guide + b * 64 : NULL;
        float usual = guide ? 0 : j->scale * weight(c);
        for (unsigned k = 1; k < 64; k++) {
            float push = (float)j->m->push[b * 64 + k] / UT_PUSH_STEPS;
            float d = (ut_place_move(p, k, 1, c[k], push) - ut_place_move(p, k, 0, c[k], push)) * (guide ? j->scale * j->guided[guide[k]] : usual);
            d = d > j->most ? j->most : d < -j->most ? -j->most : d;
            j->cost[b * 64 + k] = (int16_t)(d < 0 ? d - .5f : d + .5f);
        }
    }
}

static float carrier_cost(const ut_embedding *m, uint32_t pos, unsigned layer)
{
    float c[64];
    unsigned k = pos & 63;
    ut_luma_block(m->cover, pos / 64 % m->grid.blocks_w, pos / 64 / m->grid.blocks_w, c);
    ut_dct8_get()->forward(c, c);
    return ut_place_move(m->layer[layer], k, 1, c[k], 0) - ut_place_move(m->layer[layer], k, 0, c[k], 0);
}

void ut_embed_costs_at(const ut_embedding *m, const ut_carriers *c, unsigned layer, float mean, int most, int16_t *cost)
{
    double sum = 1e-9;
    for (size_t i = 0; i < c->n; i++) sum += fabs((double)carrier_cost(m, c->pos[i], layer));
    float scale = mean * (float)c->n / (float)sum;
    for (size_t i = 0; i < c->n; i++) {
        float d = carrier_cost(m, c->pos[i], layer) * scale;
        cost[i] = (int16_t)(d > (float)most ? most : d < (float)-most ? -most : (int)d);
    }
}

void ut_embed_costs(const ut_embedding *m, float scale, int most, int16_t *cost, unsigned nthreads)
{
    costing j = { .m = m, .dct = ut_dct8_get(), .scale = scale, .most = (float)most, .cost = cost };
    if (m->guide) ut_guide_weights(j.guided);
    ut_parallel(nthreads, m->grid.blocks_h, cost_row, &j);
}
