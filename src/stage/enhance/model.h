/* Inside Model 1: a loaded model, and the network's steps.  Private to stage/enhance and its tests.
 *
 * Layout of every activation: rows of frames, [channel][frequency][columns].  The frames of a row are dealt out to UT_PHASES phases: frame t is column
 * (t % UT_PHASES) * phase_stride + t / UT_PHASES; so neighbours in time are the same column of neighbouring phases, and 16 columns make a vector.
 * Behind each phase's last frame there is at least one column of zeros, which is what the layers see before the first and behind the last frame.
 * Channels: real parts first, then imaginary parts.
 */
#ifndef UT_STAGE_ENHANCE_MODEL_H
#define UT_STAGE_ENHANCE_MODEL_H
#include "kern/nn.h"
#include "kern/safetensors.h"
#include "kern/stft.h"
#include "stage/enhance/enhance.h"

#define UT_PHASES 2u
#define UT_ENHANCE_LAYERS 8       /* caps on what a file may ask for */
#define UT_ENHANCE_CHANNELS 1024
#define UT_ENHANCE_HIDDEN 1024
#define UT_ENHANCE_LSTMS 4
#define UT_ENHANCE_SAMPLES (1u << 20) /* greatest nsamples of ut_enhance_network: 65 s */

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

/* A layer's weights, for blocks of 8 outputs: [block][row tap][input][time tap 2][8]; taps in the order of the rows and frames they look at.
 * A transposed convolution has two such sets: for even output rows (3 row taps) and for odd ones (2).  Or, where it pays, fast: see conv.c. */
typedef struct ut_enhance_conv {
    size_t nin, nout, nblocks;
    bool transposed;
    float *w[2], *fast;
    float *bias, *slope; /* [nblocks * 8]; slope NULL: linear */
} ut_enhance_conv;

typedef struct ut_enhance_lstm {
    float *input;            /* [nin][group][gate 4][16] */
    float *recurrent, *bias; /* as ut_nn_lstm */
} ut_enhance_lstm;

struct ut_enhance_model {
    ut_enhance_config c;
    ut_stft stft;
    size_t features;      /* input rows of one LSTM: half of the encoder's output rows, all of them in E */
    size_t nkinds, ndirs; /* LSTMs of a layer: real and imaginary (E: one), forward and backward (offline only) */
    ut_enhance_conv encoder[UT_ENHANCE_LAYERS], decoder[UT_ENHANCE_LAYERS];
    ut_enhance_lstm lstm[UT_ENHANCE_LSTMS][2][2]; /* [layer][kind][direction] */
    ut_enhance_conv proj[2];                      /* row taps 1, time taps 1: [block][input][8] */
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

struct ut_enhance_net {
    const ut_enhance_model *m;
    const ut_nn *nn;
    ut_enhance_trace trace;
    void *trace_user;
    size_t max_samples;
    size_t nframes, ncols, phase_stride, row_stride; /* of the run in progress: frames, columns computed in each phase, floats from phase to phase and row to row */
    size_t nfloats;
    float *arena;                                 /* all below lie in it */
    float *spectrum[2];                           /* real and imaginary part: [bins + 1] rows */
    float *skip[UT_ENHANCE_LAYERS];               /* the encoder's outputs */
    float *side[2];                               /* the decoder's, in turns; the second also holds the LSTM's intermediate results */
    float *mixed;                                 /* rows mixed for the fast convolutions */
    const float **terms;                          /* row pointers for ut_nn_sum */
    const float **chan;                           /* channels of the layer at work */
    double *stft_scratch;
};

size_t ut_enhance_frames_in_phase(const ut_enhance_net *n, size_t phase);
void ut_enhance_clear_pads(const ut_enhance_net *n, float *rows, size_t nrows); /* zeros behind the frames */
void ut_enhance_show(const ut_enhance_net *n, const char *name, size_t index, const float *rows, size_t nrows);
/* A convolution or transposed convolution of n->chan: c->nin pointers to each channel's first row. */
void ut_enhance_layer(ut_enhance_net *n, const ut_enhance_conv *c, size_t rows_in, float *out);
/* Weights with fewer multiplications: products for each pair of input and output; and the packing.  tap(from, output, input, kernel row, time tap). */
size_t ut_enhance_fast_products(bool transposed);
void ut_enhance_fast_weights(const ut_enhance_conv *c, float (*tap)(const void *from, size_t out, size_t in, size_t kf, size_t time), const void *from, float *to);
#define UT_ENHANCE_MIXED (96u << 10) /* floats of mixed rows that stay in the cache */
size_t ut_enhance_bottleneck_floats(const ut_enhance_model *m, size_t nframes, size_t row_stride); /* scratch */
void ut_enhance_bottleneck(ut_enhance_net *n, const float *in, float *out, float *scratch);
void ut_enhance_compress(ut_enhance_net *n);                     /* offline: the spectrum in place */
void ut_enhance_apply(ut_enhance_net *n, const float *decoded);  /* the decoder's output applied to the spectrum in place */
#endif
