#include "pipeline/robust.h"
#include "base/parallel.h"
#include "pipeline/geometry.h"
#include "media/image.h"
#include <math.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum { ROUNDS = 2, SYNDROME_ROUNDS = 8, PUSH = 3, PUSH_MAX = 60 };

/* Distance from a cell's edge at which values arrive, coefficient units: 8-bit decoding moves them by some 0.3 rms. */
#ifndef PAYLOAD_CLEAR
#define PAYLOAD_CLEAR 0.0
#endif
#define PREAMBLE_CLEAR 1.5

static void unpack_bits(const uint8_t *bytes, size_t nbytes, uint8_t *bits)
{
    for (size_t i = 0; i < nbytes * 8; i++) bits[i] = bytes[i / 8] >> (i % 8) & 1;
}

/* The preamble's lattice: the finest that every channel leaves alone. */
static ut_status choose_tier(ut_sender *s, unsigned from, ut_err *e)
{
    for (s->tier = from; s->tier < UT_PREAMBLE_NTIERS; s->tier++) {
        ut_lattice l;
        double margin[64];
        bool wide = true;
        ut_preamble_lattice(s->tier, &l);
        for (int k = 0; k < 64; k++) {
            double half = (double)l.width[k] / UT_LATTICE_UNIT / 2;
            margin[k] = fmin(fmax(.75, 3 * s->design->noise[k]), fmax(half - .5, .1));
        }
        for (unsigned f = 0; f < UT_PREAMBLE_NFREQ; f++) {
            unsigned k = ut_preamble_order()[f];
            wide = wide && (double)l.width[k] / UT_LATTICE_UNIT / 2 >= fmax(1.5, 3.2 * s->design->noise[k]);
        }
        ut_place_free(&s->place[1]);
        ut_status st = ut_place_init(&s->place[1], &l, ut_preamble_order(), UT_PREAMBLE_NFREQ, s->design->chain,
                                     s->design->nchains, margin, 1.2, PREAMBLE_CLEAR, UT_PLACE_DENSE, s->nthreads, e);
        if (st != UT_OK) return st;
        if ((wide && s->place[1].sure) || s->tier + 1 == UT_PREAMBLE_NTIERS) return UT_OK;
    }
    return ut_fail(e, UT_E_CAPACITY, "the channels are too coarse: not even a key's salt survives them");
}

/* Height of the syndrome-trellis code; 0 where the channels leave errors that it would multiply.  The higher, the nearer to the ideal
 * coder, and twice as slow each time: 1.3 s of one core for twelve megapixels at 12, with AVX-512. */
static unsigned height_for(const ut_picture *cover, const ut_design *d)
{
    if (d->noisy) return 0;
    for (size_t i = 0; i < d->nchains; i++)
        if (d->chain[i].nsteps > 1) return 0;
    size_t pixels = (size_t)cover->width * cover->height;
    return pixels > 24000000 ? 10 : pixels > 6000000 ? 11 : 12;
}

/* The table of channels that quantise once, all alike; NULL: there is no such table. */
static const uint16_t *only_table(const ut_sender *s)
{
    const uint16_t *q = NULL;
    for (size_t i = 0; i < s->design->nchains; i++) {
        const ut_chain *c = &s->design->chain[i];
        if (c->nsteps > 1 || (q && c->nsteps && memcmp(q, c->quant[0], sizeof c->quant[0]))) return NULL;
        if (c->nsteps) q = c->quant[0];
    }
    return s->height ? q : NULL;
}

/* The quiet header lies in the payload's cells, so a reader must be able to guess them: the table by its id. */
static unsigned choose_quiet(const ut_sender *s)
{
    if (!s->height || s->design->table == UT_TABLE_CUSTOM || s->design->scale != UT_LATTICE_UNIT) return 0;
    return ut_quiet_fold(s->emb.grid, only_table(s));
}

