/* Hamming codes in cyclic form, shortened; optionally with an overall parity bit that detects two errors (Hamming 1950).
 *
 * A word is up to k = 2^r - 1 - r data bits followed by r parity bits: data(x) x^r mod p(x), p the field polynomial of
 * GF(2^r) (gf.h), first bit the highest power; then the overall parity, if any.  Corrects one wrong bit a word.
 * A block is whole data bytes, cut into words of k bits, the last one shortened.  repro: exact.
 */
#ifndef UT_STAGE_FEC_HAMMING_H
#define UT_STAGE_FEC_HAMMING_H
#include "base/buf.h"

typedef struct ut_hamming {
    unsigned r, k;       /* parity bits without the overall one; data bits a word */
    bool overall;
    uint8_t column[128]; /* x^p mod p(x) */
    uint8_t place[128];  /* its inverse */
} ut_hamming;

void ut_hamming_init(ut_hamming *h, unsigned r, unsigned k, bool overall); /* 3 <= r <= 7, k <= 2^r - 1 - r */
size_t ut_hamming_nbits(unsigned r, unsigned k, bool overall, size_t nbytes); /* code bits of a block; nbytes < 2^32 */
void ut_hamming_encode_bits(const ut_hamming *h, const uint8_t *data, size_t nbytes, uint8_t *bits);
bool ut_hamming_decode_llr(const ut_hamming *h, const int8_t *llr, uint8_t *data, size_t nbytes,
                           size_t *ncorrected);
#endif
