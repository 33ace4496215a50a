/* The network from wave to wave, and its working memory. */
#include "base/buf.h"
#include "stage/enhance/model.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct shape {
    size_t nframes, ncols, phase_stride, row_stride;
} shape;

/* phase_stride leaves a column of zeros behind the frames, and is an odd number of cache lines, so that rows do not all fall on the same few. */
static shape shape_of(const ut_enhance_model *m, size_t nsamples)
{
    shape s = { .nframes = ut_stft_count(&m->stft, nsamples) };
    size_t frames = (s.nframes + UT_PHASES - 1) / UT_PHASES, lines = (frames + UT_NN_COLS) / UT_NN_COLS; /* of frames + 1 columns */
    s.ncols = (frames + UT_NN_COLS - 1) / UT_NN_COLS * UT_NN_COLS;
    s.phase_stride = (lines | 1) * UT_NN_COLS;
    s.row_stride = s.phase_stride * UT_PHASES;
    return s;
}

static size_t rows_of(const ut_enhance_model *m, size_t layer) /* of an encoder layer's output */
{
    return m->c.channels[layer] * (m->c.n_fft / 2 >> (layer + 1));
}

static size_t max(size_t a, size_t b) { return a > b ? a : b; }

/* Deals the arena out, or only counts (arena NULL); returns the number of floats.  The decoder's outputs take turns in two places: side[0] begins with
 * the bottleneck's. */
static size_t lay_out(ut_enhance_net *n, const ut_enhance_model *m, shape s, float *arena)
{
    size_t at = 0, nlayers = m->c.nlayers, turns[2] = { rows_of(m, nlayers - 1), 0 };
    for (size_t i = 0; i < nlayers; i++) {
        size_t in = nlayers - 1 - i, rows = in ? rows_of(m, in - 1) : m->decoder[i].nout * (m->c.n_fft / 2);
        turns[(i + 1) % 2] = max(turns[(i + 1) % 2], rows);
    }
    size_t floats[2] = { turns[0] * s.row_stride, max(turns[1] * s.row_stride, ut_enhance_bottleneck_floats(m, s.nframes, s.row_stride)) };
    for (size_t p = 0; p < 2; p++, at += (m->c.n_fft / 2 + 1) * s.row_stride)
        if (arena) n->spectrum[p] = arena + at;
    for (size_t i = 0; i < nlayers; at += rows_of(m, i++) * s.row_stride)
        if (arena) n->skip[i] = arena + at;
    for (size_t p = 0; p < 2; at += (floats[p++] + UT_NN_COLS - 1) / UT_NN_COLS * UT_NN_COLS)
        if (arena) n->side[p] = arena + at;
    if (arena) n->mixed = arena + at;
    at += max(UT_ENHANCE_MIXED, 2 * 2 * UT_ENHANCE_CHANNELS * 3 * UT_NN_COLS);
    return at + UT_NN_COLS; /* the kernels may look a few columns further */
}

size_t ut_enhance_net_nbytes(const ut_enhance_model *m, size_t max_samples)
{
    return sizeof(ut_enhance_net) + lay_out(NULL, m, shape_of(m, max_samples), NULL) * sizeof(float) + ut_stft_scratch(&m->stft) * sizeof(double);
}

static size_t most_terms(const ut_enhance_model *m)
{
    size_t most = max(max(m->features, 2 * m->c.hidden), UT_ENHANCE_MIXED / UT_NN_COLS);
    for (size_t i = 0; i < m->c.nlayers; i++) most = max(most, max(m->encoder[i].nin * 10, m->decoder[i].nin * 6));
    return most;
}

