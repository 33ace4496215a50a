/* Hamming, BCH and Reed-Solomon through fec.h: code words of other implementations; errors and erasures up to what each
 * corrects; beyond, a block is lost or (where the code cannot know) at least never reported as more than it is. */
#include "check.h"
#include "stage/fec/fec.h"
#include <openssl/sha.h>

static void fill(uint8_t *p, size_t n)
{
    uint32_t x = (uint32_t)n;
    for (size_t i = 0; i < n; i++) {
        x = 1664525u * x + 1013904223u;
        p[i] = (uint8_t)(x >> 24);
    }
}

static void vectors(void)
{
    FILE *f = fopen(UT_TEST_DIR "/vectors/fec/blocks.txt", "r");
    char line[256], name[64], want[80], got[80];
    unsigned kind, n, lines = 0;
    CHECK(f != NULL, "tests/vectors/fec/blocks.txt is missing");
    while (f && fgets(line, sizeof line, f)) {
        if (sscanf(line, "%u %63s %u %79s", &kind, name, &n, want) != 4) continue;
        for (char *c = name; *c; c++)
            if (*c == '_') *c = ' ';
        unsigned rate = 0;
        while (rate < ut_fec_nrates((ut_fec_kind)kind) && strcmp(ut_fec_name((ut_fec_kind)kind, rate), name)) rate++;
        ut_fec_plan p;
        ut_err e = { 0 };
        CHECK(ut_fec_plan_init(&p, (ut_fec_kind)kind, rate, n, &e) == UT_OK, "%s: %s", name, e.text);
        uint8_t *payload = malloc(n), *bits = malloc(p.code_nbits), *packed = calloc(p.code_nbits / 8 + 1, 1), sha[32];
        fill(payload, n);
        CHECK(ut_fec_encode(&p, payload, bits, 2, &e) == UT_OK, "%s", e.text);
        for (size_t i = 0; i < p.code_nbits; i++) packed[i / 8] = (uint8_t)(packed[i / 8] | bits[i] << (7 - i % 8));
        SHA256(packed, (p.code_nbits + 7) / 8, sha);
        for (int i = 0; i < 32; i++) snprintf(got + 2 * i, 3, "%02x", sha[i]);
        CHECK(!strcmp(got, want), "%s, %u bytes: %s", name, n, got);
        free(payload);
        free(bits);
        free(packed);
        lines++;
    }
    CHECK(lines == 90, "%u vectors", lines);
    if (f) fclose(f);
}

typedef struct outcome {
    size_t lost, wrong_bytes, corrected, checked;
    ut_status status;
} outcome;

/* n positions of each block (symbols for RS) turned over (or erased). */
static outcome spoil(ut_fec_kind kind, unsigned rate, size_t nbytes, unsigned nerrors, unsigned nerased, unsigned nthreads)
{
    ut_fec_plan p;
    ut_err e = { 0 };
    ut_fec_result r;
    outcome o = { .status = UT_OK };
    unsigned long long seed = 99 + rate;
    CHECK(ut_fec_plan_init(&p, kind, rate, nbytes, &e) == UT_OK);
    uint8_t *payload = malloc(nbytes), *got = malloc(nbytes), *bits = malloc(p.code_nbits), *ok = malloc(p.nblocks);
    int8_t *llr = malloc(p.code_nbits);
    uint8_t *hit = calloc(p.code_nbits, 1);
    fill(payload, nbytes);
    CHECK(ut_fec_encode(&p, payload, bits, nthreads, &e) == UT_OK);
    for (size_t i = 0; i < p.code_nbits; i++) llr[i] = bits[i] ? -50 : 50;
    size_t unit = kind == UT_FEC_RS ? 8 : 1;
    for (size_t b = 0; b < p.nblocks; b++) {
        size_t begin = b * p.block_nbits, end = b + 1 < p.nblocks ? begin + p.block_nbits : p.code_nbits;
        for (unsigned k = 0; k < nerrors + nerased; k++) {
            size_t at;
            do at = begin + check_rand(&seed) % ((end - begin) / unit) * unit;
            while (hit[at]);
            hit[at] = 1;
            if (k < nerrors) llr[at + check_rand(&seed) % unit] *= -1;
            else memset(llr + at, 0, unit);
        }
    }
    o.status = ut_fec_decode(&p, llr, got, ok, &r, nthreads, &e);
    for (size_t i = 0; i < nbytes; i++) o.wrong_bytes += ok[i / p.block_payload_nbytes] && got[i] != payload[i];
    for (size_t b = 0; b < p.nblocks; b++) o.lost += !ok[b];
    CHECK(o.lost == r.nblocks_lost && o.status == (o.lost ? UT_E_DAMAGED : UT_OK));
    o.corrected = r.nbits_corrected;
    o.checked = r.nbits_checked;
    free(payload);
    free(got);
    free(bits);
    free(ok);
    free(llr);
    free(hit);
    return o;
}

