/* Hamming, BCH and Reed-Solomon against words of other implementations (tools/gen_fec_words.py), and around their limits. */
#include "check.h"
#include "stage/fec/bch.h"
#include "stage/fec/bits.h"
#include "stage/fec/hamming.h"
#include "stage/fec/rs.h"

#define MAX 4096
static unsigned long long seed = 0x5eed5eed5eedull;
static unsigned below(unsigned n) { return (unsigned)((unsigned long long)check_rand(&seed) * n >> 32); }

static size_t unhex(const char *s, uint8_t *p)
{
    size_t n = 0;
    unsigned v;
    if (*s == '-') return 0;
    for (; n < MAX && sscanf(s + 2 * n, "%2x", &v) == 1; n++) p[n] = (uint8_t)v;
    return n;
}

/* Applies "place" (a bit) or "place:difference" (a byte), with commas, to a word; returns how many. */
static int damage(const char *s, uint8_t *word)
{
    int n = 0;
    if (*s == '-') return 0;
    for (char *end; ; s = end + 1) {
        unsigned long place = strtoul(s, &end, 10);
        if (*end == ':') word[place] ^= (uint8_t)strtoul(end + 1, &end, 10);
        else word[place / 8] ^= (uint8_t)(0x80 >> place % 8);
        n++;
        if (*end != ',') return n;
    }
}

static void hamming_case(char **f)
{
    uint8_t data[MAX], word[MAX], bits[8 * MAX], want[8 * MAX], got[MAX];
    int8_t llr[8 * MAX];
    ut_hamming h;
    bool overall = atoi(f[3]) != 0;
    unsigned k = (unsigned)atoi(f[2]);
    ut_hamming_init(&h, (unsigned)atoi(f[1]), k, overall);
    size_t nbytes = unhex(f[4], data), n = ut_hamming_nbits(h.r, h.k, overall, nbytes);
    CHECK(unhex(f[5], word) == (n + 7) / 8);
    ut_bits_spread(word, n, want);
    ut_hamming_encode_bits(&h, data, nbytes, bits);
    CHECK(memcmp(bits, want, n) == 0, "hamming %s %s", f[1], f[2]);
    size_t nwords = (8 * nbytes + k - 1) / k, fixed = 0;
    for (size_t i = 0; i < n; i++) llr[i] = bits[i] ? -40 : 40;
    for (size_t w = 0, at = 0; w < nwords; w++) { /* one wrong bit in each word */
        size_t len = (w + 1 < nwords ? k : 8 * nbytes - w * k) + h.r + overall;
        llr[at + below((unsigned)len)] *= -1;
        at += len;
    }
    CHECK(ut_hamming_decode_llr(&h, llr, got, nbytes, &fixed) && fixed == nwords && memcmp(got, data, nbytes) == 0);
    if (!overall) return;
    for (size_t i = 0; i < n; i++) llr[i] = bits[i] ? -40 : 40;
    size_t a = below(h.r + 8), b = (a + 1 + below(h.r + 7)) % (h.r + 8); /* two in the first word are noticed */
    llr[a] *= -1;
    llr[b] *= -1;
    CHECK(!ut_hamming_decode_llr(&h, llr, got, nbytes, &fixed), "%zu and %zu", a, b);
}

static void bch_case(char **f)
{
    uint8_t data[MAX], parity[MAX], word[MAX], mine[MAX];
    ut_err e;
    ut_bch b;
    CHECK(ut_bch_init(&b, (unsigned)atoi(f[1]), (unsigned)atoi(f[2]), true, &e) == UT_OK, "%s", e.text);
    void *work = malloc(ut_bch_work_nbytes(&b));
    size_t n = unhex(f[3], data), np = unhex(f[4], parity), nw = n + np;
    CHECK(np == (b.nparity + 7) / 8);
    ut_bch_encode(&b, data, n, mine);
    CHECK(memcmp(mine, parity, np) == 0, "bch m=%s t=%s", f[1], f[2]);
    memcpy(word, data, n);
    memcpy(word + n, parity, np);
    int wrong = damage(f[5], word);
    memcpy(mine, word, nw);
    int got = ut_bch_decode(&b, mine, n, mine + n, work);
    if (strcmp(f[6], "ok") == 0) {
        CHECK(got == wrong && memcmp(mine, data, n) == 0 && memcmp(mine + n, parity, np) == 0, "bch m=%s t=%s: %d of %d", f[1],
              f[2], got, wrong);
    } else {
        CHECK(got < 0 && memcmp(mine, word, nw) == 0, "bch m=%s t=%s: %d", f[1], f[2], got);
    }
    free(work);
    ut_bch_free(&b);
}

static void rs_case(char **f)
{
    uint8_t data[MAX], parity[MAX], word[MAX], mine[MAX], erased[MAX];
    ut_err e;
    ut_rs r;
    CHECK(ut_rs_init(&r, (unsigned)atoi(f[1]), &e) == UT_OK, "%s", e.text);
    size_t n = unhex(f[2], data), np = unhex(f[3], parity), nw = n + np, ne = unhex(f[5], erased);
    CHECK(np == r.nroots);
    ut_rs_encode(&r, data, n, mine);
    CHECK(memcmp(mine, parity, np) == 0, "rs %s, %zu bytes", f[1], n);
    memcpy(word, data, n);
    memcpy(word + n, parity, np);
    int wrong = damage(f[4], word);
    memcpy(mine, word, nw);
    int got = ut_rs_decode(&r, mine, nw, erased, ne);
    if (strcmp(f[6], "ok") == 0)
        CHECK(got == wrong && memcmp(mine, data, n) == 0, "rs %s, %zu bytes, %zu erased: %d of %d", f[1], n, ne, got, wrong);
    else
        CHECK(got < 0 && memcmp(mine, word, nw) == 0, "rs %s: %d", f[1], got);
    ut_rs_free(&r);
}

