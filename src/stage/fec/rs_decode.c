/* Syndromes from the remainder, Berlekamp-Massey started at the erasure locator (Blahut, "Algebraic Codes for Data
 * Transmission", 2003, ch. 7), roots by additive Fourier transform, values by Forney's formula. */
#include "stage/fec/bits.h"
#include "stage/fec/divide.h"
#include "stage/fec/rs.h"

#define MAX_POLY (UT_RS_MAX_ROOTS + 2)

static bool syndromes(const ut_rs *r, const uint8_t *word, size_t nbytes, uint8_t *s)
{
    uint64_t reg[UT_DIVIDE_MAX_WORDS] = { 0 };
    size_t nr = r->nroots;
    uint8_t any = 0;
    ut_divide(r->rem, r->nwords, reg, word, nbytes - nr);
    memset(s, 0, nr);
    for (size_t i = 0; i < nr; i++) {
        uint8_t c = ut_divide_byte(reg, i) ^ word[nbytes - nr + i];
        any |= c;
        for (size_t j = 0; j < nr; j++) s[j] = r->times[j * 256 + s[j]] ^ c;
    }
    return any != 0;
}

/* sigma: [MAX_POLY], holds the erasure locator of degree f; becomes the locator of all.  Returns its degree or -1. */
static int locator(const ut_rs *r, const uint8_t *s, unsigned f, uint16_t *sigma)
{
    const ut_gf *g = &r->gf;
    unsigned nr = r->nroots, len = f;
    uint16_t prev[MAX_POLY], next[MAX_POLY];
    memcpy(prev, sigma, sizeof prev);
    for (unsigned n = f; n < nr; n++) {
        uint16_t d = 0;
        for (unsigned i = 0; i <= len; i++) d ^= ut_gf_mul(g, sigma[i], s[n - i]);
        memmove(prev + 1, prev, (nr + 1) * sizeof *prev); /* prev *= x */
        prev[0] = 0;
        if (!d) continue;
        uint32_t dl = g->log[d], dinv = g->n - dl;
        for (unsigned i = 0; i <= nr; i++) next[i] = sigma[i] ^ g->exp[g->log[prev[i]] + dl];
        if (2 * len <= n + f) {
            len = n + 1 + f - len;
            for (unsigned i = 0; i <= nr; i++) prev[i] = g->exp[g->log[sigma[i]] + dinv];
        }
        memcpy(sigma, next, (nr + 1) * sizeof *sigma);
    }
    return len <= nr && sigma[len] ? (int)len : -1;
}

/* Positions (powers) of the locator's roots.  Locators of more than 128 places, which only erasures can give, are too
 * long for the transform and searched one by one. */
static size_t roots(const ut_rs *r, const uint16_t *sigma, unsigned degree, uint32_t *pos)
{
    const ut_gf *g = &r->gf;
    uint16_t work[256];
    if (degree <= 128) return ut_gf_roots(&r->fft, g, sigma, degree, work, pos);
    size_t found = 0;
    for (uint32_t p = 0; p < g->n; p++) {
        uint16_t v = 0;
        for (unsigned i = 0; i <= degree; i++) v ^= g->exp[g->log[sigma[i]] + (g->n - p) % g->n * i % g->n];
        if (!v && found < degree) pos[found++] = p;
    }
    return found;
}

/* Forney: with omega = s sigma mod x^nroots, the value at X is X omega(1/X) / sigma'(1/X) (first root alpha^0). */
static void values(const ut_rs *r, const uint8_t *s, const uint16_t *sigma, unsigned degree, const uint32_t *pos,
                   uint8_t *value)
{
    const ut_gf *g = &r->gf;
    uint16_t omega[MAX_POLY] = { 0 };
    for (unsigned i = 0; i < degree; i++) /* omega has degree < that of sigma */
        for (unsigned k = 0; k <= i; k++) omega[i] ^= ut_gf_mul(g, sigma[k], s[i - k]);
    for (unsigned e = 0; e < degree; e++) {
        uint32_t inv = (g->n - pos[e]) % g->n, at = 0;
        uint16_t num = 0, den = 0;
        for (unsigned i = 0; i < degree; i++) {
            num ^= g->exp[g->log[omega[i]] + at];
            if (i % 2 == 0) den ^= g->exp[g->log[sigma[i + 1]] + at];
            at = at + inv >= g->n ? at + inv - g->n : at + inv;
        }
        value[e] = den ? (uint8_t)ut_gf_mul(g, g->exp[pos[e]], ut_gf_div(g, num, den)) : 0;
    }
}

