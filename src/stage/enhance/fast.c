#include "stage/enhance/model.h"

/* Convolutions with fewer multiplications.
 *
 * Two neighbouring outputs of a filter with three taps, y0 = d0 g0 + d1 g1 + d2 g2 and y1 = d1 g0 + d2 g1 + d3 g2, need four products (Winograd 1980, F(2,3)):
 *     b = (d1 + d2)(g0 + g1 + g2)/2   c = (d2 - d1)(g0 - g1 + g2)/2   a = (d0 - d2) g0   z = (d1 - d3) g2     y0 = b + c + a   y1 = b - c - z
 * and of one with two taps three, F(2,2):
 *     b = d1 (g0 + g1)                a = (d0 - d1) g0                z = (d1 - d2) g1                        y0 = b + a       y1 = b - z
 * In frequency the five taps with stride 2 are a filter of three taps over the even rows and one of two over the odd ones; a transposed convolution is one of
 * three for its even rows and one of two for its odd ones.  In time there are two taps.  Both together: 21 products where plain sums have 40.
 *
 * A pattern is one product in frequency: which input rows are mixed (at most two such mixtures whose products go the same way), the weights, and
 * which outputs it goes to.  Input and output rows count from the first output's (transposed: the first output's input row). */
typedef struct mixture {
    int row[2];   /* the second may be NONE */
    float sign;   /* of the second row */
    float k[5];   /* weight: sum of k[kf] * w[kf] */
} mixture;

typedef struct pattern {
    size_t nmixtures;
    mixture mix[2];
    size_t nout;
    int out[2];
    float sign[2];
    bool first, last; /* begins its outputs; completes them */
} pattern;

#define NONE 99
static const pattern forward[] = {
    { 2, { { { 0, 2 }, 1, { .5f, 0, .5f, 0, .5f } }, { { 1, NONE }, 0, { 0, 1, 0, 1, 0 } } }, 2, { 0, 1 }, { 1, 1 }, true, false },
    { 1, { { { 2, 0 }, -1, { .5f, 0, -.5f, 0, .5f } } }, 2, { 0, 1 }, { 1, -1 }, false, false },
    { 2, { { { -2, 2 }, -1, { 1, 0, 0, 0, 0 } }, { { -1, 1 }, -1, { 0, 1, 0, 0, 0 } } }, 1, { 0 }, { 1 }, false, true },
    { 2, { { { 0, 4 }, -1, { 0, 0, 0, 0, 1 } }, { { 1, 3 }, -1, { 0, 0, 0, 1, 0 } } }, 1, { 1 }, { -1 }, false, true },
};
static const pattern transposed[] = {
    { 1, { { { 0, 1 }, 1, { .5f, 0, .5f, 0, .5f } } }, 2, { 0, 2 }, { 1, 1 }, true, false },
    { 1, { { { 1, 0 }, -1, { .5f, 0, -.5f, 0, .5f } } }, 2, { 0, 2 }, { 1, -1 }, false, false },
    { 1, { { { -1, 1 }, -1, { 0, 0, 0, 0, 1 } } }, 1, { 0 }, { 1 }, false, true },
    { 1, { { { 0, 2 }, -1, { 1, 0, 0, 0, 0 } } }, 1, { 2 }, { -1 }, false, true },
    { 1, { { { 1, NONE }, 0, { 0, 1, 0, 1, 0 } } }, 2, { 1, 3 }, { 1, 1 }, true, false },
    { 1, { { { 0, 1 }, -1, { 0, 0, 0, 1, 0 } } }, 1, { 1 }, { 1 }, false, true },
    { 1, { { { 1, 2 }, -1, { 0, 1, 0, 0, 0 } } }, 1, { 3 }, { -1 }, false, true },
};

/* The same for the two phases in time; k: weights of the earlier and the later tap.  ut_nn_mix makes the three mixtures: d1, d0 - d1, d1 - d2. */
typedef struct instants {
    float k[2];
    size_t nout, out[2];
    float sign[2];
} instants;
static const instants times[3] = {
    { { 1, 1 }, 2, { 0, 1 }, { 1, 1 } },
    { { 1, 0 }, 1, { 0 }, { 1 } },
    { { 0, 1 }, 1, { 1 }, { -1 } },
};
static size_t patterns(bool is_transposed, const pattern **p)
{
    *p = is_transposed ? transposed : forward;
    return is_transposed ? sizeof transposed / sizeof *transposed : sizeof forward / sizeof *forward;
}

size_t ut_enhance_fast_products(bool is_transposed)
{
    const pattern *p;
    size_t total = 0;
    for (size_t n = patterns(is_transposed, &p), i = 0; i < n; i++) total += 3 * p[i].nmixtures;
    return total;
}

/* One product's weight for one pair of input and output: sum of coefficient * tap. */
static float fast_weight(const mixture *mix, const instants *t, ut_enhance_tap tap, const void *from, size_t out, size_t in)
{
    double sum = 0;
    for (size_t kf = 0; kf < 5; kf++)
        for (size_t kt = 0; kt < 2; kt++) {
            double k = (double)mix->k[kf] * (double)t->k[kt];
            if (k != 0) sum += k * (double)tap(from, out, in, kf, kt);
        }
    return (float)sum;
}

