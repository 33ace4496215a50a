/* Convolutions and transposed convolutions, 5 rows (frequency) by 2 frames, stride 2 in frequency, as sums of weighted rows: no copy of the input is made,
 * the kernel gets a list of row pointers. */
#include "stage/enhance/model.h"

#define TILE 192u /* columns worked on at a time, so that their rows stay in the cache */

/* Where tap 0 (earlier) and 1 (later) of a phase's frames are found in a row. */
static void time_taps(const ut_enhance_net *n, size_t phase, bool ahead, size_t at[2])
{
    size_t last = UT_PHASES - 1;
    at[0] = at[1] = phase * n->phase_stride;
    if (ahead) at[1] = phase < last ? at[0] + n->phase_stride : 1;
    else at[0] = phase > 0 ? at[1] - n->phase_stride : last * n->phase_stride - 1; /* -1: the zeros behind the phase before */
}

/* One output row, columns [s, s + ncols) of all phases.  It sees the input rows [row, row + ntaps) that exist. */
static void conv_row(ut_enhance_net *n, const ut_enhance_conv *c, const float *w, size_t set_rows, long row, size_t rows_in, bool ahead, float *out,
                     size_t channel_stride, size_t s, size_t ncols)
{
    size_t first = row < 0 ? (size_t)-row : 0, last = set_rows; /* row taps */
    while (last > first && row + (long)last > (long)rows_in) last--;
    for (size_t phase = 0; phase < UT_PHASES; phase++) {
        size_t at[2], nterms = 0;
        time_taps(n, phase, ahead, at);
        for (size_t tap = first; tap < last; tap++)
            for (size_t i = 0; i < c->nin; i++) {
                const float *x = n->chan[i] + (size_t)(row + (long)tap) * n->row_stride + s;
                n->terms[nterms++] = x + at[0];
                n->terms[nterms++] = x + at[1];
            }
        for (size_t b = 0; b < c->nblocks; b++) {
            size_t left = c->nout - b * UT_NN_OUT;
            n->nn->sum(&(ut_nn_sum){ .nterms = nterms,
                                     .x = n->terms,
                                     .w = w + (b * set_rows + first) * c->nin * 2 * UT_NN_OUT,
                                     .w_stride = UT_NN_OUT,
                                     .bias = c->bias + b * UT_NN_OUT,
                                     .slope = c->slope ? c->slope + b * UT_NN_OUT : NULL,
                                     .y = out + b * UT_NN_OUT * channel_stride + phase * n->phase_stride + s,
                                     .y_stride = channel_stride,
                                     .ny = left < UT_NN_OUT ? left : UT_NN_OUT,
                                     .ncols = ncols });
        }
    }
}

void ut_enhance_encode_layer(ut_enhance_net *n, const ut_enhance_conv *c, size_t rows_in, float *out)
{
    size_t rows = rows_in / 2;
    for (size_t s = 0; s < n->ncols; s += TILE)
        for (size_t f = 0; f < rows; f++)
            conv_row(n, c, c->w[0], 5, 2 * (long)f - 2, rows_in, false, out + f * n->row_stride, rows * n->row_stride, s,
                     n->ncols - s < TILE ? n->ncols - s : TILE);
    ut_enhance_clear_pads(n, out, c->nout * rows);
}

void ut_enhance_decode_layer(ut_enhance_net *n, const ut_enhance_conv *c, size_t rows_in, float *out)
{
    size_t rows = rows_in * 2;
    for (size_t s = 0; s < n->ncols; s += TILE)
        for (size_t f = 0; f < rows; f++)
            conv_row(n, c, c->w[f & 1], f & 1 ? 2 : 3, (long)(f / 2) - (f & 1 ? 0 : 1), rows_in, n->m->c.lookahead, out + f * n->row_stride,
                     rows * n->row_stride, s, n->ncols - s < TILE ? n->ncols - s : TILE);
    ut_enhance_clear_pads(n, out, c->nout * rows);
}
