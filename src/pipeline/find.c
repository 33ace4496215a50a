/* Looking for a message: salt, then header, on every lattice that a sender may have used. */
#include "pipeline/message.h"
#include "stage/hide/lsb.h"
#include <stdlib.h>
#include <string.h>

enum { WEAK_BITS = 3 }; /* salt bits whose other value is tried too */

static void pack(const uint8_t *bits, size_t nbytes, uint8_t *bytes)
{
    for (size_t i = 0; i < nbytes; i++) {
        unsigned v = 0;
        for (unsigned k = 0; k < 8; k++) v |= (unsigned)bits[8 * i + k] << k;
        bytes[i] = (uint8_t)v;
    }
}

ut_status ut_message_other_version(unsigned version, ut_err *e)
{
    return ut_fail(e, UT_E_UNSUPPORTED, "the message is of format version %u, this program reads version %d; "
                   "a newer program is needed", version, UT_FORMAT_VERSION);
}

ut_status ut_message_accept_header(const uint8_t plain[UT_HEADER_NBYTES], unsigned mode, const ut_view *v, ut_found *f, ut_err *e)
{
    if (plain[0] != UT_FORMAT_VERSION && !(plain[0] == UT_FORMAT_LATENT && plain[1] == UT_MODE_ROBUST)) return ut_message_other_version(plain[0], e);
    if (!ut_header_unpack(plain, &f->header) || f->header.mode != mode) return UT_E_KEY;
    if (f->header.latent) {
        ut_fec_plan p;
        if (ut_fec_plan_init(&p, (ut_fec_kind)f->header.fec_kind, f->header.fec_rate, f->header.sealed_nbytes, NULL) != UT_OK || p.code_nbits > UINT32_MAX) return UT_E_KEY;
        f->header.code_nbits = (uint32_t)p.code_nbits;
    }
    return !v || (f->header.width == ut_view_width(v) && f->header.height == ut_view_height(v)) ? UT_OK : UT_E_KEY;
}

/* UT_E_KEY: no header of this message. UT_E_UNSUPPORTED: an authentic one of another version. */
static ut_status open_header(const ut_view *v, const ut_seal_keys *k, const uint8_t sealed[UT_SEALED_HEADER_NBYTES],
                             unsigned mode, ut_found *f, ut_err *e)
{
    uint8_t plain[UT_HEADER_NBYTES];
    return ut_unseal_header(k, sealed, plain) ? ut_message_accept_header(plain, mode, v, f, e) : UT_E_KEY;
}

/* A coded box of the preamble, by whichever profile opens it. UT_E_DAMAGED: none does. */
static ut_status read_box(const ut_view *v, const ut_layout *l, const ut_carriers *c, const ut_seal_keys *k, uint32_t mask,
                          uint8_t *bytes, size_t n, ut_err *e)
{
    uint8_t *phase = ut_calloc(c->n, 1, e);
    int8_t *carrier = ut_calloc(c->n, 1, e), *llr = l->folded ? ut_calloc(c->n, 1, e) : carrier;
    ut_status s = phase && carrier && llr ? ut_extract_phases(v, &l->preamble, c, phase, 1, e) : UT_E_MEMORY;
    if (s == UT_OK) s = UT_E_DAMAGED;
    for (unsigned p = 0; p < UT_NPROFILES && s == UT_E_DAMAGED; p++) {
        ut_syndrome fold = ut_message_fold(c->n);
        ut_phase_llrs(c, phase, p, carrier);
        if (l->folded && ut_syndrome_reverse(&fold, carrier, llr, 1, e) != UT_OK) break;
        s = ut_message_correct(llr, l->folded, k, mask, bytes, n, e);
    }
    free(phase);
    if (llr != carrier) free(llr);
    free(carrier);
    return s;
}

