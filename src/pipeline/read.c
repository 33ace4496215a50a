/* Reading a message that was found: raw bits, error correction. */
#include "pipeline/message.h"
#include "pipeline/model.h"
#include "stage/hide/latent.h"
#include "stage/hide/lsb.h"
#include <stdlib.h>
#include <string.h>

/* Only an authentic header gets here, so whoever has the key wrote what does not fit together. */
static ut_status contradiction(ut_err *e)
{
    return ut_fail(e, UT_E_INPUT, "the message's header contradicts itself; it was made by another version or by hand");
}

static ut_status read_lattice(const ut_view *v, const ut_found *f, unsigned nthreads, ut_raw *r, ut_err *e)
{
    const ut_header *h = &f->header;
    ut_layout l;
    ut_status s = ut_fec_plan_init(&r->plan, (ut_fec_kind)h->fec_kind, h->fec_rate, h->sealed_nbytes, e);
    if (s != UT_OK || r->plan.code_nbits != h->code_nbits || h->sealed_nbytes < UT_SEGMENT_TAG_NBYTES) return contradiction(e);
    s = f->quiet ? ut_layout_quiet(&l, h->width, h->height, &f->locator, f->quiet, e) : ut_layout_init(&l, h->width, h->height, f->tier, e);
    if (s != UT_OK) return s;
    if (!f->quiet) s = ut_layout_header(&l, &f->keys, f->folded, e);
    if (s == UT_OK && !f->quiet && h->table == UT_TABLE_CUSTOM) s = ut_layout_table(&l, &f->keys, e);
    if (s == UT_OK) s = ut_layout_payload(&l, h, f->quant, &f->keys, e);
    if (s == UT_OK && !(r->phase = ut_calloc(l.payload.n, 1, e))) s = UT_E_MEMORY;
    if (s == UT_OK) s = ut_extract_phases(v, &l.lattice, &l.payload, r->phase, nthreads, e);
    r->keys = f->keys;
    r->carriers = l.payload;
    r->code = l.code;
    l.payload = (ut_carriers){ 0 };
    ut_layout_free(&l);
    return s;
}

ut_status ut_message_read_robust(const ut_view *v, const ut_found *f, const ut_scs_carriers *c, ut_scs_reading *r, unsigned nthreads, ut_err *e)
{
    ut_inn *inn;
    float width = ut_scs_width(f->header.scale);
    if (!f->header.latent) return ut_scs_read(v, c, width, r, nthreads, e);
    ut_status s = ut_inn_open_as(f->inn, f->header.network, &inn, e);
    if (s == UT_OK) s = ut_latent_read(v, inn, c, width, r, nthreads, e);
    ut_inn_free(inn);
    return s;
}

static ut_status read_robust(const ut_view *v, const ut_found *f, unsigned nthreads, ut_raw *r, ut_err *e)
{
    const ut_header *h = &f->header;
    ut_robust_layout l;
    ut_status s = ut_fec_plan_init(&r->plan, (ut_fec_kind)h->fec_kind, h->fec_rate, h->sealed_nbytes, e);
    if (s != UT_OK || r->plan.code_nbits != h->code_nbits || h->sealed_nbytes < UT_SEGMENT_TAG_NBYTES) return contradiction(e);
    s = ut_robust_layout_init(&l, h->width, h->height, &f->locator, e);
    if (s != UT_OK) return s;
    s = ut_robust_layout_payload(&l, h->table, &f->keys, e);
    if (s == UT_OK && h->code_nbits / 2 > l.payload.at.n) s = contradiction(e);
    if (s == UT_OK) s = ut_message_read_robust(v, f, &l.payload, &r->reading, nthreads, e);
    r->keys = f->keys;
    memcpy(r->trust, h->trust, sizeof r->trust);
    r->scs = l.payload;
    l.payload = (ut_scs_carriers){ 0 };
    ut_robust_layout_free(&l);
    return s;
}

static ut_status read_lsb(const ut_view *v, const ut_found *f, ut_raw *r, ut_err *e)
{
    const ut_header *h = &f->header;
    uint32_t place[UT_SALT_NBITS + UT_SEALED_HEADER_NBYTES * 8];
    const size_t n = sizeof place / sizeof *place;
    if (h->sealed_nbytes < UT_SEGMENT_TAG_NBYTES || h->code_nbits != (uint64_t)h->sealed_nbytes * 8 ||
        h->code_nbits > ut_lsb_capacity(h->width, h->height, n))
        return contradiction(e);
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
    ut_status s = f->header.mode == UT_MODE_LSB      ? read_lsb(v, f, r, e)
                  : f->header.mode == UT_MODE_ROBUST ? read_robust(v, f, nthreads, r, e)
                                                     : read_lattice(v, f, nthreads, r, e);
    if (s != UT_OK) ut_raw_free(r);
    return s == UT_E_CAPACITY ? contradiction(e) : s; /* more bits than the picture has room for */
}

void ut_disturb(int8_t *llr, size_t n, uint64_t limit)
{
    uint64_t x = 0x9e3779b97f4a7c15u;
    for (size_t i = 0; i < n; i++) {
        x ^= x >> 12;
        x ^= x << 25;
        x ^= x >> 27;
        if (((x * 2685821657736338717u) >> 32) < limit) llr[i] = (int8_t)-llr[i];
    }
}

