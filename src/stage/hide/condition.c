/* Running the network over a picture in tiles.  Within a tile rows flow through the layers: each keeps the few rows of its input that later rows still need, in
 * rings, and hands on every row of its output as soon as it can be made. */
#include "stage/hide/condition.h"
#include "base/buf.h"
#include "base/parallel.h"
#include "kern/attend.h"
#include "kern/nn.h"
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

enum { TILE_COLUMNS = 512, TILE_ROWS = 96, LEAST_ROWS = 24, MARGIN = 16, REACH = 3 /* blocks that one attention block sees further */ };
enum { H_ROWS = 4, R_ROWS = 3, SQUEEZED_ROWS = 5, EXTREME_ROWS = 4 };

/* One attention block's rows; row y of a ring of n lies at place y mod n.  Every row is [channel][stride] with zeros at both ends. */
typedef struct layer {
    const ut_condition_block *b;
    float *h, *r, *squeezed, *extremes; /* [H_ROWS][width], [R_ROWS][width], [SQUEEZED_ROWS][width / 4], [EXTREME_ROWS][2] */
    int64_t have, next_r, end_r, next_out, end_out; /* rows below `have` of the input were pushed; which to make next, and where to stop */
} layer;

typedef struct tile {
    const ut_condition_run *run;
    const ut_nn *nn;
    const ut_attend *at;
    size_t width, stride, nc;   /* columns in multiples of UT_NN_COLS */
    int64_t height;             /* of the picture, in blocks */
    uint32_t x0, x1, xs, xe;    /* columns that are wanted, and those that are looked at */
    layer layer[UT_CONDITION_BLOCKS];
    float *store, *zero, *c, *features, *work, *narrow, *last, *out, *scale, *column, *place;
} tile;

static const float no_slope[UT_NN_OUT];

/* y = W x (+ bias), or y += W x; x: m->nin rows. */
static void mix(const tile *t, const ut_condition_mix *m, const float *const *x, float *y, bool bias, bool relu, bool add)
{
    for (size_t o = 0; o < m->nout; o += UT_NN_OUT)
        t->nn->sum(&(ut_nn_sum){ .nterms = m->nin, .x = x, .w = m->w + o * m->nin, .bias = bias ? m->bias + o : NULL, .slope = relu ? no_slope : NULL, .ntargets = 1,
                                 .target = { { y + o * t->stride, 1, !add, true } }, .y_stride = t->stride,
                                 .ny = m->nout - o < UT_NN_OUT ? m->nout - o : UT_NN_OUT, .ncols = t->nc });
}

static void rows_of(const tile *t, const float *x, size_t n, const float **rows)
{
    for (size_t i = 0; i < n; i++) rows[i] = x + i * t->stride;
}

/* What lies behind the tile's last column must be zero where neighbours look at it. */
static void close_rows(const tile *t, float *x, size_t n)
{
    size_t from = t->xe - t->xs;
    for (size_t i = 0; i < n && from < t->nc; i++) memset(x + i * t->stride + from, 0, (t->nc - from) * sizeof *x);
}

static float *ring(const tile *t, float *base, int64_t y, unsigned nrows, size_t channels)
{
    return base + (size_t)(y % nrows) * channels * t->stride + MARGIN;
}

/* r, what is squeezed from it, and its extremes, at row y. */
static void make_r(tile *t, layer *l, int64_t y)
{
    const float *rows[UT_CONDITION_WIDTH] = { NULL }, *near[3];
    size_t w = t->width;
    for (size_t c = 0; c < w; c++) {
        for (int64_t i = 0; i < 3; i++) {
            int64_t at = y + i - 1;
            near[i] = at < 0 || at >= t->height ? t->zero + MARGIN : ring(t, l->h, at, H_ROWS, w) + c * t->stride;
        }
        t->at->depthwise(near, l->b->depthwise + c * 10, l->b->depthwise[c * 10 + 9], t->work + MARGIN + c * t->stride, t->nc);
    }
    float *r = ring(t, l->r, y, R_ROWS, w);
    rows_of(t, t->work + MARGIN, w, rows);
    mix(t, &l->b->mix, rows, r, true, true, false);
    rows_of(t, r, w, rows);
    if (l->b->squeeze.w) {
        float *squeezed = ring(t, l->squeezed, y, SQUEEZED_ROWS, w / 4);
        mix(t, &l->b->squeeze, rows, squeezed, false, false, false); /* before the mean, which is linear too; there are fewer of them */
        close_rows(t, squeezed, w / 4);
    }
    if (l->b->spatial.w) {
        float *e = ring(t, l->extremes, y, EXTREME_ROWS, 2);
        t->at->extremes(r, t->stride, w, e, e + t->stride, t->nc);
        close_rows(t, e, 2);
    }
}