/* One salt on one tier, the header folded or not. UT_E_KEY: not this one. */
static ut_status try_header(const ut_view *v, const ut_seal_keys *k, unsigned tier, bool folded, ut_found *f, ut_err *e)
{
    ut_layout l;
    uint8_t sealed[UT_SEALED_HEADER_NBYTES], table[64];
    ut_status s = ut_layout_init(&l, ut_view_width(v), ut_view_height(v), tier, e);
    if (s != UT_OK) return s == UT_E_CAPACITY ? UT_E_KEY : s;
    s = ut_layout_header(&l, k, folded, e);
    if (s == UT_OK) s = read_box(v, &l, &l.header, k, UT_DOMAIN_HEADER_MASK, sealed, sizeof sealed, e);
    if (s == UT_OK) s = open_header(v, k, sealed, UT_MODE_LATTICE, f, e);
    if (s == UT_OK && !ut_header_table(f->header.table, f->quant)) {
        s = f->header.table == UT_TABLE_CUSTOM ? ut_layout_table(&l, k, e) : UT_E_KEY;
        if (s == UT_OK) s = read_box(v, &l, &l.table, k, UT_DOMAIN_TABLE_MASK, table, sizeof table, e);
        if (s == UT_OK) ut_header_table_unpack(table, f->quant);
    }
    ut_layout_free(&l);
    if (s == UT_E_DAMAGED || s == UT_E_CAPACITY) return UT_E_KEY;
    f->tier = tier;
    f->folded = folded;
    return s;
}

static ut_status try_salt(const ut_view *v, ut_keyring *ring, unsigned tier, const uint8_t salt[UT_SALT_NBYTES],
                          ut_found *f, ut_err *e)
{
    const ut_seal_keys *k;
    ut_status s = ut_keyring_get(ring, salt, &k, e);
    if (s == UT_OK) s = try_header(v, k, tier, false, f, e);
    if (s == UT_E_KEY) s = try_header(v, k, tier, true, f, e);
    if (s != UT_OK) return s;
    f->keys = *k;
    memcpy(f->salt, salt, UT_SALT_NBYTES);
    return UT_OK;
}

/* The salt as read, then with its weakest bits turned over. */
static ut_status try_tier(const ut_view *v, ut_keyring *ring, unsigned tier, ut_found *f, ut_err *e)
{
    ut_layout l;
    int8_t llr[UT_SALT_NBITS];
    uint8_t bits[UT_SALT_NBITS], salt[UT_SALT_NBYTES];
    size_t weak[WEAK_BITS];
    ut_status s = ut_layout_init(&l, ut_view_width(v), ut_view_height(v), tier, e);
    if (s != UT_OK) return s == UT_E_CAPACITY ? UT_E_KEY : s;
    s = ut_extract(v, &l.preamble, &l.salt, 0, llr, 1, e);
    ut_layout_free(&l);
    if (s != UT_OK) return s;
    for (size_t i = 0; i < UT_SALT_NBITS; i++) bits[i] = llr[i] < 0;
    for (size_t w = 0; w < WEAK_BITS; w++) {
        weak[w] = 0;
        for (size_t i = 1; i < UT_SALT_NBITS; i++)
            if (abs(llr[i]) < abs(llr[weak[w]])) weak[w] = i;
        llr[weak[w]] = INT8_MAX;
    }
    /* a passphrase is dear to try: only the reading itself and single errors there */
    unsigned tries = ring->key.kind != UT_KEY_PASSPHRASE ? 1u << WEAK_BITS : ring->thrifty ? 1 : 2;
    for (unsigned t = 0; t < tries; t++) {
        for (unsigned w = 0; w < WEAK_BITS; w++) bits[weak[w]] ^= (uint8_t)((t ^ (t ? t - 1 : 0)) >> w & 1);
        pack(bits, UT_SALT_NBYTES, salt);
        s = try_salt(v, ring, tier, salt, f, e);
        if (s != UT_E_KEY) return s;
    }
    return UT_E_KEY;
}

