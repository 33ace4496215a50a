/* The quiet header: salt and a short sealed header in the payload's own cells, at places that the locator decides.  spec/format.md, section 5. */
#include "pipeline/message.h"
#include <stdlib.h>
#include <string.h>

enum { STEP = 5, HEIGHT = 8, MANY = 4, FEW = 2, SHARE = 7 /* carriers a block, of 63 */, NTABLES = UT_TABLE_WHATSAPP };
#define BOX_NBYTES (UT_SALT_NBYTES + UT_SHORT_HEADER_NBYTES + UT_HEADER_TAG_NBYTES)

static ut_status box_plan(ut_fec_plan *p, ut_err *e) { return ut_fec_plan_init(p, UT_FEC_LDPC, STEP, BOX_NBYTES, e); }

size_t ut_quiet_nbits(void)
{
    ut_fec_plan p;
    return box_plan(&p, NULL) == UT_OK ? p.code_nbits : 0;
}

unsigned ut_quiet_fold(ut_grid g, bool many)
{
    size_t room = SHARE * ut_grid_nblocks(g) / ut_quiet_nbits();
    return room < FEW ? 0 : !many ? FEW : room < MANY ? (unsigned)room : MANY;
}

ut_syndrome ut_quiet_code(unsigned fold) { return (ut_syndrome){ HEIGHT, fold * ut_quiet_nbits(), ut_quiet_nbits() }; }

ut_status ut_layout_quiet(ut_layout *l, uint32_t width, uint32_t height, const ut_seal_keys *locator, unsigned fold, ut_err *e)
{
    *l = (ut_layout){ .grid = ut_grid_of(width, height), .quiet = fold };
    if (!fold) return ut_fail(e, UT_E_CAPACITY, "the photo is too small for a quiet header");
    l->taken = ut_taken_new(l->grid, e);
    ut_stream *s = l->taken ? ut_stream_new(locator->carrier, UT_DOMAIN_QUIET, e) : NULL;
    ut_status st = s ? ut_carriers_draw(&l->header, l->grid, ut_zigzag + 1, UT_QUIET_NFREQ, fold * ut_quiet_nbits(), s, l->taken, e) : UT_E_MEMORY;
    ut_stream_free(s);
    if (st != UT_OK) ut_layout_free(l);
    return st;
}

ut_status ut_quiet_protect(const ut_header *h, const uint8_t salt[UT_SALT_NBYTES], const ut_seal_keys *k, const ut_seal_keys *locator, ut_buf *bits,
                           ut_err *e)
{
    uint8_t box[BOX_NBYTES], plain[UT_SHORT_HEADER_NBYTES];
    ut_fec_plan p;
    memcpy(box, salt, UT_SALT_NBYTES);
    ut_header_pack_short(h, plain);
    ut_status s = ut_seal_head(k, h->table, plain, sizeof plain, box + UT_SALT_NBYTES, e);
    if (s == UT_OK) s = box_plan(&p, e);
    if (s == UT_OK) s = ut_buf_resize(bits, p.code_nbits, e);
    if (s == UT_OK) s = ut_fec_encode(&p, box, bits->data, 1, e);
    if (s == UT_OK) s = ut_mask_bits(bits->data, bits->len, locator->dither, UT_DOMAIN_QUIET_MASK, e);
    return s;
}

/* What a box may be read as: so many carriers a bit, in that table's cells. */
typedef struct guess {
    unsigned fold, table;
    float share; /* of broken checks */
} guess;

enum { MAX_GUESSES = 2 * NTABLES };
#define HOPELESS .42f /* share of broken checks: more than three standard deviations below what noise has, and beyond what the code corrects */

