/* Included by attend.c, attend_avx2fma.c and attend_avx512.c with ATTEND(name), the name with the instruction set's prefix.  Plain loops: compilers make
 * vector code of them. */
#include "kern/attend.h"
#include "kern/nn_math.h"
#include <math.h>

static void ATTEND(feature)(const float *restrict x, float half, float *restrict y, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        float m = fabsf(x[i]);
        y[i] = m / (half + m);
    }
}

static void ATTEND(depthwise)(const float *const x[3], const float w[9], float bias, float *restrict y, size_t n)
{
    const float *restrict a = x[0], *restrict b = x[1], *restrict c = x[2];
    for (size_t i = 0; i < n; i++) {
        const float *p = a + i, *q = b + i, *r = c + i;
        y[i] = bias + w[0] * p[-1] + w[1] * p[0] + w[2] * p[1] + w[3] * q[-1] + w[4] * q[0] + w[5] * q[1] + w[6] * r[-1] + w[7] * r[0] + w[8] * r[1];
    }
}

static void ATTEND(box5)(const float *const *x, size_t nrows, const float *restrict scale, float *restrict column, float *restrict y, size_t n)
{
    for (size_t i = 0; i < n + 4; i++) column[i] = x[0][(ptrdiff_t)i - 2];
    for (size_t r = 1; r < nrows; r++) {
        const float *restrict from = x[r] - 2;
        for (size_t i = 0; i < n + 4; i++) column[i] += from[i];
    }
    for (size_t i = 0; i < n; i++) y[i] = scale[i] * (column[i] + column[i + 1] + column[i + 2] + column[i + 3] + column[i + 4]);
}

static void ATTEND(extremes)(const float *restrict x, size_t stride, size_t nrows, float *restrict mean, float *restrict most, size_t n)
{
    for (size_t i = 0; i < n; i++) mean[i] = most[i] = x[i];
    for (size_t c = 1; c < nrows; c++) {
        const float *restrict from = x + c * stride;
        for (size_t i = 0; i < n; i++) {
            float v = from[i];
            mean[i] += v;
            most[i] = v > most[i] ? v : most[i];
        }
    }
    float share = 1 / (float)nrows;
    for (size_t i = 0; i < n; i++) mean[i] *= share;
}

static void ATTEND(gate)(float *restrict x, const float *restrict channel, const float *restrict place, size_t n)
{
    if (channel && place)
        for (size_t i = 0; i < n; i++) x[i] *= channel[i] + place[i];
    else if (channel || place)
        for (size_t i = 0; i < n; i++) x[i] *= (channel ? channel : place)[i];
}

static inline float ATTEND(known)(float v) { return v == v ? v : 0; }

static void ATTEND(couple)(const ut_coupling *c, const float *x, const float *restrict o_scale, const float *restrict o_shift, float *y, size_t n)
{
    const float scale = c->scale, shift = c->shift, tau = c->tau;
    for (size_t i = 0; i < n; i++) {
        float a = nn_exp(scale * nn_tanh(ATTEND(known)(o_scale[i]))) - 1, v = x[i];
        y[i] = v + a * tau * v / (tau + fabsf(v)) + shift * nn_tanh(ATTEND(known)(o_shift[i]));
    }
}

/* With w = |u - t| and b = tau + a tau - w, |x| is the positive root of x^2 + b x - w tau; for b >= 0 in the form without cancellation. */
static void ATTEND(uncouple)(const ut_coupling *c, const float *x, const float *restrict o_scale, const float *restrict o_shift, float *y, size_t n)
{
    const float scale = c->scale, shift = c->shift, tau = c->tau;
    for (size_t i = 0; i < n; i++) {
        float stretch = nn_exp(scale * nn_tanh(ATTEND(known)(o_scale[i]))), v = x[i] - shift * nn_tanh(ATTEND(known)(o_shift[i]));
        float w = fabsf(v), b = tau * stretch - w, root = sqrtf(b * b + 4 * w * tau);
        float m = b >= 0 ? 2 * w * tau / (b + root) : (root - b) * .5f;
        y[i] = v < 0 ? -m : m;
    }
}

#define ATTEND_TABLE(label) \
    { ATTEND(feature), ATTEND(depthwise), ATTEND(box5), ATTEND(extremes), ATTEND(gate), ATTEND(couple), ATTEND(uncouple), label }
