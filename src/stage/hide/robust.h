/* Robust form: where a message lies that has to come through noise, be it WebP's, AVIF's or a resampler's.
 *
 * Luma blocks of 8x8 as in the lattice, dithered and compensated (scs.h).  Two kinds of carriers:
 * the box (the key's salt and the sealed header under LDPC 1/6), which repeats in tiles of 64x64 blocks so that it can be read without
 * knowing the picture's size or which part of it is there, and the payload, in every other carrier of the lowest frequencies.
 * Small pictures have the box four times as dense, in tiles of 32x32.  Where the box lies and how it is dithered depends on the key alone, as
 * stretched with a salt that is the same for all (the locator); without the key there is nothing to see.
 * spec/format.md, section "Robust form", is normative.  repro: exact.
 */
#ifndef UT_STAGE_HIDE_ROBUST_H
#define UT_STAGE_HIDE_ROBUST_H
#include "stage/hide/scs.h"

#define UT_ROBUST_TILE 64u        /* blocks a side */
#define UT_ROBUST_DENSE_TILE 32u
#define UT_ROBUST_NSLOTS 4096u    /* of a tile; the i-th in a keyed order holds code bit i modulo their count */
#define UT_ROBUST_NFREQ 12u       /* the box keeps to the lowest */
#define UT_ROBUST_NTIERS 5u

/* Cell width of the box, coefficient units: 8, 12, 18, 27, 40. */
float ut_robust_box_width(unsigned tier);

/* Whether a picture of that many blocks has the dense form; false and *fits false: it is too small for any. */
bool ut_robust_dense(ut_grid g, bool *fits);

/* Carriers of the box's nbits code bits, all tiles: carrier[].bit says which.  (bx, by): the first block's place within the tile, for
 * pictures that were cropped; 0, 0 otherwise.  taken: marks them, may be NULL. */
UT_MUST_CHECK ut_status ut_robust_box(ut_scs_carriers *c, ut_grid g, bool dense, unsigned bx, unsigned by, size_t nbits,
                                      const uint8_t locator[32], uint8_t *taken, ut_err *e);

/* Every carrier of the nfreq lowest frequencies that is not taken, shuffled. */
UT_MUST_CHECK ut_status ut_robust_payload(ut_scs_carriers *c, ut_grid g, unsigned nfreq, const uint8_t carrier_key[32],
                                          const uint8_t dither_key[32], const uint8_t *taken, ut_err *e);
#endif
