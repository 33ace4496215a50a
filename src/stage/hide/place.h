/* Where a coefficient must lie so that its bit survives every requested channel: the sender's side of the lattice.
 *
 * A chain of quantisers (JPEG tables one after another) maps a coefficient to a cell of the lattice.  For each frequency
 * the set of safe values of bit b is found by running every chain over a fine scale with tolerances for the rounding of
 * pixels between the steps; the sender then moves a coefficient the least distance into its bit's nearest safe interval.
 * One table thus serves matched, multiple and blind channels alike, and nothing is moved further than the real
 * quantisers ask.  The receiver knows nothing of it.
 */
#ifndef UT_STAGE_HIDE_PLACE_H
#define UT_STAGE_HIDE_PLACE_H
#include "stage/hide/lattice.h"

#define UT_PLACE_STEPS 16    /* table entries per coefficient unit; a quarter of them costs up to half a decibel */
#define UT_PLACE_RANGE 1100  /* |coefficient| covered; an orthonormal 8x8 DCT of 8-bit samples stays below 1,024+ */
#define UT_CHAIN_MAX 4

#define UT_PLACE_DENSE 2.5   /* see ut_place_init: where every carrier must take what bit it is given */
#define UT_PLACE_SPARSE 12.  /* where the choice of carriers may go round the dear ones */

typedef struct ut_chain { /* one way through the channel: the luma tables on it, in order */
    unsigned nsteps;      /* 0: the picture arrives as it was sent */
    uint16_t quant[UT_CHAIN_MAX][64];
} ut_chain;

typedef struct ut_interval {
    int16_t lo, hi; /* in steps; for c >= 0, mirrored for c < 0 */
} ut_interval;

typedef struct ut_place {
    unsigned steps;           /* of the tables, per coefficient unit */
    ut_interval *safe[64][2]; /* [frequency][bit] -> [UT_PLACE_RANGE * steps + 1]; NULL where not built */
    ut_interval *store;       /* owned */
    bool sure;                /* every bit of every frequency survives every chain; otherwise some were given up */
} ut_place;

/* margin: distance from a cell's edge before the first quantiser, by frequency; between: the same before later ones
 * (coefficient units); clear: how far from an edge a value must arrive after the last one, for what decoders and savers
 * do to it (at least 0.04, at most a quarter of a cell); window: in so many cells there must be a safe value, or some chains are
 * given up.  Built for `nfreq` frequencies of `order`. */
UT_MUST_CHECK ut_status ut_place_init(ut_place *p, const ut_lattice *l, const uint8_t *order, unsigned nfreq,
                                      const ut_chain *chain, size_t nchains, const double margin[64], double between,
                                      double clear, double window, unsigned nthreads, ut_err *e);
void ut_place_free(ut_place *p);

/* The safe interval for coefficient c, narrowed by push (>= 0, units) at both ends but never to less than its middle. */
static inline void ut_place_find(const ut_place *p, unsigned freq, unsigned bit, float c, float push, float *lo, float *hi)
{
    float a = c < 0 ? -c : c;
    float steps = (float)p->steps;
    unsigned i = (unsigned)(a * steps + .5f);
    if (i > UT_PLACE_RANGE * p->steps) i = UT_PLACE_RANGE * p->steps;
    ut_interval v = p->safe[freq][bit][i];
    float l = (float)v.lo / steps + push, h = (float)v.hi / steps - push;
    if (l > h) l = h = (float)(v.lo + v.hi) / (2 * steps);
    *lo = c < 0 ? -h : l;
    *hi = c < 0 ? -l : h;
}

/* Squared move that bit asks of coefficient c. */
static inline float ut_place_move(const ut_place *p, unsigned freq, unsigned bit, float c, float push)
{
    float lo, hi;
    ut_place_find(p, freq, bit, c, push, &lo, &hi);
    float d = c < lo ? lo - c : c > hi ? c - hi : 0;
    return d * d;
}

/* Mean squared move for values c[n] of frequency freq carrying random bits. */
double ut_place_cost(const ut_place *p, unsigned freq, const float *c, size_t n);
#endif
