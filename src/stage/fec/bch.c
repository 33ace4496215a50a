#include "stage/fec/bch.h"
#include "stage/fec/bits.h"
#include "stage/fec/divide.h"
#include <stdlib.h>

/* Size of the cyclotomic coset of i modulo n if i is its least member, else 0. */
static unsigned coset(uint32_t n, uint32_t i)
{
    unsigned size = 1;
    for (uint32_t k = 2 * i % n; k != i; k = 2 * k % n, size++)
        if (k < i) return 0;
    return size;
}

unsigned ut_bch_nparity(unsigned m, unsigned t)
{
    if (m < 5 || m > UT_GF_MAX_M || t < 1 || t > UT_BCH_MAX_T) return 0;
    uint32_t n = (1u << m) - 1, all = 0;
    if (2 * t - 1 >= n) return 0;
    for (uint32_t i = 1; i < 2 * t; i += 2) all += coset(n, i);
    return all < n ? all : 0;
}

/* Bits of the minimal polynomial of alpha^i, whose coset has `size` members. */
static uint32_t minimal(const ut_gf *f, uint32_t i, unsigned size)
{
    uint16_t p[UT_GF_MAX_M + 2] = { 1 };
    uint32_t bits = 0;
    for (unsigned k = 0; k < size; k++, i = 2 * i % f->n)
        for (unsigned d = k + 2; d-- > 0;) p[d] = (uint16_t)((d ? p[d - 1] : 0) ^ ut_gf_mul(f, p[d], f->exp[i]));
    for (unsigned d = 0; d <= size; d++) bits |= (uint32_t)p[d] << d;
    return bits;
}

/* g: [nparity + 1] coefficients, one a byte, lowest first; zeroed by the caller. */
static void generator(const ut_bch *b, uint8_t *g)
{
    unsigned deg = 0;
    g[0] = 1;
    for (uint32_t i = 1; i < 2 * b->t; i += 2) {
        unsigned size = coset(b->gf.n, i);
        if (!size) continue;
        uint32_t min = minimal(&b->gf, i, size);
        for (unsigned d = deg + size + 1; d-- > 0;) { /* downwards: g[d - k] are still the old ones */
            unsigned v = 0;
            for (unsigned k = 0; k <= size && k <= d; k++) v ^= (min >> k & 1u) & g[d - k];
            g[d] = (uint8_t)v;
        }
        deg += size;
    }
}

static ut_status build_remainders(ut_bch *b, ut_err *e)
{
    size_t nw = b->nwords;
    uint8_t *g = ut_calloc((size_t)b->nparity + 1, 1, e);
    b->rem = ut_calloc(256 * nw, sizeof *b->rem, e);
    if (!g || !b->rem) {
        free(g);
        return UT_E_MEMORY;
    }
    generator(b, g);
    uint64_t low[UT_DIVIDE_MAX_WORDS] = { 0 }, v[UT_DIVIDE_MAX_WORDS];
    for (unsigned d = 0; d < b->nparity; d++)
        if (g[b->nparity - 1 - d]) low[d / 64] |= (uint64_t)1 << (63 - d % 64);
    free(g);
    memcpy(v, low, sizeof v);
    for (size_t bit = 0; bit < 8; bit++) {
        size_t top = (size_t)1 << bit;
        for (size_t x = top; x < 2 * top; x++)
            for (size_t k = 0; k < nw; k++) b->rem[x * nw + k] = b->rem[(x - top) * nw + k] ^ v[k];
        uint64_t carry = v[0] >> 63;
        for (size_t k = 0; k < nw; k++) v[k] = (v[k] << 1 | (k + 1 < nw ? v[k + 1] >> 63 : 0)) ^ (carry ? low[k] : 0);
    }
    return UT_OK;
}

static ut_status build_decoder(ut_bch *b, ut_err *e)
{
    const ut_gf *f = &b->gf;
    size_t t = b->t;
    uint32_t pad = (8 - b->nparity % 8) % 8;
    b->byte_value = ut_calloc(256 * t, sizeof *b->byte_value, e);
    if (!b->byte_value) return UT_E_MEMORY;
    for (size_t j = 0; j < t; j++) {
        uint32_t odd = (uint32_t)(2 * j + 1);
        b->step_log[j] = 8 * odd % f->n;
        b->unpad_log[j] = (f->n - pad * odd % f->n) % f->n;
        for (uint32_t bit = 0; bit < 8; bit++)
            for (size_t x = (size_t)1 << bit; x < (size_t)2 << bit; x++)
                b->byte_value[x * t + j] = b->byte_value[(x - ((size_t)1 << bit)) * t + j] ^ f->exp[bit * odd % f->n];
    }
    return ut_gf_fft_init(&b->fft, f, b->t, e);
}

ut_status ut_bch_init(ut_bch *b, unsigned m, unsigned t, bool decoder, ut_err *e)
{
    *b = (ut_bch){ .m = m, .t = t, .nparity = ut_bch_nparity(m, t) };
    if (!b->nparity) return ut_fail(e, UT_E_INTERNAL, "no BCH code of length 2^%u - 1 corrects %u bits", m, t);
    b->nwords = (b->nparity + 63) / 64;
    if (b->nwords > UT_DIVIDE_MAX_WORDS || b->nparity < 8)
        return ut_fail(e, UT_E_INTERNAL, "the BCH code of length 2^%u - 1 for %u bits is out of range", m, t);
    ut_status s = ut_gf_init(&b->gf, m, e);
    if (s == UT_OK) s = build_remainders(b, e);
    if (s == UT_OK && decoder) s = build_decoder(b, e);
    if (s != UT_OK) ut_bch_free(b);
    return s;
}

void ut_bch_free(ut_bch *b)
{
    free(b->rem);
    free(b->byte_value);
    ut_gf_free(&b->gf);
    ut_gf_fft_free(&b->fft);
    *b = (ut_bch){ 0 };
}

void ut_bch_encode(const ut_bch *b, const uint8_t *data, size_t nbytes, uint8_t *parity)
{
    uint64_t reg[UT_DIVIDE_MAX_WORDS] = { 0 };
    ut_divide(b->rem, b->nwords, reg, data, nbytes);
    for (size_t i = 0; i < (b->nparity + 7) / 8; i++) parity[i] = ut_divide_byte(reg, i);
}

void ut_bch_encode_bits(const ut_bch *b, const uint8_t *data, size_t nbytes, uint8_t *bits)
{
    uint8_t parity[UT_DIVIDE_MAX_WORDS * 8];
    ut_bch_encode(b, data, nbytes, parity);
    ut_bits_spread(data, 8 * nbytes, bits);
    ut_bits_spread(parity, b->nparity, bits + 8 * nbytes);
}
