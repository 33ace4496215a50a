/* The last fractions of a unit of one block: single pixels, up or down by one unit of luma, until every coefficient is where it
 * should be. */
#ifndef UT_STAGE_HIDE_POLISH_H
#define UT_STAGE_HIDE_POLISH_H
#include <stdbool.h>
#include <stdint.h>

/* Coefficients of each pixel alone: [pixel][frequency]. */
typedef struct ut_basis {
    float of[64][64];
} ut_basis;
void ut_basis_init(ut_basis *b);

/* cover, shown: [R, G, B][pixel].  shown goes from where it is, with coefficients c, to pixels whose coefficients lie within
 * [lo, hi], as near the cover as it finds.  grey: R, G and B move alike.  False: no way found, shown is as it was.  repro: exact. */
bool ut_polish(const ut_basis *basis, const uint8_t cover[3][64], bool grey, const float c[64], const float lo[64],
               const float hi[64], uint8_t shown[3][64]);

/* Colours go back towards the cover as far as luma stays what it is. */
void ut_recolour(const uint8_t cover[3][64], uint8_t shown[3][64]);
#endif