ut_status ut_message_find_low_bits(const ut_view *v, ut_keyring *ring, ut_found *f, ut_err *e)
{
    *f = (ut_found){ 0 };
    uint32_t place[UT_SALT_NBITS + UT_SEALED_HEADER_NBYTES * 8];
    uint8_t bits[UT_SEALED_HEADER_NBYTES * 8], salt[UT_SALT_NBYTES], sealed[UT_SEALED_HEADER_NBYTES];
    const ut_seal_keys *k;
    const ut_picture *p = v->picture;
    ut_status s = ut_lsb_salt_places(place, p->width, p->height, e);
    if (s != UT_OK) return s == UT_E_CAPACITY ? UT_E_KEY : s;
    ut_lsb_read(p, place, bits, UT_SALT_NBITS);
    pack(bits, sizeof salt, salt);
    s = ut_keyring_get(ring, salt, &k, e);
    if (s != UT_OK) return s;
    ut_stream *st = ut_stream_new(k->carrier, UT_DOMAIN_HEADER, e);
    if (!st) return UT_E_MEMORY;
    s = ut_lsb_draw(place + UT_SALT_NBITS, sizeof bits, p->width, p->height, st, place, UT_SALT_NBITS, e);
    ut_stream_free(st);
    if (s != UT_OK) return s == UT_E_CAPACITY ? UT_E_KEY : s;
    ut_lsb_read(p, place + UT_SALT_NBITS, bits, sizeof bits);
    pack(bits, sizeof sealed, sealed);
    s = open_header(v, k, sealed, UT_MODE_LSB, f, e);
    if (s != UT_OK) return s;
    f->keys = *k;
    memcpy(f->salt, salt, sizeof salt);
    return UT_OK;
}

ut_status ut_message_find(const ut_view *v, ut_keyring *ring, bool allow_lsb, ut_found *f, ut_err *e)
{
    ut_status s = UT_E_KEY;
    *f = (ut_found){ 0 };
    if (allow_lsb && v->picture) s = ut_message_find_low_bits(v, ring, f, e);
    if (s == UT_E_KEY) s = ut_message_find_quiet(v, ring, 0, f, e);
    unsigned from = ring->thrifty ? 1 : 0, to = ring->thrifty ? 3 : UT_PREAMBLE_NTIERS;
    for (unsigned t = from; t < to && s == UT_E_KEY; t++) s = try_tier(v, ring, t, f, e);
    if (s == UT_E_KEY) s = ut_message_find_robust(v, ring, f, e);
    if (s == UT_E_KEY)
        return ut_fail(e, UT_E_KEY, "no message for this key was found: the key is wrong, nothing is hidden here,"
                       " or the picture was resized, cropped or compressed harder than it was made for");
    return s;
}

ut_status ut_message_find_at(const ut_view *v, ut_keyring *ring, unsigned tier, ut_found *f, ut_err *e)
{
    *f = (ut_found){ 0 };
    ut_status s = try_tier(v, ring, tier, f, e);
    return s == UT_E_KEY ? ut_fail(e, s, "the header did not come back") : s;
}

unsigned ut_message_doubt(const ut_view *v, unsigned tier)
{
    enum { EDGE = 2, ONES = 40 }; /* 1/32 of a cell; of 128: a random salt is beyond once in 50,000 */
    ut_layout l;
    uint8_t phase[UT_SALT_NBITS];
    unsigned ones = 0, doubtful = 0;
    if (ut_layout_init(&l, ut_view_width(v), ut_view_height(v), tier, NULL) != UT_OK) return UT_NO_SALT;
    ut_status s = ut_extract_phases(v, &l.preamble, &l.salt, phase, 1, NULL);
    ut_layout_free(&l);
    if (s != UT_OK) return UT_NO_SALT;
    for (size_t i = 0; i < UT_SALT_NBITS; i++) {
        ones += ut_phase_hard(phase[i]) < 0;
        doubtful += abs((int)(phase[i] & 31) * 2 + 1 - 32) < 2 * EDGE;
    }
    return ones >= ONES && ones <= UT_SALT_NBITS - ONES ? doubtful : UT_NO_SALT;
}
