/* How many errors a message must stand: the rule, and whether its code alone stands them, before anything is embedded. */
#include "pipeline/sender.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { SURE = 64, REACH = 14 * UT_REACH_UNIT };

double ut_sender_ntaken(const ut_sender *s) { return s->quiet ? (double)(s->quiet * ut_quiet_nbits()) : UT_PREAMBLE_NBITS; }

double ut_sender_spread(const ut_sender *s) { return s->height ? s->height / 2. + 1 : 1; }

unsigned ut_sender_reach(const ut_sender *s, size_t nbits)
{
    if (!s->model) return REACH;
    double carriers = ut_forecast_count(s->model, (double)nbits) * (double)s->model->per_freq;
    return (unsigned)fmin(fmax(ceil(UT_REACH_UNIT * carriers / (double)nbits), UT_REACH_UNIT), REACH);
}

double ut_sender_carriers_per_bit(const ut_sender *s, size_t sealed_nbytes)
{
    double all = 63 * (double)ut_grid_nblocks(s->emb.grid) - ut_sender_ntaken(s), bits = 8 * 1.05 * (double)sealed_nbytes;
    return fmax(1, fmin(ut_sender_reach(s, (size_t)bits) / (double)UT_REACH_UNIT, all / bits));
}

double ut_sender_margin(const ut_sender *s, double ber)
{
    const ut_syndrome *c = &s->layout.code;
    if (s->robust) return fmin(fmax(UT_MARGIN_LEAST, UT_MARGIN_ROBUST * s->worst_ber), UT_MARGIN_ROBUST_MOST);
    if (!c->height) return fmax(UT_MARGIN_LEAST, UT_MARGIN_SHARE * ber);
    double per_carrier = ber * (double)c->nbits / (double)c->ncarriers / ut_sender_spread(s);
    return fmax(UT_MARGIN_CARRIERS, UT_MARGIN_SHARE * per_carrier);
}

ut_status ut_sender_stands(const ut_sender *s, const ut_buf *sealed, ut_err *e)
{
    const ut_syndrome *c = &s->layout.code;
    const ut_seal_keys *k;
    ut_fec_result r;
    if (!c->height) return UT_OK;
    ut_status st = ut_keyring_get(s->ring, s->salt, &k, e);
    if (st != UT_OK) return st;
    int8_t *carrier = ut_calloc(c->ncarriers, 1, e), *llr = ut_calloc(c->nbits, 1, e);
    uint8_t *bytes = ut_calloc(sealed->len, 1, e);
    st = carrier && llr && bytes ? UT_OK : UT_E_MEMORY;
    if (st == UT_OK) { /* which carriers say the bits does not matter: their errors' syndrome is what is wrong with the bits */
        memset(carrier, SURE, c->ncarriers);
        ut_disturb(carrier, c->ncarriers, (uint64_t)(ut_sender_margin(s, 0) * 4294967296.0));
        st = ut_syndrome_reverse(c, carrier, llr, s->nthreads, e);
    }
    for (size_t i = 0; i < c->nbits && st == UT_OK; i++)
        if (s->code_bits.data[i]) llr[i] = (int8_t)-llr[i];
    if (st == UT_OK) st = ut_mask_llrs(llr, c->nbits, k->dither, UT_DOMAIN_MASK, e);
    if (st == UT_OK) st = ut_fec_decode(&s->plan, llr, bytes, NULL, &r, s->nthreads, e);
    if (st == UT_OK && memcmp(bytes, sealed->data, sealed->len)) st = UT_E_DAMAGED;
    free(carrier);
    free(llr);
    free(bytes);
    return st;
}
