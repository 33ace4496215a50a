/* Between spectrum and network: compression in front, the mask or gain behind. */
#include "stage/enhance/model.h"
#include <math.h>
#include <string.h>

static size_t bins(const ut_enhance_net *n) { return n->m->c.n_fft / 2; }

void ut_enhance_compress(ut_enhance_net *n)
{
    n->nn->power(n->spectrum[0], n->spectrum[1], bins(n) * n->row_stride, (n->m->c.power - 1) / 2);
}

/* y = decompress(gain_max * sigmoid(slope * Re first) * x + second); channels: Re first, Re second, Im first, Im second. */
static void apply_gain(ut_enhance_net *n, const float *decoded)
{
    const ut_enhance_config *c = &n->m->c;
    size_t plane = bins(n) * n->row_stride;
    float exponent = (1 / c->power - 1) / 2;
    for (size_t f = 0; f < bins(n); f++) {
        float gain[UT_NN_COLS], slope = n->m->gain_slope[f];
        for (size_t s = 0; s < n->row_stride; s += UT_NN_COLS) {
            size_t at = f * n->row_stride + s;
            float *re = n->spectrum[0] + at, *im = n->spectrum[1] + at;
            for (size_t i = 0; i < UT_NN_COLS; i++) gain[i] = slope * decoded[at + i];
            n->nn->sigmoid(gain, UT_NN_COLS);
            for (size_t i = 0; i < UT_NN_COLS; i++) {
                re[i] = c->gain_max * gain[i] * re[i] + decoded[plane + at + i];
                im[i] = c->gain_max * gain[i] * im[i] + decoded[3 * plane + at + i];
            }
            n->nn->power(re, im, UT_NN_COLS, exponent);
        }
    }
}

/* CL: complex product with the mask.  E: the mask's magnitude goes through tanh, its angle turns the bin (DCCRN, eq. 8). */
static void apply_mask(ut_enhance_net *n, const float *decoded)
{
    const bool bounded = n->m->c.variant == UT_DCCRN_E;
    size_t plane = bins(n) * n->row_stride;
    float *re = n->spectrum[0] + n->row_stride, *im = n->spectrum[1] + n->row_stride; /* DC is outside */
    for (size_t at = 0; at < plane; at += UT_NN_COLS) {
        float mr[UT_NN_COLS], mi[UT_NN_COLS], size[UT_NN_COLS], gain[UT_NN_COLS];
        for (size_t i = 0; i < UT_NN_COLS; i++) {
            mr[i] = decoded[at + i];
            mi[i] = decoded[plane + at + i];
            size[i] = gain[i] = sqrtf(mr[i] * mr[i] + mi[i] * mi[i] + 1e-12f);
        }
        if (bounded) n->nn->tanh(gain, UT_NN_COLS);
        for (size_t i = 0; i < UT_NN_COLS; i++) {
            float k = bounded ? gain[i] / size[i] : 1.0f, a = re[at + i], b = im[at + i];
            re[at + i] = k * (a * mr[i] - b * mi[i]);
            im[at + i] = k * (a * mi[i] + b * mr[i]);
        }
    }
}

void ut_enhance_apply(ut_enhance_net *n, const float *decoded)
{
    const bool offline = n->m->c.variant == UT_DCCRN_OFFLINE;
    if (offline) apply_gain(n, decoded);
    else apply_mask(n, decoded);
    for (size_t p = 0; p < 2; p++) /* the one bin that the network did not see comes out as zero: Nyquist, or DC */
        memset(n->spectrum[p] + (offline ? bins(n) * n->row_stride : 0), 0, n->row_stride * sizeof(float));
}