ut_status ut_sender_init(ut_sender *s, const ut_picture *cover, const ut_route *route, const ut_design *design,
                         ut_keyring *ring, bool jpeg_out, const ut_hide_options *opt, ut_err *e)
{
    *s = (ut_sender){ .cover = cover, .route = route, .design = design, .ring = ring, .jpeg_out = jpeg_out,
                      .nthreads = opt->nthreads, .progress = opt->progress, .user = opt->user };
    s->robust = design->noisy;
    if (s->robust) ut_robust_guess(s);
    s->height = opt->fec == UT_FEC_HAMMING ? 0 : height_for(cover, design); /* Hamming mends one bit a word, a wrong carrier turns over several in a row */
    ut_status st = ut_embedding_init(&s->emb, cover, e);
    if (st == UT_OK) s->quiet = choose_quiet(s);
    if (st == UT_OK && (s->robust || s->quiet)) st = ut_keyring_locator(ring, &s->locator, e);
    else if (st == UT_OK) st = choose_tier(s, 0, e);
    if (st == UT_OK) st = ut_random(s->salt, sizeof s->salt, e);
    if (st == UT_OK) st = ut_picture_copy(&s->stego, cover, e);
    if (st != UT_OK) ut_sender_free(s);
    return st;
}

void ut_sender_free(ut_sender *s)
{
    ut_layout_free(&s->layout);
    ut_embedding_free(&s->emb);
    ut_place_free(&s->place[0]);
    ut_place_free(&s->place[1]);
    ut_buf_free(&s->salt_bits);
    ut_buf_free(&s->header_bits);
    ut_buf_free(&s->table_bits);
    ut_buf_free(&s->code_bits);
    ut_buf_free(&s->parity);
    ut_picture_free(&s->stego);
    free(s->model);
    ut_wipe(s->salt, sizeof s->salt);
    ut_wipe(&s->locator, sizeof s->locator);
    *s = (ut_sender){ 0 };
}

ut_status ut_sender_guide(ut_sender *s, const ut_guide *g, ut_err *e)
{
    if (!s->emb.guide) s->emb.guide = ut_calloc(ut_grid_nblocks(s->emb.grid), 64, e);
    return s->emb.guide ? ut_guide_weigh(g, s->cover, s->emb.guide, s->nthreads, e) : UT_E_MEMORY;
}

ut_status ut_sender_coarser(ut_sender *s, ut_err *e)
{
    unsigned from = s->quiet ? 0 : s->tier + 1;
    s->quiet = 0;
    return choose_tier(s, from, e);
}

ut_status ut_sender_keys(ut_sender *s, const ut_seal_keys **k, ut_err *e) { return ut_keyring_get(s->ring, s->salt, k, e); }

ut_status ut_sender_build_places(ut_sender *s, unsigned nfreq, ut_err *e)
{
    if (nfreq <= s->nfreq_built) return UT_OK;
    ut_lattice l;
    ut_lattice_init(&l, s->design->quant, s->design->scale);
    ut_place_free(&s->place[0]);
    ut_status st = ut_place_init(&s->place[0], &l, l.order, nfreq, s->design->chain, s->design->nchains,
                                 s->design->margin, s->design->between, PAYLOAD_CLEAR, s->height ? UT_PLACE_SPARSE : UT_PLACE_DENSE,
                                 s->nthreads, e);
    if (st == UT_OK) s->nfreq_built = nfreq;
    return st;
}

/* Where salt and header lie, and the table where no id names it. */
static ut_status lay_out(ut_sender *s, const ut_seal_keys *k, ut_err *e)
{
    uint32_t w = s->cover->width, h = s->cover->height;
    ut_layout_free(&s->layout);
    if (s->quiet) return ut_layout_quiet(&s->layout, w, h, &s->locator, s->quiet, e);
    ut_status st = ut_layout_init(&s->layout, w, h, s->tier, e);
    /* a small photo has no room for it folded */
    bool folded = s->height && ut_grid_nblocks(s->layout.grid) >= UT_FOLD_NBLOCKS;
    if (st == UT_OK) st = ut_layout_header(&s->layout, k, folded, e);
    if (st == UT_OK && s->design->table == UT_TABLE_CUSTOM) st = ut_layout_table(&s->layout, k, e);
    return st;
}

