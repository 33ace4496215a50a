/* Syndromes from the remainder, Berlekamp-Massey with every other step left out (binary codes: S_2j = S_j^2), roots by
 * additive Fourier transform. */
#include "stage/fec/bch.h"
#include "stage/fec/bits.h"
#include "stage/fec/divide.h"

typedef struct scratch {
    uint32_t pos[UT_BCH_MAX_T];
    uint16_t synd_rev[2 * UT_BCH_MAX_T + 1]; /* S_1 .. S_2t backwards: S_j at [2t - j] */
    uint16_t sigma[2 * UT_BCH_MAX_T + 2], prev[2 * UT_BCH_MAX_T + 2], keep[2 * UT_BCH_MAX_T + 2];
    uint16_t values[]; /* [2^m] */
} scratch;

size_t ut_bch_work_nbytes(const ut_bch *b) { return sizeof(scratch) + (sizeof(uint16_t) << b->m); }

/* rem: the received word modulo g, in bytes. */
static void syndromes(const ut_bch *b, const uint8_t *rem, size_t nbytes, uint16_t *synd_rev)
{
    const ut_gf *f = &b->gf;
    size_t t = b->t;
    uint16_t s[UT_BCH_MAX_T] = { 0 };
    for (size_t i = 0; i < nbytes; i++) {
        const uint16_t *v = b->byte_value + rem[i] * t;
        for (size_t j = 0; j < t; j++) s[j] = f->exp[f->log[s[j]] + b->step_log[j]] ^ v[j];
    }
    for (size_t j = 0; j < t; j++) synd_rev[2 * t - (2 * j + 1)] = f->exp[f->log[s[j]] + b->unpad_log[j]];
    for (size_t j = 1; j <= t; j++) {
        uint16_t r = synd_rev[2 * t - j];
        synd_rev[2 * t - 2 * j] = ut_gf_mul(f, r, r);
    }
}

/* Degree of the locator in w->sigma, or -1 if no locator of degree <= t explains the syndromes. */
static int locator(const ut_bch *b, scratch *w)
{
    const ut_gf *f = &b->gf;
    unsigned t = b->t, len = 0, shift = 1;
    uint16_t last = 1;
    memset(w->sigma, 0, sizeof w->sigma);
    memset(w->prev, 0, sizeof w->prev);
    w->sigma[0] = w->prev[0] = 1;
    for (unsigned n = 0; n < 2 * t; n += 2) {
        const uint16_t *s = w->synd_rev + 2 * t - n - 1; /* s[i] = S_(n+1-i) */
        uint16_t d = 0;
        for (unsigned i = 0; i <= len; i++) d ^= ut_gf_mul(f, w->sigma[i], s[i]);
        if (!d) {
            shift += 2;
            continue;
        }
        uint32_t q = f->log[ut_gf_div(f, d, last)];
        bool longer = 2 * len <= n;
        if (longer) memcpy(w->keep, w->sigma, (t + 1) * sizeof *w->keep);
        for (unsigned i = 0; i + shift <= t; i++) w->sigma[i + shift] ^= f->exp[f->log[w->prev[i]] + q];
        if (longer) {
            len = n + 1 - len;
            if (len > t) return -1;
            memcpy(w->prev, w->keep, (t + 1) * sizeof *w->prev);
            last = d;
            shift = 0;
        }
        shift += 2;
    }
    return w->sigma[len] ? (int)len : -1; /* a locator shorter than the register has a root at infinity: no word */
}

int ut_bch_decode(const ut_bch *b, uint8_t *data, size_t nbytes, uint8_t *parity, void *work)
{
    scratch *w = work;
    uint64_t reg[UT_DIVIDE_MAX_WORDS] = { 0 };
    uint8_t rem[UT_DIVIDE_MAX_WORDS * 8], any = 0;
    size_t nparity_bytes = (b->nparity + 7) / 8, nbits = 8 * nbytes + b->nparity;
    ut_divide(b->rem, b->nwords, reg, data, nbytes);
    for (size_t i = 0; i < nparity_bytes; i++) any |= rem[i] = ut_divide_byte(reg, i) ^ parity[i];
    if (!any) return 0;

    syndromes(b, rem, nparity_bytes, w->synd_rev);
    int degree = locator(b, w);
    if (degree < 0) return -1;
    if (ut_gf_roots(&b->fft, &b->gf, w->sigma, (unsigned)degree, w->values, w->pos) != (size_t)degree) return -1;
    for (int i = 0; i < degree; i++)
        if (w->pos[i] >= nbits) return -1; /* in the part that shortening left out */
    for (int i = 0; i < degree; i++) {
        size_t at = nbits - 1 - w->pos[i]; /* from the word's first bit */
        uint8_t *p = at < 8 * nbytes ? data : parity;
        if (at >= 8 * nbytes) at -= 8 * nbytes;
        p[at / 8] ^= (uint8_t)(0x80 >> at % 8);
    }
    return degree;
}

bool ut_bch_decode_llr(const ut_bch *b, const int8_t *llr, uint8_t *data, size_t nbytes, void *work,
                       size_t *ncorrected)
{
    uint8_t parity[UT_DIVIDE_MAX_WORDS * 8];
    ut_bits_hard(llr, 8 * nbytes, data);
    ut_bits_hard(llr + 8 * nbytes, b->nparity, parity);
    int n = ut_bch_decode(b, data, nbytes, parity, work);
    if (n < 0) return false;
    *ncorrected = (size_t)n;
    return true;
}
