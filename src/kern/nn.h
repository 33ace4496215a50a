/* Kernels of the neural networks: sums of weighted rows (every convolution and matrix product comes down to them), the LSTM's step, and a few functions
 * of many numbers.  Written once (nn_impl.h) and compiled for each instruction set; plain C is the reference.
 * repro: about 1e-6 of the greatest term between instruction sets (order of additions, fused multiply-add).
 */
#ifndef UT_KERN_NN_H
#define UT_KERN_NN_H
#include <stddef.h>

#define UT_NN_OUT 8   /* outputs that ut_nn_rows computes at once */
#define UT_NN_COLS 16 /* columns come in multiples of this */
#define UT_NN_UNITS 16 /* LSTM units that lie together */

/* y[m][s] = act(bias[m] + sum over j of w[j*w_stride + m] * x[j][s]),  m < ny <= 8,  s < ncols;  act(v) = v > 0 ? v : slope[m]*v.
 * w, bias and slope are read for all 8 outputs, however few are stored.  No alignment is needed, and y must not be among x. */
typedef struct ut_nn_sum {
    size_t nterms;
    const float *const *x;
    const float *w;
    size_t w_stride;
    const float *bias, *slope; /* [8]; slope may be NULL: linear */
    float *y;
    size_t y_stride, ny, ncols;
} ut_nn_sum;

/* One step of nseq (1 or 2) LSTMs that share their weights (gate order i, f, g, o; c' = s(f)c + s(i)tanh(g), h' = s(o)tanh(c')).
 * Units are padded to groups of 16; weights of the padding are zero.  gates: what the input gives, without bias. */
typedef struct ut_nn_lstm {
    size_t nunits, ngroups;       /* units, and groups of 16 */
    const float *recurrent;       /* [group][unit before][gate 4][16] */
    const float *bias;            /* [group][gate][16] */
    size_t nseq;
    const float *gates[2];        /* [group][gate][16] */
    const float *before[2];       /* h, [ngroups*16] */
    float *after[2], *cell[2];    /* h', and c in place */
} ut_nn_lstm;

typedef struct ut_nn {
    void (*sum)(const ut_nn_sum *a);
    void (*lstm)(const ut_nn_lstm *a);
    void (*power)(float *re, float *im, size_t n, float exponent); /* (re, im) *= (re^2 + im^2 + 1e-8)^exponent */
    void (*sigmoid)(float *x, size_t n);
    void (*tanh)(float *x, size_t n);
    const char *name;
} ut_nn;

const ut_nn *ut_nn_get(void);              /* the fastest that this processor runs */
const ut_nn *ut_nn_variant(unsigned i);    /* 0: plain; then those that this processor runs besides; NULL behind the last */
#endif
