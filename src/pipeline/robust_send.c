/* Sending in the robust form: plan, embed, correct the plan by what came through, verify. */
#include "pipeline/robust_attempt.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { CORRECTIONS = 3, TRIES = 10, THRIFTY_TRIES = 4 };
#define FAINT 1.      /* squared error that may well grow by large steps */
#define ENOUGH .02    /* information may fall short of the plan by so much */
#define FEW_BITS 1.   /* sealed bits a block that move hardly anything */
#define DEARER 1.035
#define UNSENT 1.1
#define CHEAPER .967

/* The step with the most redundancy whose code bits the carriers hold, or nearly: a few unsent ones cost less than many sent twice. */
static bool step_for(ut_fec_kind kind, size_t nsealed, size_t ncarriers, ut_fec_plan *plan)
{
    bool found = false;
    for (unsigned i = 0; i < ut_fec_nrates(kind); i++) {
        ut_fec_plan p;
        double most = (kind == UT_FEC_LDPC ? UNSENT : 1) * (double)ncarriers;
        if (ut_fec_plan_init(&p, kind, i, nsealed, NULL) != UT_OK || (double)p.code_nbits > most) continue;
        if (!found || p.code_nbits > plan->code_nbits) *plan = p, found = true;
    }
    return found;
}

/* Header and code bits for these sealed bytes under that plan. */
static ut_status compose(ut_robust_attempt *a, const ut_buf *sealed, ut_fec_kind kind, const ut_seal_keys *k, ut_err *e)
{
    ut_sender *s = a->s;
    uint8_t plain[UT_HEADER_NBYTES], box[UT_ROBUST_BOX_NBYTES];
    ut_status st = ut_robust_layout_payload(&a->layout, a->plan.nfreq, k, e);
    if (st != UT_OK) return st;
    if (!step_for(kind, sealed->len, a->layout.payload.at.n, &s->plan))
        return ut_fail(e, UT_E_CAPACITY, "no code of that kind fits: %zu bytes in %zu carriers", sealed->len, a->layout.payload.at.n);
    s->header = (ut_header){ .mode = UT_MODE_ROBUST, .table = (uint8_t)a->plan.nfreq, .scale = (uint8_t)a->plan.width,
                             .fec_kind = (uint8_t)s->plan.kind, .fec_rate = (uint8_t)s->plan.rate,
                             .code_nbits = (uint32_t)s->plan.code_nbits, .sealed_nbytes = (uint32_t)sealed->len,
                             .width = s->cover->width, .height = s->cover->height };
    memcpy(s->header.trust, s->trust, sizeof s->trust);
    if (s->inn) {
        s->header.latent = true;
        memcpy(s->header.network, s->inn->id, sizeof s->header.network);
    }
    ut_header_pack(&s->header, plain);
    memcpy(box, s->salt, UT_SALT_NBYTES);
    st = ut_seal_header(k, plain, box + UT_SALT_NBYTES, e);
    if (st == UT_OK) st = ut_robust_box_protect(box, &s->locator, &s->header_bits, e);
    s->code_bits.len = 0;
    if (st == UT_OK) st = ut_buf_resize(&s->code_bits, s->plan.code_nbits, e);
    if (st == UT_OK) st = ut_fec_encode(&s->plan, sealed->data, s->code_bits.data, s->nthreads, e);
    if (st == UT_OK) st = ut_mask_bits(s->code_bits.data, s->code_bits.len, k->dither, UT_DOMAIN_MASK, e);
    a->bits = s->code_bits.data;
    a->nbits = s->code_bits.len;
    a->box_bits = s->header_bits.data;
    a->nbox = s->header_bits.len;
    return st;
}

static ut_status too_much(const ut_sender *s, ut_fec_kind kind, ut_err *e)
{
    if (kind != UT_FEC_LDPC)
        return ut_fail(e, UT_E_CAPACITY, "it does not fit: %.0f %% of the bits came wrong, and only --fec ldpc makes use of doubtful ones",
                       100 * s->worst_ber);
    return ut_fail(e, UT_E_CAPACITY, "it does not fit: these channels leave too little of this photo's detail (%.0f %% of the bits came wrong); "
                   "use a shorter recording, a lower bit rate, a larger photo, or a gentler channel", 100 * s->worst_ber);
}

/* Plans, embeds, and asks the channels. */
static ut_status embed_at(ut_robust_attempt *a, const ut_buf *sealed, ut_fec_kind kind, double factor, unsigned coarser,
                            const ut_seal_keys *k, ut_err *e)
{
    ut_sender *s = a->s;
    ut_robust_case c = ut_robust_case_of(s, s->cover);
    c.nfreq = s->nfreq;
    if (!ut_robust_plan_for(&c, 8 * (double)sealed->len, factor, &a->plan)) return too_much(s, kind, e);
    a->plan.tier += coarser;
    if (a->plan.tier >= UT_ROBUST_NTIERS) return too_much(s, kind, e);
    s->tier = a->plan.tier;
    ut_status st = compose(a, sealed, kind, k, e);
    if (st == UT_OK) st = ut_robust_embed(a, k, &s->stego, e);
    if (st == UT_OK) st = ut_robust_ask(a, &s->stego, e);
    return st;
}