/* Looking through one picture. */
typedef struct search {
    const ut_view *v;
    ut_keyring *ring;
    ut_layout layout; /* with the more carriers; the fewer are its first ones */
    ut_fec_plan plan;
    float *value;    /* [carriers], owned: their coefficients */
    uint8_t *phase;  /* [carriers], owned */
    int8_t *carrier; /* [carriers], owned: their LLRs */
    uint8_t *mask;   /* [bits], owned */
    int8_t *llr;     /* [guesses][bits], owned: by hard decisions */
    guess list[MAX_GUESSES];
    size_t n;
} search;

static void search_close(search *s)
{
    ut_layout_free(&s->layout);
    free(s->value);
    free(s->phase);
    free(s->carrier);
    free(s->mask);
    free(s->llr);
}

static ut_status search_open(search *s, const ut_view *v, ut_keyring *ring, const ut_seal_keys *locator, unsigned fold, ut_err *e)
{
    *s = (search){ .v = v, .ring = ring };
    ut_status st = ut_layout_quiet(&s->layout, ut_view_width(v), ut_view_height(v), locator, fold, e);
    if (st != UT_OK) return st;
    st = box_plan(&s->plan, e);
    size_t n = s->layout.header.n, m = s->plan.code_nbits;
    s->value = ut_calloc(n, sizeof *s->value, e);
    s->phase = ut_calloc(n, 1, e);
    s->carrier = ut_calloc(n, 1, e);
    s->mask = ut_calloc(m, 1, e);
    s->llr = ut_calloc(m, MAX_GUESSES, e);
    if (st == UT_OK && !(s->value && s->phase && s->carrier && s->mask && s->llr)) st = UT_E_MEMORY;
    if (st == UT_OK) st = ut_mask_bits(s->mask, m, locator->dither, UT_DOMAIN_QUIET_MASK, e);
    if (st == UT_OK) ut_extract_values(v, &s->layout.header, s->value);
    else search_close(s);
    return st;
}

static ut_status set_table(search *s, unsigned table, uint16_t quant[64], ut_err *e)
{
    if (!ut_header_table(table, quant)) return ut_fail(e, UT_E_INTERNAL, "no table has the id %u", table);
    ut_lattice_init(&s->layout.lattice, quant, UT_LATTICE_UNIT);
    ut_phases_of(s->value, &s->layout.lattice, &s->layout.header, s->phase);
    return UT_OK;
}

/* s->carrier -> the box's bits without their mask. */
static ut_status unfold(const search *s, unsigned fold, int8_t *llr, ut_err *e)
{
    ut_syndrome code = ut_quiet_code(fold);
    ut_status st = ut_syndrome_reverse(&code, s->carrier, llr, 1, e);
    for (size_t i = 0; i < s->plan.code_nbits && st == UT_OK; i++)
        if (s->mask[i]) llr[i] = (int8_t)-llr[i];
    return st;
}

/* The bits in a table's cells, for every number of carriers a bit. */
static ut_status read_table(search *s, unsigned table, const unsigned fold[2], ut_err *e)
{
    uint16_t quant[64];
    ut_status st = set_table(s, table, quant, e);
    for (size_t i = 0; i < s->layout.header.n && st == UT_OK; i++) s->carrier[i] = ut_phase_hard(s->phase[i]);
    for (int i = 0; i < 2 && st == UT_OK; i++) {
        if (i && fold[1] == fold[0]) break;
        st = unfold(s, fold[i], s->llr + s->n * s->plan.code_nbits, e);
        s->list[s->n++] = (guess){ fold[i], table, 1 };
    }
    return st;
}

/* How many checks the guesses break. */
static ut_status weigh(search *s, ut_err *e)
{
    float share[MAX_GUESSES];
    ut_status st = ut_fec_broken(&s->plan, s->llr, s->n, share, e);
    for (size_t i = 0; i < s->n && st == UT_OK; i++) s->list[i].share = share[i];
    return st;
}

