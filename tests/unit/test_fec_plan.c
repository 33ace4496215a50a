/* Every code through fec.h alone: plans, round trips, losses, hostile values, threads; and the tests' own channel. */
#include "check.h"
#include "stage/fec/fec.h"
#include <math.h>

static const ut_fec_kind kinds[] = { UT_FEC_LDPC, UT_FEC_BCH, UT_FEC_RS, UT_FEC_HAMMING };
static unsigned long long seed = 0xfecfecfecull;
static double uniform(void) { return check_rand(&seed) * 0x1p-32; }

/* A binary symmetric channel; returns how many bits it turned. */
static size_t bsc(const uint8_t *bits, size_t n, double p, int8_t *llr)
{
    size_t wrong = 0;
    for (size_t i = 0; i < n; i++) {
        bool flip = uniform() < p;
        wrong += flip;
        llr[i] = (bits[i] ^ flip) ? -32 : 32;
    }
    return wrong;
}

typedef struct message {
    ut_fec_plan plan;
    uint8_t *payload, *got, *bits, *ok;
    int8_t *llr;
} message;

static bool make(message *m, ut_fec_kind kind, unsigned rate, size_t nbytes)
{
    ut_err e = { 0 };
    *m = (message){ 0 };
    if (ut_fec_plan_init(&m->plan, kind, rate, nbytes, &e) != UT_OK) return false;
    m->payload = malloc(nbytes);
    m->got = malloc(nbytes);
    m->bits = malloc(m->plan.code_nbits);
    m->llr = malloc(m->plan.code_nbits);
    m->ok = malloc(m->plan.nblocks);
    for (size_t i = 0; i < nbytes; i++) m->payload[i] = (uint8_t)check_rand(&seed);
    memset(m->bits, 9, m->plan.code_nbits);
    return ut_fec_encode(&m->plan, m->payload, m->bits, 1, &e) == UT_OK;
}

static void drop(message *m)
{
    free(m->payload);
    free(m->got);
    free(m->bits);
    free(m->llr);
    free(m->ok);
}

/* Noiseless, then with one wrong bit in each block.  The few parity bits that a high LDPC rate leaves to a payload of a few
 * bytes do not promise even that; the block may then be lost, but not wrong. */
static void round_trip(ut_fec_kind kind, unsigned rate, size_t nbytes)
{
    message m;
    ut_err e = { 0 };
    ut_fec_result r;
    const char *name = ut_fec_name(kind, rate);
    CHECK(make(&m, kind, rate, nbytes), "%s, %zu bytes", name, nbytes);
    const ut_fec_plan *p = &m.plan;
    CHECK(p->nblocks >= 1 && p->nblocks * p->block_payload_nbytes >= nbytes &&
              (p->nblocks - 1) * p->block_payload_nbytes < nbytes && p->code_nbits > 8 * nbytes &&
              (p->nblocks - 1) * p->block_nbits < p->code_nbits && p->code_nbits <= p->nblocks * p->block_nbits,
          "%s, %zu bytes: %zu bits in %zu blocks", name, nbytes, p->code_nbits, p->nblocks);
    bool binary = true;
    for (size_t i = 0; i < p->code_nbits; i++) binary &= m.bits[i] < 2;
    CHECK(binary, "%s", name);
    bsc(m.bits, p->code_nbits, 0, m.llr);
    CHECK(ut_fec_decode(p, m.llr, m.got, NULL, &r, 1, &e) == UT_OK && memcmp(m.got, m.payload, nbytes) == 0, "%s", name);
    CHECK(r.nblocks_lost == 0 && r.nbits_corrected == 0 && r.nbits_checked == p->code_nbits, "%s", name);
    for (size_t b = 0; b < p->nblocks; b++) {
        size_t n = b + 1 < p->nblocks ? p->block_nbits : p->code_nbits - b * p->block_nbits, at = check_rand(&seed) % n;
        m.llr[b * p->block_nbits + at] *= -1;
    }
    ut_status s = ut_fec_decode(p, m.llr, m.got, m.ok, &r, 2, &e);
    if (kind == UT_FEC_LDPC && nbytes < 64 && ut_fec_rate(kind, rate) > .9 && s == UT_E_DAMAGED) {
        drop(&m);
        return;
    }
    CHECK(s == UT_OK && memcmp(m.got, m.payload, nbytes) == 0, "%s, %zu bytes: %s", name, nbytes, e.text);
    CHECK(r.nbits_corrected == p->nblocks, "%s, %zu bytes: %zu of %zu", name, nbytes, r.nbits_corrected, p->nblocks);
    drop(&m);
}

