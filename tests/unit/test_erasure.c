/* The albums' erasure code: symbols against the definition, multiplied bit by bit here, and every subset of symbols. */
#include "check.h"
#include "stage/fec/erasure.h"

static unsigned long long seed = 0xe7a5eull;

static unsigned multiply(unsigned a, unsigned b)
{
    unsigned p = 0;
    for (; b; b >>= 1, a = a << 1 ^ (a & 0x80 ? 0x11d : 0)) p ^= b & 1 ? a : 0;
    return p & 0xff;
}

static unsigned inverse(unsigned a)
{
    unsigned x = 1;
    while (multiply(a, x) != 1) x++;
    return x;
}

static void fill(uint8_t *p, size_t n)
{
    for (size_t i = 0; i < n; i++) p[i] = (uint8_t)check_rand(&seed);
}

/* data: nbytes of ndata * len; zeros follow. */
static uint8_t definition(unsigned ndata, size_t len, const uint8_t *data, size_t nbytes, unsigned symbol, size_t at)
{
    unsigned sum = 0;
    if (symbol < ndata) return symbol * len + at < nbytes ? data[symbol * len + at] : 0;
    for (unsigned j = 0; j < ndata; j++)
        if (j * len + at < nbytes) sum ^= multiply(data[j * len + at], inverse(symbol ^ j));
    return (uint8_t)sum;
}

static void by_definition(unsigned ndata, unsigned nsymbols, size_t len, size_t nbytes)
{
    uint8_t *data = malloc(nbytes + 1), *out = malloc(nsymbols * len + 1);
    fill(data, nbytes);
    /* in two calls, as two photos would */
    unsigned first = nsymbols / 3;
    CHECK(ut_erasure_encode(ndata, len, data, nbytes, 0, first, out, 1, NULL) == UT_OK);
    CHECK(ut_erasure_encode(ndata, len, data, nbytes, first, nsymbols - first, out + first * len, 2, NULL) == UT_OK);
    size_t wrong = 0;
    for (unsigned s = 0; s < nsymbols; s++)
        for (size_t i = 0; i < len; i++) wrong += out[s * len + i] != definition(ndata, len, data, nbytes, s, i);
    CHECK(wrong == 0, "%u of %u symbols of %zu: %zu bytes", ndata, nsymbols, len, wrong);
    free(out);
    free(data);
}

/* Those symbols whose bit is set in `mask`. */
static void subset(unsigned ndata, unsigned nsymbols, size_t len, const uint8_t *data, const uint8_t *symbols, unsigned mask)
{
    const uint8_t *have[UT_ERASURE_MAX_SYMBOLS];
    uint8_t *got = calloc(ndata * len, 1);
    unsigned n = 0;
    for (unsigned s = 0; s < nsymbols; s++) have[s] = mask >> s & 1 ? symbols + s * len : NULL, n += mask >> s & 1;
    ut_status st = ut_erasure_decode(ndata, nsymbols, len, have, 0, len, got, 1, NULL);
    if (n >= ndata) {
        CHECK(st == UT_OK && !memcmp(got, data, ndata * len), "%u of %u, those of %x", ndata, nsymbols, mask);
    } else {
        CHECK(st == UT_E_DAMAGED);
        for (unsigned j = 0; j < ndata; j++) CHECK(!have[j] || !memcmp(got + j * len, data + j * len, len));
    }
    free(got);
}

static void every_subset(unsigned ndata, unsigned nsymbols)
{
    enum { LEN = 5 };
    uint8_t data[16 * LEN], symbols[16 * LEN];
    fill(data, ndata * LEN);
    CHECK(ut_erasure_encode(ndata, LEN, data, ndata * LEN, 0, nsymbols, symbols, 1, NULL) == UT_OK);
    for (unsigned mask = 0; mask < 1u << nsymbols; mask++) subset(ndata, nsymbols, LEN, data, symbols, mask);
}

/* Large codes, of which random symbols are there, in a range of their bytes. */
static void large(unsigned ndata, unsigned nsymbols, size_t len, unsigned nthreads)
{
    uint8_t *data = malloc(ndata * len), *symbols = malloc(nsymbols * len), *got = calloc(ndata * len, 1);
    const uint8_t *have[UT_ERASURE_MAX_SYMBOLS] = { NULL };
    size_t from = len / 5, to = len - len / 7, wrong = 0;
    fill(data, ndata * len);
    CHECK(ut_erasure_encode(ndata, len, data, ndata * len, 0, nsymbols, symbols, nthreads, NULL) == UT_OK);
    for (unsigned n = 0; n < ndata;) {
        unsigned s = check_rand(&seed) % nsymbols;
        if (!have[s]) have[s] = symbols + s * len, n++;
    }
    CHECK(ut_erasure_decode(ndata, nsymbols, len, have, from, to, got, nthreads, NULL) == UT_OK);
    for (unsigned j = 0; j < ndata; j++)
        for (size_t i = 0; i < len; i++) wrong += got[j * len + i] != (i >= from && i < to ? data[j * len + i] : 0);
    CHECK(wrong == 0, "%u of %u symbols: %zu bytes", ndata, nsymbols, wrong);
    free(got);
    free(symbols);
    free(data);
}

int main(void)
{
    by_definition(1, 3, 7, 7);
    by_definition(5, 9, 11, 47); /* the last pieces short, or empty */
    by_definition(5, 9, 11, 31);
    by_definition(200, 256, 40, 8000);
    every_subset(1, 4);
    every_subset(3, 8);
    every_subset(6, 9);
    every_subset(8, 8);
    for (unsigned n = 0; n < 5; n++) large(85, 256, 40000, 2);
    large(128, 256, 3, 1);
    large(255, 256, 20, 1);
    large(256, 256, 20, 1);
    large(1, 256, 20, 1);
    uint8_t byte = 0;
    const uint8_t *none[UT_ERASURE_MAX_SYMBOLS] = { NULL };
    CHECK(ut_erasure_encode(0, 1, &byte, 1, 0, 1, &byte, 1, NULL) == UT_E_INTERNAL);
    CHECK(ut_erasure_encode(4, 1, &byte, 1, 250, 7, &byte, 1, NULL) == UT_E_INTERNAL);
    CHECK(ut_erasure_decode(3, 2, 1, none, 0, 1, &byte, 1, NULL) == UT_E_INTERNAL);
    CHECK(ut_erasure_decode(1, 2, 1, none, 0, 2, &byte, 1, NULL) == UT_E_INTERNAL);
    return check_end();
}
