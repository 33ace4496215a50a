/* Inside Model 1: a loaded model, and the network's steps.  Private to stage/enhance and its tests.
 *
 * Layout of every activation (ut_rows): [block][frequency row][channel][UT_ROW].  A block is 96 frames.  A row holds its frames dealt out to two phases, 48 even
 * ones, then 48 odd ones, so that neighbours in time are the same column of two vectors.  The 16 columns between the phases hold the neighbours across the
 * block's border: first the next block's first even frame, last the previous block's last odd frame; zeros where there is none, which is what the layers see
 * before the first and behind the last frame.  Channels: real parts first, then imaginary parts.
 */
#ifndef UT_STAGE_ENHANCE_MODEL_H
#define UT_STAGE_ENHANCE_MODEL_H
#include "kern/nn.h"
#include "kern/safetensors.h"
#include "kern/stft.h"
#include "stage/enhance/enhance.h"

#define UT_COLS 48u                    /* columns of a phase in a block */
#define UT_ODD 64u                     /* where the odd frames of a row begin */
#define UT_ROW 112u                    /* floats of a row */
#define UT_BLOCK_FRAMES (2 * UT_COLS)
#define UT_PANEL 8u                    /* frames that an LSTM's input matrix takes at once */
#define UT_ENHANCE_LAYERS 8       /* caps on what a file may ask for */
#define UT_ENHANCE_CHANNELS 1024
#define UT_ENHANCE_HIDDEN 1024
#define UT_ENHANCE_LSTMS 4
#define UT_ENHANCE_SAMPLES (1u << 20) /* greatest nsamples of ut_enhance_network: 65 s */
#define UT_ENHANCE_MEMORY (2u << 30)  /* most working memory, bytes; the shipped model takes 4.5 MB for a second of sound, the paper's CL 18 */

typedef enum ut_variant { UT_DCCRN_E, UT_DCCRN_CL, UT_DCCRN_OFFLINE } ut_variant;

/* As train/undertone_train/dccrn.py's ModelConfig. */
typedef struct ut_enhance_config {
    ut_variant variant;
    size_t n_fft, win_length, hop;
    size_t nlayers, channels[UT_ENHANCE_LAYERS]; /* real ones: twice the complex ones */
    size_t hidden, nlstms;
    float power, gain_max;
    bool lookahead;
} ut_enhance_config;

/* A layer's weights, in groups of 8 outputs.  Direct: [group][row tap][input][time tap 2][8], taps in the order of the rows and frames they look at; a
 * transposed convolution has two such sets, for even output rows (3 row taps) and for odd ones (2).  Or, where it pays, fast: see fast.c.
 * Inputs of a decoder layer: all channels of the layer before, then all of the encoder's. */
typedef struct ut_enhance_conv {
    size_t nin, nout, ngroups;
    bool transposed;
    float *w[2];
    struct ut_enhance_fast *fast;
    float *bias, *slope; /* [ngroups * 8]; slope NULL: linear */
} ut_enhance_conv;

/* Projection behind the LSTMs: for each frequency row, groups of 8 channels, [row][group][input][8]. */
typedef struct ut_enhance_proj {
    size_t nin, nout, ngroups;
    float *w, *bias;
} ut_enhance_proj;

typedef struct ut_enhance_lstm {
    float *input;            /* [input][group][gate 4][16]; the first layer's inputs: [row][channel] */
    float *recurrent, *bias; /* as ut_nn_lstm */
} ut_enhance_lstm;

struct ut_enhance_model {
    ut_enhance_config c;
    ut_stft stft;
    size_t deep_rows, part; /* rows of the encoder's output, and channels that one LSTM sees: half of them, all in E */
    size_t nkinds, ndirs; /* LSTMs of a layer: real and imaginary (E: one), forward and backward (offline only) */
    ut_enhance_conv encoder[UT_ENHANCE_LAYERS], decoder[UT_ENHANCE_LAYERS];
    ut_enhance_lstm lstm[UT_ENHANCE_LSTMS][2][2]; /* [layer][kind][direction] */
    ut_enhance_proj proj[2];                      /* [part] */
    float *gain_slope;                            /* [bins], offline only */
};

UT_MUST_CHECK ut_status ut_enhance_config_read(const char *json, const char *name, ut_enhance_config *c, ut_err *e);

/* For tests: is shown every intermediate result, [nrows][nframes], frames in order.  Names as in train/tests/reference.py. */
typedef void (*ut_enhance_trace)(void *user, const char *name, const float *x, size_t nrows, size_t nframes);