static void vectors(void)
{
    static char line[32768];
    unsigned count[3] = { 0 };
    FILE *in = fopen(UT_TEST_DIR "/vectors/fec/words.txt", "r");
    CHECK(in != NULL);
    while (in && fgets(line, sizeof line, in)) {
        char *f[8] = { NULL };
        unsigned n = 0;
        for (char *p = strtok(line, " \n"); p && n < 8; p = strtok(NULL, " \n")) f[n++] = p;
        if (n == 6 && strcmp(f[0], "hamming") == 0) {
            hamming_case(f);
            count[0]++;
        } else if (n == 7 && strcmp(f[0], "bch") == 0) {
            bch_case(f);
            count[1]++;
        } else if (n == 7 && strcmp(f[0], "rs") == 0) {
            rs_case(f);
            count[2]++;
        }
    }
    if (in) fclose(in);
    CHECK(count[0] >= 30 && count[1] >= 45 && count[2] >= 100, "%u, %u, %u cases", count[0], count[1], count[2]);
}

/* The roots of a product of known factors are found, all of them and no others. */
static void roots(void)
{
    static uint16_t work[1 << 16];
    for (unsigned m = 5; m <= 16; m++) {
        ut_err e;
        ut_gf f;
        ut_gf_fft t;
        unsigned most = m < 9 ? 1u << (m - 1) : 256;
        CHECK(ut_gf_init(&f, m, &e) == UT_OK && ut_gf_fft_init(&t, &f, most, &e) == UT_OK);
        for (uint32_t i = 0; i < f.n; i++) CHECK(f.log[f.exp[i]] == i); /* alpha is primitive */
        for (unsigned degree = 1; degree <= most; degree = degree < 4 ? degree + 1 : degree * 2 - 1 + degree % 2) {
            uint16_t sigma[258] = { 1 };
            uint32_t pos[256];
            static uint8_t in[1 << 16];
            memset(in, 0, sizeof in);
            for (unsigned k = 0; k < degree; k++) {
                uint32_t p;
                do p = below(f.n);
                while (in[p]);
                in[p] = 1;
                for (unsigned d = k + 1; d > 0; d--) sigma[d] ^= ut_gf_mul(&f, sigma[d - 1], f.exp[p]);
            }
            size_t n = ut_gf_roots(&t, &f, sigma, degree, work, pos), right = 0;
            for (size_t i = 0; i < n; i++) right += in[pos[i]]-- == 1;
            CHECK(n == degree && right == degree, "m=%u degree %u: %zu", m, degree, n);
        }
        ut_gf_fft_free(&t);
        ut_gf_free(&f);
    }
}

/* Zero ratios are erasures: nroots of them alone are corrected; unreliable bytes help beyond nroots/2 errors. */
static void rs_soft(void)
{
    ut_err e;
    ut_rs r;
    uint8_t data[223], bits[2040], got[223];
    int8_t llr[2040];
    CHECK(ut_rs_init(&r, 32, &e) == UT_OK);
    for (unsigned round = 0; round < 40; round++) {
        bool soft = round % 2;
        size_t fixed = 0;
        for (size_t i = 0; i < 223; i++) data[i] = (uint8_t)below(256);
        ut_rs_encode_bits(&r, data, 223, bits);
        for (size_t i = 0; i < 2040; i++) llr[i] = bits[i] ? -64 : 64;
        for (unsigned k = 0; k < (soft ? 24u : 32u); k++) {
            size_t byte = (k * 7 + round) % 255, bit = 8 * byte + below(8);
            llr[bit] = soft ? (int8_t)(bits[bit] ? 3 : -3) : 0;
        }
        CHECK(ut_rs_decode_llr(&r, llr, got, 223, &fixed) && memcmp(got, data, 223) == 0, "round %u", round);
        CHECK(fixed == (soft ? 24u : 0u), "%zu", fixed);
        llr[8 * 254] = (int8_t)-llr[8 * 254]; /* one more error than 32 erasures leave room for, unless it was one of them */
        bool known = false;
        for (unsigned k = 0; k < 32; k++) known |= (k * 7 + round) % 255 == 254;
        if (!soft && !known) CHECK(!ut_rs_decode_llr(&r, llr, got, 223, &fixed) || memcmp(got, data, 223) != 0);
    }
    ut_rs_free(&r);
}

static void out_of_range(void)
{
    ut_err e;
    ut_bch b;
    ut_rs r;
    CHECK(ut_bch_nparity(5, 16) == 0 && ut_bch_nparity(17, 2) == 0 && ut_bch_nparity(13, 0) == 0 && ut_bch_nparity(13, 257) == 0);
    CHECK(ut_bch_init(&b, 4, 1, true, &e) != UT_OK && ut_bch_init(&b, 5, 1, true, &e) != UT_OK);
    CHECK(ut_rs_init(&r, 0, &e) != UT_OK && ut_rs_init(&r, 7, &e) != UT_OK && ut_rs_init(&r, 200, &e) != UT_OK);
}

int main(void)
{
    vectors();
    roots();
    rs_soft();
    out_of_range();
    return check_end();
}
