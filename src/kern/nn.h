/* Kernels of the neural networks: sums of weighted rows (every convolution and matrix product comes down to them), the LSTM's step, and a few functions
 * of many numbers.  Written once (nn_impl.h) and compiled for each instruction set; plain C is the reference.
 * repro: about 1e-6 of the greatest term between instruction sets (order of additions, fused multiply-add).
 */
#ifndef UT_KERN_NN_H
#define UT_KERN_NN_H
#include <stdbool.h>
#include <stddef.h>

#define UT_NN_OUT 8   /* outputs that ut_nn_rows computes at once */
#define UT_NN_COLS 16 /* columns come in multiples of this */
#define UT_NN_UNITS 16 /* LSTM units that lie together */

/* sum[m][s] = sum over j of w[8*j + m] * x[j][s],  m < ny <= 8,  s < ncols, goes to each target:
 *     y[m][s] = act((first ? bias[m] : y[m][s]) + k * sum[m][s]),   act(v) = last && v <= 0 ? slope[m]*v : v.
 * w, bias and slope are read for all 8 outputs, however few are stored.  No alignment is needed; y must not overlap x. */
#define UT_NN_TARGETS 8
typedef struct ut_nn_target {
    float *y;
    float k;
    bool first, last;
} ut_nn_target;

typedef struct ut_nn_sum {
    size_t nterms;
    const float *const *x;
    const float *w;
    const float *bias, *slope; /* [8]; NULL: 0 and 1 */
    size_t ntargets;
    ut_nn_target target[UT_NN_TARGETS];
    size_t y_stride, ny, ncols;
} ut_nn_sum;

/* Rows mixed for the fast convolutions (stage/enhance/fast.c).  With c[q] = sum over i < nsources (1 to 4) of k[i] * x[i][j*x_stride + instant[q] + s],
 * v[j*v_stride + s] gets c[1], and the places `plane` and 2*plane further get c[0] - c[1] and c[1] - c[2];  j < nrows,  s < ncols. */
typedef struct ut_nn_mix {
    size_t nrows, ncols, nsources;
    const float *x[4];
    size_t x_stride, instant[3];
    float k[4];
    float *v;
    size_t v_stride, plane;
} ut_nn_mix;

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
    void (*mix)(const ut_nn_mix *a);
    void (*lstm)(const ut_nn_lstm *a);
    void (*power)(float *re, float *im, size_t n, float exponent); /* (re, im) *= (re^2 + im^2 + 1e-8)^exponent */
    void (*sigmoid)(float *x, size_t n);
    void (*tanh)(float *x, size_t n);
    const char *name;
} ut_nn;

const ut_nn *ut_nn_get(void);              /* the fastest that this processor runs */
const ut_nn *ut_nn_variant(unsigned i);    /* 0: plain; then those that this processor runs besides; NULL behind the last */
#endif
