/* Convolutions with fewer multiplications (Toom and Cook's polynomial products turned around, as Winograd 1980 does).
 *
 * n neighbouring outputs of a filter with r taps, y_k = sum over t of d_(k+t) g_t, need n + r - 1 products.  With M(x) = product of (x - x_j) over n + r - 2 points,
 * the product of point i is   (d with the coefficients of M(x)/(x - x_i)) * (g with 1, x_i, x_i^2 ... over M'(x_i)),   and it enters y_k with x_i^k;  the last
 * one, of the point at infinity, is   (d with the coefficients of M) * g_(r-1)   and enters y_(n-1) alone.
 *
 * In frequency the five taps with stride 2 are a filter of three taps over the even rows and one of two over the odd ones; a transposed convolution is one of
 * three for its even rows and one of two for its odd ones.  There n is 2 (7 products instead of 10) or 4 (11 instead of 20).  In time there are two taps and n is 2,
 * with the points 0, 1: ut_nn_mix makes d1, d0 - d1, d1 - d2 (3 instead of 4).  Both together: 21 for 40, or 33 for 80. */
#include "stage/enhance/model.h"
#include "base/buf.h"
#include <stdlib.h>

/* Rows mixed with c, and the weight that they are multiplied with: sum of k[kernel row] * w.  Rows count from the first output's input row. */
typedef struct mixture {
    size_t nrows;
    int row[4];
    float c[4], k[5];
} mixture;

/* One product, or two that go to the same outputs alike.  Outputs count from the first. */
typedef struct pattern {
    size_t nmixtures, nout;
    mixture mix[2];
    struct {
        size_t row;
        float k;
        bool first, last; /* begins the output; completes it */
    } out[4];
} pattern;

struct ut_enhance_fast {
    size_t npatterns, n;  /* n: outputs at once */
    pattern p[12];
    float *w;             /* [pattern][time][group][mixture][input][8] */
};

/* A filter over rows first, first + step, ... */
typedef struct filter {
    size_t ntaps, kf[3]; /* kernel rows of its taps */
    int first, step;
} filter;

static const float points[5] = { 1, 0, -1, 2, -2 }; /* 1 first: its product goes to all outputs */

/* The mixture of point i; i = number of points: infinity. */
static mixture mixture_of(const filter *f, size_t n, size_t i)
{
    mixture m = { 0 };
    size_t npoints = n + f->ntaps - 2, degree = 0;
    float poly[6] = { 1 }, scale = 1;
    for (size_t j = 0; j < npoints; j++) {
        if (j == i) continue;
        poly[++degree] = 0;
        for (size_t d = degree; d > 0; d--) poly[d] = poly[d - 1] - points[j] * poly[d];
        poly[0] *= -points[j];
        if (i < npoints) scale *= points[i] - points[j];
    }
    for (size_t d = 0; d <= degree; d++)
        if (poly[d] != 0) {
            m.row[m.nrows] = f->first + (int)d * f->step;
            m.c[m.nrows++] = poly[d];
        }
    float power = 1 / scale;
    for (size_t t = 0; t < f->ntaps; t++) {
        if (i < npoints || t + 1 == f->ntaps) m.k[f->kf[t]] = power;
        if (i < npoints) power *= points[i];
    }
    return m;
}

/* All products of a filter for output rows out, out + out_step, ...; where `join` has the same point, they go with it. */
static void add_filter(struct ut_enhance_fast *fast, const filter *f, size_t out, size_t out_step, size_t join)
{
    size_t n = fast->n, npoints = n + f->ntaps - 2, joined = join ? fast->npatterns - 1 : 0; /* points that are there */
    for (size_t i = 0; i <= npoints; i++) {
        size_t at = !join ? fast->npatterns : i == npoints ? joined : i;
        pattern *p = &fast->p[at];
        p->mix[p->nmixtures++] = mixture_of(f, n, i);
        if (join) continue;
        fast->npatterns++;
        float power = 1;
        for (size_t k = 0; k < n; k++, power *= i < npoints ? points[i] : 1)
            if (i < npoints ? power != 0 : k + 1 == n) {
                p->out[p->nout].row = out + k * out_step;
                p->out[p->nout++].k = power;
            }
    }
}

