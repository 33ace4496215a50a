/* Between bytes (most significant bit first), bits (one a byte) and hard decisions of log-likelihood ratios. */
#ifndef UT_STAGE_FEC_BITS_H
#define UT_STAGE_FEC_BITS_H
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* The first nbits bits of p. */
static inline void ut_bits_spread(const uint8_t *p, size_t nbits, uint8_t *bits)
{
    for (size_t i = 0; i < nbits; i++) bits[i] = p[i / 8] >> (7 - i % 8) & 1;
}

/* Bit 1 where the ratio is negative; the last byte is padded with zeros. */
static inline void ut_bits_hard(const int8_t *llr, size_t nbits, uint8_t *p)
{
    size_t i = 0;
    for (; i + 8 <= nbits; i += 8) {
        uint64_t v;
        memcpy(&v, llr + i, 8);
        v = v >> 7 & 0x0101010101010101u; /* the eight sign bits */
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
        p[i / 8] = (uint8_t)((v * 0x8040201008040201u) >> 56 & 0xff);
#else
        p[i / 8] = (uint8_t)((v * 0x0102040810204080u) >> 56 & 0xff);
#endif
    }
    if (i < nbits) p[i / 8] = 0;
    for (; i < nbits; i++) p[i / 8] = (uint8_t)(p[i / 8] | (llr[i] < 0 ? 0x80 >> i % 8 : 0));
}

static inline size_t ut_bits_nonzero(const int8_t *llr, size_t n)
{
    size_t k = 0;
    for (size_t i = 0; i < n; i++) k += llr[i] != 0;
    return k;
}
#endif
