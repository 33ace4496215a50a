/* LDPC: the code against its definition and the vectors, encode and decode near the limit, soft and hard channels,
 * erasures, lost blocks, instruction sets and thread counts. */
#include "check.h"
#include "stage/fec/ldpc.h"
#include "stage/fec/ldpc_decode.h"
#include <math.h>
#include <openssl/evp.h>

static unsigned long long seed = 20240607;
static double uniform(void) { return (check_rand(&seed) + .5) / 4294967296.; }
static double gauss(void) { return sqrt(-2 * log(uniform())) * cos(6.283185307179586 * uniform()); }

static void checks_hold(void)
{
    const ut_ldpc_profile shapes[] = { { "1/10", 9, 15, 18, 3 }, { "1/2", 36, 8, 90, 3 }, { "35/36", 40, 5, 175, 3 } };
    const unsigned sizes[] = { 1, 2, 6, 31, 32, 33, 97, 360 };
    static uint8_t word[64800];
    for (int p = 0; p < 3; p++)
        for (int n = 0; n < 8; n++) {
            ut_ldpc_code c;
            unsigned z = sizes[n], bad = 0;
            ut_err e;
            CHECK(ut_ldpc_code_init(&c, &shapes[p], z, &e) == UT_OK);
            size_t ninfo = c.ninfo * (size_t)z;
            for (size_t i = 0; i < ninfo; i++) word[i] = check_rand(&seed) & 1;
            ut_ldpc_code_parity(&c, word, word + ninfo);
            for (size_t r = 0; r < c.nrows; r++)
                for (size_t i = 0; i < z; i++) {
                    unsigned sum = word[ninfo + r * z + i];
                    if (r > 0)
                        sum ^= word[ninfo + (r - 1) * z + i];
                    else if (i > 0)
                        sum ^= word[ninfo + (c.nrows - 1) * z + i - 1];
                    for (size_t k = c.start[r]; k < c.start[r + 1]; k++)
                        sum ^= word[c.edge[k].column * z + (i + c.edge[k].shift) % z];
                    bad += sum;
                }
            CHECK(bad == 0, "%s z %u: %u checks fail", shapes[p].name, z, bad);
            ut_ldpc_code_free(&c);
        }
}

static void vectors(void)
{
    char path[512], line[256], want[65], got[65];
    snprintf(path, sizeof path, "%s/vectors/fec/ldpc.txt", UT_TEST_DIR);
    FILE *f = fopen(path, "r");
    CHECK(f != NULL, "%s", path);
    if (!f) return;
    size_t n = 0;
    while (fgets(line, sizeof line, f)) {
        unsigned rate, z, t;
        size_t nbytes, nblocks, nbits;
        if (sscanf(line, "%u %zu %u %u %zu %zu %64s", &rate, &nbytes, &z, &t, &nblocks, &nbits, want) != 7) continue;
        ut_fec_plan p;
        ut_err e;
        CHECK(ut_ldpc_plan(&p, rate, nbytes, &e) == UT_OK);
        CHECK(p.z == z && p.outer_t == t && p.nblocks == nblocks && p.code_nbits == nbits, "%s", line);
        uint8_t *payload = malloc(nbytes), *bits = malloc(p.code_nbits);
        uint8_t *packed = calloc(1, p.code_nbits / 8 + 1), hash[32];
        uint32_t x = (uint32_t)nbytes;
        for (size_t i = 0; i < nbytes; i++) payload[i] = (uint8_t)((x = 1664525 * x + 1013904223) >> 24);
        CHECK(ut_ldpc_encode(&p, payload, bits, 1, &e) == UT_OK);
        for (size_t i = 0; i < p.code_nbits; i++) packed[i / 8] = (uint8_t)(packed[i / 8] | bits[i] << (7 - i % 8));
        EVP_Digest(packed, (p.code_nbits + 7) / 8, hash, NULL, EVP_sha256(), NULL);
        for (size_t i = 0; i < 32; i++) snprintf(got + 2 * i, 3, "%02x", hash[i]);
        CHECK(strcmp(got, want) == 0, "%s", line);
        n++;
        free(payload);
        free(bits);
        free(packed);
    }
    fclose(f);
    CHECK(n == 5 * ut_ldpc_nrates(), "%zu vectors", n);
}

enum channel { AWGN, BSC, ERASE };

/* level: noise sigma at amplitude 1, or the probability of an error or erasure.  Returns blocks lost; no block may be
 * called good and be wrong. */
