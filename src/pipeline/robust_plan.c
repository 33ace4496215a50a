/* Sizes for the robust form by a model: Gaussian noise of known rms, the scalar Costa scheme's information in it. */
#include "pipeline/robust.h"
#include <math.h>
#include <pthread.h>

#define BOX_ALPHA .7
#define BOX_RESERVE 2.8   /* the box's carriers bring so many times what it needs */
#define ROUNDING .09      /* squared error of 8-bit rounding, per sample */

enum { NALPHA = 3, NRATIO = 64, MOST_WIDTH = 255 };
/* In Gaussian noise less would do; with real codecs' these carry most (measured from 0.55 to 0.95). */
static const double alphas[NALPHA] = { .8, .84, .88 };
static const unsigned counts[] = { 3, 4, 5, 6, 8, 10, 12, 15, 18, 21, 24, 28, 32, 36, 42, 48, 55, 63 };
enum { NCOUNTS = sizeof counts / sizeof *counts };

/* Information against log2(width / sigma), -2 .. 5.875. */
static double table[NALPHA][NRATIO];
static pthread_once_t once = PTHREAD_ONCE_INIT;
static void fill(void)
{
    for (int a = 0; a < NALPHA; a++)
        for (int i = 0; i < NRATIO; i++) table[a][i] = ut_scs_information(exp2(i / 8. - 2), alphas[a], 1);
}

static double information(int a, double ratio)
{
    double x = (log2(fmax(ratio, 1e-9)) + 2) * 8;
    if (x <= 0) return table[a][0] * exp2(x / 4); /* falls at least so fast */
    if (x >= NRATIO - 1) return table[a][NRATIO - 1];
    int i = (int)x;
    return table[a][i] + (x - i) * (table[a][i + 1] - table[a][i]);
}

/* Squared error of R, G, B for one of luma (see embed.c); grey pixels move all three alike. */
static double colours(const ut_robust_case *c) { return c->grey ? 1 : .746; }

/* Share of frequency f's carriers that are the payload's. */
static double free_share(const ut_robust_case *c, unsigned f)
{
    return f < UT_ROBUST_NFREQ ? 1 - (c->dense ? 4. : 1.) / UT_ROBUST_NFREQ : 1;
}

/* What the codes need over the bits they carry, by bits per carrier: their distance from the limit, and what flips of the rehearsal take. */
static double overhead(double rate) { return 1.14 + .45 * exp(-rate / .35); }

static double payload_bits(const ut_robust_case *c, unsigned nfreq, int a, double width)
{
    double sum = 0;
    for (unsigned f = 0; f < nfreq; f++) {
        unsigned k = ut_zigzag[1 + f];
        sum += free_share(c, f) * c->kept[k] * information(a, width / c->noise[k]);
    }
    return sum * (double)c->nblocks * c->moving * c->credit;
}

static unsigned box_tier(const ut_robust_case *c)
{
    double slots = (double)c->nblocks * (c->dense ? 4 : 1);
    for (unsigned t = 0; t < UT_ROBUST_NTIERS; t++) {
        double sum = 0;
        for (unsigned f = 0; f < UT_ROBUST_NFREQ; f++)
            sum += c->kept[ut_zigzag[1 + f]] * ut_scs_information(ut_robust_box_width(t), BOX_ALPHA, c->noise[ut_zigzag[1 + f]]) / UT_ROBUST_NFREQ;
        if (sum * slots > BOX_RESERVE * 8 * UT_ROBUST_BOX_NBYTES) return t;
    }
    return UT_ROBUST_NTIERS - 1;
}

/* Squared error per sample of moving `per_block` coefficients. */
static double error(const ut_robust_case *c, double per_block, double width, double alpha)
{
    return colours(c) * per_block / 64 * alpha * alpha * width * width / 3;
}

static double box_error(const ut_robust_case *c, unsigned tier)
{
    return error(c, c->dense ? 4 : 1, ut_robust_box_width(tier), BOX_ALPHA) + ROUNDING;
}

static double carriers_per_block(const ut_robust_case *c, unsigned nfreq)
{
    double n = 0;
    for (unsigned f = 0; f < nfreq; f++) n += free_share(c, f);
    return n;
}

static bool usable(const ut_robust_case *c, unsigned i) { return !c->nfreq || c->nfreq == counts[i]; }

/* Bits that codes make of that much information in so many carriers. */
static double sealed_of(double info, double ncarriers)
{
    double sealed = info / 1.3;
    for (int k = 0; k < 6; k++) sealed = info / overhead(sealed / ncarriers);
    return sealed;
}

double ut_robust_sealed(const ut_robust_case *c, const ut_robust_plan *p, double info)
{
    return sealed_of(info, carriers_per_block(c, p->nfreq) * (double)c->nblocks);
}

