/* Loading: every tensor that the configuration asks for, with exactly its shape, packed the way the kernels read it. */
#include "stage/enhance/model.h"
#include "base/buf.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct loader {
    const ut_safetensors *file;
    const char *name; /* the file's, for messages */
    size_t nused;
    ut_err *e;
} loader;

/* Tensor `tensor` as floats, shape[ndims]; to be freed.  NULL: recorded in l->e. */
static float *take(loader *l, const char *tensor, size_t ndims, const size_t *shape)
{
    const ut_tensor *t = ut_safetensors_find(l->file, tensor);
    if (!t) {
        ut_fail(l->e, UT_E_INPUT, "%s: not a usable model: tensor %s is missing", l->name, tensor);
        return NULL;
    }
    if (t->ndims != ndims || memcmp(t->shape, shape, ndims * sizeof *shape) != 0) {
        ut_fail(l->e, UT_E_INPUT, "%s: not a usable model: tensor %s has another shape than the configuration says", l->name, tensor);
        return NULL;
    }
    float *x = ut_calloc(t->count, sizeof *x, l->e);
    if (x && !ut_tensor_floats(t, 0, t->count, x)) {
        ut_fail(l->e, UT_E_INPUT, "%s: not a usable model: tensor %s holds values that are not finite", l->name, tensor);
        free(x);
        return NULL;
    }
    l->nused++;
    return x;
}

/* A vector of n numbers with room for padded ones, the rest zero. */
static float *take_vector(loader *l, const char *tensor, size_t n, size_t padded)
{
    float *x = take(l, tensor, 1, &n), *y = x ? ut_calloc(padded, sizeof *y, l->e) : NULL;
    if (y) memcpy(y, x, n * sizeof *x);
    free(x);
    return y;
}

/* A convolution's weights as the file has them.  A transposed one is turned: its earlier time tap is the file's later one, and of its inputs those from
 * the layer before come first, where the file alternates (real parts of both, imaginary parts of both). */
typedef struct conv_source {
    const float *w;
    size_t out_stride, in_stride, nin;
    bool transposed;
} conv_source;

static float tap(const void *from, size_t out, size_t in, size_t kf, size_t time)
{
    const conv_source *s = from;
    if (s->transposed) {
        size_t quarter = s->nin / 4, which = in / quarter; /* real, imaginary of the layer before; real, imaginary of the encoder */
        in = in % quarter + quarter * (which == 1 ? 2 : which == 2 ? 1 : which);
        time = 1 - time;
    }
    return s->w[out * s->out_stride + in * s->in_stride + kf * 2 + time];
}

/* One set: row taps kf[nrows] in this order. */
static float *pack_conv(const ut_enhance_conv *c, const conv_source *s, size_t nrows, const size_t *kf, ut_err *e)
{
    float *w = ut_calloc(c->ngroups * nrows * c->nin, 2 * UT_NN_OUT * sizeof *w, e), *to = w;
    if (!w) return NULL;
    for (size_t b = 0; b < c->ngroups; b++)
        for (size_t i = 0; i < nrows * c->nin * 2; i++, to += UT_NN_OUT)
            for (size_t m = 0; m < UT_NN_OUT && b * UT_NN_OUT + m < c->nout; m++)
                to[m] = tap(s, b * UT_NN_OUT + m, i / 2 % c->nin, kf[i / 2 / c->nin], i % 2);
    return w;
}

static bool pack_all(ut_enhance_conv *c, const conv_source *s, size_t rows_in, ut_err *e)
{
    size_t at_once = ut_enhance_fast_outputs(c, rows_in);
    if (at_once) return (c->fast = ut_enhance_fast_new(c, at_once, tap, s, e));
    if (!c->transposed) return (c->w[0] = pack_conv(c, s, 5, (size_t[]){ 0, 1, 2, 3, 4 }, e));
    c->w[0] = pack_conv(c, s, 3, (size_t[]){ 4, 2, 0 }, e); /* row 2r of the output sees rows r-1, r, r+1 */
    c->w[1] = pack_conv(c, s, 2, (size_t[]){ 3, 1 }, e);    /* row 2r+1 sees r, r+1 */
    return c->w[0] && c->w[1];
}

static bool load_conv(loader *l, const char *part, size_t index, bool linear, size_t rows_in, ut_enhance_conv *c)
{
    char name[96];
    size_t nin = c->nin, nout = c->nout;
    c->ngroups = (nout + UT_NN_OUT - 1) / UT_NN_OUT;
    size_t shape[4] = { c->transposed ? nin : nout, c->transposed ? nout : nin, 5, 2 };
    snprintf(name, sizeof name, "%s.%zu.weight", part, index);
    float *w = take(l, name, 4, shape);
    if (!w) return false;
    conv_source s = { w, c->transposed ? 10 : nin * 10, c->transposed ? nout * 10 : 10, nin, c->transposed };
    bool packed = pack_all(c, &s, rows_in, l->e);
    free(w);
    if (!packed) return false;
    snprintf(name, sizeof name, "%s.%zu.bias", part, index);
    c->bias = take_vector(l, name, nout, c->ngroups * UT_NN_OUT);
    snprintf(name, sizeof name, "%s.%zu.slope", part, index);
    if (!linear) c->slope = take_vector(l, name, nout, c->ngroups * UT_NN_OUT);
    return c->bias && (c->slope || linear);
}

