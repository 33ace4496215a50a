/* The least redundancy that survives, and what a payload will cost before it is embedded. */
#include "pipeline/robust.h"
#include "stage/hide/extract.h"
#include <math.h>
#include <stdlib.h>

enum { SALT_TRIES = 12 };
#define CODE_GAP 0.028 /* what the codes need above the rate that the channel's information allows */

/* Highest step of the ladder whose rate is at most r; 0 if none. */
static unsigned step_for(ut_fec_kind kind, double r)
{
    unsigned best = 0;
    double best_rate = 0;
    for (unsigned i = 0; i < ut_fec_nrates(kind); i++) {
        double v = ut_fec_rate(kind, i);
        if (v <= r && v > best_rate) best = i, best_rate = v;
    }
    return best;
}

/* The next step with more redundancy; false at the end of the ladder. */
static bool step_down(ut_fec_kind kind, unsigned *step)
{
    double now = ut_fec_rate(kind, *step), r = 0;
    unsigned best = 0;
    for (unsigned i = 0; i < ut_fec_nrates(kind); i++) {
        double v = ut_fec_rate(kind, i);
        if (v < now && v > r) r = v, best = i;
    }
    *step = best;
    return r > 0;
}

/* What hard decisions leave: codes other than LDPC see only the signs. */
static double hard_capacity(double p)
{
    if (p <= 0) return 1;
    if (p >= .5) return 0;
    return 1 + p * log2(p) + (1 - p) * log2(1 - p);
}

/* Rate that should survive the rehearsal's extra errors too. */
static double expected_rate(const ut_sender *s, ut_fec_kind kind)
{
    double extra = 1 - hard_capacity(fmax(UT_MARGIN_LEAST, UT_MARGIN_SHARE * s->worst_ber));
    double c = kind == UT_FEC_LDPC ? s->worst_capacity : hard_capacity(s->worst_ber) - s->worst_ber;
    return c - extra - CODE_GAP;
}

/* With a syndrome code decisions are hard, and errors of the channel's own next to none: what counts is the margin. */
static unsigned step_with_syndrome(const ut_sender *s, ut_fec_kind kind, size_t sealed_nbytes, double carrier_ber)
{
    ut_fec_kind picked;
    unsigned step;
    double share = ut_sender_carriers_per_bit(s, sealed_nbytes) * ut_sender_spread(s);
    double ber = (carrier_ber * (1 + UT_MARGIN_SHARE) + UT_MARGIN_CARRIERS) * share;
    return ut_fec_pick(kind, fmin(ber, .4), sealed_nbytes, &picked, &step, NULL) == UT_OK ? step : 0;
}

static unsigned first_step(const ut_sender *s, ut_fec_kind kind, size_t sealed_nbytes)
{
    return s->height ? step_with_syndrome(s, kind, sealed_nbytes, 0) : step_for(kind, .92);
}

static unsigned next_step(const ut_sender *s, ut_fec_kind kind, size_t sealed_nbytes)
{
    return s->height ? step_with_syndrome(s, kind, sealed_nbytes, s->worst_ber) : step_for(kind, expected_rate(s, kind));
}

static ut_status too_long(const ut_sender *s, size_t max_nbits, ut_err *e)
{
    return ut_fail(e, UT_E_CAPACITY, "it does not fit: %zu raw bits are needed, this photo takes %zu at the asked quality; "
                   "use a shorter recording, a lower bit rate, a larger photo, or a smaller --min-psnr", s->plan.code_nbits, max_nbits);
}

/* Seals under the present salt and embeds; where the photo will not carry that salt, with another or coarser. */
static ut_status seal_and_embed(ut_sender *s, ut_seal_fn seal, void *arg, ut_buf *sealed, ut_fec_kind kind, unsigned step,
                                size_t max_nbits, ut_err *e)
{
    for (int t = 1; t <= SALT_TRIES; t++) {
        const ut_seal_keys *k;
        ut_status st = ut_sender_keys(s, &k, e);
        sealed->len = 0;
        if (st == UT_OK) st = seal(arg, k, sealed, e);
        if (st == UT_OK) st = ut_fec_plan_init(&s->plan, kind, step, sealed->len, e);
        if (st != UT_OK) return st;
        if (s->plan.code_nbits > max_nbits) return too_long(s, max_nbits, e);
        st = ut_sender_embed(s, sealed, kind, step, e);
        if (st != UT_OK || !s->salt_errors) return st;
        if (t % 3 == 0 && s->tier + 1 < UT_PREAMBLE_NTIERS) st = ut_sender_coarser(s, e);
        if (st != UT_OK) return st;
    }
    return ut_fail(e, UT_E_CAPACITY, "this photo does not keep the 128 bits of a key's salt through these channels; use another photo");
}

ut_status ut_sender_run(ut_sender *s, ut_seal_fn seal, void *arg, ut_fec_kind kind, size_t max_nbits, ut_err *e)
{
    ut_buf sealed = { 0 };
    if (kind == UT_FEC_AUTO) kind = UT_FEC_LDPC;
    if (s->robust) return ut_robust_run(s, seal, arg, kind, max_nbits, e);
    const ut_seal_keys *k;
    ut_status st = ut_sender_keys(s, &k, e);
    if (st == UT_OK) st = seal(arg, k, &sealed, e); /* for its length */
    if (st != UT_OK) {
        ut_buf_free(&sealed);
        return st;
    }
    unsigned step = first_step(s, kind, sealed.len);
    st = seal_and_embed(s, seal, arg, &sealed, kind, step, max_nbits, e);
    /* An embedding at the guess shows what the channel leaves; then go where that points. */
    if (st == UT_OK || st == UT_E_CAPACITY) {
        unsigned better = st == UT_OK ? next_step(s, kind, sealed.len) : step;
        if (better != step) {
            step = better;
            st = seal_and_embed(s, seal, arg, &sealed, kind, step, max_nbits, e);
        }
    }
    while (st == UT_OK) {
        st = ut_sender_verify(s, &sealed, e);
        if (st == UT_OK) break;
        if (st != UT_E_DAMAGED && st != UT_E_KEY) break;
        if (st == UT_E_KEY) {
            st = ut_sender_coarser(s, e);
        } else if (!step_down(kind, &step)) {
            st = ut_fail(e, UT_E_CAPACITY, "%s cannot mend what these channels do (%.1f %% of the raw bits are wrong); "
                         "use --fec ldpc or a gentler channel", ut_fec_name(kind, step), 100 * s->worst_ber);
        } else {
            st = UT_OK;
        }
        if (st == UT_OK) st = seal_and_embed(s, seal, arg, &sealed, kind, step, max_nbits, e);
    }
    ut_buf_free(&sealed);
    return st;
}
