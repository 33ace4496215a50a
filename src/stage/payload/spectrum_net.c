/* The networks and the functions around them, all in integers. */
#include "stage/payload/spectrum_net.h"

int32_t ut_spectrum_log2(uint32_t v)
{
    int e = 31 - __builtin_clz(v |= 1);
    return e * 256 + ut_spectrum_log[v << (31 - e) >> 23 & 255];
}

uint32_t ut_spectrum_exp2(int32_t x)
{
    if (x < 0) return 1;
    if (x >= 24 * 256) x = 24 * 256 - 1;
    return (uint32_t)((uint64_t)ut_spectrum_exp[x & 255] << (x >> 8) >> 16);
}

uint32_t ut_spectrum_squash(int32_t x)
{
    uint32_t m = (uint32_t)(x < 0 ? -x : x), p;
    if (m >= 12 * 256) m = 12 * 256 - 1;
    p = ut_spectrum_sigmoid[m >> 4] + ((ut_spectrum_sigmoid[(m >> 4) + 1] - ut_spectrum_sigmoid[m >> 4]) * (m & 15) >> 4);
    if (p > 65512) p = 65512;
    return x < 0 ? 65536 - p : p;
}

/* out[j] = sum_i w[j][i] in[i] + b[j], Q20 */
static void layer(const int16_t *w, const int32_t *b, const int16_t *in, int nin, int nout, int32_t *out)
{
    for (int j = 0; j < nout; j++) {
        int32_t sum = b[j];
        for (int i = 0; i < nin; i++) sum += (int32_t)w[j * nin + i] * in[i];
        out[j] = sum;
    }
}

/* ReLU, back to Q8 */
static void activate(const int32_t *sum, int n, int16_t *out)
{
    for (int i = 0; i < n; i++) {
        int32_t v = sum[i] < 0 ? 0 : sum[i] >> 12;
        out[i] = (int16_t)(v > UT_NET_MAX ? UT_NET_MAX : v);
    }
}

void ut_spectrum_net(const ut_net *n, const int16_t *in, int32_t *logit)
{
    int32_t sum[UT_NET_HIDDEN1];
    int16_t a[UT_NET_HIDDEN1], b[UT_NET_HIDDEN2];
    layer(n->w1, n->b1, in, n->nin, UT_NET_HIDDEN1, sum);
    activate(sum, UT_NET_HIDDEN1, a);
    layer(n->w2, n->b2, a, UT_NET_HIDDEN1, UT_NET_HIDDEN2, sum);
    activate(sum, UT_NET_HIDDEN2, b);
    layer(n->w3, n->b3, b, UT_NET_HIDDEN2, n->nout, logit);
    for (int i = 0; i < n->nout; i++) logit[i] /= 4096; /* towards zero */
}
