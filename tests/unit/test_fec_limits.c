/* Hamming, BCH and Reed-Solomon through fec.h: sizes as spec/fec.md computes them, and at each step exactly as many errors
 * and erasures as the code corrects, then one more. */
#include "check.h"
#include "stage/fec/bch.h"
#include "stage/fec/fec.h"
#include "stage/fec/hamming.h"
#include "stage/fec/rs.h"

static unsigned long long seed = 0x11ea57ull;
static unsigned below(unsigned n) { return (unsigned)((unsigned long long)check_rand(&seed) * n >> 32); }

/* spec/fec.md, sections 8 to 10 */
static const struct bch { unsigned t, nparity, most; } bch[] = {
    { 256, 3120, 633 }, { 224, 2743, 681 }, { 192, 2379, 726 }, { 160, 1989, 775 }, { 128, 1638, 819 }, { 96, 1235, 869 },
    { 64, 832, 919 },   { 48, 624, 945 },   { 32, 416, 971 },   { 24, 312, 984 },   { 16, 208, 997 },
};
static const unsigned nroots[] = { 192, 160, 128, 96, 64, 48, 32, 16 };
static const struct hamming { unsigned r, k, overall, most; } hamming[] = {
    { 3, 4, 0, 8 }, { 4, 11, 0, 11 }, { 5, 26, 0, 13 }, { 7, 64, 1, 8 }, { 7, 120, 0, 15 },
};

static size_t ceil_div(size_t a, size_t b) { return (a + b - 1) / b; }

static size_t most_of(ut_fec_kind kind, unsigned step)
{
    return kind == UT_FEC_BCH ? bch[step].most : kind == UT_FEC_RS ? 255 - nroots[step] : hamming[step].most;
}

static size_t bits_of(ut_fec_kind kind, unsigned step, size_t b)
{
    if (kind == UT_FEC_BCH) return 8 * b + bch[step].nparity;
    if (kind == UT_FEC_RS) return 8 * (b + nroots[step]);
    return 8 * b + ceil_div(8 * b, hamming[step].k) * (hamming[step].r + hamming[step].overall);
}

static void sizes(ut_fec_kind kind, unsigned step)
{
    size_t most = most_of(kind, step);
    for (size_t nbytes = 1; nbytes < 300000; nbytes += nbytes < 4000 ? 1 : nbytes / 3) {
        ut_err e = { 0 };
        ut_fec_plan p;
        size_t n = ceil_div(nbytes, most), per = kind == UT_FEC_HAMMING && n > 1 ? most : ceil_div(nbytes, n);
        size_t nblocks = ceil_div(nbytes, per), last = nbytes - (nblocks - 1) * per;
        CHECK(ut_fec_plan_init(&p, kind, step, nbytes, &e) == UT_OK);
        CHECK(p.nblocks == nblocks && p.block_payload_nbytes == per &&
                  p.code_nbits == (nblocks - 1) * bits_of(kind, step, per) + bits_of(kind, step, last),
              "%s, %zu bytes", ut_fec_name(kind, step), nbytes);
    }
}

typedef struct message {
    ut_fec_plan plan;
    uint8_t *payload, *got, *bits, *ok;
    int8_t *llr;
} message;

static void make(message *m, ut_fec_kind kind, unsigned step, size_t nbytes)
{
    ut_err e = { 0 };
    CHECK(ut_fec_plan_init(&m->plan, kind, step, nbytes, &e) == UT_OK);
    m->payload = malloc(nbytes);
    m->got = malloc(nbytes);
    m->bits = malloc(m->plan.code_nbits);
    m->llr = malloc(m->plan.code_nbits);
    m->ok = malloc(m->plan.nblocks);
    for (size_t i = 0; i < nbytes; i++) m->payload[i] = (uint8_t)below(256);
    CHECK(ut_fec_encode(&m->plan, m->payload, m->bits, 1, &e) == UT_OK);
}

static void drop(message *m)
{
    free(m->payload);
    free(m->got);
    free(m->bits);
    free(m->llr);
    free(m->ok);
}

/* Spoils `wrong` and erases `erased` distinct symbols of `width` bits in each block; returns the bits turned. */
static size_t spoil(message *m, unsigned width, unsigned wrong, unsigned erased)
{
    static uint8_t hit[8192];
    const ut_fec_plan *p = &m->plan;
    size_t turned = 0;
    for (size_t i = 0; i < p->code_nbits; i++) m->llr[i] = m->bits[i] ? -50 : 50;
    for (size_t b = 0; b < p->nblocks; b++) {
        int8_t *llr = m->llr + b * p->block_nbits;
        size_t n = b + 1 < p->nblocks ? p->block_nbits : p->code_nbits - b * p->block_nbits;
        memset(hit, 0, sizeof hit);
        for (unsigned k = 0; k < wrong + erased; k++) {
            unsigned at, value = width > 1 ? 1 + below(255) : 1;
            do at = below((unsigned)(n / width));
            while (hit[at]);
            hit[at] = 1;
            if (k >= wrong) {
                llr[width * at + below(width)] = 0; /* one unknown bit spoils a symbol */
                continue;
            }
            for (unsigned i = 0; i < width; i++)
                if (value >> i & 1) llr[width * at + i] = (int8_t)-llr[width * at + i], turned++;
        }
    }
    return turned;
}