/* [4*hidden] rows in the order gate, unit -> place in [group][gate][16]. */
static size_t gate_place(size_t row, size_t hidden)
{
    size_t gate = row / hidden, unit = row % hidden;
    return unit / UT_NN_UNITS * 64 + gate * 16 + unit % UT_NN_UNITS;
}

/* nrows: the file's inputs are [channel][row], ours [row][channel]. */
static bool load_lstm(loader *l, const char *prefix, const char *direction, size_t nin, size_t nrows, size_t hidden, ut_enhance_lstm *out)
{
    char name[96];
    size_t ngroups = (hidden + UT_NN_UNITS - 1) / UT_NN_UNITS, width = ngroups * 64;
    snprintf(name, sizeof name, "%s.%s.input", prefix, direction); /* first the tensor, which the file's length bounds, then room for it */
    float *w = take(l, name, 2, (size_t[]){ 4 * hidden, nin });
    out->input = w ? ut_calloc(nin * width, sizeof(float), l->e) : NULL;
    if (!out->input) {
        free(w);
        return false;
    }
    for (size_t row = 0; row < 4 * hidden; row++)
        for (size_t i = 0; i < nin; i++)
            out->input[(i % nrows * (nin / nrows) + i / nrows) * width + gate_place(row, hidden)] = w[row * nin + i];
    free(w);
    snprintf(name, sizeof name, "%s.%s.recurrent", prefix, direction);
    if (!(w = take(l, name, 2, (size_t[]){ 4 * hidden, hidden }))) return false;
    out->recurrent = ut_calloc(hidden * width, sizeof(float), l->e);
    out->bias = ut_calloc(width, sizeof(float), l->e);
    if (!out->recurrent || !out->bias) {
        free(w);
        return false;
    }
    for (size_t row = 0; row < 4 * hidden; row++) {
        size_t place = gate_place(row, hidden);
        for (size_t k = 0; k < hidden; k++) out->recurrent[(place / 64 * hidden + k) * 64 + place % 64] = w[row * hidden + k];
    }
    free(w);
    snprintf(name, sizeof name, "%s.%s.bias", prefix, direction);
    if (!(w = take(l, name, 1, (size_t[]){ 4 * hidden }))) return false;
    for (size_t row = 0; row < 4 * hidden; row++) out->bias[gate_place(row, hidden)] = w[row];
    free(w);
    return true;
}

static bool load_proj(loader *l, const char *prefix, size_t nin, size_t nrows, size_t nout, ut_enhance_proj *p)
{
    char name[96];
    *p = (ut_enhance_proj){ .nin = nin, .nout = nout, .ngroups = (nout + UT_NN_OUT - 1) / UT_NN_OUT };
    snprintf(name, sizeof name, "%s.weight", prefix);
    float *w = take(l, name, 2, (size_t[]){ nrows * nout, nin }), *bias = NULL;
    snprintf(name, sizeof name, "%s.bias", prefix);
    if (w) bias = take(l, name, 1, (size_t[]){ nrows * nout });
    if (bias) p->w = ut_calloc(nrows * p->ngroups * nin, UT_NN_OUT * sizeof *w, l->e);
    if (p->w) p->bias = ut_calloc(nrows * p->ngroups, UT_NN_OUT * sizeof *w, l->e);
    for (size_t i = 0; p->bias && i < nrows * nout; i++) { /* the file's [channel][row] */
        size_t channel = i / nrows, at = (i % nrows * p->ngroups + channel / UT_NN_OUT);
        p->bias[at * UT_NN_OUT + channel % UT_NN_OUT] = bias[i];
        for (size_t k = 0; k < nin; k++) p->w[(at * nin + k) * UT_NN_OUT + channel % UT_NN_OUT] = w[i * nin + k];
    }
    free(w);
    free(bias);
    return p->bias;
}