ut_status ut_enhance_net_new(const ut_enhance_model *m, size_t max_samples, ut_enhance_net **out, ut_err *e)
{
    *out = NULL;
    if (max_samples > UT_ENHANCE_SAMPLES)
        return ut_fail(e, UT_E_USAGE, "the network takes at most %u samples at a time, not %zu", UT_ENHANCE_SAMPLES, max_samples);
    ut_enhance_net *n = ut_calloc(1, sizeof *n, e);
    if (!n) return UT_E_MEMORY;
    n->m = m;
    n->nn = ut_nn_get();
    n->max_samples = max_samples;
    n->nfloats = lay_out(NULL, m, shape_of(m, max_samples), NULL);
    size_t nbytes = (n->nfloats * sizeof(float) + 63) / 64 * 64;
    n->arena = aligned_alloc(64, nbytes);
    n->stft_scratch = ut_calloc(ut_stft_scratch(&m->stft), sizeof(double), e);
    n->terms = ut_calloc(most_terms(m), sizeof *n->terms, e);
    n->chan = ut_calloc(2 * UT_ENHANCE_CHANNELS, sizeof *n->chan, e);
    if (n->arena && n->stft_scratch && n->terms && n->chan) {
        *out = n;
        return UT_OK;
    }
    ut_enhance_net_free(n);
    return ut_fail_memory(e, nbytes);
}

void ut_enhance_net_free(ut_enhance_net *n)
{
    if (!n) return;
    free(n->arena);
    free(n->stft_scratch);
    free(n->terms);
    free(n->chan);
    free(n);
}

void ut_enhance_net_use(ut_enhance_net *n, const ut_nn *kernels) { n->nn = kernels; }

void ut_enhance_net_watch(ut_enhance_net *n, ut_enhance_trace trace, void *user)
{
    n->trace = trace;
    n->trace_user = user;
}

size_t ut_enhance_frames_in_phase(const ut_enhance_net *n, size_t phase) { return (n->nframes + UT_PHASES - 1 - phase) / UT_PHASES; }

void ut_enhance_clear_pads(const ut_enhance_net *n, float *rows, size_t nrows)
{
    for (size_t r = 0; r < nrows; r++)
        for (size_t phase = 0; phase < UT_PHASES; phase++) {
            size_t count = ut_enhance_frames_in_phase(n, phase);
            memset(rows + r * n->row_stride + phase * n->phase_stride + count, 0, (n->phase_stride - count) * sizeof *rows);
        }
}

void ut_enhance_show(const ut_enhance_net *n, const char *name, size_t index, const float *rows, size_t nrows)
{
    if (!n->trace) return;
    float *x = calloc(nrows * n->nframes, sizeof *x);
    if (!x) return;
    for (size_t r = 0; r < nrows; r++)
        for (size_t t = 0; t < n->nframes; t++) x[r * n->nframes + t] = rows[r * n->row_stride + t % UT_PHASES * n->phase_stride + t / UT_PHASES];
    size_t length = strcspn(name, "%");
    char text[32];
    if (name[length]) snprintf(text, sizeof text, "%.*s%zu%s", (int)length, name, index, name + length + 3);
    else snprintf(text, sizeof text, "%s", name);
    n->trace(n->trace_user, text, x, nrows, n->nframes);
    free(x);
}

static void spectrum_frames(const ut_enhance_net *n, size_t phase, ut_stft_frames *f)
{
    size_t at = phase * n->phase_stride;
    *f = (ut_stft_frames){ n->spectrum[0] + at, n->spectrum[1] + at, n->row_stride, phase, UT_PHASES, ut_enhance_frames_in_phase(n, phase) };
}

/* Pointers to the channels' first rows: real parts of a, of b, imaginary parts of a, of b (complex_cat). */
static void join_channels(ut_enhance_net *n, const float *a, const float *b, size_t channels, size_t rows)
{
    size_t half = channels / 2, stride = rows * n->row_stride;
    for (size_t i = 0; i < half; i++) {
        n->chan[i] = a + i * stride;
        n->chan[half + i] = b + i * stride;
        n->chan[2 * half + i] = a + (half + i) * stride;
        n->chan[3 * half + i] = b + (half + i) * stride;
    }
}

static void encode(ut_enhance_net *n)
{
    const ut_enhance_config *c = &n->m->c;
    size_t rows = c->n_fft / 2;
    for (size_t p = 0; p < 2; p++) n->chan[p] = n->spectrum[p] + (c->variant == UT_DCCRN_OFFLINE ? 0 : n->row_stride);
    for (size_t i = 0; i < c->nlayers; i++, rows /= 2) {
        ut_enhance_layer(n, &n->m->encoder[i], rows, n->skip[i]);
        ut_enhance_show(n, "encoder.%zu", i, n->skip[i], c->channels[i] * rows / 2);
        for (size_t j = 0; j < c->channels[i]; j++) n->chan[j] = n->skip[i] + j * (rows / 2) * n->row_stride;
    }
}