/* Their code bits. */
static ut_status protect_header(ut_sender *s, const ut_seal_keys *k, ut_err *e)
{
    uint8_t plain[UT_HEADER_NBYTES], box[UT_SEALED_HEADER_NBYTES], table[64];
    bool folded = s->layout.folded;
    ut_header_pack(&s->header, plain);
    s->salt_bits.len = s->header_bits.len = s->table_bits.len = 0;
    if (s->quiet) return ut_quiet_protect(&s->header, s->salt, k, &s->locator, &s->header_bits, e);
    ut_status st = ut_seal_header(k, plain, box, e);
    if (st == UT_OK) st = ut_buf_resize(&s->salt_bits, UT_SALT_NBITS, e);
    if (st == UT_OK) unpack_bits(s->salt, UT_SALT_NBYTES, s->salt_bits.data);
    if (st == UT_OK) st = ut_message_protect(box, sizeof box, folded, k, UT_DOMAIN_HEADER_MASK, &s->header_bits, e);
    if (st == UT_OK && s->layout.table.n) {
        ut_header_table_pack(s->design->quant, table);
        st = ut_message_protect(table, sizeof table, folded, k, UT_DOMAIN_TABLE_MASK, &s->table_bits, e);
    }
    return st;
}

/* Header, code bits and their places for these sealed bytes. */
static ut_status compose(ut_sender *s, const ut_buf *sealed, ut_fec_kind kind, unsigned rate, ut_err *e)
{
    const ut_seal_keys *k;
    ut_status st = ut_sender_keys(s, &k, e);
    if (st == UT_OK) st = ut_fec_plan_init(&s->plan, kind, rate, sealed->len, e);
    if (st != UT_OK) return st;
    if (s->plan.code_nbits > UINT32_MAX) return ut_fail(e, UT_E_CAPACITY, "the message is too long for any photo");
    s->header = (ut_header){ .mode = UT_MODE_LATTICE, .table = (uint8_t)s->design->table,
                             .scale = (uint8_t)s->design->scale, .fec_kind = (uint8_t)kind, .fec_rate = (uint8_t)rate,
                             .code_nbits = (uint32_t)s->plan.code_nbits, .sealed_nbytes = (uint32_t)sealed->len,
                             .width = s->cover->width, .height = s->cover->height,
                             .trellis = (uint8_t)s->height, .reach = s->height ? (uint8_t)ut_sender_reach(s, s->plan.code_nbits) : 0 };
    st = lay_out(s, k, e);
    if (st == UT_OK) st = ut_layout_payload(&s->layout, &s->header, s->design->quant, k, e);
    if (st == UT_OK) st = ut_sender_build_places(s, s->quiet ? 63 : s->layout.nfreq, e);
    if (st == UT_OK) st = protect_header(s, k, e);
    s->code_bits.len = 0;
    if (st == UT_OK) st = ut_buf_resize(&s->code_bits, s->plan.code_nbits, e);
    if (st == UT_OK) st = ut_fec_encode(&s->plan, sealed->data, s->code_bits.data, s->nthreads, e);
    if (st == UT_OK) st = ut_mask_bits(s->code_bits.data, s->code_bits.len, k->dither, UT_DOMAIN_MASK, e);
    return st;
}

ut_status ut_sender_send(const ut_sender *s, const ut_picture *stego, ut_as_sent *a, ut_err *e)
{
    *a = (ut_as_sent){ .picture = stego };
    if (!s->jpeg_out) return UT_OK;
    ut_buf file = { 0 };
    ut_image_info info;
    ut_status st = ut_image_write_jpeg(stego, &s->design->out, &file, e);
    if (st == UT_OK) st = ut_image_read(file.data, file.len, "the JPEG as sent", &a->decoded, &a->jpeg, &info, e);
    ut_buf_free(&file);
    a->picture = &a->decoded;
    return st;
}

void ut_as_sent_free(ut_as_sent *a)
{
    ut_picture_free(&a->decoded);
    ut_jpeg_coefs_free(&a->jpeg);
}

ut_status ut_sender_arrive(const ut_sender *s, const ut_as_sent *sent, size_t variant, ut_received *r, ut_view *v, ut_err *e)
{
    const ut_variant *var = ut_route_case(s->route, variant);
    *r = (ut_received){ 0 };
    if (!var->channel) {
        *v = (ut_view){ .jpeg = &sent->jpeg, .picture = sent->picture };
        return UT_OK;
    }
    return ut_arrive(var, sent->picture, s->sync, 1, r, v, e);
}

