/* Included by nn.c, nn_avx2fma.c and nn_avx512.c with
 *   V         the vector type, of W floats (16 is a multiple of W); v_load, v_store, v_set, v_fma(a, b, c) = a*b + c, v_prelu(v, slope)
 *   NN_OUT, NN_VECS   outputs and vectors that one register tile holds; NN_OUT divides 8
 *   NN(name)  the name with the instruction set's prefix
 */
#include "kern/nn.h"
#include "kern/nn_math.h"

#define NN_INLINE static inline __attribute__((always_inline))

/* Output m's finished sum goes where it belongs. */
NN_INLINE void NN(deliver)(const ut_nn_sum *a, size_t m, size_t s, const V *sum, size_t vecs)
{
    if (m >= a->ny) return;
    for (size_t t = 0; t < a->ntargets; t++) {
        float *y = a->target[t].y + m * a->y_stride + s;
        V k = v_set(a->target[t].k), v[NN_VECS];
        if (a->target[t].first) {
            V bias = v_set(a->bias ? a->bias[m] : 0.0f);
            for (size_t i = 0; i < vecs; i++) v[i] = v_fma(k, sum[i], bias);
        } else {
            for (size_t i = 0; i < vecs; i++) v[i] = v_fma(k, sum[i], v_load(y + i * W));
        }
        if (a->target[t].last && a->slope) {
            V slope = v_set(a->slope[m]);
            for (size_t i = 0; i < vecs; i++) v[i] = v_prelu(v[i], slope);
        }
        for (size_t i = 0; i < vecs; i++) v_store(y + i * W, v[i]);
    }
}

/* Outputs out..out+outs of a, columns s..s+vecs*W.  outs and vecs are constants where this is inlined, so that acc lives in registers. */
NN_INLINE void NN(tile)(const ut_nn_sum *a, size_t out, size_t s, size_t outs, size_t vecs)
{
    V acc[NN_OUT][NN_VECS], x[NN_VECS];
    const float *w = a->w + out;
    for (size_t m = 0; m < outs; m++)
        for (size_t i = 0; i < vecs; i++) acc[m][i] = v_set(0.0f);
    for (size_t j = 0; j < a->nterms; j++, w += UT_NN_OUT) {
        const float *from = a->x[j] + s;
        __builtin_prefetch(w + 128 * UT_NN_OUT); /* weights come from far away, in order */
        for (size_t i = 0; i < vecs; i++) x[i] = v_load(from + i * W);
        for (size_t m = 0; m < outs; m++) {
            V k = v_set(w[m]);
            for (size_t i = 0; i < vecs; i++) acc[m][i] = v_fma(k, x[i], acc[m][i]);
        }
    }
#define DELIVER(m) if ((m) < outs) NN(deliver)(a, out + (m), s, acc[(m) % NN_OUT], vecs) /* written out: a loop would put acc in memory */
    DELIVER(0); DELIVER(1); DELIVER(2); DELIVER(3); DELIVER(4); DELIVER(5); DELIVER(6); DELIVER(7);
#undef DELIVER
}

NN_INLINE void NN(strip)(const ut_nn_sum *a, size_t out, size_t outs)
{
    size_t s = 0;
    for (; s + NN_VECS * W <= a->ncols; s += NN_VECS * W) NN(tile)(a, out, s, outs, NN_VECS);
    if (NN_VECS > 2 && s + 2 * W <= a->ncols) {
        NN(tile)(a, out, s, outs, 2);
        s += 2 * W;
    }
    for (; s < a->ncols; s += W) NN(tile)(a, out, s, outs, 1);
}

static void NN(sum)(const ut_nn_sum *a)
{
    for (size_t out = 0; out < a->ny; out += NN_OUT)
        if (a->ny - out <= NN_OUT / 2) NN(strip)(a, out, NN_OUT / 2);
        else NN(strip)(a, out, NN_OUT);
}

