/* The network from wave to wave, and its working memory. */
#include "base/buf.h"
#include "stage/enhance/model.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static size_t max(size_t a, size_t b) { return a > b ? a : b; }

static size_t blocks_of(const ut_enhance_model *m, size_t nsamples) { return (ut_stft_count(&m->stft, nsamples) + UT_BLOCK_FRAMES - 1) / UT_BLOCK_FRAMES; }

ut_rows ut_enhance_rows(float *x, size_t nrows, size_t nchannels) { return (ut_rows){ x, nrows, nchannels, nrows * nchannels * UT_ROW }; }

static size_t rows_of(const ut_enhance_model *m, size_t layer) { return m->c.n_fft / 2 >> (layer + 1); } /* of an encoder layer's output */

/* Deals the arena out, or only counts (arena NULL); returns the number of floats.  The decoder's outputs take turns in two places: side[0] begins with
 * the bottleneck's. */
static size_t lay_out(ut_enhance_net *n, const ut_enhance_model *m, size_t nblocks, float *arena)
{
    size_t at = 0, nlayers = m->c.nlayers, turns[2] = { m->deep_rows * m->c.channels[nlayers - 1], 0 }, terms = 0;
    for (size_t i = 0; i < nlayers; i++) {
        size_t in = nlayers - 1 - i, rows = m->decoder[i].nout * (m->c.n_fft / 2 >> in);
        turns[(i + 1) % 2] = max(turns[(i + 1) % 2], rows);
        terms = max(terms, max(ut_enhance_fast_terms(&m->encoder[i]), ut_enhance_fast_terms(&m->decoder[i])));
    }
    size_t floats[2] = { nblocks * turns[0] * UT_ROW, max(nblocks * turns[1] * UT_ROW, ut_enhance_bottleneck_floats(m, nblocks)) };
    if (arena) n->spectrum = ut_enhance_rows(arena, m->c.n_fft / 2 + 1, 2);
    at += nblocks * (m->c.n_fft / 2 + 1) * 2 * UT_ROW;
    for (size_t i = 0; i < nlayers; at += nblocks * rows_of(m, i) * m->c.channels[i] * UT_ROW, i++)
        if (arena) n->skip[i] = ut_enhance_rows(arena + at, rows_of(m, i), m->c.channels[i]);
    for (size_t p = 0; p < 2; p++, at += (floats[p - 1] + UT_NN_COLS - 1) / UT_NN_COLS * UT_NN_COLS)
        if (arena) n->side[p] = arena + at;
    for (size_t i = 0; arena && n->mixed_terms && i < terms; i++) n->mixed_terms[i] = arena + at + i * UT_COLS;
    if (arena) n->mixed = arena + at;
    if (n) n->nmixed = terms;
    return at + terms * UT_COLS;
}

size_t ut_enhance_net_nbytes(const ut_enhance_model *m, size_t max_samples)
{
    return sizeof(ut_enhance_net) + lay_out(NULL, m, blocks_of(m, max_samples), NULL) * sizeof(float) + ut_stft_scratch(&m->stft) * sizeof(double);
}

