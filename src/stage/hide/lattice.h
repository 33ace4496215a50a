/* The lattice (mode 0 of the hide stage): where bits sit in a picture and how wide their cells are.
 *
 * Luma (JFIF, ITU-T T.871) of every whole 8x8 block goes through the orthonormal DCT.  Frequency k has cells of width
 * W[k]; coefficient c lies in cell n = round(c / W[k]) and carries the bit n mod 2.  Where W is the channel's own
 * quantiser step the channel itself does the rounding (matched: about W^2/24 of distortion); for a range of qualities W
 * follows the coarsest table.  Sender and receiver derive everything here from the header alone.  repro: exact.
 */
#ifndef UT_STAGE_HIDE_LATTICE_H
#define UT_STAGE_HIDE_LATTICE_H
#include "base/picture.h"
#include "base/rng.h"

#define UT_LATTICE_UNIT 16 /* widths are in 1/16 of a coefficient unit */

typedef struct ut_lattice {
    uint16_t width[64]; /* row by row, in 1/16; [0] (DC) is 0: never a carrier */
    uint8_t order[63];  /* frequencies, narrowest cell first, then zigzag order: the order in which they are used */
} ut_lattice;

extern const uint8_t ut_zigzag[64]; /* T.81 figure A.6: natural index of the i-th coefficient in zigzag order */

/* quant: row by row; scale: in 1/16, 16 = the table itself.  A width below 28 sixteenths is
 * tripled; at most 65,535 sixteenths. */
void ut_lattice_init(ut_lattice *l, const uint16_t quant[64], unsigned scale);

/* T.81 Annex K.1 (luma) or K.2 (chroma) at an IJG quality 1..100, as libjpeg computes it. */
void ut_ijg_table(unsigned quality, bool chroma, uint16_t quant[64]);

/* Where the bits of one message go.  A position is 64 * block + frequency; blocks count row by row over whole blocks. */
typedef struct ut_grid {
    uint32_t blocks_w, blocks_h;
} ut_grid;
static inline ut_grid ut_grid_of(uint32_t width, uint32_t height) { return (ut_grid){ width / 8, height / 8 }; }
static inline size_t ut_grid_nblocks(ut_grid g) { return (size_t)g.blocks_w * g.blocks_h; }

typedef struct ut_carriers {
    uint32_t *pos; /* [n], distinct, owned */
    size_t n;
} ut_carriers;
void ut_carriers_free(ut_carriers *c);

/* n distinct positions among the `nfreq` first frequencies of `order`, drawn one by one from the stream, none of them in
 * `taken` (a bitmap over positions, ut_taken_new), and marked there.  For the few bits of salt and header.
 * UT_E_CAPACITY: the picture is too small. */
UT_MUST_CHECK ut_status ut_carriers_draw(ut_carriers *c, ut_grid g, const uint8_t *order, unsigned nfreq, size_t n,
                                         ut_stream *s, uint8_t *taken, ut_err *e);
/* n positions for the payload: frequencies in order, all of one before the next, the last one's blocks chosen by the
 * stream; then all shuffled.  nfreq_used: how many frequencies were touched. */
UT_MUST_CHECK ut_status ut_carriers_fill(ut_carriers *c, ut_grid g, const uint8_t order[63], size_t n, ut_stream *s,
                                         const uint8_t *taken, unsigned *nfreq_used, ut_err *e);
uint8_t *ut_taken_new(ut_grid g, ut_err *e); /* free() */
static inline bool ut_taken(const uint8_t *t, uint32_t pos) { return t[pos >> 3] >> (pos & 7) & 1; }
#endif
