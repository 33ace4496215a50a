#include "pipeline/message.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

ut_status ut_message_header_plan(ut_fec_plan *p, size_t nbytes, bool folded, ut_err *e)
{
    unsigned best = 0;
    double want = folded ? .5 : .25;
    for (unsigned r = 0; r < ut_fec_nrates(UT_FEC_LDPC); r++)
        if (fabs(ut_fec_rate(UT_FEC_LDPC, r) - want) < fabs(ut_fec_rate(UT_FEC_LDPC, best) - want)) best = r;
    return ut_fec_plan_init(p, UT_FEC_LDPC, best, nbytes, e);
}

ut_status ut_layout_init(ut_layout *l, uint32_t width, uint32_t height, unsigned tier, ut_err *e)
{
    *l = (ut_layout){ .grid = ut_grid_of(width, height) };
    ut_preamble_lattice(tier, &l->preamble);
    l->taken = ut_taken_new(l->grid, e);
    if (!l->taken) return UT_E_MEMORY;
    ut_status s = ut_preamble_salt_carriers(&l->salt, l->grid, l->taken, e);
    if (s != UT_OK) ut_layout_free(l);
    return s;
}

ut_status ut_layout_header(ut_layout *l, const ut_seal_keys *k, bool folded, ut_err *e)
{
    ut_fec_plan p;
    l->folded = folded;
    ut_status s = ut_message_header_plan(&p, UT_SEALED_HEADER_NBYTES, folded, e);
    if (s != UT_OK) return s;
    return ut_preamble_carriers(&l->header, l->grid, k->carrier, folded ? UT_DOMAIN_HEADER_FOLDED : UT_DOMAIN_HEADER,
                                folded ? p.code_nbits * UT_FOLD : p.code_nbits, l->taken, e);
}

ut_status ut_layout_table(ut_layout *l, const ut_seal_keys *k, ut_err *e)
{
    ut_fec_plan p;
    ut_status s = ut_message_header_plan(&p, 64, l->folded, e);
    if (s != UT_OK) return s;
    return ut_preamble_carriers(&l->table, l->grid, k->carrier, UT_DOMAIN_TABLE, l->folded ? p.code_nbits * UT_FOLD : p.code_nbits,
                                l->taken, e);
}

ut_status ut_layout_payload(ut_layout *l, const ut_header *h, const uint16_t quant[64], const ut_seal_keys *k, ut_err *e)
{
    uint64_t n = h->code_nbits, room = (uint64_t)ut_grid_nblocks(l->grid) * 63 - (l->salt.n + l->header.n + l->table.n);
    if (h->trellis) n = n * h->reach / UT_REACH_UNIT < room ? n * h->reach / UT_REACH_UNIT : room;
    if (n < h->code_nbits)
        return ut_fail(e, UT_E_CAPACITY, "the photo holds %zu bits at most, %u are needed", (size_t)room, h->code_nbits);
    l->code = (ut_syndrome){ h->trellis, (size_t)n, h->code_nbits };
    ut_lattice_init(&l->lattice, quant, h->scale);
    ut_stream *st = ut_stream_new(k->carrier, UT_DOMAIN_PAYLOAD, e);
    if (!st) return UT_E_MEMORY;
    ut_status s = ut_carriers_fill(&l->payload, l->grid, l->lattice.order, (size_t)n, st, l->taken, &l->nfreq, e);
    ut_stream_free(st);
    return s;
}

void ut_layout_free(ut_layout *l)
{
    ut_carriers_free(&l->salt);
    ut_carriers_free(&l->header);
    ut_carriers_free(&l->table);
    ut_carriers_free(&l->payload);
    free(l->taken);
    *l = (ut_layout){ 0 };
}

ut_status ut_message_protect(const uint8_t *bytes, size_t n, bool folded, const ut_seal_keys *k, uint32_t mask_domain,
                             ut_buf *bits, ut_err *e)
{
    ut_fec_plan p;
    ut_status s = ut_message_header_plan(&p, n, folded, e);
    if (s == UT_OK) s = ut_buf_resize(bits, p.code_nbits, e);
    if (s == UT_OK) s = ut_fec_encode(&p, bytes, bits->data, 1, e);
    if (s == UT_OK) s = ut_mask_bits(bits->data, bits->len, k->dither, mask_domain, e);
    return s;
}

ut_status ut_message_correct(int8_t *llr, bool folded, const ut_seal_keys *k, uint32_t mask_domain, uint8_t *bytes, size_t n,
                             ut_err *e)
{
    ut_fec_plan p;
    ut_fec_result r;
    ut_status s = ut_message_header_plan(&p, n, folded, e);
    if (s == UT_OK) s = ut_mask_llrs(llr, p.code_nbits, k->dither, mask_domain, e);
    if (s == UT_OK) s = ut_fec_decode(&p, llr, bytes, NULL, &r, 1, e);
    return s;
}

ut_status ut_keyring_get(ut_keyring *r, const uint8_t salt[UT_SALT_NBYTES], const ut_seal_keys **keys, ut_err *e)
{
    for (unsigned i = 0; i < UT_KEYRING_SIZE; i++)
        if (r->slot[i].used && memcmp(r->slot[i].salt, salt, UT_SALT_NBYTES) == 0) {
            *keys = &r->slot[i].keys;
            return UT_OK;
        }
    unsigned i = r->next;
    r->slot[i].used = false;
    ut_status s = ut_seal_derive(&r->key, salt, &r->slot[i].keys, e);
    if (s != UT_OK) return s;
    memcpy(r->slot[i].salt, salt, UT_SALT_NBYTES);
    r->slot[i].used = true;
    r->next = (i + 1) % UT_KEYRING_SIZE;
    r->nderived++;
    *keys = &r->slot[i].keys;
    return UT_OK;
}

void ut_keyring_wipe(ut_keyring *r) { ut_wipe(r, sizeof *r); }
