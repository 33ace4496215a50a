/* The rehearsal's errors on the code alone: an embedding that is bound to fail its verification need not be made. */
#include "pipeline/sender.h"
#include <stdlib.h>
#include <string.h>

enum { SURE = 64 };

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
