/* Reed-Solomon codes over GF(256), errors and erasures, shortened from length 255 (Reed, Solomon 1960).
 *
 * Field polynomial 0x11d; g(x) = (x - 1)(x - alpha) ... (x - alpha^(nroots-1)).  A word is the data followed by nroots
 * parity bytes; its first byte is the coefficient of the highest power.  Corrects e errors and f erasures where
 * 2e + f <= nroots.  repro: exact.
 */
#ifndef UT_STAGE_FEC_RS_H
#define UT_STAGE_FEC_RS_H
#include "stage/fec/gf.h"

#define UT_RS_MAX_ROOTS 192u

typedef struct ut_rs {
    unsigned nroots; /* multiple of 8 */
    size_t nwords;
    uint64_t *rem;      /* [256][nwords], owned: see divide.h */
    uint8_t *times;     /* [nroots][256], owned: product of a byte with alpha^j */
    ut_gf gf;
    ut_gf_fft fft;
} ut_rs;

UT_MUST_CHECK ut_status ut_rs_init(ut_rs *r, unsigned nroots, ut_err *e);
void ut_rs_free(ut_rs *r);

/* parity: [nroots].  1 <= nbytes <= 255 - nroots. */
void ut_rs_encode(const ut_rs *r, const uint8_t *data, size_t nbytes, uint8_t *parity);

/* word: [nbytes], nroots < nbytes <= 255, corrected in place.  erased: positions in the word, distinct.  Returns how many
 * bytes were changed, or -1 (nothing changed) if the word is beyond repair, as far as the code can tell. */
int ut_rs_decode(const ut_rs *r, uint8_t *word, size_t nbytes, const uint8_t *erased, size_t nerased);

/* The same on a block of bits: bits and llr [8 (nbytes + nroots)], data [nbytes].  A byte with a ratio of 0 is erased; if
 * that fails, so are the least reliable bytes, in growing numbers (generalised minimum distance, Forney 1966). */
void ut_rs_encode_bits(const ut_rs *r, const uint8_t *data, size_t nbytes, uint8_t *bits);
bool ut_rs_decode_llr(const ut_rs *r, const int8_t *llr, uint8_t *data, size_t nbytes, size_t *nbits_corrected);
#endif
