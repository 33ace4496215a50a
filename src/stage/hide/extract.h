/* Reading a received picture's lattice: log-likelihood ratios that know the cells' widths and how blurred they are. */
#ifndef UT_STAGE_HIDE_EXTRACT_H
#define UT_STAGE_HIDE_EXTRACT_H
#include "stage/hide/lattice.h"

/* What came back: a JPEG's own coefficients if there are any, else the pixels. Borrowed. */
typedef struct ut_view {
    const ut_jpeg_coefs *jpeg; /* NULL or nplanes 0: use picture */
    const ut_picture *picture;
    uint32_t width, height;    /* of what was hidden in, where the picture is only a part of it; 0: the picture is whole */
    uint32_t x, y;             /* where in it the picture's first pixel lies; jpeg has to be absent unless both are 0 */
} ut_view;
uint32_t ut_view_width(const ut_view *v);
uint32_t ut_view_height(const ut_view *v);

/* False where the picture does not hold all 64 pixels of that block: nothing was received of its carriers. */
bool ut_view_has(const ut_view *v, uint32_t bx, uint32_t by);

/* Luma coefficients, zeros where there is no such block (dequantised, or the DCT of the pixels' luma) of one block. */
void ut_view_block(const ut_view *v, uint32_t bx, uint32_t by, float c[64]);

/* Where each carrier's value lies: |c| / W modulo 2 in steps of 1/32 (from 0: centre of an even cell, from 32: of an odd one; 16 to 47 are an odd cell).
 * UT_PHASE_NONE where nothing was received.  phase: [c->n]. */
enum { UT_PHASE_NONE = 255 };
UT_MUST_CHECK ut_status ut_extract_phases(const ut_view *v, const ut_lattice *l, const ut_carriers *c, uint8_t *phase,
                                          unsigned nthreads, ut_err *e);

/* The coefficients themselves, NAN where nothing was received, and their phases on one lattice after another.  value: [c->n]. */
void ut_extract_values(const ut_view *v, const ut_carriers *c, float *value);
void ut_phases_of(const float *value, const ut_lattice *l, const ut_carriers *c, uint8_t *phase);

/* floor(c * per_unit) modulo 64, sign and all, of every carrier: what dithered lattices start from (scs.h); and every block's sum of
 * squared coefficients without DC, negative where the block is missing.  energy: [nblocks]. */
UT_MUST_CHECK ut_status ut_extract_steps(const ut_view *v, float per_unit, const ut_carriers *c, uint8_t *phase, float *energy,
                                         unsigned nthreads, ut_err *e);

/* Hard decisions as LLRs of +-64, 0 for what was not received. */
static inline int8_t ut_phase_hard(uint8_t phase) { return phase >= UT_PHASE_NONE ? 0 : phase >= 16 && phase < 48 ? -64 : 64; }

/* llr[i] = ln P(0)/P(1) in 1/8 from phases; llr may be the same array.  The receiver cannot know how the channel blurs;
 * it has profiles and tries them in turn:
 * 0 linear in the distance to the cell's edge (Gaussian noise about the centre), scaled by frequency after how sharply
 *   the received values keep to the centres (resultant length of the phase: Mardia and Jupp 2000, 2.3.1);
 * 1 and 2 saturate at 0.15 and 0.04 of a cell from the edge: channels that move values little, or by known steps.
 * The signs are the same in all.  Soft only: no bit depends on exact floats. */
#define UT_NPROFILES 3
void ut_phase_llrs(const ut_carriers *c, const uint8_t *phase, unsigned profile, int8_t *llr);

/* Both at once. */
UT_MUST_CHECK ut_status ut_extract(const ut_view *v, const ut_lattice *l, const ut_carriers *c, unsigned profile, int8_t *llr,
                                   unsigned nthreads, ut_err *e);
#endif