/* Working memory of the network for up to max_samples samples, allocated once and used by one thread at a time. */
typedef struct ut_enhance_net ut_enhance_net;
UT_MUST_CHECK ut_status ut_enhance_net_new(const ut_enhance_model *m, size_t max_samples, ut_enhance_net **out, ut_err *e);
void ut_enhance_net_free(ut_enhance_net *n);                                   /* safe on NULL */
size_t ut_enhance_net_nbytes(const ut_enhance_model *m, size_t max_samples);   /* what ut_enhance_net_new allocates */
void ut_enhance_net_use(ut_enhance_net *n, const ut_nn *kernels);              /* for tests; otherwise the fastest */
void ut_enhance_net_watch(ut_enhance_net *n, ut_enhance_trace trace, void *user);
/* As ut_enhance_network; nsamples at most max_samples. */
UT_MUST_CHECK ut_status ut_enhance_net_run(ut_enhance_net *n, const float *in, float *out, size_t nsamples, ut_err *e);

/* ---- between the files of the network ---- */

typedef struct ut_rows {
    float *x; /* block 0, row 0, channel 0, its first even frame */
    size_t nrows, nchannels;
    size_t block; /* floats from block to block */
} ut_rows;

static inline float *ut_row(const ut_rows *r, size_t block, size_t row, size_t channel)
{
    return r->x + block * r->block + (row * r->nchannels + channel) * UT_ROW;
}

struct ut_enhance_net {
    const ut_enhance_model *m;
    const ut_nn *nn;
    ut_enhance_trace trace;
    void *trace_user;
    size_t max_samples;
    size_t nframes, nblocks;         /* of the run in progress */
    size_t nfloats;
    float *arena;                    /* all below but the last three lie in it */
    ut_rows spectrum;                /* n_fft/2 + 1 rows; channels: real and imaginary part */
    ut_rows skip[UT_ENHANCE_LAYERS]; /* the encoder's outputs */
    float *side[2];                  /* the decoder's, in turns; the second also holds the LSTMs' intermediate results */
    float *mixed;                    /* rows mixed for the fast convolutions, [3][terms][UT_COLS] */
    const float **mixed_terms;       /* pointers to all of them */
    size_t nmixed;
    const float **terms;             /* row pointers for other sums */
    double *stft_scratch;
};

ut_rows ut_enhance_rows(float *x, size_t nrows, size_t nchannels);
size_t ut_enhance_ncols(const ut_enhance_net *n, size_t block); /* columns to compute in a block: a multiple of 16 */
/* Closes a layer's output: zeros behind the last frame, neighbours between the phases. */
void ut_enhance_finish(const ut_enhance_net *n, const ut_rows *r);
/* For tests: channels [first, first + count), as [channel][row][frame]; index goes where name has %zu. */
void ut_enhance_show(const ut_enhance_net *n, const char *name, size_t index, const ut_rows *r, size_t first, size_t count);

/* A convolution or transposed convolution of in[nsources], joined along channels, into out. */
void ut_enhance_layer(ut_enhance_net *n, const ut_enhance_conv *c, const ut_rows *in, size_t nsources, const ut_rows *out);
/* Where d0, d1, d2 are in a row: what the even frames' earlier tap sees, both phases' common frame, what the odd frames' later tap sees. */
void ut_enhance_instants(const ut_enhance_net *n, const ut_enhance_conv *c, size_t instant[3]);
/* fast.c: how many outputs in frequency to compute at once, 0 if the direct way is better; the weights for that, tap(from, output, input, kernel row,
 * time tap) being the plain ones (NULL: no memory); rows that are mixed at once; and the convolution itself, but for ut_enhance_finish. */
#define UT_ENHANCE_FOURS 64u /* inputs from which on four at once are better than two */
typedef float (*ut_enhance_tap)(const void *from, size_t out, size_t in, size_t kernel_row, size_t time);
size_t ut_enhance_fast_outputs(const ut_enhance_conv *c, size_t rows_in);
struct ut_enhance_fast *ut_enhance_fast_new(const ut_enhance_conv *c, size_t n, ut_enhance_tap tap, const void *from, ut_err *e);
void ut_enhance_fast_free(struct ut_enhance_fast *fast);
size_t ut_enhance_fast_terms(const ut_enhance_conv *c);
void ut_enhance_fast_run(ut_enhance_net *n, const ut_enhance_conv *c, const ut_rows *in, size_t nsources, const ut_rows *out);

size_t ut_enhance_bottleneck_floats(const ut_enhance_model *m, size_t nblocks); /* scratch */
void ut_enhance_bottleneck(ut_enhance_net *n, const ut_rows *in, const ut_rows *out, float *scratch);
void ut_enhance_compress(ut_enhance_net *n);                      /* offline: the spectrum in place */
void ut_enhance_apply(ut_enhance_net *n, const ut_rows *decoded); /* the decoder's output applied to the spectrum in place */
#endif