static void reed_solomon(void)
{
    for (unsigned rate = 0; rate < ut_fec_nrates(UT_FEC_RS); rate++) {
        unsigned n, k;
        const char *name = ut_fec_name(UT_FEC_RS, rate);
        CHECK(sscanf(name, "rs(%u,%u)", &n, &k) == 2);
        unsigned t = (n - k) / 2;
        for (unsigned threads = 1; threads <= 2; threads++) {
            outcome o = spoil(UT_FEC_RS, rate, 5 * k, t, 0, threads);
            CHECK(!o.lost && !o.wrong_bytes && o.corrected == 5 * t && o.checked == 5 * 255 * 8, "%s, %u errors", name, t);
            o = spoil(UT_FEC_RS, rate, 5 * k, 0, 2 * t, threads);
            CHECK(!o.lost && !o.wrong_bytes, "%s, %u erasures", name, 2 * t);
            o = spoil(UT_FEC_RS, rate, 5 * k, t / 2, t, threads);
            CHECK(!o.lost && !o.wrong_bytes, "%s, errors and erasures", name);
        }
        if (t >= 16) CHECK(spoil(UT_FEC_RS, rate, 5 * k, t + 8, 0, 2).lost == 5, "%s should lose", name);
    }
}

static void bch(void)
{
    for (unsigned rate = 0; rate < ut_fec_nrates(UT_FEC_BCH); rate++) {
        unsigned t;
        const char *name = ut_fec_name(UT_FEC_BCH, rate);
        CHECK(sscanf(name, "bch t=%u", &t) == 1);
        const size_t sizes[] = { 1, 100, 2000 };
        for (int i = 0; i < 3; i++) {
            outcome o = spoil(UT_FEC_BCH, rate, sizes[i], sizes[i] == 1 && t > 100 ? 60 : t, 0, 1 + i % 2u);
            CHECK(!o.lost && !o.wrong_bytes, "%s, %zu bytes", name, sizes[i]);
        }
        CHECK(spoil(UT_FEC_BCH, rate, 2000, t + 5, 0, 2).lost > 0, "%s should lose", name);
    }
}

static void hamming(void)
{
    for (unsigned rate = 0; rate < ut_fec_nrates(UT_FEC_HAMMING); rate++) {
        outcome o = spoil(UT_FEC_HAMMING, rate, 1000, 1, 0, 2);
        CHECK(!o.lost && !o.wrong_bytes, "%s, one error a block", ut_fec_name(UT_FEC_HAMMING, rate));
    }
}

static void plans(void)
{
    ut_fec_plan p;
    for (int kind = -1; kind < 9; kind++)
        for (unsigned rate = 0; rate < 40; rate++)
            for (int s = 0; s < 6; s++) {
                const size_t size[] = { 0, 1, 65536, UT_FEC_MAX_PAYLOAD, UT_FEC_MAX_PAYLOAD + 1, SIZE_MAX };
                ut_status st = ut_fec_plan_init(&p, (ut_fec_kind)kind, rate, size[s], NULL);
                bool fair = kind >= 1 && kind <= 4 && rate < ut_fec_nrates((ut_fec_kind)kind) && size[s] >= 1 && size[s] <= UT_FEC_MAX_PAYLOAD;
                CHECK((st == UT_OK) == fair, "%d %u %zu", kind, rate, size[s]);
                if (st == UT_OK) CHECK(p.code_nbits > 8 * size[s] && p.nblocks >= 1 && p.block_payload_nbytes >= 1);
            }
    for (int kind = 1; kind <= 4; kind++)
        for (unsigned r = 1; r < ut_fec_nrates((ut_fec_kind)kind); r++)
            CHECK(ut_fec_rate((ut_fec_kind)kind, r) > ut_fec_rate((ut_fec_kind)kind, r - 1), "ladder %d", kind);
}

int main(void)
{
    vectors();
    reed_solomon();
    bch();
    hamming();
    plans();
    return check_end();
}
