/* The robust form's places and its box, for sender and receiver alike. */
#include "pipeline/message.h"
#include <stdlib.h>
#include <string.h>

ut_status ut_keyring_locator(ut_keyring *r, ut_seal_keys *keys, ut_err *e)
{
    static const uint8_t salt[UT_SALT_NBYTES] = "undertone where"; /* and its NUL */
    if (!r->has_locator) {
        ut_status s = ut_seal_derive(&r->key, salt, &r->locator, e);
        if (s != UT_OK) return s;
        r->has_locator = true;
        r->nderived++;
    }
    *keys = r->locator;
    return UT_OK;
}

static ut_status box_plan(ut_fec_plan *p, ut_err *e) { return ut_fec_plan_init(p, UT_FEC_LDPC, 1, UT_ROBUST_BOX_NBYTES, e); }

ut_status ut_robust_box_nbits(size_t *n, ut_err *e)
{
    ut_fec_plan p;
    ut_status s = box_plan(&p, e);
    *n = s == UT_OK ? p.code_nbits : 0;
    return s;
}

ut_status ut_robust_layout_init(ut_robust_layout *l, uint32_t width, uint32_t height, const ut_seal_keys *locator, ut_err *e)
{
    bool fits;
    size_t nbits;
    *l = (ut_robust_layout){ .grid = ut_grid_of(width, height) };
    bool dense = ut_robust_dense(l->grid, &fits);
    if (!fits)
        return ut_fail(e, UT_E_CAPACITY, "the photo is too small: %ux%u pixels have not the 1024 blocks of 8x8 that a message needs to "
                       "come through such channels; use a larger photo", width, height);
    ut_status s = ut_robust_box_nbits(&nbits, e);
    if (s == UT_OK) s = (l->taken = ut_taken_new(l->grid, e)) ? UT_OK : UT_E_MEMORY;
    if (s == UT_OK) s = ut_robust_box(&l->box, l->grid, dense, 0, 0, nbits, locator->carrier, l->taken, e);
    if (s != UT_OK) ut_robust_layout_free(l);
    return s;
}

ut_status ut_robust_layout_payload(ut_robust_layout *l, unsigned nfreq, const ut_seal_keys *k, ut_err *e)
{
    ut_scs_carriers_free(&l->payload);
    return ut_robust_payload(&l->payload, l->grid, nfreq, k->carrier, k->dither, l->taken, e);
}

void ut_robust_layout_free(ut_robust_layout *l)
{
    ut_scs_carriers_free(&l->box);
    ut_scs_carriers_free(&l->payload);
    free(l->taken);
    *l = (ut_robust_layout){ 0 };
}

ut_status ut_robust_box_protect(const uint8_t box[UT_ROBUST_BOX_NBYTES], const ut_seal_keys *locator, ut_buf *bits, ut_err *e)
{
    ut_fec_plan p;
    ut_status s = box_plan(&p, e);
    bits->len = 0;
    if (s == UT_OK) s = ut_buf_resize(bits, p.code_nbits, e);
    if (s == UT_OK) s = ut_fec_encode(&p, box, bits->data, 1, e);
    if (s == UT_OK) s = ut_mask_bits(bits->data, bits->len, locator->dither, UT_DOMAIN_BOX_MASK, e);
    return s;
}

/* The box on one tier. UT_E_KEY: it is not there. */
static ut_status read_box(const ut_view *v, const ut_scs_carriers *c, unsigned tier, const ut_seal_keys *locator,
                          uint8_t box[UT_ROBUST_BOX_NBYTES], ut_err *e)
{
    ut_fec_plan p;
    ut_fec_result res;
    ut_status s = box_plan(&p, e);
    if (s != UT_OK) return s;
    ut_scs_reading r = { 0 };
    int8_t *llr = ut_calloc(p.code_nbits, 1, e);
    s = llr ? ut_scs_read(v, c, ut_robust_box_width(tier), &r, 1, e) : UT_E_MEMORY;
    if (s == UT_OK) s = ut_scs_llrs(c, &r, NULL, p.code_nbits, llr, e);
    if (s == UT_OK) s = ut_mask_llrs(llr, p.code_nbits, locator->dither, UT_DOMAIN_BOX_MASK, e);
    if (s == UT_OK) s = ut_fec_decode(&p, llr, box, NULL, &res, 1, e);
    ut_scs_reading_free(&r);
    free(llr);
    return s == UT_E_DAMAGED ? UT_E_KEY : s;
}

ut_status ut_robust_open_box(const ut_view *v, const ut_scs_carriers *c, const ut_view *whole, const ut_seal_keys *locator, ut_keyring *ring,
                          ut_found *f, ut_err *e)
{
    const ut_seal_keys *k;
    uint8_t box[UT_ROBUST_BOX_NBYTES], plain[UT_HEADER_NBYTES];
    ut_status s = UT_E_KEY;
    for (unsigned t = 0; t < UT_ROBUST_NTIERS && s == UT_E_KEY; t++) {
        s = read_box(v, c, t, locator, box, e);
        if (s == UT_OK) s = ut_keyring_get(ring, box, &k, e);
        if (s == UT_OK && !ut_unseal_header(k, box + UT_SALT_NBYTES, plain)) s = UT_E_KEY;
        if (s != UT_OK) continue;
        f->keys = *k;
        f->locator = *locator;
        f->inn = ring->inn;
        f->tier = t;
        memcpy(f->salt, box, UT_SALT_NBYTES);
        s = ut_message_accept_header(plain, UT_MODE_ROBUST, whole, f, e);
    }
    return s;
}

ut_status ut_message_find_robust(const ut_view *v, ut_keyring *ring, ut_found *f, ut_err *e)
{
    ut_robust_layout l;
    ut_seal_keys locator;
    *f = (ut_found){ 0 };
    ut_status s = ut_keyring_locator(ring, &locator, e);
    if (s == UT_OK) s = ut_robust_layout_init(&l, ut_view_width(v), ut_view_height(v), &locator, e);
    if (s != UT_OK) return s == UT_E_CAPACITY ? UT_E_KEY : s;
    s = ut_robust_open_box(v, &l.box, v, &locator, ring, f, e);
    ut_robust_layout_free(&l);
    ut_wipe(&locator, sizeof locator);
    return s == UT_E_KEY ? ut_fail(e, s, "the header did not come back") : s;
}
