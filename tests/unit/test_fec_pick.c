/* The forecast of ut_fec_pick against decoding: what it picks must survive, and must not be far from what could. */
#include "check.h"
#include "stage/fec/fec.h"

static unsigned long long seed = 0x91c4ull;
static const ut_fec_kind kinds[] = { UT_FEC_LDPC, UT_FEC_BCH, UT_FEC_RS, UT_FEC_HAMMING };

/* Share of blocks lost at an error rate. */
static double lost(ut_fec_kind kind, unsigned rate, size_t nbytes, double ber, unsigned rounds)
{
    ut_fec_plan p;
    ut_err e = { 0 };
    ut_fec_result r;
    size_t all = 0, bad = 0;
    CHECK(ut_fec_plan_init(&p, kind, rate, nbytes, &e) == UT_OK);
    uint8_t *payload = malloc(nbytes), *bits = malloc(p.code_nbits), *out = malloc(nbytes);
    int8_t *llr = malloc(p.code_nbits);
    for (size_t i = 0; i < nbytes; i++) payload[i] = (uint8_t)check_rand(&seed);
    CHECK(ut_fec_encode(&p, payload, bits, 1, &e) == UT_OK);
    for (unsigned k = 0; k < rounds; k++) {
        for (size_t i = 0; i < p.code_nbits; i++) llr[i] = (bits[i] ^ (check_rand(&seed) * 0x1p-32 < ber)) ? -32 : 32;
        (void)!ut_fec_decode(&p, llr, out, NULL, &r, 1, &e);
        all += p.nblocks;
        bad += r.nblocks_lost;
    }
    free(payload);
    free(bits);
    free(out);
    free(llr);
    return (double)bad / (double)all;
}

int main(void)
{
    static const double bers[] = { .0003, .003, .01, .03, .1 };
    ut_err e = { 0 };
    ut_fec_kind kind, best;
    unsigned rate = 99, step;
    for (unsigned k = 0; k < 4; k++) {
        double before = 2;
        for (unsigned i = 0; i < 5; i++) {
            ut_status s = ut_fec_pick(kinds[k], bers[i], 16000, &kind, &rate, &e);
            CHECK(s == UT_OK || s == UT_E_CAPACITY);
            if (s != UT_OK) { /* once a family gives up, it does not come back */
                before = -1;
                continue;
            }
            CHECK(kind == kinds[k] && rate < ut_fec_nrates(kind) && ut_fec_rate(kind, rate) <= before);
            before = ut_fec_rate(kind, rate);
            double share = lost(kind, rate, 16000, bers[i], 2);
            CHECK(share <= (kind == UT_FEC_LDPC ? 0 : .004), "%s at %g: %g lost", ut_fec_name(kind, rate), bers[i], share);
            /* three steps higher would not do (two lie between neighbours of the ladder and the margin for 1e-4) */
            if (kind != UT_FEC_HAMMING && rate + 3 < ut_fec_nrates(kind))
                CHECK(lost(kind, rate + 3, 16000, bers[i], 2) > 0, "%s at %g is too careful", ut_fec_name(kind, rate), bers[i]);
        }
    }
    /* LDPC is the best of all where the payload is long, and bad enough channels are refused */
    for (unsigned i = 1; i < 5; i++)
        CHECK(ut_fec_pick(UT_FEC_AUTO, bers[i], 100000, &best, &step, &e) == UT_OK && best == UT_FEC_LDPC, "%g", bers[i]);
    CHECK(ut_fec_pick(UT_FEC_AUTO, .5, 1000, &kind, &rate, &e) == UT_E_CAPACITY && e.text[0]);
    CHECK(ut_fec_pick(UT_FEC_HAMMING, .05, 1000, &kind, &rate, &e) == UT_E_CAPACITY);
    CHECK(ut_fec_pick(UT_FEC_LDPC, 0, 1000, &kind, &rate, &e) == UT_OK && rate + 1 == ut_fec_nrates(UT_FEC_LDPC));
    /* short messages, all families together: what is picked holds */
    for (size_t n = 20; n < 2000; n *= 9)
        for (unsigned i = 0; i < 5; i++) {
            CHECK(ut_fec_pick(UT_FEC_AUTO, bers[i], n, &kind, &rate, &e) == UT_OK, "%zu bytes at %g", n, bers[i]);
            double share = lost(kind, rate, n, bers[i], 100);
            CHECK(share <= .011, "%s, %zu bytes at %g: %g lost", ut_fec_name(kind, rate), n, bers[i], share);
        }
    CHECK(ut_fec_pick((ut_fec_kind)9, .01, 10, &kind, &rate, &e) == UT_E_USAGE);
    CHECK(ut_fec_pick(UT_FEC_RS, -.1, 10, &kind, &rate, &e) == UT_E_USAGE);
    CHECK(ut_fec_pick(UT_FEC_RS, 0. / 0., 10, &kind, &rate, &e) == UT_E_USAGE);
    CHECK(ut_fec_pick(UT_FEC_RS, .01, 0, &kind, &rate, &e) == UT_E_USAGE);
    CHECK(ut_fec_pick(UT_FEC_RS, .01, SIZE_MAX, &kind, &rate, &e) == UT_E_USAGE);
    return check_end();
}
