/* Moving a photo's coefficients to where their bits are safe: clip-aware, in 8-bit pixels, block by block. */
#ifndef UT_STAGE_HIDE_EMBED_H
#define UT_STAGE_HIDE_EMBED_H
#include "stage/hide/place.h"
#include "stage/hide/scs.h"

/* What each coefficient is to carry: one byte a position. */
enum { UT_PUSH_STEPS = 4, UT_FREE = 0xff, UT_WANT_LAYER2 = 2 }; /* value = bit, + UT_WANT_LAYER2 for the preamble's lattice */

enum { UT_AIM_UNIT = 16, UT_AIM_NONE = INT16_MIN };

typedef struct ut_embedding {
    const ut_picture *cover;
    ut_grid grid;
    uint8_t *want;            /* [nblocks][64], owned */
    uint8_t *push;            /* [nblocks][64], owned: extra margin, in 1/UT_PUSH_STEPS of a coefficient unit */
    uint8_t *dirty;           /* [nblocks], owned: non-zero = ut_embed has to do this block (again) */
    int16_t *aim;             /* [nblocks][64], owned: where coefficients are to lie, in 1/UT_AIM_UNIT, instead of want; NULL: want decides */
    uint8_t *guide;           /* [nblocks][64], owned: logarithms of weights on squared moves (guide.h), set by whoever has a guide; NULL: usual weights */
    float tolerance;          /* and how far from there they may */
    const ut_place *layer[2]; /* payload's and preamble's safe intervals; [0] may be NULL if nothing wants it */
    const uint16_t *hold;     /* [64], borrowed: the channel's steps; where a block is changed, coefficients that carry nothing keep to their cells.  NULL: they may go anywhere */
    float slack;              /* after rounding to 8 bit a coefficient may lie this far outside its interval */
} ut_embedding;

UT_MUST_CHECK ut_status ut_embedding_init(ut_embedding *m, const ut_picture *cover, ut_err *e);
void ut_embedding_free(ut_embedding *m);
void ut_embedding_want(ut_embedding *m, const ut_carriers *c, const uint8_t *bits, uint8_t layer); /* marks dirty */

/* Dithered carriers instead of wants: mark the carriers with their bits (ut_scs_bit), of one of two kinds,
 * then settle what each coefficient of the cover is to become; kind 0 in still blocks (NULL: none) stays as it is.  UT_E_MEMORY only. */
UT_MUST_CHECK ut_status ut_embedding_aim(ut_embedding *m, const ut_scs_carriers *c, const uint8_t *bits, size_t nbits, unsigned kind,
                                         ut_err *e);
void ut_embedding_settle(ut_embedding *m, const float width[2], const float alpha[2], const uint8_t *still, unsigned nthreads);

/* The still blocks: the `share` of them with the least energy but DC's in the cover. still: [nblocks], 1 or 0. */
UT_MUST_CHECK ut_status ut_embed_still(const ut_picture *cover, double share, uint8_t *still, unsigned nthreads, ut_err *e);

/* What parity 1 of every position costs more than parity 0 on the payload's lattice, in squared moves times scale and a weight (m->guide's;
 * without, less in lively blocks), within +-most.  cost: [nblocks][64]. */
void ut_embed_costs(const ut_embedding *m, float scale, int most, int16_t *cost, unsigned nthreads);

/* The same of single carriers on a layer's lattice, scaled so that their mean is `mean`. cost: [c->n]. */
void ut_embed_costs_at(const ut_embedding *m, const ut_carriers *c, unsigned layer, float mean, int most, int16_t *cost);

/* Writes the dirty blocks of stego (same size as cover; other blocks are left as they are) and clears their marks.
 * R, G and B of a pixel move by what changes luma at the least cost (a grey picture's alike); where that would leave 0..255 the block settles on the
 * nearest reachable pixels by alternating projections (POCS; Youla and Webb 1982) between the pixel range and the
 * safe intervals, for which DC and unused frequencies are free to give way. */
void ut_embed(ut_embedding *m, ut_picture *stego, unsigned nthreads);

/* Luma as libjpeg's encoder computes it (jccolor.c's 16-bit fixed point), so that nothing is left to chance. */
static inline int ut_luma8(unsigned r, unsigned g, unsigned b)
{
    return (int)((19595u * r + 38470u * g + 7471u * b + 32768u) >> 16);
}
/* Level-shifted luma of the 8x8 pixels from (x, y) on, and of block (bx, by). */
void ut_luma_pixels(const ut_picture *p, uint32_t x, uint32_t y, float l[64]);
void ut_luma_block(const ut_picture *p, uint32_t bx, uint32_t by, float y[64]);
#endif