static const float *decode(ut_enhance_net *n)
{
    const ut_enhance_config *c = &n->m->c;
    size_t rows = c->n_fft / 2 >> c->nlayers;
    for (size_t i = 0; i < c->nlayers; i++, rows *= 2) {
        size_t in = c->nlayers - 1 - i;
        join_channels(n, n->side[i % 2], n->skip[in], c->channels[in], rows);
        ut_enhance_layer(n, &n->m->decoder[i], rows, n->side[(i + 1) % 2]);
        ut_enhance_show(n, "decoder.%zu", i, n->side[(i + 1) % 2], n->m->decoder[i].nout * rows * 2);
    }
    return n->side[c->nlayers % 2];
}

static ut_status run(ut_enhance_net *n, const float *in, float *out, size_t nsamples, ut_err *e)
{
    const ut_enhance_model *m = n->m;
    size_t bins = m->c.n_fft / 2;
    ut_stft_frames f;
    for (size_t phase = 0; phase < UT_PHASES; phase++) {
        spectrum_frames(n, phase, &f);
        ut_stft_forward(&m->stft, in, nsamples, &f, n->stft_scratch);
    }
    for (size_t p = 0; p < 2; p++) ut_enhance_clear_pads(n, n->spectrum[p], bins + 1);
    if (m->c.variant == UT_DCCRN_OFFLINE) ut_enhance_compress(n);
    ut_enhance_show(n, "spectrum.re", 0, n->spectrum[0], bins + 1);
    ut_enhance_show(n, "spectrum.im", 0, n->spectrum[1], bins + 1);
    encode(n);
    ut_enhance_bottleneck(n, n->skip[m->c.nlayers - 1], n->side[0], n->side[1]);
    ut_enhance_show(n, "bottleneck", 0, n->side[0], rows_of(m, m->c.nlayers - 1));
    ut_enhance_apply(n, decode(n));
    ut_enhance_show(n, "enhanced.re", 0, n->spectrum[0], bins + 1);
    ut_enhance_show(n, "enhanced.im", 0, n->spectrum[1], bins + 1);
    memset(out, 0, nsamples * sizeof *out);
    for (size_t phase = 0; phase < UT_PHASES; phase++) {
        spectrum_frames(n, phase, &f);
        ut_stft_inverse(&m->stft, &f, out, nsamples, n->stft_scratch);
    }
    ut_stft_finish(&m->stft, out, nsamples);
    for (size_t i = 0; i < nsamples; i++)
        if (!isfinite(out[i])) return ut_fail(e, UT_E_INPUT, "the model's output is not finite at sample %zu: its weights do not suit this recording", i);
    return UT_OK;
}

ut_status ut_enhance_net_run(ut_enhance_net *n, const float *in, float *out, size_t nsamples, ut_err *e)
{
    if (nsamples > n->max_samples) return ut_fail(e, UT_E_USAGE, "the network has room for %zu samples, not %zu", n->max_samples, nsamples);
    for (size_t i = 0; i < nsamples; i++)
        if (!isfinite(in[i])) return ut_fail(e, UT_E_INPUT, "sample %zu of the recording is not a finite number", i);
    if (nsamples == 0) return UT_OK;
    shape s = shape_of(n->m, nsamples);
    n->nframes = s.nframes;
    n->ncols = s.ncols;
    n->phase_stride = s.phase_stride;
    n->row_stride = s.row_stride;
    lay_out(n, n->m, s, n->arena);
    return run(n, in, out, nsamples, e);
}

ut_status ut_enhance_network(const ut_enhance_model *m, const float *in, float *out, size_t nsamples, ut_err *e)
{
    ut_enhance_net *n;
    ut_status s = ut_enhance_net_new(m, nsamples, &n, e);
    if (s == UT_OK) s = ut_enhance_net_run(n, in, out, nsamples, e);
    ut_enhance_net_free(n);
    return s;
}