void ut_enhance_fast_weights(const ut_enhance_conv *c, ut_enhance_tap tap, const void *from, float *to)
{
    const pattern *p;
    size_t n = patterns(c->transposed, &p);
    for (size_t i = 0; i < n * 3; i++)
        for (size_t b = 0; b < c->ngroups; b++)
            for (size_t x = 0; x < p[i / 3].nmixtures; x++)
                for (size_t in = 0; in < c->nin; in++)
                    for (size_t m = 0; m < UT_NN_OUT; m++) {
                        size_t out = b * UT_NN_OUT + m;
                        *to++ = out < c->nout ? fast_weight(&p[i / 3].mix[x], &times[i % 3], tap, from, out, in) : 0;
                    }
}

size_t ut_enhance_fast_terms(const ut_enhance_conv *c) { return (c->transposed ? 1 : 2) * c->nin; }

typedef struct fast_job {
    ut_enhance_net *n;
    const ut_enhance_conv *c;
    const ut_rows *in, *out;
    size_t nsources;
    size_t block, pair, ncols; /* the outputs at work: two neighbours in frequency and in time */
    size_t instant[3];
} fast_job;

/* Mixes the pattern's input rows, [time][mixture][input]. */
static void mix(const fast_job *j, const pattern *p)
{
    long base = (long)(j->c->transposed ? 2 * j->pair : 4 * j->pair);
    float *v = j->n->mixed;
    for (size_t x = 0; x < p->nmixtures; x++)
        for (size_t source = 0; source < j->nsources; source++) {
            const mixture *mix = &p->mix[x];
            const ut_rows *in = &j->in[source];
            ut_nn_mix a = { .nrows = in->nchannels, .ncols = j->ncols, .x_stride = UT_ROW, .v = v, .v_stride = UT_COLS };
            a.plane = p->nmixtures * j->c->nin * UT_COLS;
            for (size_t q = 0; q < 3; q++) a.instant[q] = j->instant[q];
            for (size_t i = 0; i < 2; i++) {
                long row = base + mix->row[i];
                if (mix->row[i] == NONE || row < 0 || row >= (long)in->nrows) continue; /* nothing outside; one of two is always inside */
                a.k[a.nsources] = i ? mix->sign : 1;
                a.x[a.nsources++] = ut_row(in, j->block, (size_t)row, 0);
            }
            j->n->nn->mix(&a);
            v += in->nchannels * UT_COLS;
        }
}

static void product(const fast_job *j, const pattern *p, size_t time, const float *w)
{
    const ut_enhance_conv *c = j->c;
    const instants *t = &times[time];
    size_t nterms = p->nmixtures * c->nin, step = c->transposed ? 4 : 2;
    for (size_t g = 0; g < c->ngroups; g++) {
        size_t left = c->nout - g * UT_NN_OUT;
        ut_nn_sum a = { .nterms = nterms,
                        .x = j->n->mixed_terms + time * nterms,
                        .w = w + g * nterms * UT_NN_OUT,
                        .bias = c->bias + g * UT_NN_OUT,
                        .slope = c->slope ? c->slope + g * UT_NN_OUT : NULL,
                        .first = p->first && t->nout == 2,
                        .last = p->last && t->nout == 1,
                        .y_stride = UT_ROW,
                        .ny = left < UT_NN_OUT ? left : UT_NN_OUT,
                        .ncols = j->ncols };
        for (size_t f = 0; f < p->nout; f++)
            for (size_t q = 0; q < t->nout; q++)
                a.target[a.ntargets++] = (ut_nn_target){ ut_row(j->out, j->block, j->pair * step + (size_t)p->out[f], g * UT_NN_OUT) + t->out[q] * UT_ODD,
                                                         p->sign[f] * t->sign[q] };
        j->n->nn->sum(&a);
    }
}

void ut_enhance_fast(ut_enhance_net *n, const ut_enhance_conv *c, const ut_rows *in, size_t nsources, const ut_rows *out)
{
    const pattern *p;
    size_t np = patterns(c->transposed, &p), npairs = in->nrows / (c->transposed ? 2 : 4);
    fast_job j = { .n = n, .c = c, .in = in, .nsources = nsources, .out = out };
    ut_enhance_instants(n, c, j.instant);
    for (j.block = 0; j.block < n->nblocks; j.block++)
        for (j.pair = 0; j.pair < npairs; j.pair++) {
            const float *w = c->fast;
            j.ncols = ut_enhance_ncols(n, j.block);
            for (size_t k = 0; k < np; k++) {
                mix(&j, &p[k]);
                for (size_t time = 0; time < 3; time++, w += c->ngroups * p[k].nmixtures * c->nin * UT_NN_OUT) product(&j, &p[k], time, w);
            }
        }
}