/* Hopeless noise in the second half: what was not hit comes back, what was is reported and zero. */
static void losses(ut_fec_kind kind, unsigned rate)
{
    message m;
    ut_err e = { 0 };
    ut_fec_result r;
    size_t nbytes = 30000, lost = 0, silent = 0;
    CHECK(make(&m, kind, rate, nbytes));
    const ut_fec_plan *p = &m.plan;
    size_t first = p->nblocks / 2;
    bsc(m.bits, p->code_nbits, 0, m.llr);
    for (size_t i = first * p->block_nbits; i < p->code_nbits; i++) m.llr[i] = check_rand(&seed) & 1 ? 32 : -32;
    memset(m.got, 0xee, nbytes);
    ut_status s = ut_fec_decode(p, m.llr, m.got, m.ok, &r, 2, &e);
    for (size_t b = 0; b < p->nblocks; b++) {
        size_t at = b * p->block_payload_nbytes, n = at + p->block_payload_nbytes < nbytes ? p->block_payload_nbytes : nbytes - at;
        bool same = memcmp(m.got + at, m.payload + at, n) == 0, zero = true;
        for (size_t i = 0; i < n; i++) zero &= m.got[at + i] == 0;
        if (b < first) CHECK(m.ok[b] == 1 && same);
        else if (m.ok[b]) silent += !same;
        else CHECK(zero, "%s block %zu", ut_fec_name(kind, rate), b);
        lost += !m.ok[b];
    }
    CHECK(s == UT_E_DAMAGED && e.text[0] && r.nblocks_lost == lost && lost > 0, "%s: %d", ut_fec_name(kind, rate), (int)s);
    if (kind != UT_FEC_HAMMING) CHECK(silent == 0, "%s: %zu", ut_fec_name(kind, rate), silent); /* Hamming cannot know */
    drop(&m);
}

/* Equal results whatever the number of threads, with errors on the brink. */
static void threads(ut_fec_kind kind, unsigned rate, double p)
{
    message m, n;
    ut_err e = { 0 };
    ut_fec_result a, b;
    CHECK(make(&m, kind, rate, 60000));
    n = m;
    n.got = malloc(60000);
    n.ok = malloc(m.plan.nblocks);
    n.bits = malloc(m.plan.code_nbits);
    CHECK(ut_fec_encode(&m.plan, m.payload, n.bits, 3, &e) == UT_OK && memcmp(m.bits, n.bits, m.plan.code_nbits) == 0);
    size_t wrong = bsc(m.bits, m.plan.code_nbits, p, m.llr);
    ut_status s = ut_fec_decode(&m.plan, m.llr, m.got, m.ok, &a, 1, &e), t = ut_fec_decode(&m.plan, m.llr, n.got, n.ok, &b, 4, &e);
    CHECK(s == t && a.nblocks_lost == b.nblocks_lost && a.nbits_corrected == b.nbits_corrected &&
          a.nbits_checked == b.nbits_checked && memcmp(m.got, n.got, 60000) == 0 && memcmp(m.ok, n.ok, m.plan.nblocks) == 0);
    if (s == UT_OK) CHECK(a.nbits_corrected == wrong && a.nbits_checked == m.plan.code_nbits, "%s", ut_fec_name(kind, rate));
    free(n.got);
    free(n.ok);
    free(n.bits);
    drop(&m);
}

static bool refused(ut_status s) { return s == UT_E_USAGE || s == UT_E_INTERNAL; }