/* The sealed bytes with `factor` times the information that they should need; a part of a photo may have taught wrong. */
static ut_status attempt_at(ut_robust_attempt *a, const ut_buf *sealed, ut_fec_kind kind, double factor, unsigned coarser,
                            const ut_seal_keys *k, ut_err *e)
{
    ut_sender *s = a->s;
    ut_status st = UT_OK;
    for (int round = 0; round < CORRECTIONS; round++) {
        st = embed_at(a, sealed, kind, factor, coarser, k, e);
        if (st != UT_OK) return st;
        double ratio = a->worst.info / a->plan.bits;
        s->credit = fmin(fmax(s->credit * ratio, .2), 4);
        s->worst_ber = a->ber;
        ut_robust_set_trust(s, a->worst.cosine);
        if (ratio > 1 - ENOUGH && ratio < 1 + 2 * ENOUGH) break;
    }
    if (st == UT_OK) st = ut_sender_verify(s, sealed, e);
    return st;
}

/* Trials of hardly any move at all, which rounding to whole pixels swallows, can teach that nothing comes through.  Then once more from the first guess. */
static ut_status attempt_afresh(ut_robust_attempt *a, const ut_buf *sealed, ut_fec_kind kind, unsigned coarser, const ut_seal_keys *k, ut_err *e)
{
    ut_robust_guess(a->s);
    ut_status st = ut_robust_attempt_still(a, 0, e);
    return st == UT_OK ? attempt_at(a, sealed, kind, 1, coarser, k, e) : st;
}

/* Up until it holds; then, where that is quick, down until it does not. */
static ut_status settle(ut_robust_attempt *a, const ut_buf *sealed, ut_fec_kind kind, const ut_seal_keys *k, ut_err *e)
{
    ut_sender *s = a->s;
    bool soft = kind == UT_FEC_LDPC; /* the others need far cleaner bits */
    double factor = soft ? 1 : 1.5;
    unsigned coarser = 0;
    bool fresh = 8 * (double)sealed->len > FEW_BITS * (double)ut_grid_nblocks(a->layout.grid);
    ut_status st = UT_E_DAMAGED;
    int t = 0;
    for (; t < TRIES && (st == UT_E_DAMAGED || st == UT_E_KEY); t++) {
        if (t && st == UT_E_DAMAGED) factor *= !soft || a->plan.mse < FAINT ? 1.25 : t < 4 ? DEARER : DEARER * DEARER;
        if (st == UT_E_KEY) coarser++;
        if (s->tier + 1 == UT_ROBUST_NTIERS && coarser && s->still > 0) { /* the box drowns where nothing else is moved */
            coarser = 0;
            st = ut_robust_attempt_still(a, 0, e);
            if (st != UT_OK) return st;
        }
        st = attempt_at(a, sealed, kind, factor, coarser, k, e);
        if (st == UT_E_CAPACITY && soft && !fresh && t + 1 < TRIES) {
            fresh = true;
            factor = 1;
            st = attempt_afresh(a, sealed, kind, coarser, k, e);
        }
    }
    if (st == UT_E_DAMAGED || st == UT_E_KEY) return too_much(s, kind, e);
    if (st != UT_OK || t > 1 || (size_t)s->cover->width * s->cover->height > UT_ROBUST_THRIFTY_NPIXELS) return st;
    for (int i = 0; i < THRIFTY_TRIES; i++) {
        ut_picture good = s->stego;
        ut_header header = s->header;
        ut_fec_plan plan = s->plan;
        s->stego = (ut_picture){ 0 };
        st = ut_picture_copy(&s->stego, s->cover, e);
        if (st == UT_OK) st = attempt_at(a, sealed, kind, factor *= CHEAPER, coarser, k, e);
        if (st == UT_OK) {
            ut_picture_free(&good);
            continue;
        }
        ut_picture_free(&s->stego);
        s->stego = good;
        s->header = header;
        s->plan = plan;
        return st == UT_E_DAMAGED || st == UT_E_KEY || st == UT_E_CAPACITY ? UT_OK : st;
    }
    return UT_OK;
}

ut_status ut_robust_run(ut_sender *s, ut_seal_fn seal, void *arg, ut_fec_kind kind, size_t max_nbits, ut_err *e)
{
    ut_buf sealed = { 0 };
    const ut_seal_keys *k;
    ut_robust_attempt a = { .s = s, .cover = s->cover };
    ut_status st = ut_sender_keys(s, &k, e);
    if (st == UT_OK) st = seal(arg, k, &sealed, e);
    if (st == UT_OK && sealed.len * 8 > max_nbits) st = too_much(s, kind, e);
    if (st == UT_OK) st = ut_robust_layout_init(&a.layout, s->cover->width, s->cover->height, &s->locator, e);
    if (st == UT_OK && s->progress && s->progress(s->user, "hiding", .3)) st = ut_fail(e, UT_E_CANCELLED, "cancelled");
    double nblocks = (double)ut_grid_nblocks(a.layout.grid);
    if (st == UT_OK) st = ut_robust_learn_for(s, (ut_robust_aim){ 8 * (double)sealed.len / nblocks, 0 }, k, e);
    if (st == UT_OK && s->progress && s->progress(s->user, "hiding", .6)) st = ut_fail(e, UT_E_CANCELLED, "cancelled");
    if (st == UT_OK) st = ut_robust_attempt_still(&a, s->still, e);
    if (st == UT_OK) st = settle(&a, &sealed, kind, k, e);
    free(a.still);
    ut_robust_layout_free(&a.layout);
    ut_buf_free(&sealed);
    return st;
}