typedef struct probe {
    ut_sender *s;
    const uint16_t *which;  /* cases to ask */
    uint8_t *failed;        /* by case */
    const ut_as_sent *sent;
    pthread_mutex_t lock;
    ut_status status;
    ut_err err;
    double ber, capacity;
    size_t salt_errors;
    uint8_t salt_seen[UT_SALT_NBITS];
    size_t nfixed;
} probe;

/* Mutual information of bit and LLR, the LLR's scale chosen best (a decoder's normalisation does as much). */
static double information(const int8_t *llr, const uint8_t *bits, size_t n)
{
    double best = 0, count[256] = { 0 };
    size_t step = n / 100000 + 1, m = 0;
    for (size_t i = 0; i < n; i += step, m++) count[128 + (bits[i] ? -llr[i] : llr[i])]++;
    for (double scale = .01; scale < 1; scale *= 1.3) {
        double lost = 0;
        for (int x = -127; x <= 127; x++)
            if (count[128 + x] > 0) lost += count[128 + x] * log2(1 + exp(-x * scale));
        double c = 1 - lost / (double)m;
        if (c > best) best = c;
    }
    return best;
}

/* Widens the margins of the carriers that came back wrong; returns how many did. */
static size_t widen(ut_sender *s, const ut_carriers *c, const uint8_t *bits, const int8_t *llr)
{
    size_t wrong = 0;
    for (size_t i = 0; i < c->n; i++) {
        if ((llr[i] < 0) == bits[i]) continue;
        uint32_t pos = c->pos[i];
        unsigned p = s->emb.push[pos] + PUSH;
        s->emb.push[pos] = (uint8_t)(p > PUSH_MAX ? PUSH_MAX : p);
        s->emb.dirty[pos / 64] = 1;
        wrong++;
    }
    return wrong;
}

static void probe_variant(void *arg, size_t i)
{
    probe *p = arg;
    size_t variant = p->which[i];
    ut_sender *s = p->s;
    ut_err err = { 0 };
    ut_received r;
    ut_view v;
    ut_layout *l = &s->layout;
    const ut_carriers *c[4] = { &l->payload, &l->salt, &l->header, &l->table };
    const ut_buf *bits[4] = { &s->parity, &s->salt_bits, &s->header_bits, &s->table_bits };
    ut_status st = ut_sender_arrive(s, p->sent, variant, &r, &v, &err);
    size_t most = l->payload.n + l->salt.n + l->header.n + l->table.n;
    int8_t *llr = ut_calloc(most, 1, &err);
    uint8_t *phase = ut_calloc(most, 1, &err);
    if (st == UT_OK && !(llr && phase)) st = UT_E_MEMORY;
    for (i = 0; i < 4 && st == UT_OK; i++) {
        if (!c[i]->n) continue;
        st = ut_extract_phases(&v, i && !l->quiet ? &l->preamble : &l->lattice, c[i], phase, 1, &err);
        if (st != UT_OK) break;
        double info = 0;
        for (unsigned q = !i && s->height ? 1 : UT_NPROFILES; q-- > 0 && !(i && info > 0);) {
            ut_phase_llrs(c[i], phase, q, llr);
            if (!i && q == 0 && l->code.height)
                for (size_t k = 0; k < c[i]->n; k++) llr[k] = ut_phase_hard(phase[k]);
            info = i || s->height ? 1 : fmax(info, information(llr, bits[i]->data, c[i]->n));
        }
        pthread_mutex_lock(&p->lock);
        size_t wrong = widen(s, c[i], bits[i]->data, llr);
        p->nfixed += wrong;
        if (wrong) p->failed[variant] = 1;
        if (i == 0) p->ber = fmax(p->ber, (double)wrong / (double)c[i]->n), p->capacity = fmin(p->capacity, info);
        if (i == 1) {
            p->salt_errors += wrong;
            for (size_t b = 0; b < UT_SALT_NBITS; b++)
                if ((llr[b] < 0) != bits[i]->data[b]) p->salt_seen[b] = 1;
        }
        pthread_mutex_unlock(&p->lock);
    }
    free(llr);
    free(phase);
    ut_received_free(&r);
    if (st != UT_OK) {
        pthread_mutex_lock(&p->lock);
        if (p->status == UT_OK) p->status = st, p->err = err;
        pthread_mutex_unlock(&p->lock);
    }
}

/* Which cases the next round asks: first those that the route names, then those that failed, at last all there are. */
typedef struct questions {
    uint16_t which[UT_ROUTE_MAX_CASES];
    size_t n;
    bool done;
} questions;

