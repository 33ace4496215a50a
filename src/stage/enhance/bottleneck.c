/* The complex LSTM (DCCRN, eq. 4: out = (Lr(xr) - Li(xi)) + j (Lr(xi) + Li(xr)), Lr and Li real LSTMs), or E's real one, and the projection behind.
 * An LSTM's two inputs xr, xi run together and share its weights; what the inputs give to the gates is one matrix product for all frames.
 * Frames are in order here; inputs come in panels, [panel of 8 frames][input][8]. */
#include "stage/enhance/model.h"
#include <string.h>

typedef struct sizes {
    size_t seqs, nrows;   /* inputs of an LSTM (1 in E, else 2); outputs: directions * units */
    size_t units, width;  /* the same padded to groups of 16: of one direction, of both */
    size_t nframes, most; /* padded to panels; the most inputs of a layer */
} sizes;

static sizes sizes_of(const ut_enhance_model *m, size_t nblocks)
{
    size_t units = (m->c.hidden + UT_NN_UNITS - 1) / UT_NN_UNITS * UT_NN_UNITS, nin = m->deep_rows * m->part, nrows = m->ndirs * m->c.hidden;
    return (sizes){ m->nkinds, nrows, units, m->ndirs * units, nblocks * UT_BLOCK_FRAMES, nin > nrows ? nin : nrows };
}

/* scratch: panels [sequence]; gates [sequence][frame][group][gate 4][16]; outputs [kind][sequence][frame][direction][unit]; the last layer's rows
 * [part][block][output]; cells and zeros */
size_t ut_enhance_bottleneck_floats(const ut_enhance_model *m, size_t nblocks)
{
    sizes z = sizes_of(m, nblocks);
    return z.seqs * z.nframes * (z.most + 4 * z.units + m->nkinds * z.width) + z.seqs * nblocks * z.nrows * UT_ROW + (z.seqs + 1) * z.units;
}

/* The encoder's channels [first, first + m->part) as panels, inputs in the order [row][channel]. */
static void rows_to_panels(const ut_enhance_net *n, const ut_rows *in, size_t first, float *to)
{
    for (size_t t = 0; t < n->nframes; t += UT_PANEL)
        for (size_t row = 0; row < in->nrows; row++) {
            const float *x = ut_row(in, t / UT_BLOCK_FRAMES, row, first) + t % UT_BLOCK_FRAMES / 2;
            for (size_t c = 0; c < n->m->part; c++, x += UT_ROW, to += UT_PANEL)
                for (size_t i = 0; i < UT_PANEL; i++) to[i] = x[(i & 1) * UT_ODD + i / 2];
        }
}

/* gates[frame][] = sum over k of input[k][frame] * w[k][]: to the kernel, a panel is the weights and the weight matrix is the rows. */
static void input_gates(ut_enhance_net *n, const float *w, const float *panels, size_t nin, size_t width, float *gates)
{
    for (size_t k = 0; k < nin; k++) n->terms[k] = w + k * width;
    for (size_t t = 0; t < n->nframes; t += UT_PANEL)
        n->nn->sum(&(ut_nn_sum){ .nterms = nin,
                                 .x = n->terms,
                                 .w = panels + t * nin,
                                 .ntargets = 1,
                                 .target = { { gates + t * width, 1, true, true } },
                                 .y_stride = width,
                                 .ny = n->nframes - t < UT_PANEL ? n->nframes - t : UT_PANEL,
                                 .ncols = width });
}

/* All frames of one LSTM in one direction; out[sequence]: [frame][direction][unit]. */
static void recur(const ut_enhance_net *n, const sizes *z, const ut_enhance_lstm *l, size_t direction, const float *gates, float *const *out, float *state)
{
    ut_nn_lstm a = { .nunits = n->m->c.hidden, .ngroups = z->units / UT_NN_UNITS, .recurrent = l->recurrent, .bias = l->bias, .nseq = z->seqs };
    memset(state, 0, (z->seqs + 1) * z->units * sizeof *state);
    for (size_t q = 0; q < z->seqs; q++) {
        a.cell[q] = state + q * z->units;
        a.before[q] = state + z->seqs * z->units; /* zeros */
    }
    for (size_t i = 0; i < n->nframes; i++) {
        size_t t = direction ? n->nframes - 1 - i : i;
        for (size_t q = 0; q < z->seqs; q++) {
            a.gates[q] = gates + (q * z->nframes + t) * z->units * 4;
            a.after[q] = out[q] + t * z->width + direction * z->units;
        }
        n->nn->lstm(&a);
        for (size_t q = 0; q < z->seqs; q++) a.before[q] = a.after[q];
    }
}

/* One complex part of a layer's output: a + sign * b, or a alone (b NULL), both [frame][direction][unit]. */
typedef struct outputs {
    const float *a, *b;
    float sign;
} outputs;

