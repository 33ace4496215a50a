/* Binary BCH codes, narrow sense, primitive length 2^m - 1, shortened (Bose, Ray-Chaudhuri 1960; Hocquenghem 1959).
 *
 * A word is `nbytes` data bytes followed by nparity bits, both most significant bit first; the data's first bit is the
 * coefficient of the highest power.  parity = data(x) x^nparity mod g(x), g = lcm of the minimal polynomials of
 * alpha, alpha^3, ... alpha^(2t-1).  Corrects t wrong bits.  repro: exact.
 */
#ifndef UT_STAGE_FEC_BCH_H
#define UT_STAGE_FEC_BCH_H
#include "stage/fec/gf.h"

#define UT_BCH_MAX_T 256u

typedef struct ut_bch {
    unsigned m, t, nparity; /* nparity is m t, or less where conjugates coincide */
    size_t nwords;
    uint64_t *rem; /* [256][nwords], owned: see divide.h */
    ut_gf gf;
    /* decoder only */
    uint16_t *byte_value;                /* [256][t], owned: a byte's value at alpha^(2j+1) */
    uint32_t step_log[UT_BCH_MAX_T];     /* log alpha^(8 (2j+1)) */
    uint32_t unpad_log[UT_BCH_MAX_T];    /* log alpha^(-pad (2j+1)), pad the bits that fill nparity up to bytes */
    ut_gf_fft fft;
} ut_bch;

/* Parity bits of the code; 0 if m or t is out of range (5..16, 1..UT_BCH_MAX_T) or nothing would be left for data. */
unsigned ut_bch_nparity(unsigned m, unsigned t);

UT_MUST_CHECK ut_status ut_bch_init(ut_bch *b, unsigned m, unsigned t, bool decoder, ut_err *e);
void ut_bch_free(ut_bch *b);

/* parity: [(nparity + 7) / 8], padding bits zero.  8 nbytes + nparity <= 2^m - 1. */
void ut_bch_encode(const ut_bch *b, const uint8_t *data, size_t nbytes, uint8_t *parity);

/* Corrects data and parity in place.  Returns how many bits were wrong, or -1 (nothing changed) if more than t were, as
 * far as the code can tell.  work: [ut_bch_work_nbytes], aligned for uint32_t. */
int ut_bch_decode(const ut_bch *b, uint8_t *data, size_t nbytes, uint8_t *parity, void *work);
size_t ut_bch_work_nbytes(const ut_bch *b);

/* The same on a block of bits: bits [8 nbytes + nparity], llr likewise.  data: [nbytes].  True if it was recovered. */
void ut_bch_encode_bits(const ut_bch *b, const uint8_t *data, size_t nbytes, uint8_t *bits);
bool ut_bch_decode_llr(const ut_bch *b, const int8_t *llr, uint8_t *data, size_t nbytes, void *work,
                       size_t *ncorrected);
#endif
