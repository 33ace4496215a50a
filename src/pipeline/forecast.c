/* What a payload will cost before it is embedded: carriers used one by one, or an ideal coder's choice among all of them. */
#include "pipeline/robust.h"
#include "stage/hide/extract.h"
#include <math.h>
#include <stdlib.h>

/* Sample of blocks' coefficients, [64][n]. */
static float *sample_blocks(const ut_picture *p, size_t *n, ut_err *e)
{
    ut_grid g = ut_grid_of(p->width, p->height);
    size_t all = ut_grid_nblocks(g), step = all / 1500 + 1, m = 0;
    float *c = ut_calloc((all / step + 1) * 64, sizeof *c, e);
    if (!c) return NULL;
    size_t stride = all / step + 1;
    ut_view v = { .picture = p };
    for (size_t b = 0; b < all; b += step, m++) {
        float x[64];
        ut_view_block(&v, (uint32_t)(b % g.blocks_w), (uint32_t)(b / g.blocks_w), x);
        for (int k = 0; k < 64; k++) c[(size_t)k * stride + m] = x[k];
    }
    *n = stride;
    return c;
}

/* Costs by size, sixteen classes an octave. */
static unsigned class_of(double cost) { return cost < 1e-3 ? 0 : (unsigned)fmin(16 * log2(cost * 1000) + 1, UT_COST_CLASSES - 1); }
static double cost_of(unsigned class) { return class ? exp2((class - .5) / 16) / 1000 : 0; }

static void count_costs(const ut_place *p, const float *c, size_t n, ut_forecast *f)
{
    double cheap = 0, total = 0;
    for (unsigned k = 1; k < 64; k++)
        for (size_t i = 0; i < n; i++) {
            double a = ut_place_move(p, k, 0, c[k * n + i], 0), b = ut_place_move(p, k, 1, c[k * n + i], 0);
            f->class[class_of(fabs(a - b))]++;
            cheap += fmin(a, b);
            total++;
        }
    f->stay = cheap / total;
    for (unsigned i = 0; i < UT_COST_CLASSES; i++) f->class[i] /= total;
}

/* An ideal coder takes the dearer parity with probability 1/(1 + exp(lambda cost)): bits and squared move per carrier. */
static void ideal(const ut_forecast *f, double lambda, double *bits, double *moved)
{
    *bits = 0;
    *moved = f->stay;
    for (unsigned i = 0; i < UT_COST_CLASSES; i++) {
        double c = cost_of(i), x = lambda * c;
        if (f->class[i] <= 0 || x > 60) continue;
        double p = 1 / (1 + exp(x));
        *bits += f->class[i] * (p * x * 1.4426950408889634 + log2(1 + exp(-x)));
        *moved += f->class[i] * p * c;
    }
}

ut_status ut_sender_forecast(ut_sender *s, ut_forecast *f, ut_err *e)
{
    if (s->robust) {
        *f = (ut_forecast){ .robust = s };
        return UT_OK;
    }
    size_t n;
    float *c = sample_blocks(s->cover, &n, e);
    if (!c) return UT_E_MEMORY;
    ut_status st = ut_sender_build_places(s, 63, e);
    if (st == UT_OK) {
        ut_lattice l;
        ut_lattice_init(&l, s->design->quant, s->design->scale);
        size_t blocks = ut_grid_nblocks(s->emb.grid);
        double pixels = (double)s->cover->width * s->cover->height, preamble = 0;
        *f = (ut_forecast){ .height = s->height, .per_freq = blocks };
        for (unsigned i = 0; i < 63; i++) f->cost[i] = ut_place_cost(&s->place[0], l.order[i], c + l.order[i] * n, n);
        for (unsigned i = 0; i < UT_PREAMBLE_NFREQ; i++) {
            unsigned k = ut_preamble_order()[i];
            preamble += ut_place_cost(&s->place[1], k, c + k * n, n) / UT_PREAMBLE_NFREQ;
        }
        f->fixed = UT_PREAMBLE_NBITS * preamble / pixels + .1;
        for (unsigned i = 0; i < 63; i++) f->cost[i] *= (double)blocks / pixels;
        f->share = (double)blocks / pixels;
        count_costs(&s->place[0], c, n, f);
    }
    free(c);
    return st;
}

/* Bits and squared error per sample that an ideal coder makes of all carriers but the preamble's. */
static void ideal_picture(const ut_forecast *f, double lambda, double *bits, double *mse)
{
    double per_carrier, moved, carriers = 63 * (double)f->per_freq - UT_PREAMBLE_NBITS;
    ideal(f, lambda, &per_carrier, &moved);
    *bits = carriers > 0 ? per_carrier * carriers : 0;
    *mse = f->fixed + moved * 63 * f->share;
}

double ut_forecast_lambda(const ut_forecast *f, double nbits)
{
    double lo = 1e-5, hi = 1e5, bits, mse;
    for (int i = 0; i < 50; i++) {
        double mid = sqrt(lo * hi);
        ideal_picture(f, mid, &bits, &mse);
        if (bits > nbits) lo = mid;
        else hi = mid;
    }
    return lo;
}

double ut_forecast_ideal_nbits(const ut_forecast *f, double psnr_db)
{
    double want = 65025 / pow(10, psnr_db / 10), lo = 1e-5, hi = 1e5, bits, mse;
    ideal_picture(f, hi, &bits, &mse);
    if (mse > want) return 0;
    for (int i = 0; i < 50; i++) {
        double mid = sqrt(lo * hi);
        ideal_picture(f, mid, &bits, &mse);
        if (mse > want) lo = mid;
        else hi = mid;
    }
    return bits;
}

static double robust_bits(const ut_sender *s, double psnr_db)
{
    ut_robust_case c = ut_robust_case_of(s, s->cover);
    ut_robust_plan p;
    return ut_robust_plan_at(&c, 65025 / pow(10, psnr_db / 10), &p);
}

size_t ut_forecast_nbits(const ut_forecast *f, double psnr_db)
{
    if (f->robust) return (size_t)robust_bits(f->robust, psnr_db);
    if (f->height) return (size_t)(ut_forecast_ideal_nbits(f, psnr_db) * (1 - UT_SYNDROME_LOSS));
    double left = 65025 / pow(10, psnr_db / 10) - f->fixed, n = 0;
    for (int i = 0; i < 63 && left > 0; i++) {
        double share = f->cost[i] > 0 ? fmin(1, left / f->cost[i]) : 1;
        n += share * (double)f->per_freq;
        left -= f->cost[i] * share;
    }
    n -= UT_PREAMBLE_NBITS;
    return n > 0 ? (size_t)n : 0;
}

double ut_forecast_psnr(const ut_forecast *f, size_t nbits)
{
    if (f->robust) {
        double lo = 10, hi = 70;
        for (int i = 0; i < 24; i++) {
            double mid = (lo + hi) / 2;
            if (robust_bits(f->robust, mid) >= (double)nbits) lo = mid;
            else hi = mid;
        }
        return lo;
    }
    double mse = f->fixed, left = (double)nbits;
    if (f->height) {
        ideal_picture(f, ut_forecast_lambda(f, left / (1 - UT_SYNDROME_LOSS)), &left, &mse);
        return 10 * log10(65025 / mse);
    }
    for (int i = 0; i < 63 && left > 0 && f->per_freq; i++) {
        double share = fmin(1, left / (double)f->per_freq);
        mse += f->cost[i] * share;
        left -= share * (double)f->per_freq;
    }
    return 10 * log10(65025 / mse);
}