/* The channels' gate at row y, into work. */
static void channel_gate(tile *t, const layer *l, int64_t y)
{
    const float *rows[UT_CONDITION_WIDTH] = { NULL }, *near[5];
    size_t w = t->width, nnear = 0;
    int64_t first = y < 2 ? 0 : y - 2, end = y + 3 > t->height ? t->height : y + 3;
    int64_t n = t->xe - t->xs;
    for (int64_t x = 0; x < n; x++) {
        int64_t from = x < 2 ? 0 : x - 2, to = x + 3 > n ? n : x + 3;
        t->scale[x] = 1 / (float)((to - from) * (end - first));
    }
    for (size_t c = 0; c < w / 4; c++) {
        float *out = t->narrow + MARGIN + c * t->stride, bias = l->b->squeeze.bias[c];
        nnear = 0;
        for (int64_t at = first; at < end; at++) near[nnear++] = ring(t, l->squeezed, at, SQUEEZED_ROWS, w / 4) + c * t->stride;
        t->at->box5(near, nnear, t->scale, t->column, out, t->nc);
        for (size_t i = 0; i < t->nc; i++) out[i] = out[i] + bias > 0 ? out[i] + bias : 0;
    }
    rows_of(t, t->narrow + MARGIN, w / 4, rows);
    mix(t, &l->b->excite, rows, t->work + MARGIN, true, false, false);
    for (size_t c = 0; c < w; c++) t->nn->sigmoid(t->work + MARGIN + c * t->stride, t->nc);
}

/* The places' gate at row y. */
static void spatial_gate(tile *t, const layer *l, int64_t y)
{
    const float *terms[18];
    for (int64_t c = 0; c < 2; c++)
        for (int64_t i = 0; i < 9; i++) {
            int64_t at = y + i / 3 - 1;
            const float *row = at < 0 || at >= t->height ? t->zero + MARGIN : ring(t, l->extremes, at, EXTREME_ROWS, 2) + (size_t)c * t->stride;
            terms[c * 9 + i] = row + i % 3 - 1;
        }
    mix(t, &l->b->spatial, terms, t->place, true, false, false);
    t->nn->sigmoid(t->place, t->nc);
}

/* Row y of the block's output, into the next one's input. */
static void make_out(tile *t, layer *l, int64_t y, float *to)
{
    const float *rows[UT_CONDITION_WIDTH] = { NULL };
    size_t w = t->width;
    float *r = ring(t, l->r, y, R_ROWS, w);
    const float *h = ring(t, l->h, y, H_ROWS, w);
    if (l->b->squeeze.w) channel_gate(t, l, y);
    if (l->b->spatial.w) spatial_gate(t, l, y);
    for (size_t c = 0; c < w; c++) {
        float bias = l->b->out.bias[c];
        t->at->gate(r + c * t->stride, l->b->squeeze.w ? t->work + MARGIN + c * t->stride : NULL, l->b->spatial.w ? t->place : NULL, t->nc);
        for (size_t i = 0; i < t->nc; i++) to[c * t->stride + i] = h[c * t->stride + i] + bias;
    }
    rows_of(t, r, w, rows);
    mix(t, &l->b->out, rows, to, false, false, true);
    close_rows(t, to, w);
}

/* Row y of the network's output. */
static void finish(tile *t, int64_t y)
{
    const float *rows[UT_CONDITION_WIDTH] = { NULL };
    rows_of(t, t->last + MARGIN, t->width, rows);
    for (size_t c = 0; c < t->width; c++) {
        float *x = t->last + MARGIN + c * t->stride;
        for (size_t i = 0; i < t->nc; i++) x[i] = x[i] > 0 ? x[i] : 0;
    }
    mix(t, &t->run->net->outp, rows, t->out + MARGIN, true, false, false);
    t->run->write(t->run->arg, t->x0, (uint32_t)y, t->x1 - t->x0, t->out + MARGIN + (t->x0 - t->xs), t->stride);
}

static int64_t within(const tile *t, int64_t y) { return y < t->height ? y : t->height - 1; }

/* What has become possible in layer i once a row was pushed into it. */
static void advance(tile *t, size_t i)
{
    layer *l = &t->layer[i];
    bool final = i + 1 == t->run->net->nblocks;
    while (l->next_r < l->end_r && within(t, l->next_r + 1) < l->have) {
        make_r(t, l, l->next_r++);
        while (l->next_out < l->end_out && within(t, l->next_out + 2) < l->next_r) {
            int64_t y = l->next_out++;
            make_out(t, l, y, final ? t->last + MARGIN : ring(t, l[1].h, y, H_ROWS, t->width));
            if (final) finish(t, y);
            else l[1].have = y + 1, advance(t, i + 1);
        }
    }
}

