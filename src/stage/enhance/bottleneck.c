/* The complex LSTM (DCCRN, eq. 4: out = (Lr(xr) - Li(xi)) + j (Lr(xi) + Li(xr)), Lr and Li real LSTMs), or E's real one, and the projection behind.
 * An LSTM's two inputs xr, xi run together and share its weights; what the inputs give to the gates is one matrix product for all frames. */
#include "stage/enhance/model.h"
#include <string.h>

static size_t groups(const ut_enhance_model *m) { return (m->c.hidden + UT_NN_UNITS - 1) / UT_NN_UNITS; }
static size_t sequences(const ut_enhance_model *m) { return m->nkinds; } /* as many inputs as kinds */

/* scratch: gates [sequence][frame][group][4][16]; outputs [kind][sequence][frame][direction][unit]; rows [part][direction, unit][row_stride]; c and zeros */
size_t ut_enhance_bottleneck_floats(const ut_enhance_model *m, size_t nframes, size_t row_stride)
{
    size_t units = groups(m) * UT_NN_UNITS, seqs = sequences(m);
    return seqs * nframes * units * 4 + m->nkinds * seqs * nframes * m->ndirs * units + seqs * m->ndirs * m->c.hidden * row_stride + (seqs + 1) * units;
}

/* gates[frame][] = sum over k of x[k][frame] * w[k][]: the kernel's weights are eight frames of the input, its rows the weight matrix. */
static void input_gates(ut_enhance_net *n, const float *w, const float *x, size_t nin, float *gates)
{
    size_t width = groups(n->m) * 64;
    for (size_t k = 0; k < nin; k++) n->terms[k] = w + k * width;
    for (size_t phase = 0; phase < UT_PHASES; phase++) {
        size_t count = ut_enhance_frames_in_phase(n, phase);
        for (size_t s = 0; s < count; s += UT_NN_OUT)
            n->nn->sum(&(ut_nn_sum){ .nterms = nin,
                                     .x = n->terms,
                                     .w = x + phase * n->phase_stride + s,
                                     .w_stride = n->row_stride,
                                     .first = true,
                                     .ntargets = 1,
                                     .target = { { gates + (s * UT_PHASES + phase) * width, 1 } },
                                     .y_stride = UT_PHASES * width,
                                     .ny = count - s < UT_NN_OUT ? count - s : UT_NN_OUT,
                                     .ncols = width });
    }
}

/* out[sequence]: [frame][direction][unit]; this direction's part of it. */
static void recur(const ut_enhance_net *n, const ut_enhance_lstm *l, size_t direction, const float *gates, float *const *out, float *state)
{
    const ut_enhance_model *m = n->m;
    size_t units = groups(m) * UT_NN_UNITS, width = m->ndirs * units, seqs = sequences(m);
    ut_nn_lstm a = { .nunits = m->c.hidden, .ngroups = groups(m), .recurrent = l->recurrent, .bias = l->bias, .nseq = seqs };
    memset(state, 0, (seqs + 1) * units * sizeof *state);
    for (size_t q = 0; q < seqs; q++) {
        a.cell[q] = state + q * units;
        a.before[q] = state + seqs * units; /* zeros */
    }
    for (size_t i = 0; i < n->nframes; i++) {
        size_t t = direction ? n->nframes - 1 - i : i;
        for (size_t q = 0; q < seqs; q++) {
            a.gates[q] = gates + (q * n->nframes + t) * units * 4;
            a.after[q] = out[q] + t * width + direction * units;
        }
        n->nn->lstm(&a);
        for (size_t q = 0; q < seqs; q++) a.before[q] = a.after[q];
    }
}

/* to[row][columns] = a[frame][] + sign * b[frame][] (b may be NULL), back from frames in order to rows. */
static void to_rows(const ut_enhance_net *n, const float *a, const float *b, float sign, float *to)
{
    const ut_enhance_model *m = n->m;
    size_t units = groups(m) * UT_NN_UNITS, width = m->ndirs * units;
    for (size_t r = 0; r < m->ndirs * m->c.hidden; r++) {
        size_t at = r / m->c.hidden * units + r % m->c.hidden;
        for (size_t phase = 0; phase < UT_PHASES; phase++) {
            float *row = to + r * n->row_stride + phase * n->phase_stride;
            for (size_t t = phase, s = 0; t < n->nframes; t += UT_PHASES, s++) row[s] = b ? a[t * width + at] + sign * b[t * width + at] : a[t * width + at];
        }
    }
    ut_enhance_clear_pads(n, to, m->ndirs * m->c.hidden);
}

static void project(ut_enhance_net *n, const ut_enhance_conv *p, const float *x, float *out)
{
    for (size_t k = 0; k < p->nin; k++) n->terms[k] = x + k * n->row_stride;
    for (size_t b = 0; b < p->nblocks; b++) {
        size_t left = p->nout - b * UT_NN_OUT;
        n->nn->sum(&(ut_nn_sum){ .nterms = p->nin,
                                 .x = n->terms,
                                 .w = p->w[0] + b * p->nin * UT_NN_OUT,
                                 .w_stride = UT_NN_OUT,
                                 .bias = p->bias + b * UT_NN_OUT,
                                 .first = true,
                                 .ntargets = 1,
                                 .target = { { out + b * UT_NN_OUT * n->row_stride, 1 } },
                                 .y_stride = n->row_stride,
                                 .ny = left < UT_NN_OUT ? left : UT_NN_OUT,
                                 .ncols = n->row_stride });
    }
    ut_enhance_clear_pads(n, out, p->nout);
}

void ut_enhance_bottleneck(ut_enhance_net *n, const float *in, float *out, float *scratch)
{
    const ut_enhance_model *m = n->m;
    size_t units = groups(m) * UT_NN_UNITS, seqs = sequences(m), each = n->nframes * m->ndirs * units, nrows = m->ndirs * m->c.hidden;
    float *gates = scratch, *outs = gates + seqs * n->nframes * units * 4, *rows = outs + m->nkinds * seqs * each;
    float *state = rows + seqs * nrows * n->row_stride, *out_of[2][2];
    const float *x[2] = { in, in + (seqs - 1) * m->features * n->row_stride };
    for (size_t i = 0; i < 4; i++) out_of[i / 2][i % 2] = outs + (i / 2 * seqs + i % 2) * each;
    for (size_t layer = 0; layer < m->c.nlstms; layer++) {
        size_t nin = layer ? nrows : m->features;
        for (size_t kind = 0; kind < m->nkinds; kind++)
            for (size_t dir = 0; dir < m->ndirs; dir++) {
                const ut_enhance_lstm *l = &m->lstm[layer][kind][dir];
                for (size_t q = 0; q < seqs; q++) input_gates(n, l->input, x[q], nin, gates + q * n->nframes * units * 4);
                recur(n, l, dir, gates, out_of[kind], state);
            }
        float *re = rows, *im = rows + nrows * n->row_stride;
        if (m->nkinds == 1) {
            to_rows(n, out_of[0][0], NULL, 0, re);
        } else {
            to_rows(n, out_of[0][0], out_of[1][1], -1, re);
            to_rows(n, out_of[0][1], out_of[1][0], 1, im);
        }
        ut_enhance_show(n, m->nkinds == 1 ? "lstm.%zu" : "lstm.%zu.re", layer, re, nrows);
        if (m->nkinds == 2) ut_enhance_show(n, "lstm.%zu.im", layer, im, nrows);
        x[0] = re;
        x[1] = im;
    }
    for (size_t q = 0; q < seqs; q++) project(n, &m->proj[q], x[q], out + q * m->features * n->row_stride);
}
