/* Syndrome-trellis code (Filler, Judas, Fridrich: "Minimizing additive distortion in steganography using
 * syndrome-trellis codes", IEEE TIFS 2011): the message is the syndrome of the carriers' parities, so the sender may choose
 * which carriers to turn over and takes the cheapest.  spec/format.md, section 6, is normative.
 *
 * n carriers carry m <= n bits.  They are cut into segments that stand alone.  In a segment of N carriers and M bits carrier j
 * has a column of `height` bits, first and last one, and takes part in bits i .. i + height - 1, i = floor(j M / N), as its
 * column says; what lies beyond M falls away.  repro: exact. */
#ifndef UT_STAGE_HIDE_SYNDROME_H
#define UT_STAGE_HIDE_SYNDROME_H
#include "base/buf.h"

#define UT_SYNDROME_SEGMENT 65536u   /* carriers in a segment, at most (about) */
#define UT_SYNDROME_MIN_HEIGHT 6u
#define UT_SYNDROME_MAX_HEIGHT 12u
#define UT_SYNDROME_COST_MAX 8000    /* greatest cost of one carrier */

typedef struct ut_syndrome {
    unsigned height;
    size_t ncarriers, nbits;
} ut_syndrome;

/* height in range and nbits <= ncarriers <= 2^32 - 1. */
bool ut_syndrome_valid(const ut_syndrome *c);

/* parity: [ncarriers], chosen so that their syndrome is bits: [nbits] and the sum of costs is least.  cost: [ncarriers]; positive:
 * parity 1 costs so much more than 0; negative: the other way; within +-UT_SYNDROME_COST_MAX.  total: what was paid over
 * the cheapest parities, may be NULL. */
UT_MUST_CHECK ut_status ut_syndrome_forward(const ut_syndrome *c, const uint8_t *bits, const int16_t *cost, uint8_t *parity,
                                            uint64_t *total, unsigned nthreads, ut_err *e);

/* LLRs of the carriers -> LLRs of the bits: the sign is the product of the members' signs, the magnitude that of the least sure one
 * (min-sum).  carrier: [ncarriers], bit: [nbits]. */
UT_MUST_CHECK ut_status ut_syndrome_reverse(const ut_syndrome *c, const int8_t *carrier, int8_t *bit, unsigned nthreads, ut_err *e);
#endif
