/* Convolutions and transposed convolutions, 5 rows (frequency) by 2 frames, stride 2 in frequency, as sums of weighted rows: the input is not copied
 * together, the kernel gets a list of row pointers.  (fast.c has those with many channels.) */
#include "stage/enhance/model.h"

void ut_enhance_instants(const ut_enhance_net *n, const ut_enhance_conv *c, size_t instant[3])
{
    const bool ahead = c->transposed && n->m->c.lookahead; /* taps at t, t+1 instead of t-1, t */
    instant[0] = ahead ? 0 : UT_ODD - 1;
    instant[1] = ahead ? UT_ODD : 0;
    instant[2] = ahead ? 1 : UT_ODD;
}

/* One output row in one block.  It sees the input rows [row, row + ntaps) that exist. */
static void conv_row(ut_enhance_net *n, const ut_enhance_conv *c, const ut_rows *in, size_t nsources, const ut_rows *out, size_t block, size_t f)
{
    size_t odd = c->transposed ? f & 1 : 0, ntaps = !c->transposed ? 5 : odd ? 2 : 3, first = 0, last = ntaps, instant[3];
    long row = !c->transposed ? 2 * (long)f - 2 : odd ? (long)(f / 2) : (long)(f / 2) - 1;
    if (row < 0) first = (size_t)-row;
    while (last > first && row + (long)last > (long)in->nrows) last--;
    ut_enhance_instants(n, c, instant);
    for (size_t phase = 0; phase < 2; phase++) {
        size_t nterms = 0;
        for (size_t tap = first; tap < last; tap++)
            for (size_t source = 0; source < nsources; source++)
                for (size_t i = 0; i < in[source].nchannels; i++) {
                    const float *x = ut_row(&in[source], block, (size_t)(row + (long)tap), i);
                    n->terms[nterms++] = x + instant[phase];
                    n->terms[nterms++] = x + instant[phase + 1];
                }
        for (size_t g = 0; g < c->ngroups; g++) {
            size_t left = c->nout - g * UT_NN_OUT;
            n->nn->sum(&(ut_nn_sum){ .nterms = nterms,
                                     .x = n->terms,
                                     .w = c->w[odd] + (g * ntaps + first) * c->nin * 2 * UT_NN_OUT,
                                     .bias = c->bias + g * UT_NN_OUT,
                                     .slope = c->slope ? c->slope + g * UT_NN_OUT : NULL,
                                     .ntargets = 1,
                                     .target = { { ut_row(out, block, f, g * UT_NN_OUT) + phase * UT_ODD, 1, true, true } },
                                     .y_stride = UT_ROW,
                                     .ny = left < UT_NN_OUT ? left : UT_NN_OUT,
                                     .ncols = ut_enhance_ncols(n, block) });
        }
    }
}

void ut_enhance_layer(ut_enhance_net *n, const ut_enhance_conv *c, const ut_rows *in, size_t nsources, const ut_rows *out)
{
    if (c->fast) ut_enhance_fast_run(n, c, in, nsources, out);
    for (size_t block = 0; !c->fast && block < n->nblocks; block++)
        for (size_t f = 0; f < out->nrows; f++) conv_row(n, c, in, nsources, out, block, f);
    ut_enhance_finish(n, out);
}