/* Whether what was corrected is a header.  UT_E_KEY: no. */
static ut_status accept(const search *s, const guess *g, const uint8_t box[BOX_NBYTES], ut_found *f, ut_err *e)
{
    const ut_seal_keys *k;
    uint8_t plain[UT_SHORT_HEADER_NBYTES];
    ut_fec_plan p;
    ut_header *h = &f->header;
    ut_status st = ut_keyring_get(s->ring, box, &k, e);
    if (st != UT_OK) return st;
    if (!ut_unseal_head(k, (uint8_t)g->table, box + UT_SALT_NBYTES, sizeof plain, plain)) return UT_E_KEY;
    if (plain[0] != UT_FORMAT_VERSION) return ut_message_other_version(plain[0], e);
    if (!ut_header_unpack_short(plain, h)) return UT_E_KEY;
    if (ut_fec_plan_init(&p, (ut_fec_kind)h->fec_kind, h->fec_rate, h->sealed_nbytes, e) != UT_OK || p.code_nbits > UINT32_MAX) return UT_E_KEY;
    h->code_nbits = (uint32_t)p.code_nbits;
    h->table = (uint8_t)g->table;
    h->scale = UT_LATTICE_UNIT;
    h->width = ut_view_width(s->v);
    h->height = ut_view_height(s->v);
    f->keys = *k;
    f->quiet = g->fold;
    memcpy(f->salt, box, UT_SALT_NBYTES);
    return UT_OK;
}

/* Error correction of one guess: hard decisions, then by whichever profile opens it.  UT_E_KEY: none does. */
static ut_status open_box(search *s, size_t i, ut_found *f, ut_err *e)
{
    const guess *g = &s->list[i];
    int8_t *llr = s->llr + i * s->plan.code_nbits;
    uint8_t box[BOX_NBYTES];
    ut_fec_result r;
    ut_status st = set_table(s, g->table, f->quant, e);
    for (unsigned p = 0; p <= UT_NPROFILES && st == UT_OK; p++) {
        if (p) ut_phase_llrs(&s->layout.header, s->phase, p - 1, s->carrier);
        if (p) st = unfold(s, g->fold, llr, e);
        if (st != UT_OK) break;
        st = ut_fec_decode(&s->plan, llr, box, NULL, &r, 1, e);
        if (st == UT_OK) return accept(s, g, box, f, e);
        if (st == UT_E_DAMAGED) st = UT_OK;
    }
    return st == UT_OK ? UT_E_KEY : st;
}

/* The likeliest first. */
static ut_status try_guesses(search *s, ut_found *f, ut_err *e)
{
    ut_status st = UT_E_KEY;
    while (st == UT_E_KEY) {
        size_t best = 0;
        for (size_t i = 1; i < s->n; i++)
            if (s->list[i].share < s->list[best].share) best = i;
        if (s->list[best].share > HOPELESS) break;
        s->list[best].share = 1;
        st = open_box(s, best, f, e);
    }
    return st;
}

ut_status ut_message_find_quiet(const ut_view *v, ut_keyring *ring, unsigned table, ut_found *f, ut_err *e)
{
    search s;
    ut_seal_keys locator;
    const ut_grid g = ut_grid_of(ut_view_width(v), ut_view_height(v));
    const unsigned fold[2] = { ut_quiet_fold(g, true), ut_quiet_fold(g, false) };
    *f = (ut_found){ 0 };
    if (!fold[0] || table > NTABLES) return ut_fail(e, UT_E_KEY, "no room for a quiet header");
    ut_status st = ut_keyring_locator(ring, &locator, e);
    if (st == UT_OK) st = search_open(&s, v, ring, &locator, fold[0], e);
    if (st != UT_OK) return st;
    for (unsigned t = table ? table : 1; t <= (table ? table : NTABLES) && st == UT_OK; t++) st = read_table(&s, t, fold, e);
    if (st == UT_OK) st = weigh(&s, e);
    if (st == UT_OK) st = try_guesses(&s, f, e);
    if (st == UT_OK) f->locator = locator;
    search_close(&s);
    ut_wipe(&locator, sizeof locator);
    return st == UT_E_KEY ? ut_fail(e, st, "the header did not come back") : st;
}
