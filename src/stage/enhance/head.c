/* Between spectrum and network: compression in front, the mask or gain behind. */
#include "stage/enhance/model.h"
#include <math.h>
#include <string.h>

static size_t bins(const ut_enhance_net *n) { return n->m->c.n_fft / 2; }

void ut_enhance_compress(ut_enhance_net *n)
{
    for (size_t block = 0; block < n->nblocks; block++)
        for (size_t f = 0; f < bins(n); f++)
            n->nn->power(ut_row(&n->spectrum, block, f, 0), ut_row(&n->spectrum, block, f, 1), UT_ROW, (n->m->c.power - 1) / 2);
}

/* One row: y = decompress(gain_max * sigmoid(slope * Re first) * x + second); channels: Re first, Re second, Im first, Im second. */
static void apply_gain(const ut_enhance_net *n, const float *const decoded[4], float slope, float *re, float *im)
{
    const ut_enhance_config *c = &n->m->c;
    float gain[UT_ROW];
    for (size_t i = 0; i < UT_ROW; i++) gain[i] = slope * decoded[0][i];
    n->nn->sigmoid(gain, UT_ROW);
    for (size_t i = 0; i < UT_ROW; i++) {
        re[i] = c->gain_max * gain[i] * re[i] + decoded[1][i];
        im[i] = c->gain_max * gain[i] * im[i] + decoded[3][i];
    }
    n->nn->power(re, im, UT_ROW, (1 / c->power - 1) / 2);
}

/* One row.  CL: complex product with the mask.  E: the mask's magnitude goes through tanh, its angle turns the bin (DCCRN, eq. 8). */
static void apply_mask(const ut_enhance_net *n, const float *const decoded[2], float *re, float *im)
{
    const float *mr = decoded[0], *mi = decoded[1];
    float size[UT_ROW], gain[UT_ROW];
    for (size_t i = 0; i < UT_ROW; i++) gain[i] = size[i] = 1;
    if (n->m->c.variant == UT_DCCRN_E) {
        for (size_t i = 0; i < UT_ROW; i++) gain[i] = size[i] = sqrtf(mr[i] * mr[i] + mi[i] * mi[i] + 1e-12f);
        n->nn->tanh(gain, UT_ROW);
    }
    for (size_t i = 0; i < UT_ROW; i++) {
        float k = gain[i] / size[i], a = re[i], b = im[i];
        re[i] = k * (a * mr[i] - b * mi[i]);
        im[i] = k * (a * mi[i] + b * mr[i]);
    }
}

void ut_enhance_apply(ut_enhance_net *n, const ut_rows *decoded)
{
    const bool offline = n->m->c.variant == UT_DCCRN_OFFLINE;
    for (size_t block = 0; block < n->nblocks; block++) {
        for (size_t f = 0; f < bins(n); f++) {
            size_t row = offline ? f : f + 1; /* the masks leave DC out, the gain Nyquist */
            float *re = ut_row(&n->spectrum, block, row, 0), *im = ut_row(&n->spectrum, block, row, 1);
            const float *d[4];
            for (size_t i = 0; i < decoded->nchannels; i++) d[i] = ut_row(decoded, block, f, i);
            if (offline) apply_gain(n, d, n->m->gain_slope[f], re, im);
            else apply_mask(n, d, re, im);
        }
        memset(ut_row(&n->spectrum, block, offline ? bins(n) : 0, 0), 0, 2 * UT_ROW * sizeof(float)); /* what the network did not see comes out as zero */
    }
}