/* Row y of the picture into the first layer. */
static void push(tile *t, int64_t y)
{
    const float *rows[UT_CONDITION_INPUTS] = { NULL };
    uint32_t n = t->xe - t->xs;
    float *c = t->c + MARGIN, *f = t->features + MARGIN;
    t->run->read(t->run->arg, t->xs, (uint32_t)y, n, c, t->stride);
    for (size_t k = 1; k < 64; k++) {
        t->at->feature(c + k * t->stride, UT_CONDITION_FINE, f + k * t->stride, n);
        t->at->feature(c + k * t->stride, UT_CONDITION_COARSE, f + (64 + k) * t->stride, n);
    }
    for (uint32_t x = 0; x < n; x++) f[x] = c[x] / 1024;
    rows_of(t, f, UT_CONDITION_INPUTS, rows);
    rows[64] = rows[0];
    float *h = ring(t, t->layer[0].h, y, H_ROWS, t->width);
    mix(t, &t->run->net->inp, rows, h, true, false, false);
    close_rows(t, h, t->width);
    t->layer[0].have = y + 1;
    advance(t, 0);
}

static float *carve(float **at, size_t rows, size_t stride)
{
    float *p = *at;
    if (p) *at += rows * stride;
    return p;
}

/* Divides t->store among the tile's rows, or, where it is NULL, says how many floats that takes. */
static size_t lay_out(tile *t)
{
    size_t w = t->width, rows = 0, n = t->run->net->nblocks;
    float *at = t->store;
#define ROWS(count) (rows += (count), carve(&at, (count), t->stride))
    for (size_t i = 0; i < n; i++) {
        layer *l = &t->layer[i];
        l->h = ROWS(H_ROWS * w), l->r = ROWS(R_ROWS * w);
        l->squeezed = ROWS(SQUEEZED_ROWS * (w / 4)), l->extremes = ROWS(EXTREME_ROWS * 2);
    }
    t->zero = ROWS(1), t->c = ROWS(64), t->features = ROWS(UT_CONDITION_INPUTS), t->work = ROWS(w), t->narrow = ROWS(w / 4), t->last = ROWS(w);
    t->out = ROWS(t->run->net->noutputs), t->scale = ROWS(1), t->column = ROWS(1), t->place = ROWS(1);
#undef ROWS
    return rows * t->stride;
}

/* The wanted rows [y0, y1). */
static ut_status run_tile(tile *t, int64_t y0, int64_t y1, ut_err *e)
{
    size_t n = t->run->net->nblocks;
    t->nc = (t->xe - t->xs + UT_NN_COLS - 1) / UT_NN_COLS * UT_NN_COLS;
    t->stride = t->nc + 2 * MARGIN;
    t->store = ut_calloc(lay_out(t), sizeof *t->store, e);
    if (!t->store) return UT_E_MEMORY;
    lay_out(t);
    int64_t first = y0, end = y1;
    for (size_t i = n; i-- > 0;) {
        layer *l = &t->layer[i];
        l->b = &t->run->net->block[i];
        l->next_out = first, l->end_out = end;
        l->next_r = first < 2 ? 0 : first - 2, l->end_r = end + 2 > t->height ? t->height : end + 2;
        first = first < REACH ? 0 : first - REACH, end = end + REACH > t->height ? t->height : end + REACH;
    }
    for (int64_t y = first; y < end; y++) push(t, y);
    free(t->store);
    return UT_OK;
}

typedef struct job {
    const ut_condition_run *run;
    uint32_t nx, ny;
    atomic_bool failed;
} job;

static void work_on(void *arg, size_t i)
{
    job *j = arg;
    const ut_condition_run *r = j->run;
    uint32_t tx = (uint32_t)(i % j->nx), ty = (uint32_t)(i / j->nx), reach = (uint32_t)(REACH * r->net->nblocks);
    tile *t = calloc(1, sizeof *t);
    if (!t) {
        j->failed = true;
        return;
    }
    *t = (tile){ .run = r, .nn = ut_nn_get(), .at = ut_attend_get(), .width = r->net->width, .height = r->blocks_h,
                 .x0 = (uint32_t)((uint64_t)r->blocks_w * tx / j->nx), .x1 = (uint32_t)((uint64_t)r->blocks_w * (tx + 1) / j->nx) };
    t->xs = t->x0 < reach ? 0 : t->x0 - reach;
    t->xe = r->blocks_w - t->x1 < reach ? r->blocks_w : t->x1 + reach;
    int64_t y0 = (int64_t)((uint64_t)r->blocks_h * ty / j->ny), y1 = (int64_t)((uint64_t)r->blocks_h * (ty + 1) / j->ny);
    if (run_tile(t, y0, y1, NULL) != UT_OK) j->failed = true;
    free(t);
}

ut_status ut_condition_apply(const ut_condition_run *r, unsigned nthreads, ut_err *e)
{
    if (!r->blocks_w || !r->blocks_h) return UT_OK;
    uint32_t rows = r->blocks_h / 4 < LEAST_ROWS ? LEAST_ROWS : r->blocks_h / 4 > TILE_ROWS ? TILE_ROWS : r->blocks_h / 4;
    job j = { .run = r, .nx = (r->blocks_w - 1) / TILE_COLUMNS + 1, .ny = (r->blocks_h - 1) / rows + 1 };
    ut_parallel(nthreads, (size_t)j.nx * j.ny, work_on, &j);
    return j.failed ? ut_fail(e, UT_E_MEMORY, "not enough memory to look at the photo") : UT_OK;
}