static size_t most_terms(const ut_enhance_model *m)
{
    size_t most = max(m->deep_rows * m->part, 2 * m->c.hidden);
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
    n->nfloats = lay_out(n, m, blocks_of(m, max_samples), NULL);
    size_t nbytes = (n->nfloats * sizeof(float) + 63) / 64 * 64;
    if (nbytes > UT_ENHANCE_MEMORY) {
        free(n);
        return ut_fail(e, UT_E_MEMORY, "the model needs %zu MB for %zu samples, more than the %u MB it may have; take fewer samples at a time", nbytes >> 20, max_samples,
                       UT_ENHANCE_MEMORY >> 20);
    }
    n->arena = aligned_alloc(64, nbytes);
    n->stft_scratch = ut_calloc(ut_stft_scratch(&m->stft), sizeof(double), e);
    n->terms = ut_calloc(most_terms(m), sizeof *n->terms, e);
    n->mixed_terms = ut_calloc(n->nmixed, sizeof *n->mixed_terms, e);
    if (n->arena && n->stft_scratch && n->terms && n->mixed_terms) {
        memset(n->arena, 0, nbytes); /* columns that nobody writes are computed with: let them be numbers */
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
    free(n->mixed_terms);
    free(n);
}

void ut_enhance_net_use(ut_enhance_net *n, const ut_nn *kernels) { n->nn = kernels; }

void ut_enhance_net_watch(ut_enhance_net *n, ut_enhance_trace trace, void *user)
{
    n->trace = trace;
    n->trace_user = user;
}

static size_t frames_in(const ut_enhance_net *n, size_t block)
{
    size_t left = n->nframes - block * UT_BLOCK_FRAMES;
    return left < UT_BLOCK_FRAMES ? left : UT_BLOCK_FRAMES;
}

size_t ut_enhance_ncols(const ut_enhance_net *n, size_t block) { return ((frames_in(n, block) + 1) / 2 + UT_NN_COLS - 1) / UT_NN_COLS * UT_NN_COLS; }

void ut_enhance_finish(const ut_enhance_net *n, const ut_rows *r)
{
    size_t each = r->nrows * r->nchannels, count = frames_in(n, n->nblocks - 1);
    float *last = ut_row(r, n->nblocks - 1, 0, 0);
    for (size_t i = 0; i < each; i++, last += UT_ROW) {
        memset(last + (count + 1) / 2, 0, (UT_ODD - (count + 1) / 2) * sizeof *last);
        memset(last + UT_ODD + count / 2, 0, (UT_COLS - count / 2) * sizeof *last);
    }
    for (size_t block = 0; block < n->nblocks; block++) {
        float *x = ut_row(r, block, 0, 0);
        for (size_t i = 0; i < each; i++, x += UT_ROW) {
            x[UT_COLS] = block + 1 < n->nblocks ? x[r->block] : 0;
            x[UT_ODD - 1] = block ? x[UT_ODD + UT_COLS - 1 - r->block] : 0;
        }
    }
}

void ut_enhance_show(const ut_enhance_net *n, const char *name, size_t index, const ut_rows *r, size_t first, size_t count)
{
    float *x = n->trace ? calloc(count * r->nrows * n->nframes, sizeof *x) : NULL;
    if (!x) return;
    for (size_t i = 0; i < count * r->nrows; i++)
        for (size_t t = 0; t < n->nframes; t++)
            x[i * n->nframes + t] = ut_row(r, t / UT_BLOCK_FRAMES, i % r->nrows, first + i / r->nrows)[t % UT_BLOCK_FRAMES / 2 + (t & 1) * UT_ODD];
    size_t length = strcspn(name, "%");
    char text[32];
    if (name[length]) snprintf(text, sizeof text, "%.*s%zu%s", (int)length, name, index, name + length + 3);
    else snprintf(text, sizeof text, "%s", name);
    n->trace(n->trace_user, text, x, count * r->nrows, n->nframes);
    free(x);
}

/* One phase of one block of the spectrum. */
static ut_stft_frames spectrum_frames(const ut_enhance_net *n, size_t block, size_t phase)
{
    float *re = ut_row(&n->spectrum, block, 0, 0) + phase * UT_ODD;
    return (ut_stft_frames){ re, re + UT_ROW, 2 * UT_ROW, block * UT_BLOCK_FRAMES + phase, 2, (frames_in(n, block) + 1 - phase) / 2 };
}

static void encode(ut_enhance_net *n)
{
    const ut_enhance_model *m = n->m;
    ut_rows in = n->spectrum;
    if (m->c.variant != UT_DCCRN_OFFLINE) in.x += 2 * UT_ROW; /* DC stays outside; offline leaves Nyquist out instead */
    in.nrows--;
    for (size_t i = 0; i < m->c.nlayers; i++) {
        ut_enhance_layer(n, &m->encoder[i], i ? &n->skip[i - 1] : &in, 1, &n->skip[i]);
        ut_enhance_show(n, "encoder.%zu", i, &n->skip[i], 0, n->skip[i].nchannels);
    }
}

/* x: the bottleneck's output, in side[0]. */
static ut_rows decode(ut_enhance_net *n, ut_rows x)
{
    const ut_enhance_model *m = n->m;
    for (size_t i = 0; i < m->c.nlayers; i++) {
        ut_rows in[2] = { x, n->skip[m->c.nlayers - 1 - i] };
        x = ut_enhance_rows(n->side[(i + 1) % 2], in[0].nrows * 2, m->decoder[i].nout);
        ut_enhance_layer(n, &m->decoder[i], in, 2, &x);
        ut_enhance_show(n, "decoder.%zu", i, &x, 0, x.nchannels);
    }
    return x;
}

static void show_spectrum(const ut_enhance_net *n, const char *re, const char *im)
{
    ut_enhance_show(n, re, 0, &n->spectrum, 0, 1);
    ut_enhance_show(n, im, 0, &n->spectrum, 1, 1);
}

static void run(ut_enhance_net *n, const float *in, float *out, size_t nsamples)
{
    const ut_enhance_model *m = n->m;
    const ut_rows *deep = &n->skip[m->c.nlayers - 1], bottom = ut_enhance_rows(n->side[0], deep->nrows, deep->nchannels);
    for (size_t i = 0; i < n->nblocks * 2; i++) {
        ut_stft_frames f = spectrum_frames(n, i / 2, i % 2);
        ut_stft_forward(&m->stft, in, nsamples, &f, n->stft_scratch);
    }
    if (m->c.variant == UT_DCCRN_OFFLINE) ut_enhance_compress(n);
    ut_enhance_finish(n, &n->spectrum);
    show_spectrum(n, "spectrum.re", "spectrum.im");
    encode(n);
    ut_enhance_bottleneck(n, deep, &bottom, n->side[1]);
    ut_enhance_show(n, "bottleneck", 0, &bottom, 0, bottom.nchannels);
    ut_rows decoded = decode(n, bottom);
    ut_enhance_apply(n, &decoded);
    show_spectrum(n, "enhanced.re", "enhanced.im");
    memset(out, 0, nsamples * sizeof *out);
    for (size_t i = 0; i < n->nblocks * 2; i++) {
        ut_stft_frames f = spectrum_frames(n, i / 2, i % 2);
        ut_stft_inverse(&m->stft, &f, out, nsamples, n->stft_scratch);
    }
    ut_stft_finish(&m->stft, out, nsamples);
}

ut_status ut_enhance_net_run(ut_enhance_net *n, const float *in, float *out, size_t nsamples, ut_err *e)
{
    if (nsamples > n->max_samples) return ut_fail(e, UT_E_USAGE, "the network has room for %zu samples, not %zu", n->max_samples, nsamples);
    for (size_t i = 0; i < nsamples; i++)
        if (!isfinite(in[i])) return ut_fail(e, UT_E_INPUT, "sample %zu of the recording is not a finite number", i);
    if (nsamples == 0) return UT_OK;
    n->nframes = ut_stft_count(&n->m->stft, nsamples);
    n->nblocks = blocks_of(n->m, nsamples);
    lay_out(n, n->m, n->nblocks, n->arena);
    run(n, in, out, nsamples);
    for (size_t i = 0; i < nsamples; i++)
        if (!isfinite(out[i])) return ut_fail(e, UT_E_INPUT, "the model's output is not finite at sample %zu: its weights do not suit this recording", i);
    return UT_OK;
}

ut_status ut_enhance_network(const ut_enhance_model *m, const float *in, float *out, size_t nsamples, ut_err *e)
{
    ut_enhance_net *n;
    ut_status s = ut_enhance_net_new(m, nsamples, &n, e);
    if (s == UT_OK) s = ut_enhance_net_run(n, in, out, nsamples, e);
    ut_enhance_net_free(n);
    return s;
}