NN_INLINE void NN(mix_tile)(const ut_nn_mix *a, size_t j, size_t s, size_t nsources, size_t vecs)
{
    V c[3], k[4];
    const float *x[4];
    for (size_t n = 0; n < nsources; n++) {
        k[n] = v_set(a->k[n]);
        x[n] = a->x[n] + j * a->x_stride + s;
    }
    float *v = a->v + j * a->v_stride + s;
    for (size_t i = 0; i < vecs; i++, v += W) {
        for (size_t q = 0; q < 3; q++) {
            c[q] = k[0] * v_load(x[0] + a->instant[q] + i * W);
            for (size_t n = 1; n < nsources; n++) c[q] = v_fma(k[n], v_load(x[n] + a->instant[q] + i * W), c[q]);
        }
        v_store(v, c[1]);
        v_store(v + a->plane, c[0] - c[1]);
        v_store(v + 2 * a->plane, c[1] - c[2]);
    }
}

NN_INLINE void NN(mix_rows)(const ut_nn_mix *a, size_t nsources)
{
    for (size_t j = 0; j < a->nrows; j++) {
        size_t s = 0, ahead = (j + 8 < a->nrows ? j + 8 : j) * a->x_stride; /* the rows come from far away: fetch them early */
        for (size_t n = 0; n < nsources; n++)
            for (size_t i = 0; i < 112; i += 16) __builtin_prefetch(a->x[n] + ahead + i);
        for (; s + 48 <= a->ncols; s += 48) NN(mix_tile)(a, j, s, nsources, 48 / W);
        for (; s < a->ncols; s += 16) NN(mix_tile)(a, j, s, nsources, 16 / W);
    }
}

static void NN(mix)(const ut_nn_mix *a)
{
    switch (a->nsources) {
    case 1: NN(mix_rows)(a, 1); break;
    case 2: NN(mix_rows)(a, 2); break;
    case 3: NN(mix_rows)(a, 3); break;
    default: NN(mix_rows)(a, 4);
    }
}

/* The units [at, at + W) of one group: the four gates' sums for all sequences, into gate[sequence][4][16]. */
NN_INLINE void NN(gates)(const ut_nn_lstm *a, size_t group, size_t at, size_t nseq, float gate[2][4][16])
{
    V acc[2][4];
    size_t first = group * 64 + at;
    const float *r = a->recurrent + group * a->nunits * 64 + at;
    for (size_t q = 0; q < nseq; q++)
        for (size_t g = 0; g < 4; g++) acc[q][g] = v_load(a->gates[q] + first + g * 16) + v_load(a->bias + first + g * 16);
    for (size_t k = 0; k < a->nunits; k++, r += 64)
        for (size_t g = 0; g < 4; g++) {
            V weight = v_load(r + g * 16);
            for (size_t q = 0; q < nseq; q++) acc[q][g] = v_fma(weight, v_set(a->before[q][k]), acc[q][g]);
        }
    for (size_t q = 0; q < nseq; q++)
        for (size_t g = 0; g < 4; g++) v_store(&gate[q][g][at], acc[q][g]);
}

static void NN(lstm)(const ut_nn_lstm *a)
{
    float gate[2][4][16];
    for (size_t group = 0; group < a->ngroups; group++) {
        for (size_t at = 0; at < 16; at += W)
            if (a->nseq == 2) NN(gates)(a, group, at, 2, gate);
            else NN(gates)(a, group, at, 1, gate);
        for (size_t q = 0; q < a->nseq; q++) {
            float *c = a->cell[q] + group * 16, *h = a->after[q] + group * 16;
            for (size_t u = 0; u < 16; u++) {
                c[u] = nn_sigmoid(gate[q][1][u]) * c[u] + nn_sigmoid(gate[q][0][u]) * nn_tanh(gate[q][2][u]);
                h[u] = nn_sigmoid(gate[q][3][u]) * nn_tanh(c[u]);
            }
        }
    }
}

static void NN(power)(float *re, float *im, size_t n, float exponent)
{
    for (size_t i = 0; i < n; i++) {
        float scale = nn_exp(exponent * nn_log(re[i] * re[i] + im[i] * im[i] + 1e-8f));
        re[i] *= scale;
        im[i] *= scale;
    }
}

static void NN(sigmoid)(float *x, size_t n)
{
    for (size_t i = 0; i < n; i++) x[i] = nn_sigmoid(x[i]);
}

static void NN(tanh)(float *x, size_t n)
{
    for (size_t i = 0; i < n; i++) x[i] = nn_tanh(x[i]);
}

#define NN_TABLE(label) { NN(sum), NN(mix), NN(lstm), NN(power), NN(sigmoid), NN(tanh), label }
