/* Which step to begin with at a given raw error rate.  A forecast for the sender, who then tries: floating point is fine. */
#include "stage/fec/fec_plan.h"
#include <math.h>

#define TARGET 1e-4 /* share of blocks that may fail */

#define NLENGTHS 4u
static const double lengths[NLENGTHS] = { 64800, 16200, 4050, 1080 };
static const double thresholds[][NLENGTHS] = {
#include "stage/fec/thresholds.inc"
};

/* P(X > t) for X binomial (n, p). */
static double tail(double n, double p, double t)
{
    double k = t + 1, q = 1 - p;
    if (p <= 0 || k > n) return 0;
    if (k <= n * p) return 1;
    double term = exp(lgamma(n + 1) - lgamma(k + 1) - lgamma(n - k + 1) + k * log(p) + (n - k) * log1p(-p)), sum = 0;
    for (; k <= n && term > sum * 1e-12; k++) {
        sum += term;
        term *= (n - k) / (k + 1) * p / q;
    }
    return sum;
}

/* Error rate that an LDPC block of n code bits stands: the table, linear between in log n, shorter blocks cut off. */
static double ldpc_threshold(unsigned rate, double n)
{
    if (rate >= sizeof thresholds / sizeof *thresholds) return 0; /* a step newer than the table */
    const double *t = thresholds[rate];
    if (n >= lengths[0]) return t[0];
    for (unsigned i = 1; i < NLENGTHS; i++) {
        if (n < lengths[i]) continue;
        double w = log(n / lengths[i]) / log(lengths[i - 1] / lengths[i]);
        return w * t[i - 1] + (1 - w) * t[i];
    }
    return t[NLENGTHS - 1] * n / lengths[NLENGTHS - 1];
}

static bool survives(const ut_fec_plan *p, double ber)
{
    const ut_fec_step *s = ut_fec_step_at(p->kind, p->rate);
    double n = (double)p->block_nbits;
    switch (p->kind) {
    case UT_FEC_LDPC: return ber <= ldpc_threshold(p->rate, n);
    case UT_FEC_BCH: return tail(n, ber, s->a) <= TARGET;
    case UT_FEC_RS: return tail(n / 8, -expm1(8 * log1p(-ber)), s->a / 2) <= TARGET; /* integer division is meant */
    case UT_FEC_HAMMING: {
        double words = ceil(8 * (double)p->block_payload_nbytes / s->b);
        return words * tail(n / words, ber, 1) <= TARGET;
    }
    default: return false;
    }
}

ut_status ut_fec_pick(ut_fec_kind kind, double raw_ber, size_t payload_nbytes, ut_fec_kind *picked, unsigned *rate,
                      ut_err *e)
{
    static const ut_fec_kind all[] = { UT_FEC_LDPC, UT_FEC_BCH, UT_FEC_RS, UT_FEC_HAMMING };
    ut_fec_plan p;
    size_t least = SIZE_MAX;
    if (!(raw_ber >= 0 && raw_ber <= 1)) return ut_fail(e, UT_E_USAGE, "an error rate of %g is none", raw_ber);
    if (kind != UT_FEC_AUTO && !ut_fec_nrates(kind))
        return ut_fail(e, UT_E_USAGE, "there is no error-correcting code of kind %d", (int)kind);
    for (unsigned i = 0; i < sizeof all / sizeof *all; i++) {
        if (kind != UT_FEC_AUTO && kind != all[i]) continue;
        for (unsigned r = ut_fec_nrates(all[i]); r-- > 0;) {
            ut_status s = ut_fec_plan_init(&p, all[i], r, payload_nbytes, e);
            if (s != UT_OK) return s;
            if (!survives(&p, raw_ber) || p.code_nbits >= least) continue;
            least = p.code_nbits;
            *picked = all[i];
            *rate = r;
        }
    }
    if (least < SIZE_MAX) return UT_OK;
    return ut_fail(e, UT_E_CAPACITY, "a raw error rate of %.1f %% is more than %s corrects; choose a gentler channel or a "
                   "stronger embedding", 100 * raw_ber, kind == UT_FEC_AUTO ? "any code" : "this code");
}