static void mark_ends(struct ut_enhance_fast *fast, size_t noutputs)
{
    for (size_t row = 0; row < noutputs; row++) {
        bool begun = false, *last = NULL;
        for (size_t i = 0; i < fast->npatterns; i++)
            for (size_t o = 0; o < fast->p[i].nout; o++)
                if (fast->p[i].out[o].row == row) {
                    fast->p[i].out[o].first = !begun;
                    begun = true;
                    last = &fast->p[i].out[o].last;
                }
        if (last) *last = true;
    }
}

/* The two phases in time: k: weights of the earlier and the later tap, and where each product goes. */
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

/* One product's weight for one pair of input and output. */
static float weight(const mixture *mix, const instants *t, ut_enhance_tap tap, const void *from, size_t out, size_t in)
{
    double sum = 0;
    for (size_t kf = 0; kf < 5; kf++)
        for (size_t kt = 0; kt < 2; kt++) {
            double k = (double)mix->k[kf] * (double)t->k[kt];
            if (k != 0) sum += k * (double)tap(from, out, in, kf, kt);
        }
    return (float)sum;
}

static void pack(const ut_enhance_conv *c, struct ut_enhance_fast *fast, ut_enhance_tap tap, const void *from)
{
    float *to = fast->w;
    for (size_t i = 0; i < fast->npatterns * 3; i++)
        for (size_t g = 0; g < c->ngroups; g++)
            for (size_t x = 0; x < fast->p[i / 3].nmixtures; x++)
                for (size_t in = 0; in < c->nin; in++)
                    for (size_t m = 0; m < UT_NN_OUT; m++) {
                        size_t out = g * UT_NN_OUT + m;
                        *to++ = out < c->nout ? weight(&fast->p[i / 3].mix[x], &times[i % 3], tap, from, out, in) : 0;
                    }
}

size_t ut_enhance_fast_outputs(const ut_enhance_conv *c, size_t rows_in)
{
    size_t rows = c->transposed ? rows_in : rows_in / 2; /* input rows, or output rows: what comes in twos or fours */
    if (c->nin < 16 || c->nout < 16) return 0;
    return rows % 4 == 0 && c->nin >= UT_ENHANCE_FOURS ? 4 : rows % 2 == 0 ? 2 : 0;
}

struct ut_enhance_fast *ut_enhance_fast_new(const ut_enhance_conv *c, size_t n, ut_enhance_tap tap, const void *from, ut_err *e)
{
    static const filter even = { 3, { 0, 2, 4 }, -2, 2 }, odd = { 2, { 1, 3 }, -1, 2 };       /* frames of the convolution's input */
    static const filter to_even = { 3, { 4, 2, 0 }, -1, 1 }, to_odd = { 2, { 3, 1 }, 0, 1 };  /* of the transposed one's */
    struct ut_enhance_fast *fast = ut_calloc(1, sizeof *fast, e);
    size_t nmixtures = 0;
    if (!fast) return NULL;
    fast->n = n;
    add_filter(fast, c->transposed ? &to_even : &even, 0, c->transposed ? 2 : 1, 0);
    add_filter(fast, c->transposed ? &to_odd : &odd, 1, 2, !c->transposed);
    mark_ends(fast, c->transposed ? 2 * n : n);
    for (size_t i = 0; i < fast->npatterns; i++) nmixtures += fast->p[i].nmixtures;
    fast->w = ut_calloc(nmixtures * 3 * c->ngroups * c->nin, UT_NN_OUT * sizeof *fast->w, e);
    if (fast->w) {
        pack(c, fast, tap, from);
        return fast;
    }
    free(fast);
    return NULL;
}

