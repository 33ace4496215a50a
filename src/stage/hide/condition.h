/* The hider's network: looks at a photo's luma blocks and says something of each coefficient (train/undertone_train/hide/condition.py computes the same).
 *
 * Planes are [channel][row][column], one value a block of 8x8 pixels.  Features of the 64 coefficients -> 1x1 convolution -> blocks of parallel channel and
 * spatial attention -> ReLU -> 1x1 convolution.  A block:
 *     r = relu(mix(depthwise 3x3(h)));  h += out(r * (sigmoid(excite(relu(squeeze(mean of r over 5x5 blocks)))) + sigmoid(spatial 3x3(mean and greatest of r))))
 * Outside the picture everything is zero, and the means are of what is inside.  All is local, so a photo of any size is done in tiles, row by row, with a few
 * rows of each layer at hand: about 30 MB a thread at width 48.  repro: about 1e-5 of the greatest value.
 */
#ifndef UT_STAGE_HIDE_CONDITION_H
#define UT_STAGE_HIDE_CONDITION_H
#include "kern/safetensors.h"

enum { UT_CONDITION_INPUTS = 128, UT_CONDITION_BLOCKS = 8, UT_CONDITION_WIDTH = 256, UT_CONDITION_OUTPUTS = 128 }; /* greatest sizes but the first */
#define UT_CONDITION_FINE 4.0f    /* coefficient units at which the two scales of the inputs are half way */
#define UT_CONDITION_COARSE 48.0f
#define UT_CONDITION_WEIGHT_MAX 1000.0f /* no honest weight is larger */

/* Weights of a 1x1 convolution (or of the spatial gate's 3x3 over two rows), as ut_nn_sum reads them. */
typedef struct ut_condition_mix {
    size_t nin, nout;
    float *w, *bias; /* [groups of 8][nin][8], [groups of 8][8]; owned */
} ut_condition_mix;

typedef struct ut_condition_block {
    float *depthwise; /* [width][10]: nine weights and a bias, owned */
    ut_condition_mix mix, squeeze, excite, spatial, out; /* squeeze (and excite), spatial: without weights if the network has no such gate */
} ut_condition_block;

typedef struct ut_condition {
    size_t width, nblocks, noutputs;
    ut_condition_mix inp, outp;
    ut_condition_block block[UT_CONDITION_BLOCKS];
} ut_condition;

/* The tensors PREFIXinp.weight, ... of the file, which must have exactly these shapes; *nused grows by their number.  UT_E_INPUT: they do not, or hold
 * values that make no sense.  Owned: ut_condition_free. */
UT_MUST_CHECK ut_status ut_condition_load(const ut_safetensors *file, const char *prefix, const char *name, size_t width, size_t nblocks, size_t noutputs,
                                          ut_condition *c, size_t *nused, ut_err *e);
void ut_condition_free(ut_condition *c);

/* Where a run gets its coefficients and leaves what it finds; both are called from several threads, for different rows or columns.
 * read: coefficients of blocks [x, x + n) of row y as rows c[k*stride + i], k < 64; may be asked twice for the same.
 * write: outputs out[o*stride + i], o < noutputs, each block's once. */
typedef struct ut_condition_run {
    const ut_condition *net;
    uint32_t blocks_w, blocks_h;
    void (*read)(void *arg, uint32_t x, uint32_t y, uint32_t n, float *c, size_t stride);
    void (*write)(void *arg, uint32_t x, uint32_t y, uint32_t n, const float *out, size_t stride);
    void *arg;
} ut_condition_run;
UT_MUST_CHECK ut_status ut_condition_apply(const ut_condition_run *r, unsigned nthreads, ut_err *e);
#endif