static void hostile(void)
{
    ut_err e = { 0 };
    ut_fec_plan p, q;
    uint8_t byte = 1, bits[4096], got;
    int8_t llr[4096] = { 0 };
    ut_fec_result r;
    for (int kind = -2; kind < 12; kind++) {
        bool real = kind >= UT_FEC_LDPC && kind <= UT_FEC_HAMMING;
        CHECK((ut_fec_nrates((ut_fec_kind)kind) > 0) == real);
        CHECK(ut_fec_name((ut_fec_kind)kind, 0) != NULL && ut_fec_name((ut_fec_kind)kind, UINT32_MAX) != NULL);
        CHECK((ut_fec_rate((ut_fec_kind)kind, 0) > 0) == real && ut_fec_rate((ut_fec_kind)kind, UINT32_MAX) <= 0);
        CHECK((ut_fec_plan_init(&p, (ut_fec_kind)kind, 0, 1, &e) == UT_OK) == real);
        CHECK(ut_fec_plan_init(&p, (ut_fec_kind)kind, UINT32_MAX, 1, &e) == UT_E_USAGE);
        CHECK(ut_fec_plan_init(&p, (ut_fec_kind)kind, 0, 0, &e) == UT_E_USAGE);
        CHECK(ut_fec_plan_init(&p, (ut_fec_kind)kind, 0, UT_FEC_MAX_PAYLOAD + 1, &e) == UT_E_USAGE);
        CHECK(ut_fec_plan_init(&p, (ut_fec_kind)kind, 0, SIZE_MAX, &e) == UT_E_USAGE);
        if (!real) continue;
        CHECK(ut_fec_plan_init(&p, (ut_fec_kind)kind, ut_fec_nrates((ut_fec_kind)kind), 1, &e) == UT_E_USAGE);
        CHECK(ut_fec_plan_init(&p, (ut_fec_kind)kind, 0, UT_FEC_MAX_PAYLOAD, &e) == UT_OK && p.code_nbits > 8 * UT_FEC_MAX_PAYLOAD);
        CHECK(ut_fec_plan_init(&p, (ut_fec_kind)kind, ut_fec_nrates((ut_fec_kind)kind) - 1, 1, &e) == UT_OK);
        q = p; /* a plan that was tampered with is refused before any memory is touched */
        q.code_nbits += 8;
        CHECK(refused(ut_fec_encode(&q, &byte, bits, 1, &e)));
        q = p;
        q.block_payload_nbytes = 1u << 20;
        CHECK(refused(ut_fec_decode(&q, llr, &got, NULL, &r, 1, &e)));
        q = p;
        q.nblocks = 77;
        CHECK(refused(ut_fec_decode(&q, llr, &got, NULL, &r, 1, &e)));
        CHECK(p.code_nbits <= sizeof llr, "one byte: %zu bits", p.code_nbits);
        if (p.code_nbits > sizeof llr) continue;
        memset(llr, 0, sizeof llr);
        (void)!ut_fec_decode(&p, llr, &got, NULL, &r, 1, &e); /* nothing but erasures: any answer, no harm */
        memset(llr, -128, sizeof llr);
        (void)!ut_fec_decode(&p, llr, &got, NULL, &r, 1, &e);
    }
}

/* The channel above: the count of errors is binomial, within 5 standard deviations, and so are pairs of neighbours. */
static void channel(void)
{
    static const double ps[] = { .0003, .003, .02, .1, .3 };
    size_t n = 2000000;
    uint8_t *bits = calloc(n, 1);
    int8_t *llr = malloc(n);
    for (unsigned i = 0; i < 5; i++) {
        double p = ps[i], sd = sqrt((double)n * p * (1 - p)), pairs = 0;
        size_t wrong = bsc(bits, n, p, llr), seen = 0;
        for (size_t k = 0; k < n; k++) {
            seen += llr[k] < 0;
            pairs += k + 1 < n && llr[k] < 0 && llr[k + 1] < 0;
        }
        CHECK(seen == wrong && fabs((double)wrong - (double)n * p) < 5 * sd, "p=%g: %zu", p, wrong);
        CHECK(fabs(pairs - (double)n * p * p) < 6 * sqrt((double)n * p * p) + 3, "p=%g: %g pairs", p, pairs);
    }
    free(bits);
    free(llr);
}

int main(void)
{
    static const size_t sizes[] = { 1, 2, 13, 64, 117, 700, 4100, 9001 };
    channel();
    hostile();
    for (unsigned k = 0; k < 4; k++) {
        unsigned n = ut_fec_nrates(kinds[k]);
        for (unsigned r = 0; r < n; r++) {
            CHECK(ut_fec_rate(kinds[k], r) > (r ? ut_fec_rate(kinds[k], r - 1) : 0) && ut_fec_rate(kinds[k], r) < 1,
                  "%s", ut_fec_name(kinds[k], r)); /* 0 has the most redundancy */
            for (unsigned i = 0; i < sizeof sizes / sizeof *sizes; i++)
                if (kinds[k] != UT_FEC_LDPC || i % 3 == r % 3) round_trip(kinds[k], r, sizes[i]);
        }
        losses(kinds[k], kinds[k] == UT_FEC_HAMMING ? 3 : n / 2); /* of those only (72,64) notices losses */
    }
    threads(UT_FEC_LDPC, ut_fec_nrates(UT_FEC_LDPC) / 2, .02);
    threads(UT_FEC_BCH, 6, .008);
    threads(UT_FEC_RS, 6, .008);
    threads(UT_FEC_HAMMING, 3, .002);
    return check_end();
}