static bool load_bottleneck(loader *l, ut_enhance_model *m)
{
    static const char *const kinds[] = { "re", "im" };
    const bool real = m->c.variant == UT_DCCRN_E;
    size_t width = m->c.hidden * m->ndirs, nin = m->deep_rows * m->part;
    char prefix[48];
    for (size_t i = 0; i < m->c.nlstms; i++)
        for (size_t kind = 0; kind < m->nkinds; kind++)
            for (size_t dir = 0; dir < m->ndirs; dir++) {
                if (real) snprintf(prefix, sizeof prefix, "bottleneck.real.%zu", i);
                else snprintf(prefix, sizeof prefix, "bottleneck.%zu.%s.0", i, kinds[kind]);
                if (!load_lstm(l, prefix, dir ? "backward" : "forward", i ? width : nin, i ? 1 : m->deep_rows, m->c.hidden, &m->lstm[i][kind][dir]))
                    return false;
            }
    if (real) return load_proj(l, "bottleneck.proj", width, m->deep_rows, m->part, &m->proj[0]);
    return load_proj(l, "bottleneck.proj_re", width, m->deep_rows, m->part, &m->proj[0]) &&
           load_proj(l, "bottleneck.proj_im", width, m->deep_rows, m->part, &m->proj[1]);
}

static bool load_all(loader *l, ut_enhance_model *m)
{
    const ut_enhance_config *c = &m->c;
    size_t n = c->nlayers;
    for (size_t i = 0; i < n; i++) {
        size_t in = n - 1 - i; /* decoder layer i undoes encoder layer in */
        size_t out = in ? c->channels[in - 1] : c->variant == UT_DCCRN_OFFLINE ? 4 : 2;
        m->encoder[i] = (ut_enhance_conv){ .nin = i ? c->channels[i - 1] : 2, .nout = c->channels[i] };
        m->decoder[i] = (ut_enhance_conv){ .nin = 2 * c->channels[in], .nout = out, .transposed = true };
        if (!load_conv(l, "encoder", i, false, c->n_fft / 2 >> i, &m->encoder[i])) return false;
        if (!load_conv(l, "decoder", i, in == 0, c->n_fft / 2 >> (in + 1), &m->decoder[i])) return false;
    }
    if (!load_bottleneck(l, m)) return false;
    if (c->variant == UT_DCCRN_OFFLINE && !(m->gain_slope = take_vector(l, "gain_slope", c->n_fft / 2, c->n_fft / 2))) return false;
    if (l->nused == l->file->n) return true;
    ut_fail(l->e, UT_E_INPUT, "%s: not a usable model: it holds %zu tensors where the configuration asks for %zu", l->name, l->file->n, l->nused);
    return false;
}

ut_status ut_enhance_model_load(const uint8_t *data, size_t n, const char *name, ut_enhance_model **out, ut_err *e)
{
    ut_safetensors file;
    ut_err own;
    if (!e) e = &own;
    *out = NULL;
    ut_status s = ut_safetensors_parse(data, n, name, &file, e);
    if (s) return s;
    ut_enhance_model *m = ut_calloc(1, sizeof *m, e);
    if (!m) s = UT_E_MEMORY;
    else if (strcmp(file.format, "undertone-dccrn-1") != 0)
        s = ut_fail(e, UT_E_INPUT, "%s: not a usable model: its format is \"%s\", not undertone-dccrn-1", name, file.format);
    else s = ut_enhance_config_read(file.config, name, &m->c, e);
    if (s == UT_OK) s = ut_stft_init(&m->stft, m->c.n_fft, m->c.win_length, m->c.hop, e);
    if (s == UT_OK) {
        m->deep_rows = m->c.n_fft / 2 >> m->c.nlayers;
        m->nkinds = m->c.variant == UT_DCCRN_E ? 1 : 2;
        m->ndirs = m->c.variant == UT_DCCRN_OFFLINE ? 2 : 1;
        m->part = m->c.channels[m->c.nlayers - 1] / m->nkinds;
        if (!load_all(&(loader){ .file = &file, .name = name, .e = e }, m)) s = e->status;
    }
    ut_safetensors_free(&file);
    if (s) ut_enhance_model_free(m);
    else *out = m;
    return s;
}

static void free_conv(ut_enhance_conv *c)
{
    free(c->w[0]);
    free(c->w[1]);
    ut_enhance_fast_free(c->fast);
    free(c->bias);
    free(c->slope);
}

void ut_enhance_model_free(ut_enhance_model *m)
{
    if (!m) return;
    ut_stft_free(&m->stft);
    for (size_t i = 0; i < UT_ENHANCE_LAYERS; i++) {
        free_conv(&m->encoder[i]);
        free_conv(&m->decoder[i]);
    }
    for (size_t i = 0; i < UT_ENHANCE_LSTMS * 4; i++) {
        ut_enhance_lstm *l = &m->lstm[i / 4][i / 2 % 2][i % 2];
        free(l->input);
        free(l->recurrent);
        free(l->bias);
    }
    for (size_t i = 0; i < 2; i++) {
        free(m->proj[i].w);
        free(m->proj[i].bias);
    }
    free(m->gain_slope);
    free(m);
}