static size_t trip(unsigned rate, size_t nbytes, enum channel channel, double level, unsigned nthreads)
{
    ut_fec_plan p;
    ut_err e;
    ut_fec_result r;
    CHECK(ut_ldpc_plan(&p, rate, nbytes, &e) == UT_OK);
    uint8_t *payload = malloc(nbytes), *out = malloc(nbytes), *bits = malloc(p.code_nbits), *ok = malloc(p.nblocks);
    int8_t *llr = malloc(p.code_nbits);
    size_t nwrong = 0, nlost = 0;
    for (size_t i = 0; i < nbytes; i++) payload[i] = (uint8_t)check_rand(&seed);
    CHECK(ut_ldpc_encode(&p, payload, bits, nthreads, &e) == UT_OK);
    for (size_t i = 0; i < p.code_nbits; i++) {
        double x = bits[i] ? -1 : 1, v = 100 * x;
        if (channel == AWGN) v = round(16 * (x + level * gauss()) / (level * level));
        if (channel == BSC && uniform() < level) v = -v;
        if (channel == ERASE && uniform() < level) v = 0;
        llr[i] = (int8_t)(v > 127 ? 127 : v < -127 ? -127 : v);
        nwrong += bits[i] ? llr[i] > 0 : llr[i] < 0;
    }
    ut_status s = ut_ldpc_decode(&p, llr, out, ok, &r, nthreads, &e);
    for (size_t b = 0; b < p.nblocks; b++) {
        size_t from = b * p.block_payload_nbytes, n = nbytes - from;
        if (n > p.block_payload_nbytes) n = p.block_payload_nbytes;
        nlost += !ok[b];
        if (ok[b])
            CHECK(memcmp(out + from, payload + from, n) == 0, "%s block %zu is wrong", ut_ldpc_name(rate), b);
        else
            for (size_t i = 0; i < n; i++) CHECK(out[from + i] == 0, "a lost block is not zero");
    }
    CHECK(nlost == r.nblocks_lost);
    CHECK(s == (nlost ? UT_E_DAMAGED : UT_OK));
    if (!nlost)
        CHECK(r.nbits_corrected == nwrong && r.nbits_checked == p.code_nbits, "%zu corrected, %zu wrong",
              r.nbits_corrected, nwrong);
    free(payload);
    free(out);
    free(bits);
    free(ok);
    free(llr);
    return nlost;
}

/* Noise about 1 dB above the Shannon limit for the step (1.3 dB at 1/10), errors at nine tenths of what exact belief
 * propagation corrects in this code, erasures at 0.75 of 1 - rate; then far beyond. */
static void near_limit(void)
{
    const struct { unsigned rate; double sigma, p; } at[] = {
        { 0, 2.24, .24 }, { 1, 1.72, .20 }, { 2, 1.38, .165 }, { 5, .874, .085 },
        { 10, .606, .027 }, { 15, .463, .0072 }, { 19, .366, .0011 },
    };
    for (size_t i = 0; i < sizeof at / sizeof *at; i++) {
        unsigned rate = at[i].rate;
        size_t nbytes = (size_t)(8000 * ut_ldpc_rate(rate)) + 7;
        CHECK(trip(rate, nbytes, AWGN, at[i].sigma, 1) == 0, "%s, noise", ut_ldpc_name(rate));
        CHECK(trip(rate, nbytes, BSC, at[i].p, 1) == 0, "%s, errors", ut_ldpc_name(rate));
        CHECK(trip(rate, nbytes, ERASE, .75 * (1 - ut_ldpc_rate(rate)), 1) == 0, "%s, erasures", ut_ldpc_name(rate));
        CHECK(trip(rate, nbytes, AWGN, at[i].sigma * 1.3, 1) > 0, "%s should fail", ut_ldpc_name(rate));
        CHECK(trip(rate, nbytes, BSC, .35, 1) > 0, "%s should fail", ut_ldpc_name(rate));
    }
}

static void short_blocks(void)
{
    unsigned nlost = 0;
    for (int i = 0; i < 200; i++) nlost += trip(2, 32, AWGN, 1.05, 1) > 0; /* 3 dB from the limit */
    CHECK(nlost <= 2, "%u of 200 headers lost", nlost);
    for (unsigned rate = 0; rate < ut_ldpc_nrates(); rate++)
        for (size_t nbytes = 1; nbytes < 300; nbytes = nbytes * 3 + 1)
            CHECK(trip(rate, nbytes, ERASE, 0, 1) == 0, "%s %zu bytes, clean", ut_ldpc_name(rate), nbytes);
}

/* Noise is told from words that can still be corrected. */
static void hopeless(void)
{
    const ut_ldpc_profile shape = { "1/4", 15, 12, 45, 3 };
    static int8_t llr[180 * 8];
    unsigned given_up[2] = { 0 };
    ut_err e;
    ut_ldpc_code c;
    CHECK(ut_ldpc_code_init(&c, &shape, 6, &e) == UT_OK);
    for (int n = 0; n < 1000; n++)
        for (int word = 0; word < 2; word++) { /* zeros are a word */
            for (size_t i = 0; i < 180 * 6; i++) llr[i] = uniform() < (word ? .17 : .5) ? -40 : 40;
            given_up[word] += ut_ldpc_hopeless(&c, llr);
        }
    CHECK(given_up[0] > 700 && given_up[1] <= 5, "%u of 1000 blocks of noise given up, %u words", given_up[0], given_up[1]);
    ut_ldpc_code_free(&c);
}