static void mended(message *m, size_t turned)
{
    ut_err e = { 0 };
    ut_fec_result r;
    const ut_fec_plan *p = &m->plan;
    ut_status s = ut_fec_decode(p, m->llr, m->got, m->ok, &r, 1, &e);
    CHECK(s == UT_OK && memcmp(m->got, m->payload, p->payload_nbytes) == 0, "%s: %s", ut_fec_name(p->kind, p->rate), e.text);
    CHECK(r.nbits_corrected == turned, "%s: %zu of %zu", ut_fec_name(p->kind, p->rate), r.nbits_corrected, turned);
}

static void lost(message *m)
{
    ut_err e = { 0 };
    ut_fec_result r;
    const ut_fec_plan *p = &m->plan;
    ut_status s = ut_fec_decode(p, m->llr, m->got, m->ok, &r, 1, &e);
    size_t set = 0;
    for (size_t i = 0; i < p->payload_nbytes; i++) set += m->got[i] != 0;
    CHECK(s == UT_E_DAMAGED && r.nblocks_lost == p->nblocks && set == 0, "%s: %zu of %zu lost", ut_fec_name(p->kind, p->rate),
          r.nblocks_lost, p->nblocks);
}

static void limits(ut_fec_kind kind, unsigned step, size_t nbytes)
{
    message m;
    make(&m, kind, step, nbytes);
    if (kind == UT_FEC_BCH) {
        mended(&m, spoil(&m, 1, bch[step].t, 0));
        spoil(&m, 1, bch[step].t + 1, 0);
        lost(&m);
    } else {
        unsigned n = nroots[step];
        for (unsigned e = 0; e <= n / 2; e += n / 8) {
            mended(&m, spoil(&m, 8, e, n - 2 * e));
            if (e < 8) continue; /* with room for e errors left, one word in e! is taken for another */
            spoil(&m, 8, e + 1, n - 2 * e);
            lost(&m);
        }
        spoil(&m, 8, 0, n + 1);
        lost(&m);
    }
    drop(&m);
}

/* One error a word is mended; (72,64) refuses two. */
static void hamming_limits(void)
{
    for (unsigned step = 0; step < 5; step++) {
        message m;
        make(&m, UT_FEC_HAMMING, step, hamming[step].k == 64 ? 800 : hamming[step].k / 8 + 1);
        mended(&m, spoil(&m, 1, 1, 0));
        if (hamming[step].overall) {
            spoil(&m, 1, 2, 0);
            lost(&m);
        }
        drop(&m);
    }
}

/* Words whose nearest codeword differs in a place that shortening left out: the parity of a long word with one bit set,
 * behind a few zeros.  They must be lost, and nothing beyond the word touched. */
static void beyond_the_word(void)
{
    ut_err e = { 0 };
    ut_bch b;
    ut_rs r;
    ut_hamming h;
    uint8_t data[919] = { 0x80 }, few[4] = { 0 }, parity[104], word[36] = { 0 }, bits[127], got;
    int8_t llr[15];
    size_t n = 0;
    CHECK(ut_bch_init(&b, 13, 64, true, &e) == UT_OK && b.nparity == 832);
    ut_bch_encode(&b, data, sizeof data, parity);
    void *work = malloc(ut_bch_work_nbytes(&b));
    CHECK(ut_bch_decode(&b, few, sizeof few, parity, work) == -1);
    free(work);
    ut_bch_free(&b);
    CHECK(ut_rs_init(&r, 32, &e) == UT_OK);
    ut_rs_encode(&r, data, 223, word + 4);
    CHECK(ut_rs_decode(&r, word, sizeof word, NULL, 0) == -1);
    ut_rs_free(&r);
    ut_hamming_init(&h, 7, 120, false);
    ut_hamming_encode_bits(&h, data, 15, bits);
    for (size_t i = 0; i < 15; i++) llr[i] = i < 8 || !bits[112 + i] ? 9 : -9; /* 8 zeros and the parity */
    CHECK(!ut_hamming_decode_llr(&h, llr, &got, 1, &n));
}

int main(void)
{
    CHECK(ut_fec_nrates(UT_FEC_BCH) == 11 && ut_fec_nrates(UT_FEC_RS) == 8 && ut_fec_nrates(UT_FEC_HAMMING) == 5);
    for (unsigned i = 0; i < 11; i++) {
        sizes(UT_FEC_BCH, i);
        limits(UT_FEC_BCH, i, 3 * bch[i].most + 11);
        limits(UT_FEC_BCH, i, 5);
    }
    for (unsigned i = 0; i < 8; i++) {
        sizes(UT_FEC_RS, i);
        limits(UT_FEC_RS, i, 4 * (255 - nroots[i]));
        limits(UT_FEC_RS, i, 12);
    }
    for (unsigned i = 0; i < 5; i++) sizes(UT_FEC_HAMMING, i);
    hamming_limits();
    beyond_the_word();
    return check_end();
}
