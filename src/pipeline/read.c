/* Reading a message that was found: raw bits, error correction. */
#include "pipeline/message.h"
#include "stage/hide/lsb.h"
#include <stdlib.h>
#include <string.h>

static ut_status read_lattice(const ut_view *v, const ut_found *f, unsigned nthreads, ut_raw *r, ut_err *e)
{
    const ut_header *h = &f->header;
    ut_layout l;
    ut_status s = ut_fec_plan_init(&r->plan, (ut_fec_kind)h->fec_kind, h->fec_rate, h->sealed_nbytes, e);
    if (s != UT_OK || r->plan.code_nbits != h->code_nbits)
        return ut_fail(e, UT_E_DAMAGED, "the message's header contradicts itself; it was made by another version");
    s = ut_layout_init(&l, h->width, h->height, f->tier, e);
    if (s != UT_OK) return s;
    s = ut_layout_header(&l, &f->keys, e);
    if (s == UT_OK && h->table == UT_TABLE_CUSTOM) s = ut_layout_table(&l, &f->keys, e);
    if (s == UT_OK) s = ut_layout_payload(&l, h, f->quant, &f->keys, e);
    if (s == UT_OK && !(r->llr = ut_calloc(h->code_nbits, 1, e))) s = UT_E_MEMORY;
    if (s == UT_OK) s = ut_extract(v, &l.lattice, &l.payload, r->llr, nthreads, e);
    if (s == UT_OK) s = ut_mask_llrs(r->llr, h->code_nbits, f->keys.dither, UT_DOMAIN_MASK, e);
    ut_layout_free(&l);
    return s;
}

static ut_status read_lsb(const ut_view *v, const ut_found *f, ut_raw *r, ut_err *e)
{
    const ut_header *h = &f->header;
    uint32_t place[UT_SALT_NBITS + UT_SEALED_HEADER_NBYTES * 8];
    const size_t n = sizeof place / sizeof *place;
    if (h->code_nbits != (uint64_t)h->sealed_nbytes * 8)
        return ut_fail(e, UT_E_DAMAGED, "the message's header contradicts itself; it was made by another version");
    ut_status s = ut_lsb_salt_places(place, h->width, h->height, e);
    if (s != UT_OK) return s;
    ut_stream *header = ut_stream_new(f->keys.carrier, UT_DOMAIN_HEADER, e);
    ut_stream *payload = ut_stream_new(f->keys.carrier, UT_DOMAIN_PAYLOAD, e);
    uint8_t *bits = ut_calloc(h->code_nbits, 1, e);
    s = header && payload && bits ? UT_OK : UT_E_MEMORY;
    if (s == UT_OK)
        s = ut_lsb_draw(place + UT_SALT_NBITS, n - UT_SALT_NBITS, h->width, h->height, header, place, UT_SALT_NBITS, e);
    if (s == UT_OK) s = ut_lsb_reverse(v->picture, bits, h->code_nbits, place, n, payload, e);
    if (s == UT_OK) s = ut_buf_resize(&r->sealed, h->sealed_nbytes, e);
    for (size_t i = 0; s == UT_OK && i < h->code_nbits; i++) r->sealed.data[i / 8] |= (uint8_t)(bits[i] << (i % 8));
    ut_stream_free(header);
    ut_stream_free(payload);
    free(bits);
    return s;
}

ut_status ut_message_read(const ut_view *v, const ut_found *f, unsigned nthreads, ut_raw *r, ut_err *e)
{
    *r = (ut_raw){ 0 };
    ut_status s = f->header.mode == UT_MODE_LSB ? read_lsb(v, f, r, e) : read_lattice(v, f, nthreads, r, e);
    if (s != UT_OK) ut_raw_free(r);
    return s;
}

ut_status ut_message_decode(ut_raw *r, unsigned nthreads, ut_err *e)
{
    if (!r->llr) return UT_OK; /* LSB mode: there is no channel noise */
    ut_status s = ut_buf_resize(&r->sealed, r->plan.payload_nbytes, e);
    if (s != UT_OK) return s;
    free(r->block_ok);
    r->block_ok = ut_calloc(r->plan.nblocks, 1, e);
    if (!r->block_ok) return UT_E_MEMORY;
    return ut_fec_decode(&r->plan, r->llr, r->sealed.data, r->block_ok, &r->result, nthreads, e);
}

void ut_raw_free(ut_raw *r)
{
    free(r->llr);
    free(r->block_ok);
    ut_buf_free(&r->sealed);
    *r = (ut_raw){ 0 };
}