/* The cases below n that were not asked yet. */
static void ask_others(questions *q, size_t n)
{
    bool asked[UT_ROUTE_MAX_CASES] = { false };
    for (size_t i = 0; i < q->n; i++) asked[q->which[i]] = true;
    q->n = 0;
    for (size_t i = 0; i < n; i++)
        if (!asked[i]) q->which[q->n++] = (uint16_t)i;
}

/* One round of questions; widens what came back wrong, and says what to ask next. */
static ut_status ask(ut_sender *s, questions *q, bool last, ut_err *e)
{
    uint8_t failed[UT_ROUTE_MAX_CASES] = { 0 };
    const size_t named = s->route->nvariants, all = named + (s->height ? s->route->nbetween : 0);
    if (!q->n) ask_others(q, named);
    ut_as_sent sent;
    ut_status st = ut_sender_send(s, &s->stego, &sent, e);
    probe p = { .s = s, .sent = &sent, .which = q->which, .failed = failed, .lock = PTHREAD_MUTEX_INITIALIZER, .capacity = 1 };
    for (int pass = 0; pass < 2 && st == UT_OK && q->n && !p.nfixed; pass++) {
        ut_parallel(s->nthreads, q->n, probe_variant, &p);
        st = p.status;
        if (st != UT_OK && e) *e = p.err;
        if (!p.nfixed) ask_others(q, all); /* nothing is wrong any more where it was before: is it elsewhere? */
    }
    ut_as_sent_free(&sent);
    if (st != UT_OK) return st;
    s->worst_ber = p.ber;
    s->worst_capacity = p.capacity;
    s->salt_errors = p.salt_errors;
    q->done = !p.nfixed;
    if (s->height) { /* the plain lattice's rates want to know the worst of all */
        q->n = 0;
        for (size_t i = 0; i < all; i++)
            if (failed[i]) q->which[q->n++] = (uint16_t)i;
    }
    /* A salt may be any: where the photo will not take a bit, give it the bit it prefers. */
    for (size_t b = 0; b < UT_SALT_NBITS && last && p.salt_errors; b++) s->salt[b / 8] ^= (uint8_t)(p.salt_seen[b] << (b % 8));
    return UT_OK;
}

ut_status ut_sender_embed(ut_sender *s, const ut_buf *sealed, ut_fec_kind kind, unsigned rate, ut_err *e)
{
    ut_status st = compose(s, sealed, kind, rate, e);
    if (st == UT_OK) st = ut_sender_stands(s, sealed, e);
    if (st != UT_OK) return st;
    size_t nblocks = ut_grid_nblocks(s->emb.grid);
    memset(s->emb.want, UT_FREE, nblocks * 64);
    memset(s->emb.push, 0, nblocks * 64);
    memset(s->emb.dirty, 1, nblocks);
    s->emb.layer[0] = &s->place[0];
    s->emb.layer[1] = &s->place[1];
    s->emb.slack = s->height ? .1f : .15f;
    s->emb.hold = only_table(s);
    st = ut_sender_choose(s, e);
    if (st != UT_OK) return st;
    ut_embedding_want(&s->emb, &s->layout.payload, s->parity.data, 0);
    ut_embedding_want(&s->emb, &s->layout.salt, s->salt_bits.data, UT_WANT_LAYER2);
    ut_embedding_want(&s->emb, &s->layout.header, s->header_bits.data, s->quiet ? 0 : UT_WANT_LAYER2);
    if (s->layout.table.n) ut_embedding_want(&s->emb, &s->layout.table, s->table_bits.data, UT_WANT_LAYER2);
    const int rounds = s->height ? SYNDROME_ROUNDS : ROUNDS;
    questions q = { .n = 0 };
    for (int round = 0; round < rounds && !q.done; round++) {
        if (ut_sender_tick(s, "hiding", (round + .2) / rounds)) return ut_fail(e, UT_E_CANCELLED, "cancelled");
        ut_embed(&s->emb, &s->stego, s->nthreads);
        st = ask(s, &q, round + 1 == rounds, e);
        if (st != UT_OK) return st;
    }
    if (!s->height) ut_embed(&s->emb, &s->stego, s->nthreads);
    return UT_OK;
}
