#include "stage/hide/place.h"
#include "base/parallel.h"
#include <math.h>
#include <stdlib.h>

#define EDGE .04 /* of a cell: what arrives on an edge carries neither bit */

enum { MOST = UT_PLACE_RANGE * UT_PLACE_STEPS + 1 };

static double quantise(double c, double q) { return q * floor(c / q + .5); }

/* Number of chains through which a coefficient within +-margin of x does not surely carry bit 0, bit 1. */
static void count_failures(const ut_lattice *l, unsigned k, const ut_chain *chain, const uint8_t *pick, size_t n, double x,
                           double margin, double between, double least, unsigned fail[2])
{
    double w = (double)l->width[k] / UT_LATTICE_UNIT;
    double arrival = fmin(fmax(EDGE * w, least), w / 4);
    fail[0] = fail[1] = 0;
    for (size_t i = 0; i < n; i++) {
        const ut_chain *c = &chain[pick[i]];
        double lo = x - margin, hi = x + margin;
        for (unsigned s = 0; s < c->nsteps; s++) {
            if (s) lo -= between, hi += between;
            lo = quantise(lo, c->quant[s][k]);
            hi = quantise(hi, c->quant[s][k]);
        }
        double clear = c->nsteps ? arrival : 0;
        long a = (long)floor((lo - clear) / w + .5), b = (long)floor((hi + clear) / w + .5);
        if (a != b || (a & 1) != 0) fail[0]++;
        if (a != b || (a & 1) != 1) fail[1]++;
    }
}

/* For every value on the scale, the safe run that is nearest to it.  Runs are bounded by entries with more failures. */
static void nearest_runs(const uint8_t *fail, int N, unsigned allowed, ut_interval *out)
{
    int lo = -1, hi = -1; /* last run to the left */
    for (int i = 0; i < N;) {
        if (fail[i] > allowed) {
            i++;
            continue;
        }
        int j = i;
        while (j + 1 < N && fail[j + 1] <= allowed) j++;
        int from = lo < 0 ? 0 : (hi + i + 1) / 2; /* closer to this run than to the last */
        for (int m = from; m <= j; m++) out[m] = (ut_interval){ (int16_t)i, (int16_t)j };
        for (int m = hi + 1; lo >= 0 && m < from; m++) out[m] = (ut_interval){ (int16_t)lo, (int16_t)hi };
        lo = i, hi = j;
        i = j + 1;
    }
    if (lo >= 0)
        for (int m = hi + 1; m < N; m++) out[m] = (ut_interval){ (int16_t)lo, (int16_t)hi };
    if (lo >= 0 && out[0].lo == 0) { /* the run around zero reaches as far to the other side */
        int16_t h = out[0].hi;
        for (int m = 0; m < N && out[m].lo == 0; m++) out[m].lo = (int16_t)-h;
    }
}

typedef struct job {
    ut_place *p;
    const ut_lattice *l;
    const uint8_t *order;
    const ut_chain *chain;
    size_t nchains;
    const double *margin;
    double between, clear, window;
    bool sure[64];
} job;

/* The chains that differ in the steps of this one frequency. */
static size_t distinct_chains(const job *j, unsigned k, uint8_t *pick)
{
    size_t n = 0;
    for (size_t i = 0; i < j->nchains && n < 255; i++) {
        bool seen = false;
        for (size_t m = 0; m < n && !seen; m++) {
            const ut_chain *a = &j->chain[i], *b = &j->chain[pick[m]];
            seen = a->nsteps == b->nsteps;
            for (unsigned s = 0; s < a->nsteps && seen; s++) seen = a->quant[s][k] == b->quant[s][k];
        }
        if (!seen) pick[n++] = (uint8_t)i;
    }
    return n;
}

/* Where some chains leave too few safe values, give up as few chains as make them dense: every window of so many cells must
 * hold a run.  What is given up is the error correction's business. */
static unsigned failures_to_allow(const uint8_t *fail, unsigned steps, double w, double window, size_t nchains)
{
    const int N = (int)(UT_PLACE_RANGE * steps + 1);
    unsigned allowed = 0;
    for (; allowed < nchains; allowed++) {
        int gap = 0, worst = 0, end = N - (int)(steps * (window * w + 1));
        for (int i = 0; i < end; i++) {
            gap = fail[i] > allowed ? gap + 1 : 0;
            if (gap > worst) worst = gap;
        }
        if (worst <= window * w * steps + 2) break;
    }
    return allowed;
}

static void build(void *arg, size_t f)
{
    job *j = arg;
    unsigned k = j->order[f];
    const unsigned steps = j->p->steps;
    const int N = (int)(UT_PLACE_RANGE * steps + 1);
    uint8_t fail[2][MOST], pick[256];
    size_t n = distinct_chains(j, k, pick);
    for (int i = 0; i < N; i++) {
        unsigned v[2];
        count_failures(j->l, k, j->chain, pick, n, (double)i / steps, j->margin[k], j->between, j->clear, v);
        fail[0][i] = (uint8_t)v[0];
        fail[1][i] = (uint8_t)v[1];
    }
    j->sure[f] = true;
    for (unsigned b = 0; b < 2; b++) {
        unsigned allowed = failures_to_allow(fail[b], steps, (double)j->l->width[k] / UT_LATTICE_UNIT, j->window, n);
        if (allowed) j->sure[f] = false;
        nearest_runs(fail[b], N, allowed, j->p->safe[k][b]);
    }
}

ut_status ut_place_init(ut_place *p, const ut_lattice *l, const uint8_t *order, unsigned nfreq, const ut_chain *chain,
                        size_t nchains, const double margin[64], double between, double clear, double window, unsigned nthreads, ut_err *e)
{
    *p = (ut_place){ .sure = true, .steps = UT_PLACE_STEPS };
    size_t N = UT_PLACE_RANGE * p->steps + 1;
    if (nchains > 255) return ut_fail(e, UT_E_USAGE, "too many channels at once; ask for fewer or narrower ranges");
    p->store = ut_calloc((size_t)nfreq * 2 * N, sizeof *p->store, e);
    if (!p->store) return UT_E_MEMORY;
    for (unsigned i = 0; i < nfreq; i++) {
        p->safe[order[i]][0] = p->store + (size_t)(2 * i) * N;
        p->safe[order[i]][1] = p->safe[order[i]][0] + N;
    }
    job j = { p, l, order, chain, nchains, margin, between, clear, window, { false } };
    ut_parallel(nthreads, nfreq, build, &j);
    for (unsigned i = 0; i < nfreq; i++) p->sure = p->sure && j.sure[i];
    return UT_OK;
}

void ut_place_free(ut_place *p)
{
    free(p->store);
    *p = (ut_place){ 0 };
}

double ut_place_cost(const ut_place *p, unsigned freq, const float *c, size_t n)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++)
        for (unsigned b = 0; b < 2; b++) sum += .5 * (double)ut_place_move(p, freq, b, c[i], 0);
    return n ? sum / (double)n : 0;
}
