/* Convolutions and transposed convolutions, 5 rows (frequency) by 2 frames, stride 2 in frequency, as sums of weighted rows: no copy of the input is made,
 * the kernel gets a list of row pointers. */
#include "stage/enhance/model.h"

#define TILE 48u /* columns worked on at a time, so that their rows stay in the cache */

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
                                     .first = true,
                                     .last = true,
                                     .ntargets = 1,
                                     .target = { { out + b * UT_NN_OUT * channel_stride + phase * n->phase_stride + s, 1 } },
                                     .y_stride = channel_stride,
                                     .ny = left < UT_NN_OUT ? left : UT_NN_OUT,
                                     .ncols = ncols });
        }
    }
}

static void direct(ut_enhance_net *n, const ut_enhance_conv *c, size_t rows_in, float *out)
{
    size_t rows = c->transposed ? rows_in * 2 : rows_in / 2;
    for (size_t s = 0; s < n->ncols; s += TILE)
        for (size_t f = 0; f < rows; f++) {
            size_t odd = c->transposed ? f & 1 : 0, ntaps = !c->transposed ? 5 : odd ? 2 : 3;
            long row = c->transposed ? (long)(f / 2) - (odd ? 0 : 1) : 2 * (long)f - 2;
            conv_row(n, c, c->w[odd], ntaps, row, rows_in, c->transposed && n->m->c.lookahead, out + f * n->row_stride, rows * n->row_stride, s,
                     n->ncols - s < TILE ? n->ncols - s : TILE);
        }
}

/* ---- with fewer multiplications ----
 *
 * Two neighbouring outputs of a filter with three taps, y0 = d0 g0 + d1 g1 + d2 g2 and y1 = d1 g0 + d2 g1 + d3 g2, need four products (Winograd 1980, F(2,3)):
 *     b = (d1 + d2)(g0 + g1 + g2)/2   c = (d2 - d1)(g0 - g1 + g2)/2   a = (d0 - d2) g0   z = (d1 - d3) g2     y0 = b + c + a   y1 = b - c - z
 * and of one with two taps three, F(2,2):
 *     b = d1 (g0 + g1)                a = (d0 - d1) g0                z = (d1 - d2) g1                        y0 = b + a       y1 = b - z
 * In frequency the five taps with stride 2 are a filter of three taps over the even rows and one of two over the odd ones; a transposed convolution is one of
 * three for its even rows and one of two for its odd ones.  In time there are two taps.  Both together: 21 products where plain sums have 40.
 *
 * A pattern is one product in frequency: which input rows are mixed (at most two such mixtures whose products go the same way), the weights, and
 * which outputs it goes to.  Rows count from that of the first output (transposed: of the input row above it). */