void ut_enhance_fast_free(struct ut_enhance_fast *fast)
{
    if (fast) free(fast->w);
    free(fast);
}

size_t ut_enhance_fast_terms(const ut_enhance_conv *c) { return 3 * (c->transposed ? 1 : 2) * c->nin; }

typedef struct fast_job {
    ut_enhance_net *n;
    const ut_enhance_conv *c;
    const ut_rows *in, *out;
    size_t nsources;
    size_t block, index, ncols; /* the outputs at work: c->fast->n neighbours in frequency, two in time */
    size_t instant[3];
} fast_job;

/* Mixes the pattern's input rows, [time][mixture][input]. */
static void mix(const fast_job *j, const pattern *p)
{
    long base = (long)(j->c->fast->n * (j->c->transposed ? 1 : 2) * j->index);
    float *v = j->n->mixed;
    for (size_t x = 0; x < p->nmixtures; x++)
        for (size_t source = 0; source < j->nsources; source++) {
            const mixture *mix = &p->mix[x];
            const ut_rows *in = &j->in[source];
            ut_nn_mix a = { .nrows = in->nchannels, .ncols = j->ncols, .x_stride = UT_ROW, .v = v, .v_stride = UT_COLS };
            a.plane = p->nmixtures * j->c->nin * UT_COLS;
            for (size_t q = 0; q < 3; q++) a.instant[q] = j->instant[q];
            for (size_t i = 0; i < mix->nrows; i++) {
                long row = base + mix->row[i];
                if (row < 0 || row >= (long)in->nrows) continue; /* zeros outside; one is always inside */
                a.k[a.nsources] = mix->c[i];
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
    size_t nterms = p->nmixtures * c->nin, top = j->index * c->fast->n * (c->transposed ? 2 : 1);
    for (size_t g = 0; g < c->ngroups; g++) {
        size_t left = c->nout - g * UT_NN_OUT;
        ut_nn_sum a = { .nterms = nterms,
                        .x = j->n->mixed_terms + time * nterms,
                        .w = w + g * nterms * UT_NN_OUT,
                        .bias = c->bias + g * UT_NN_OUT,
                        .slope = c->slope ? c->slope + g * UT_NN_OUT : NULL,
                        .y_stride = UT_ROW,
                        .ny = left < UT_NN_OUT ? left : UT_NN_OUT,
                        .ncols = j->ncols };
        for (size_t o = 0; o < p->nout; o++)
            for (size_t q = 0; q < t->nout; q++) /* the first time goes to both phases, the others complete one each */
                a.target[a.ntargets++] = (ut_nn_target){ .y = ut_row(j->out, j->block, top + p->out[o].row, g * UT_NN_OUT) + t->out[q] * UT_ODD,
                                                         .k = p->out[o].k * t->sign[q],
                                                         .first = p->out[o].first && time == 0,
                                                         .last = p->out[o].last && time > 0 };
        j->n->nn->sum(&a);
    }
}

void ut_enhance_fast_run(ut_enhance_net *n, const ut_enhance_conv *c, const ut_rows *in, size_t nsources, const ut_rows *out)
{
    const struct ut_enhance_fast *fast = c->fast;
    size_t count = in->nrows / (fast->n * (c->transposed ? 1 : 2));
    fast_job j = { .n = n, .c = c, .in = in, .nsources = nsources, .out = out };
    ut_enhance_instants(n, c, j.instant);
    for (j.block = 0; j.block < n->nblocks; j.block++)
        for (j.index = 0; j.index < count; j.index++) {
            const float *w = fast->w;
            j.ncols = ut_enhance_ncols(n, j.block);
            for (size_t i = 0; i < fast->npatterns; i++) {
                mix(&j, &fast->p[i]);
                for (size_t time = 0; time < 3; time++, w += c->ngroups * fast->p[i].nmixtures * c->nin * UT_NN_OUT) product(&j, &fast->p[i], time, w);
            }
        }
}