static ut_status robust_llrs(const ut_raw *r, int8_t *llr, ut_err *e)
{
    size_t n = r->scs.at.n;
    ut_scs_reading turned = r->reading;
    if (!r->flip_limit) return ut_scs_llrs(&r->scs, &r->reading, r->trust, r->plan.code_nbits, llr, e);
    int8_t *sign = ut_calloc(n, 1, e);
    turned.phase = ut_calloc(n, 1, e);
    ut_status s = sign && turned.phase ? UT_OK : UT_E_MEMORY;
    if (s == UT_OK) { /* the opposite phase says the opposite */
        memset(sign, 1, n);
        ut_disturb(sign, n, r->flip_limit);
        memcpy(turned.phase, r->reading.phase, n);
        for (size_t i = 0; i < n; i++)
            if (sign[i] < 0 && turned.phase[i] != UT_SCS_LOST) turned.phase[i] ^= UT_SCS_PHASES / 2;
        s = ut_scs_llrs(&r->scs, &turned, r->trust, r->plan.code_nbits, llr, e);
    }
    free(turned.phase);
    free(sign);
    return s;
}

/* LLRs of the code bits by one profile; the robust form has but one. */
static ut_status code_llrs(const ut_raw *r, unsigned profile, int8_t *llr, int8_t *carrier, unsigned nthreads, ut_err *e)
{
    if (r->scs.at.n) return robust_llrs(r, llr, e);
    ut_phase_llrs(&r->carriers, r->phase, profile, carrier);
    if (r->code.height && profile == 0) /* doubt of one carrier spreads to many bits: first without any */
        for (size_t i = 0; i < r->carriers.n; i++) carrier[i] = ut_phase_hard(r->phase[i]);
    if (r->flip_limit) ut_disturb(carrier, r->carriers.n, r->flip_limit);
    return r->code.height ? ut_syndrome_reverse(&r->code, carrier, llr, nthreads, e) : UT_OK;
}

/* One profile; blocks that it recovers are kept in r. */
static ut_status decode_profile(ut_raw *r, unsigned profile, int8_t *llr, int8_t *carrier, uint8_t *bytes, uint8_t *ok,
                                unsigned nthreads, ut_err *e)
{
    const ut_fec_plan *p = &r->plan;
    ut_fec_result res = { 0 };
    ut_status s = code_llrs(r, profile, llr, carrier, nthreads, e);
    if (s == UT_OK) s = ut_mask_llrs(llr, p->code_nbits, r->keys.dither, UT_DOMAIN_MASK, e);
    if (s == UT_OK) s = ut_fec_decode(p, llr, bytes, ok, &res, nthreads, e);
    if (s != UT_OK && s != UT_E_DAMAGED) return s;
    size_t lost = 0;
    for (size_t b = 0; b < p->nblocks; b++) {
        size_t at = b * p->block_payload_nbytes, n = p->block_payload_nbytes;
        if (at >= p->payload_nbytes) n = 0;
        else if (n > p->payload_nbytes - at) n = p->payload_nbytes - at;
        if (ok[b] && !r->block_ok[b]) {
            memcpy(r->sealed.data + at, bytes + at, n);
            r->block_ok[b] = 1;
        }
        lost += !r->block_ok[b];
    }
    if (res.nbits_checked > r->result.nbits_checked) r->result = res;
    r->result.nblocks_lost = lost;
    return lost ? UT_E_DAMAGED : UT_OK;
}

ut_status ut_message_decode(ut_raw *r, unsigned nthreads, ut_err *e)
{
    if (!r->phase && !r->reading.phase) return UT_OK; /* LSB mode: there is no channel noise */
    const ut_fec_plan *p = &r->plan;
    ut_status s = ut_buf_resize(&r->sealed, p->payload_nbytes, e);
    if (s != UT_OK) return s;
    memset(r->sealed.data, 0, r->sealed.len);
    r->result = (ut_fec_result){ .nblocks_lost = p->nblocks };
    free(r->block_ok);
    r->block_ok = ut_calloc(p->nblocks, 1, e);
    int8_t *llr = ut_calloc(p->code_nbits, 1, e), *carrier = r->code.height ? ut_calloc(r->carriers.n, 1, e) : llr;
    uint8_t *bytes = ut_calloc(p->payload_nbytes, 1, e), *ok = ut_calloc(p->nblocks, 1, e);
    s = r->block_ok && llr && carrier && bytes && ok ? UT_E_DAMAGED : UT_E_MEMORY;
    for (unsigned i = 0; i < (r->scs.at.n ? 1 : UT_NPROFILES) && s == UT_E_DAMAGED; i++) s = decode_profile(r, i, llr, carrier, bytes, ok, nthreads, e);
    if (carrier != llr) free(carrier);
    free(llr);
    free(bytes);
    free(ok);
    return s;
}

void ut_raw_free(ut_raw *r)
{
    free(r->phase);
    free(r->block_ok);
    ut_carriers_free(&r->carriers);
    ut_scs_carriers_free(&r->scs);
    ut_scs_reading_free(&r->reading);
    ut_buf_free(&r->sealed);
    ut_wipe(&r->keys, sizeof r->keys);
    *r = (ut_raw){ 0 };
}
