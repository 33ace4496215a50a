/* Remainders of byte strings by a fixed polynomial over GF(2) or GF(256), a byte a step from a table.
 * The register holds the remainder left-aligned: bit 63 of word 0 is its leading coefficient (bit or byte).
 * repro: exact. */
#ifndef UT_STAGE_FEC_DIVIDE_H
#define UT_STAGE_FEC_DIVIDE_H
#include <stddef.h>
#include <stdint.h>

#define UT_DIVIDE_MAX_WORDS 64u

/* table: [256][nwords], row b the remainder of b(x) x^deg.  reg: [nwords], read and written. */
static inline void ut_divide(const uint64_t *table, size_t nwords, uint64_t *reg, const uint8_t *p, size_t nbytes)
{
    for (size_t i = 0; i < nbytes; i++) {
        const uint64_t *row = table + ((reg[0] >> 56) ^ p[i]) * nwords;
        for (size_t k = 0; k + 1 < nwords; k++) reg[k] = (reg[k] << 8 | reg[k + 1] >> 56) ^ row[k];
        reg[nwords - 1] = reg[nwords - 1] << 8 ^ row[nwords - 1];
    }
}

static inline uint8_t ut_divide_byte(const uint64_t *reg, size_t i) { return (uint8_t)(reg[i / 8] >> (56 - 8 * (i % 8))); }
#endif