/* Frame t's outputs, without padding, to[i * stride]. */
static void scatter(const ut_enhance_net *n, const sizes *z, const outputs *o, size_t t, float *to, size_t stride)
{
    for (size_t d = 0; d < n->m->ndirs; d++) {
        const float *a = o->a + t * z->width + d * z->units, *b = o->b ? o->b + t * z->width + d * z->units : NULL;
        for (size_t u = 0; u < n->m->c.hidden; u++, to += stride) *to = b ? a[u] + o->sign * b[u] : a[u];
    }
}

static void to_panels(const ut_enhance_net *n, const sizes *z, const outputs *o, float *to)
{
    for (size_t t = 0; t < n->nframes; t++) scatter(n, z, o, t, to + t / UT_PANEL * z->nrows * UT_PANEL + t % UT_PANEL, UT_PANEL);
}

static void to_rows(const ut_enhance_net *n, const sizes *z, const outputs *o, const ut_rows *to)
{
    for (size_t t = 0; t < n->nframes; t++)
        scatter(n, z, o, t, ut_row(to, t / UT_BLOCK_FRAMES, 0, 0) + t % UT_BLOCK_FRAMES / 2 + (t & 1) * UT_ODD, UT_ROW);
    ut_enhance_finish(n, to);
}

/* Into the channels [first, first + p->nout) of out. */
static void project(ut_enhance_net *n, const ut_enhance_proj *p, const ut_rows *in, const ut_rows *out, size_t first)
{
    for (size_t block = 0; block < n->nblocks; block++) {
        for (size_t k = 0; k < p->nin; k++) n->terms[k] = ut_row(in, block, 0, k);
        for (size_t i = 0; i < out->nrows * p->ngroups; i++) {
            size_t channel = i % p->ngroups * UT_NN_OUT, left = p->nout - channel;
            n->nn->sum(&(ut_nn_sum){ .nterms = p->nin,
                                     .x = n->terms,
                                     .w = p->w + i * p->nin * UT_NN_OUT,
                                     .bias = p->bias + i * UT_NN_OUT,
                                     .ntargets = 1,
                                     .target = { { ut_row(out, block, i / p->ngroups, first + channel), 1, true, true } },
                                     .y_stride = UT_ROW,
                                     .ny = left < UT_NN_OUT ? left : UT_NN_OUT,
                                     .ncols = UT_ROW });
        }
    }
}

void ut_enhance_bottleneck(ut_enhance_net *n, const ut_rows *in, const ut_rows *out, float *scratch)
{
    static const char *const names[2][2] = { { "lstm.%zu", NULL }, { "lstm.%zu.re", "lstm.%zu.im" } };
    const ut_enhance_model *m = n->m;
    const sizes z = sizes_of(m, n->nblocks);
    float *panels[2], *gates, *to[2][2], *at = scratch;
    ut_rows rows[2];
    for (size_t q = 0; q < z.seqs; q++, at += z.nframes * z.most) panels[q] = at;
    gates = at;
    at += z.seqs * z.nframes * z.units * 4;
    for (size_t i = 0; i < m->nkinds * z.seqs; i++, at += z.nframes * z.width) to[i / z.seqs][i % z.seqs] = at;
    for (size_t q = 0; q < z.seqs; q++, at += n->nblocks * z.nrows * UT_ROW) rows[q] = ut_enhance_rows(at, 1, z.nrows);
    for (size_t q = 0; q < z.seqs; q++) rows_to_panels(n, in, q * m->part, panels[q]);
    for (size_t layer = 0; layer < m->c.nlstms; layer++) {
        size_t nin = layer ? z.nrows : m->deep_rows * m->part;
        for (size_t kind = 0; kind < m->nkinds; kind++)
            for (size_t dir = 0; dir < m->ndirs; dir++) {
                const ut_enhance_lstm *l = &m->lstm[layer][kind][dir];
                for (size_t q = 0; q < z.seqs; q++) input_gates(n, l->input, panels[q], nin, z.units * 4, gates + q * z.nframes * z.units * 4);
                recur(n, &z, l, dir, gates, to[kind], at);
            }
        for (size_t part = 0; part < m->nkinds; part++) {
            outputs o = { to[0][part], m->nkinds == 2 ? to[1][1 - part] : NULL, part ? 1 : -1 };
            bool last = layer + 1 == m->c.nlstms;
            if (!last) to_panels(n, &z, &o, panels[part]);
            if (last || n->trace) to_rows(n, &z, &o, &rows[part]);
            ut_enhance_show(n, names[m->nkinds - 1][part], layer, &rows[part], 0, z.nrows);
        }
    }
    for (size_t part = 0; part < m->nkinds; part++) project(n, &m->proj[part], &rows[part], out, part * m->part);
    ut_enhance_finish(n, out);
}
