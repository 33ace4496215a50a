#include "stage/fec/hamming.h"
#include "stage/fec/gf.h"
#include <string.h>

void ut_hamming_init(ut_hamming *h, unsigned r, unsigned k, bool overall)
{
    unsigned poly = ut_gf_poly(r), x = 1;
    *h = (ut_hamming){ .r = r, .k = k, .overall = overall };
    for (unsigned p = 0; p < (1u << r) - 1; p++) {
        h->column[p] = (uint8_t)x;
        h->place[x] = (uint8_t)p;
        x <<= 1;
        if (x >> r) x ^= poly;
    }
}

size_t ut_hamming_nbits(unsigned r, unsigned k, bool overall, size_t nbytes)
{
    size_t nwords = (8 * nbytes + k - 1) / k;
    return 8 * nbytes + nwords * (r + overall);
}

void ut_hamming_encode_bits(const ut_hamming *h, const uint8_t *data, size_t nbytes, uint8_t *bits)
{
    for (size_t at = 0; at < 8 * nbytes; at += h->k) {
        size_t k = 8 * nbytes - at < h->k ? 8 * nbytes - at : h->k;
        unsigned s = 0, all = 0;
        for (size_t i = 0; i < k; i++) {
            unsigned b = data[(at + i) / 8] >> (7 - (at + i) % 8) & 1u;
            *bits++ = (uint8_t)b;
            s ^= b ? h->column[h->r + k - 1 - i] : 0u;
            all ^= b;
        }
        for (unsigned j = h->r; j-- > 0;) {
            *bits++ = s >> j & 1u;
            all ^= s >> j & 1u;
        }
        if (h->overall) *bits++ = (uint8_t)all;
    }
}

/* One word of k data bits; true unless an uncorrectable error shows. */
static bool word(const ut_hamming *h, const int8_t *llr, size_t k, uint8_t *bits, size_t *ncorrected)
{
    size_t n = k + h->r;
    unsigned s = 0, all = 0;
    for (size_t i = 0; i < n; i++) {
        bits[i] = llr[i] < 0;
        s ^= bits[i] ? h->column[n - 1 - i] : 0u;
        all ^= bits[i];
    }
    if (h->overall) {
        all ^= llr[n] < 0;
        if (s && !all) return false; /* two errors */
        if (!s && all) { /* the overall parity bit itself */
            *ncorrected += llr[n] != 0;
            return true;
        }
    }
    if (!s) return true;
    size_t p = h->place[s];
    if (p >= n) return false; /* in the part that shortening left out */
    bits[n - 1 - p] ^= 1;
    *ncorrected += llr[n - 1 - p] != 0;
    return true;
}

bool ut_hamming_decode_llr(const ut_hamming *h, const int8_t *llr, uint8_t *data, size_t nbytes,
                           size_t *ncorrected)
{
    uint8_t bits[128];
    memset(data, 0, nbytes);
    for (size_t at = 0; at < 8 * nbytes; at += h->k) {
        size_t k = 8 * nbytes - at < h->k ? 8 * nbytes - at : h->k;
        if (!word(h, llr, k, bits, ncorrected)) return false;
        for (size_t i = 0; i < k; i++)
            if (bits[i]) data[(at + i) / 8] |= (uint8_t)(0x80 >> (at + i) % 8);
        llr += k + h->r + h->overall;
    }
    return true;
}