/* Words told apart by their checks: a codeword, one with a few errors, noise, nothing known. */
static void broken(void)
{
    enum { NBYTES = 32, N = 4, MOST = 2000 };
    static uint8_t bits[MOST];
    static int8_t llr[N * MOST];
    uint8_t payload[NBYTES];
    float share[N];
    ut_fec_plan p;
    ut_err e;
    CHECK(ut_fec_plan_init(&p, UT_FEC_LDPC, 5, NBYTES, &e) == UT_OK && p.nblocks == 1 && p.code_nbits <= MOST);
    for (int i = 0; i < NBYTES; i++) payload[i] = (uint8_t)check_rand(&seed);
    CHECK(ut_fec_encode(&p, payload, bits, 1, &e) == UT_OK);
    for (size_t i = 0; i < p.code_nbits; i++) {
        int8_t *to = llr + i;
        to[0] = to[p.code_nbits] = bits[i] ? -64 : 64;
        to[2 * p.code_nbits] = check_rand(&seed) & 1 ? -64 : 64;
        to[3 * p.code_nbits] = 0;
    }
    for (size_t i = 0; i < 20; i++) llr[p.code_nbits + i * p.code_nbits / 20] *= -1;
    CHECK(ut_fec_broken(&p, llr, N, share, &e) == UT_OK);
    CHECK(share[0] == 0 && share[1] > .05f && share[1] < .4f && fabsf(share[2] - .5f) < .15f && share[3] == .5f, "%.3f %.3f %.3f %.3f", (double)share[0],
          (double)share[1], (double)share[2], (double)share[3]);
    CHECK(ut_fec_plan_init(&p, UT_FEC_BCH, 0, NBYTES, &e) == UT_OK && ut_fec_broken(&p, llr, 1, share, &e) == UT_E_INTERNAL);
}

static void same_everywhere(void)
{
    const ut_ldpc_profile shape = { "1/2", 36, 8, 90, 3 };
    const unsigned sizes[] = { 5, 31, 48, 360 };
    ut_ldpc_pass_fn pass[2] = { ut_ldpc_pass_plain, ut_ldpc_pass_get() };
    static int8_t llr[64800];
    static uint8_t bits[2][64800];
    for (int n = 0; n < 4; n++)
        for (int easy = 0; easy < 2; easy++) {
            ut_err e;
            ut_ldpc_code c;
            ut_ldpc_decoder d;
            bool ok[2];
            CHECK(ut_ldpc_code_init(&c, &shape, sizes[n], &e) == UT_OK);
            CHECK(ut_ldpc_decoder_init(&d, &c, &e) == UT_OK);
            for (size_t i = 0; i < 180 * sizes[n]; i++) llr[i] = (int8_t)((easy ? 30 : 10) + 15 * gauss());
            for (int k = 0; k < 2; k++) ok[k] = ut_ldpc_decode_block(&d, pass[k], 6, llr, bits[k]);
            CHECK(ok[0] == ok[1] && memcmp(bits[0], bits[1], 180 * sizes[n]) == 0, "z %u", sizes[n]);
            ut_ldpc_decoder_free(&d);
            ut_ldpc_code_free(&c);
        }
    size_t lost[2];
    for (unsigned k = 0; k < 2; k++) { /* about half of the blocks fail; the same ones */
        seed = 99;
        lost[k] = trip(5, 25000, AWGN, .918, k ? 3 : 1);
    }
    CHECK(lost[0] == lost[1], "%zu and %zu", lost[0], lost[1]);
}

static void out_of_range(void)
{
    ut_fec_plan p;
    ut_err e;
    CHECK(ut_ldpc_plan(&p, ut_ldpc_nrates(), 10, &e) == UT_E_USAGE);
    CHECK(ut_ldpc_plan(&p, 0, 0, &e) == UT_E_USAGE);
    CHECK(ut_ldpc_plan(&p, 0, UT_FEC_MAX_PAYLOAD + 1, &e) == UT_E_USAGE);
    CHECK(ut_ldpc_plan(&p, 0, UT_FEC_MAX_PAYLOAD, &e) == UT_OK && p.code_nbits / 8 > UT_FEC_MAX_PAYLOAD);
    for (unsigned r = 0; r < ut_ldpc_nrates(); r++) {
        CHECK(r == 0 || ut_ldpc_rate(r) > ut_ldpc_rate(r - 1));
        for (size_t n = 1; n < 40000; n += 37) {
            CHECK(ut_ldpc_plan(&p, r, n, &e) == UT_OK);
            CHECK(p.z >= 1 && p.z <= 360);
            CHECK((p.nblocks - 1) * p.block_payload_nbytes < n && p.nblocks * p.block_payload_nbytes >= n);
        }
    }
}

int main(void)
{
    checks_hold();
    vectors();
    out_of_range();
    near_limit();
    short_blocks();
    hopeless();
    broken();
    same_everywhere();
    return check_end();
}
