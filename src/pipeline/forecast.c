/* What a payload will cost before it is embedded: carriers used one by one, or an ideal coder's choice among all of them. */
#include "pipeline/robust.h"
#include "stage/hide/extract.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define ROUNDING .05 /* squared error of pixels of 8 bit, where most of them move */
#define LEAST .012 /* the same where hardly any of them move */
#define USUAL_DB 42
#define QUIET_TURNS .02 /* of what random bits would cost beyond staying */
#define COLOURS .745 /* squared change of a sample for a unit of luma, where R, G and B move by what costs least */

static size_t sample_step(size_t nblocks) { return nblocks / 1500 + 1; }

/* Sample of blocks' coefficients, [64][n]. */
static float *sample_blocks(const ut_picture *p, size_t *n, ut_err *e)
{
    ut_grid g = ut_grid_of(p->width, p->height);
    size_t all = ut_grid_nblocks(g), step = sample_step(all), m = 0;
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

/* Costs by size, eight classes an octave. */
static unsigned class_of(double cost) { return cost < 1e-3 ? 0 : (unsigned)fmin(8 * log2(cost * 1000) + 1, UT_COST_CLASSES - 1); }
static double cost_of(unsigned class) { return class ? exp2((class - .5) / 8) / 1000 : 0; }

/* guide: of all blocks, from which the sample was taken; or NULL. */
static void count_costs(const ut_place *p, const uint8_t order[63], const float *c, size_t n, const uint8_t *guide, size_t step, ut_forecast *f)
{
    float weight[256];
    f->guided = guide;
    if (guide) ut_guide_weights(weight);
    for (unsigned i = 0; i < 63; i++) {
        unsigned k = order[i];
        double cheap = 0;
        for (size_t m = 0; m < n; m++) {
            double a = ut_place_move(p, k, 0, c[k * n + m], 0), b = ut_place_move(p, k, 1, c[k * n + m], 0);
            unsigned class = class_of(fabs(a - b) * (guide && m * step < f->per_freq ? (double)weight[guide[m * step * 64 + k]] : 1));
            f->dearer[i][class] += 1 / (float)n;
            if (guide) f->moves[i][class] += (float)fabs(a - b) / (float)n;
            cheap += fmin(a, b);
        }
        f->stays[i] = cheap / (double)n;
    }
}

/* The carriers of the first frequencies, taken together. */
typedef struct mix {
    const ut_forecast *f;
    unsigned nfreq;
    double stay, dearer[UT_COST_CLASSES], cost[UT_COST_CLASSES], moves[UT_COST_CLASSES]; /* per block */
} mix;

static void add_frequency(mix *m)
{
    m->stay += m->f->stays[m->nfreq];
    for (unsigned i = 0; i < UT_COST_CLASSES; i++) {
        m->dearer[i] += (double)m->f->dearer[m->nfreq][i];
        m->moves[i] += (double)m->f->moves[m->nfreq][i];
    }
    m->nfreq++;
}

static mix mix_of(const ut_forecast *f, unsigned nfreq)
{
    mix m = { .f = f };
    for (unsigned i = 0; i < UT_COST_CLASSES; i++) m.cost[i] = cost_of(i);
    while (m.nfreq < nfreq) add_frequency(&m);
    return m;
}

/* An ideal coder takes the dearer parity with probability 1/(1 + exp(lambda cost)): bits that the picture carries so, and squared
 * error per sample. */
static void ideal(const mix *m, double lambda, double *bits, double *mse)
{
    const ut_forecast *f = m->f;
    double b = 0, moved = m->stay;
    for (unsigned i = 0; i < UT_COST_CLASSES; i++) {
        double x = lambda * m->cost[i];
        if (m->dearer[i] <= 0 || x > 60) continue;
        double q = exp(-x), p = q / (1 + q);
        b += m->dearer[i] * (p * x * 1.4426950408889634 + log2(1 + q));
        moved += f->guided ? m->moves[i] * p : m->dearer[i] * p * m->cost[i];
    }
    double carriers = (double)m->nfreq * (double)f->per_freq;
    *bits = carriers > f->taken ? b * (double)f->per_freq * (1 - f->taken / carriers) : 0;
    *mse = f->preamble + moved * f->share;
}

/* Lambda at which the carriers bring nbits, and the error then; false: they cannot. */
static bool solve_bits(const mix *m, double nbits, double *lambda, double *mse)
{
    double lo = 1e-5, hi = 1e5, bits;
    ideal(m, lo, &bits, mse);
    if (bits < nbits) return false;
    for (int i = 0; i < 40; i++) {
        double mid = sqrt(lo * hi);
        ideal(m, mid, &bits, mse);
        if (bits > nbits) lo = mid;
        else hi = mid;
    }
    *lambda = lo;
    return true;
}

static double solve_mse(const mix *m, double want)
{
    double lo = 1e-5, hi = 1e5, bits, mse;
    ideal(m, hi, &bits, &mse);
    if (mse > want) return 0;
    for (int i = 0; i < 40; i++) {
        double mid = sqrt(lo * hi);
        ideal(m, mid, &bits, &mse);
        if (mse > want) lo = mid;
        else hi = mid;
    }
    return bits;
}

static unsigned next_count(unsigned nfreq) { return nfreq < 32 || nfreq > 58 ? nfreq + 1 : nfreq + 4; }

/* Fewer carriers lie better, more leave more choice: the number of frequencies that carry nbits at the least error. */
static unsigned best_count(const ut_forecast *f, double nbits, double *least)
{
    mix m = mix_of(f, 0);
    unsigned best = 63;
    *least = INFINITY;
    for (unsigned n = 1; n <= 63; n = next_count(n)) {
        double lambda, mse;
        while (m.nfreq < n) add_frequency(&m);
        if (!solve_bits(&m, nbits, &lambda, &mse) || mse >= *least) continue;
        *least = mse;
        best = n;
    }
    return best;
}

unsigned ut_forecast_count(const ut_forecast *f, double nbits)
{
    double mse;
    return best_count(f, nbits, &mse);
}

double ut_forecast_lambda(const ut_forecast *f, double nbits, unsigned nfreq)
{
    mix m = mix_of(f, nfreq);
    double lambda, mse;
    return solve_bits(&m, nbits, &lambda, &mse) ? lambda : 1e-5;
}

double ut_forecast_ideal_psnr(const ut_forecast *f, double nbits)
{
    double mse;
    best_count(f, nbits, &mse);
    return 10 * log10(65025 / mse);
}

double ut_forecast_ideal_nbits(const ut_forecast *f, double psnr_db)
{
    mix m = mix_of(f, 0);
    double best = 0, want = 65025 / pow(10, psnr_db / 10);
    for (unsigned n = 1; n <= 63; n = next_count(n)) {
        while (m.nfreq < n) add_frequency(&m);
        best = fmax(best, solve_mse(&m, want));
    }
    return best;
}

/* What is common to both forecasts, from a sample of the photo's blocks. */
static void begin(const ut_sender *s, const ut_place *p, const ut_lattice *l, const float *c, size_t n, const uint8_t *guide, ut_forecast *f)
{
    size_t blocks = ut_grid_nblocks(s->emb.grid);
    double colours = s->cover->grey ? 1 : COLOURS;
    *f = (ut_forecast){ .per_freq = blocks, .share = colours * (double)blocks / ((double)s->cover->width * s->cover->height) };
    count_costs(p, l->order, c, n, guide, sample_step(blocks), f);
}

ut_status ut_sender_forecast_ideal(const ut_sender *s, ut_forecast *f, ut_err *e)
{
    const double none[64] = { 0 };
    ut_lattice l;
    ut_place p;
    size_t n;
    ut_lattice_init(&l, s->design->quant, s->design->scale);
    float *c = sample_blocks(s->cover, &n, e);
    if (!c) return UT_E_MEMORY;
    ut_status st = ut_place_init(&p, &l, l.order, 63, s->design->chain, s->design->nchains, none, 0, 0, UT_PLACE_SPARSE, s->nthreads, e);
    if (st == UT_OK) {
        begin(s, &p, &l, c, n, NULL, f);
        f->height = 1;
        ut_place_free(&p);
    }
    free(c);
    return st;
}

/* Squared error of salt and header, of luma, summed over the picture.  Measured with next to no payload: half of the preamble's carriers lie right
 * already, folded five of six; of the quiet header's some sixty stay for one that turns, and that is a cheap one. */
static double preamble_error(const ut_sender *s, const ut_lattice *l, const float *c, size_t n, const ut_forecast *f)
{
    double sum = 0;
    if (!s->quiet) {
        for (unsigned i = 0; i < UT_PREAMBLE_NFREQ; i++) {
            unsigned k = ut_preamble_order()[i];
            sum += ut_place_cost(&s->place[1], k, c + k * n, n) / UT_PREAMBLE_NFREQ;
        }
        return UT_PREAMBLE_NBITS * sum * (s->height && f->per_freq >= UT_FOLD_NBLOCKS ? .17 : .5);
    }
    for (unsigned i = 0; i < 63; i++) {
        unsigned k = l->order[i], z = 1;
        while (z <= UT_QUIET_NFREQ && ut_zigzag[z] != k) z++;
        if (z > UT_QUIET_NFREQ) continue;
        sum += f->stays[i] + QUIET_TURNS * (ut_place_cost(&s->place[0], k, c + k * n, n) - f->stays[i]);
    }
    return f->taken * sum / UT_QUIET_NFREQ;
}

static ut_status forecast(ut_sender *s, ut_forecast *f, ut_err *e)
{
    size_t n;
    ut_lattice l;
    float *c = sample_blocks(s->cover, &n, e);
    if (!c) return UT_E_MEMORY;
    ut_status st = ut_sender_build_places(s, 63, e);
    if (st == UT_OK) {
        double pixels = (double)s->cover->width * s->cover->height;
        ut_lattice_init(&l, s->design->quant, s->design->scale);
        begin(s, &s->place[0], &l, c, n, s->emb.guide, f);
        f->height = s->height;
        f->taken = ut_sender_ntaken(s);
        for (unsigned i = 0; i < 63; i++) f->cost[i] = ut_place_cost(&s->place[0], l.order[i], c + l.order[i] * n, n) * (double)f->per_freq / pixels;
        f->preamble = preamble_error(s, &l, c, n, f) / pixels; /* a code that leaves blocks alone leaves their rounding alone too */
        f->fixed = f->preamble + ROUNDING;
        if (s->height) {
            f->fixed = f->preamble = f->preamble * (s->cover->grey ? 1 : COLOURS) + LEAST;
            f->stay = mix_of(f, ut_forecast_count(f, ut_forecast_ideal_nbits(f, USUAL_DB))).stay / 63;
        }
    }
    free(c);
    return st;
}

ut_status ut_sender_forecast(ut_sender *s, ut_forecast *f, ut_err *e)
{
    if (s->robust) {
        ut_robust_case c = ut_robust_case_of(s, s->cover);
        *f = (ut_forecast){ .robust = true, .per_freq = c.nblocks, .dense = c.dense, .grey = c.grey, .credit = c.credit, .moving = c.moving, .gain = c.gain };
        memcpy(f->noise, c.noise, sizeof f->noise);
        memcpy(f->kept, c.kept, sizeof f->kept);
        return UT_OK;
    }
    ut_status st = forecast(s, f, e);
    if (st == UT_OK && !s->model && !(s->model = ut_calloc(1, sizeof *s->model, e))) st = UT_E_MEMORY;
    if (st == UT_OK) *s->model = *f;
    return st;
}

static double robust_bits(const ut_forecast *f, double psnr_db)
{
    ut_robust_case c = { .nblocks = f->per_freq, .dense = f->dense, .grey = f->grey, .credit = f->credit, .moving = f->moving, .gain = f->gain,
                         .noise = f->noise, .kept = f->kept };
    ut_robust_plan p;
    return ut_robust_plan_at(&c, 65025 / pow(10, psnr_db / 10), &p);
}

size_t ut_forecast_nbits(const ut_forecast *f, double psnr_db)
{
    if (f->robust) return (size_t)robust_bits(f, psnr_db);
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
            if (robust_bits(f, mid) >= (double)nbits) lo = mid;
            else hi = mid;
        }
        return lo;
    }
    double mse = f->fixed, left = (double)nbits;
    if (f->height) return ut_forecast_ideal_psnr(f, left / (1 - UT_SYNDROME_LOSS));
    for (int i = 0; i < 63 && left > 0 && f->per_freq; i++) {
        double share = fmin(1, left / (double)f->per_freq);
        mse += f->cost[i] * share;
        left -= share * (double)f->per_freq;
    }
    return 10 * log10(65025 / mse);
}