int ut_rs_decode(const ut_rs *r, uint8_t *word, size_t nbytes, const uint8_t *erased, size_t nerased)
{
    const ut_gf *g = &r->gf;
    uint8_t s[UT_RS_MAX_ROOTS], value[UT_RS_MAX_ROOTS];
    uint16_t sigma[MAX_POLY] = { 1 };
    uint32_t pos[UT_RS_MAX_ROOTS];
    if (!syndromes(r, word, nbytes, s)) return 0;
    if (nerased > r->nroots) return -1;
    for (size_t i = 0; i < nerased; i++) {
        uint16_t x = g->exp[nbytes - 1 - erased[i]];
        for (size_t d = i + 1; d > 0; d--) sigma[d] ^= ut_gf_mul(g, sigma[d - 1], x);
    }
    int degree = locator(r, s, (unsigned)nerased, sigma);
    if (degree < 0 || 2 * (size_t)degree > r->nroots + nerased) return -1;
    if (degree == 0 || roots(r, sigma, (unsigned)degree, pos) != (size_t)degree) return -1;
    for (int i = 0; i < degree; i++)
        if (pos[i] >= nbytes) return -1;
    values(r, s, sigma, (unsigned)degree, pos, value);
    int changed = 0;
    for (int i = 0; i < degree; i++) {
        word[nbytes - 1 - pos[i]] ^= value[i];
        changed += value[i] != 0;
    }
    return changed;
}

/* The f least reliable places, f at most `most`, never splitting a tie: returns how many. */
static size_t least_reliable(const uint8_t *rel, size_t n, size_t most, uint8_t *place)
{
    size_t hist[129] = { 0 }, f = 0;
    unsigned level = 0;
    for (size_t i = 0; i < n; i++) hist[rel[i]]++;
    for (size_t sum = 0; level < 129 && sum + hist[level] <= most; level++) sum += hist[level];
    for (size_t i = 0; i < n; i++)
        if (rel[i] < level) place[f++] = (uint8_t)i;
    return f;
}

/* Beyond the zeros, erase at most so many that miscorrection stays unlikely: 8 roots remain for errors. */
static int soft_trials(const ut_rs *r, uint8_t *word, size_t nbytes, const uint8_t *rel, size_t nzeros)
{
    uint8_t place[255];
    size_t tried = nzeros;
    for (size_t k = 1; k <= 6; k++) {
        size_t most = r->nroots * k / 6;
        if (most + 8 > r->nroots) most = r->nroots - 8;
        size_t f = least_reliable(rel, nbytes, most, place);
        if (f <= tried) continue;
        int n = ut_rs_decode(r, word, nbytes, place, f);
        if (n >= 0) return n;
        tried = f;
    }
    return -1;
}

bool ut_rs_decode_llr(const ut_rs *r, const int8_t *llr, uint8_t *data, size_t nbytes, size_t *nbits_corrected)
{
    size_t n = nbytes + r->nroots, nzeros = 0, wrong = 0;
    uint8_t word[255], hard[255], rel[255], place[255] = { 0 };
    ut_bits_hard(llr, 8 * n, hard);
    memcpy(word, hard, n);
    for (size_t i = 0; i < n; i++) {
        int low = 128;
        for (size_t k = 0; k < 8; k++) {
            int v = llr[8 * i + k];
            v = v < 0 ? -v : v;
            low = v < low ? v : low;
        }
        rel[i] = (uint8_t)low;
        if (!low) place[nzeros++] = (uint8_t)i;
    }
    int got = nzeros <= r->nroots ? ut_rs_decode(r, word, n, place, nzeros) : -1;
    if (got < 0) got = soft_trials(r, word, n, rel, nzeros);
    if (got < 0) return false;
    for (size_t i = 0; got && i < n; i++)
        for (uint8_t d = word[i] ^ hard[i], k = 0; d; d = (uint8_t)(d << 1), k++)
            wrong += (d & 0x80) && llr[8 * i + k]; /* an erased bit was not wrong */
    memcpy(data, word, nbytes);
    *nbits_corrected = wrong;
    return true;
}
