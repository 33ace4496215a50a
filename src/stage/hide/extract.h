/* Reading a received picture's lattice: log-likelihood ratios that know the cells' widths and how blurred they are. */
#ifndef UT_STAGE_HIDE_EXTRACT_H
#define UT_STAGE_HIDE_EXTRACT_H
#include "stage/hide/lattice.h"

/* What came back: a JPEG's own coefficients if there are any, else the pixels. Borrowed. */
typedef struct ut_view {
    const ut_jpeg_coefs *jpeg; /* NULL or nplanes 0: use picture */
    const ut_picture *picture;
} ut_view;
uint32_t ut_view_width(const ut_view *v);
uint32_t ut_view_height(const ut_view *v);

/* Luma coefficients (dequantised, or the DCT of the pixels' luma) of one block. */
void ut_view_block(const ut_view *v, uint32_t bx, uint32_t by, float c[64]);

/* llr[i] for carrier i: ln P(0)/P(1) in 1/8, about linear in the distance to the cell's edge (exact for Gaussian noise
 * about a cell's centre), scaled per frequency by how sharply the received values keep to the centres (the resultant
 * length of the phase, Mardia and Jupp 2000, 2.3.1).  Soft only: no bit depends on exact floats. */
UT_MUST_CHECK ut_status ut_extract(const ut_view *v, const ut_lattice *l, const ut_carriers *c, int8_t *llr,
                                   unsigned nthreads, ut_err *e);

#endif
