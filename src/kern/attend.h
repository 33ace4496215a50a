/* Kernels of the hider's network (stage/hide/condition.h) but its sums (nn.h), and of its couplings (stage/hide/inn.h): rows of floats, one value a block of
 * 8x8 pixels.  Written once (attend_impl.h) and compiled for each instruction set; plain C is the reference.  No alignment is needed; outputs must not
 * overlap inputs.  repro: about 1e-6, relative, between instruction sets.
 */
#ifndef UT_KERN_ATTEND_H
#define UT_KERN_ATTEND_H
#include <stddef.h>

/* One row of a coupling: g(x) = x + a tau x / (tau + |x|) + t, with a = e^(scale tanh(o_scale)) - 1 > -1 and t = shift tanh(o_shift). */
typedef struct ut_coupling {
    float scale, shift, tau;
} ut_coupling;

typedef struct ut_attend {
    /* y[i] = |x[i]| / (half + |x[i]|) */
    void (*feature)(const float *x, float half, float *y, size_t n);
    /* y[i] = bias + sum of w[3*r + c] * x[r][i + c - 1]; reads x[r][-1..n] */
    void (*depthwise)(const float *const x[3], const float w[9], float bias, float *y, size_t n);
    /* y[i] = scale[i] * sum over nrows rows of x[r][i-2 .. i+2]; reads x[r][-2..n+1].  column: [n + 4], for work */
    void (*box5)(const float *const *x, size_t nrows, const float *scale, float *column, float *y, size_t n);
    /* Over rows x + c*stride, c < nrows: their mean and their greatest value. */
    void (*extremes)(const float *x, size_t stride, size_t nrows, float *mean, float *most, size_t n);
    /* x[i] *= channel[i] + place[i]; either may be NULL, and means 0 */
    void (*gate)(float *x, const float *channel, const float *place, size_t n);
    /* y = g(x), and back in closed form; x and y may be the same.  NaN in o counts as 0. */
    void (*couple)(const ut_coupling *c, const float *x, const float *o_scale, const float *o_shift, float *y, size_t n);
    void (*uncouple)(const ut_coupling *c, const float *x, const float *o_scale, const float *o_shift, float *y, size_t n);
    const char *name;
} ut_attend;

const ut_attend *ut_attend_get(void);           /* the fastest that this processor runs */
const ut_attend *ut_attend_variant(unsigned i); /* 0: plain; then those that this processor runs besides; NULL behind the last */
#endif