typedef struct mixture {
    int row[2];   /* the second may be NONE */
    float sign;   /* of the second */
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

/* The same for the two phases in time: instants 0, 1, 2 are d0, d1, d2 above; k: weights of the earlier and the later tap. */
typedef struct instants {
    size_t n;
    size_t at[2];
    float k[2];
    size_t nout, out[2];
    float sign[2];
} instants;
static const instants times[3] = {
    { 1, { 1 }, { 1, 1 }, 2, { 0, 1 }, { 1, 1 } },
    { 2, { 0, 1 }, { 1, 0 }, 1, { 0 }, { 1 } },
    { 2, { 1, 2 }, { 0, 1 }, 1, { 1 }, { -1 } },
};
_Static_assert(UT_PHASES == 2, "the table above is for two phases");

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

/* Order: [pattern][time][block][mixture][input][8].  w: as ut_enhance_tap gives it. */
void ut_enhance_fast_weights(const ut_enhance_conv *c, float (*tap)(const void *from, size_t out, size_t in, size_t kf, size_t time), const void *from, float *to)
{
    const pattern *p;
    size_t n = patterns(c->transposed, &p);
    for (size_t i = 0; i < n * 3; i++)
        for (size_t j = 0; j < c->nblocks * p[i / 3].nmixtures; j++)
            for (size_t in = 0; in < c->nin; in++)
                for (size_t m = 0; m < UT_NN_OUT; m++, to++) {
                    size_t out = j / p[i / 3].nmixtures * UT_NN_OUT + m;
                    const float *k = p[i / 3].mix[j % p[i / 3].nmixtures].k, *kt = times[i % 3].k;
                    double sum = 0;
                    for (size_t q = 0; q < 10 && out < c->nout; q++)
                        if (k[q / 2] * kt[q % 2] != 0) sum += (double)(k[q / 2] * kt[q % 2]) * (double)tap(from, out, in, q / 2, q % 2);
                    *to = (float)sum;
                }
}

typedef struct fast_job {
    ut_enhance_net *n;
    const ut_enhance_conv *c;
    size_t rows_in, channel_stride;
    float *out;
    size_t s, ncols;  /* columns */
    size_t pair, npairs; /* pairs of outputs in frequency, from the first on */
    size_t instant[3];   /* where d0, d1, d2 are in a row */
} fast_job;

/* The mixed rows of one pair, [mixture][input][ncols]. */
static void mix_pair(const fast_job *j, const pattern *p, const instants *t, size_t pair, float *v)
{
    long base = (long)(j->c->transposed ? 2 * pair : 4 * pair);
    for (size_t x = 0; x < p->nmixtures; x++, v += j->c->nin * j->ncols) {
        const mixture *mix = &p->mix[x];
        ut_nn_mix a = { .nrows = j->c->nin, .ncols = j->ncols, .x = j->n->chan, .v = v, .v_stride = j->ncols };
        for (size_t i = 0; i < 2; i++) {
            long row = base + mix->row[i];
            if (mix->row[i] == NONE || row < 0 || row >= (long)j->rows_in) continue;
            for (size_t q = 0; q < t->n; q++) {
                a.at[a.nsources] = (ptrdiff_t)((size_t)row * j->n->row_stride + j->instant[t->at[q]] + j->s);
                a.k[a.nsources++] = (i ? mix->sign : 1) * (q ? -1.0f : 1.0f);
            }
        }
        j->n->nn->mix(&a);
    }
}

static void fast_product(const fast_job *j, const pattern *p, const instants *t, const float *w)
{
    ut_enhance_net *n = j->n;
    size_t nterms = p->nmixtures * j->c->nin, step = j->c->transposed ? 4 : 2;
    for (size_t i = 0; i < j->npairs; i++) mix_pair(j, p, t, j->pair + i, n->mixed + i * nterms * j->ncols);
    for (size_t i = 0; i < j->npairs * nterms; i++) n->terms[i] = n->mixed + i * j->ncols;
    for (size_t b = 0; b < j->c->nblocks; b++)
        for (size_t i = 0; i < j->npairs; i++) {
            size_t left = j->c->nout - b * UT_NN_OUT;
            float *out = j->out + b * UT_NN_OUT * j->channel_stride + (j->pair + i) * step * n->row_stride + j->s;
            ut_nn_sum a = { .nterms = nterms,
                            .x = n->terms + i * nterms,
                            .w = w + b * nterms * UT_NN_OUT,
                            .w_stride = UT_NN_OUT,
                            .bias = j->c->bias + b * UT_NN_OUT,
                            .slope = j->c->slope ? j->c->slope + b * UT_NN_OUT : NULL,
                            .first = p->first && t->nout == 2,
                            .last = p->last && t->nout == 1,
                            .y_stride = j->channel_stride,
                            .ny = left < UT_NN_OUT ? left : UT_NN_OUT,
                            .ncols = j->ncols };
            for (size_t f = 0; f < p->nout; f++)
                for (size_t q = 0; q < t->nout; q++)
                    a.target[a.ntargets++] = (ut_nn_target){ out + (size_t)p->out[f] * n->row_stride + t->out[q] * n->phase_stride, p->sign[f] * t->sign[q] };
            n->nn->sum(&a);
        }
}

static void fast(ut_enhance_net *n, const ut_enhance_conv *c, size_t rows_in, float *out)
{
    const pattern *p;
    size_t np = patterns(c->transposed, &p), pairs = c->transposed ? rows_in / 2 : rows_in / 4, at[2];
    fast_job j = { .n = n, .c = c, .rows_in = rows_in, .channel_stride = (c->transposed ? rows_in * 2 : rows_in / 2) * n->row_stride, .out = out };
    bool ahead = c->transposed && n->m->c.lookahead;
    time_taps(n, 0, ahead, at);
    j.instant[0] = at[0];
    j.instant[1] = at[1];
    time_taps(n, 1, ahead, at);
    j.instant[2] = at[1];
    for (j.s = 0; j.s < n->ncols; j.s += TILE) {
        j.ncols = n->ncols - j.s < TILE ? n->ncols - j.s : TILE;
        size_t group = UT_ENHANCE_MIXED / (2 * c->nin * j.ncols);
        if (group == 0) group = 1;
        for (j.pair = 0; j.pair < pairs; j.pair += group) {
            const float *w = c->fast;
            j.npairs = pairs - j.pair < group ? pairs - j.pair : group;
            for (size_t i = 0; i < np * 3; i++) {
                fast_product(&j, &p[i / 3], &times[i % 3], w);
                w += c->nblocks * p[i / 3].nmixtures * c->nin * UT_NN_OUT;
            }
        }
    }
}

void ut_enhance_layer(ut_enhance_net *n, const ut_enhance_conv *c, size_t rows_in, float *out)
{
    if (c->fast) fast(n, c, rows_in, out);
    else direct(n, c, rows_in, out);
    ut_enhance_clear_pads(n, out, c->nout * (c->transposed ? rows_in * 2 : rows_in / 2));
}