unsigned ut_robust_next(unsigned nfreq, bool larger)
{
    for (unsigned i = 0; i < NCOUNTS; i++)
        if (counts[i] == nfreq) return larger ? (i + 1 < NCOUNTS ? counts[i + 1] : 0) : (i ? counts[i - 1] : 0);
    return 0;
}

bool ut_robust_plan_for(const ut_robust_case *c, double nbits, double factor, ut_robust_plan *p)
{
    pthread_once(&once, fill);
    *p = (ut_robust_plan){ .mse = INFINITY, .tier = box_tier(c) };
    for (unsigned i = 0; i < NCOUNTS; i++)
        for (int a = 0; a < NALPHA && usable(c, i); a++) {
            double n = carriers_per_block(c, counts[i]);
            double bits = nbits * factor * overhead(nbits / n / (double)c->nblocks);
            int lo = -1, hi = MOST_WIDTH + 1; /* the least width that brings enough is in (lo, hi] */
            while (hi - lo > 1) {
                int mid = (lo + hi) / 2;
                if (payload_bits(c, counts[i], a, (double)ut_scs_width((unsigned)mid)) >= bits) hi = mid;
                else lo = mid;
            }
            if (hi > MOST_WIDTH) continue;
            double width = (double)ut_scs_width((unsigned)hi), mse = c->gain * error(c, n * c->moving, width, alphas[a]) + box_error(c, p->tier);
            if (mse >= p->mse) continue;
            p->mse = mse;
            p->nfreq = counts[i];
            p->width = (unsigned)hi;
            p->alpha = (float)alphas[a];
            p->bits = payload_bits(c, counts[i], a, width);
        }
    return p->nfreq > 0;
}

double ut_robust_plan_at(const ut_robust_case *c, double mse, ut_robust_plan *p)
{
    pthread_once(&once, fill);
    *p = (ut_robust_plan){ .mse = mse, .tier = box_tier(c) };
    double left = mse - box_error(c, p->tier), best = 0;
    for (unsigned i = 0; i < NCOUNTS && left > 0; i++)
        for (int a = 0; a < NALPHA && usable(c, i); a++) {
            double n = carriers_per_block(c, counts[i]);
            double step = floor(48 * log2(sqrt(left / (c->gain * error(c, n * c->moving, 1, alphas[a]))) / 1.5));
            if (step < 0 || step > MOST_WIDTH) continue;
            double width = (double)ut_scs_width((unsigned)step);
            double bits = payload_bits(c, counts[i], a, width), sealed = sealed_of(bits, n * (double)c->nblocks);
            if (sealed <= best) continue;
            best = sealed;
            p->nfreq = counts[i];
            p->width = (unsigned)step;
            p->alpha = (float)alphas[a];
            p->bits = bits;
        }
    return best;
}

static int step_of(const ut_robust_plan *p)
{
    int a = 0;
    while (a + 1 < NALPHA && fabs(alphas[a] - (double)p->alpha) > .01) a++;
    return a;
}

static double sinc(double x) { return fabs(x) > 1e-9 ? sin(x) / x : 1; }

void ut_robust_fit_noise(const ut_robust_plan *p, double mean[64][2], double noise[64], double kept[64])
{
    const double pi = 3.14159265358979323846, spread = pi * (1 - (double)p->alpha);
    double width = (double)ut_scs_width(p->width), most = 0, least = 1;
    for (unsigned f = 0; f < 63; f++) {
        unsigned k = ut_zigzag[1 + f];
        if (f < p->nfreq) {
            double one = fmin(fmax(mean[k][0] / sinc(spread), .01), .999), two = mean[k][1] / sinc(2 * spread), var;
            if (two > .02) var = fmax(log(one / two) * 2 / 3, 1e-3);
            else var = -2 * log(one); /* too little to tell one from the other */
            kept[k] = fmin(one * exp(var / 2), 1);
            if (kept[k] >= 1) var = -2 * log(one);
            noise[k] = sqrt(var) * width / pi;
            most = fmax(most, noise[k]);
            least = fmin(least, kept[k]);
        } else {
            noise[k] = fmax(noise[k], most);
            kept[k] = least;
        }
    }
}

double ut_robust_mse(const ut_robust_case *c, const ut_robust_plan *p)
{
    return c->gain * error(c, carriers_per_block(c, p->nfreq) * c->moving, (double)ut_scs_width(p->width), (double)p->alpha) + box_error(c, p->tier);
}

double ut_robust_expect(const ut_robust_case *c, const ut_robust_plan *p)
{
    pthread_once(&once, fill);
    return payload_bits(c, p->nfreq, step_of(p), (double)ut_scs_width(p->width));
}

void ut_robust_guess(ut_sender *s)
{
    double most = 0;
    s->credit = s->gain = 1;
    for (unsigned f = 0; f < 63; f++) {
        unsigned k = ut_zigzag[1 + f];
        most = fmax(most, s->design->noise[k]);
        s->noise[k] = most;
        s->kept[k] = 1;
    }
}
