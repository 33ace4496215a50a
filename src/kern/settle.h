/* Settling a block pixel by pixel: which single step of one pixel's luma, up or down, does most to bring the block's 64
 * coefficients into their intervals.  Single precision; every instruction set sums eight lanes in the same order and none fuses
 * a product with a sum, so the results are the same to the last bit.  repro: exact between instruction sets. */
#ifndef UT_KERN_SETTLE_H
#define UT_KERN_SETTLE_H

typedef struct ut_settle_block {
    float c[64];          /* coefficients, row by row */
    float lo[64], hi[64]; /* where each should be; +-1e9 where it does not matter */
    float price[2][64];   /* of a step down, up at each pixel; 1e9 where there is none */
} ut_settle_block;

typedef struct ut_settle {
    /* Sum of squares outside the intervals after c += step * basis. */
    float (*outside)(const ut_settle_block *s, float step, const float basis[64]);
    /* Of the steps that the gradient of `outside` likes best, one for each column of pixels and direction, the one with the least
     * outside + mu * price, if that is below `now`.  basis: [pixel], coefficients of that pixel alone.
     * Returns pixel + 64 * (up) and what is then outside, or -1. */
    int (*choose)(const ut_settle_block *s, const float basis[64][64], float mu, float now, float *outside);
    const char *name;
} ut_settle;

const ut_settle *ut_settle_get(void);   /* the fastest that this processor runs */
const ut_settle *ut_settle_plain(void); /* the reference, for tests */
#endif
