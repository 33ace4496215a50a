/* From channels to a lattice: whose quantisers it must live with, and how wide its cells are. */
#include "kern/dct8.h"
#include "pipeline/geometry.h"
#include "stage/hide/extract.h"
#include <math.h>
#include <string.h>

static void add_chain(ut_design *d, const ut_channel_jpeg *step, size_t n)
{
    if (d->nchains == UT_ROUTE_MAX_CHAINS) return;
    ut_chain *c = &d->chain[d->nchains++];
    c->nsteps = 0;
    for (size_t i = 0; i < n && i < UT_CHAIN_MAX; i++) memcpy(c->quant[c->nsteps++], step[i].luma, sizeof c->quant[0]);
}

static unsigned ijg_quality(const uint16_t q[64])
{
    unsigned id = ut_header_table_id(q);
    return id <= 100 ? id : 0;
}

/* Between two variants of a range that differ only in their last quality lie others that the range promises too. */
static void add_between(ut_design *d, const ut_channel_jpeg *a, const ut_channel_jpeg *b, size_t n, bool jpeg_out)
{
    unsigned qa = ijg_quality(a[n - 1].luma), qb = ijg_quality(b[n - 1].luma);
    if (!qa || !qb || qa >= qb) return;
    ut_channel_jpeg step[UT_CHAIN_MAX];
    for (unsigned q = qa + 1; q < qb; q++) {
        memcpy(step, b, n * sizeof *step);
        ut_ijg_table(q, false, step[n - 1].luma);
        add_chain(d, step, n);
    }
    (void)jpeg_out;
}

/* Root mean square change that a channel does to the luma coefficients of this very photo. */
static ut_status measure_noise(ut_design *d, const ut_variant *v, const ut_picture *cover, const ut_sync *sync, ut_err *e)
{
    ut_received got;
    ut_view was = { .picture = cover }, is;
    ut_status s = ut_arrive(v, cover, sync, 0, &got, &is, e);
    if (s != UT_OK) return s;
    ut_grid g = ut_grid_of(cover->width, cover->height);
    size_t n = ut_grid_nblocks(g), step = n / 3000 + 1, m = 0;
    double sum[64] = { 0 };
    for (size_t b = 0; b < n; b += step) {
        float x[64], y[64];
        if (!ut_view_has(&is, (uint32_t)(b % g.blocks_w), (uint32_t)(b / g.blocks_w))) continue;
        m++;
        ut_view_block(&was, (uint32_t)(b % g.blocks_w), (uint32_t)(b / g.blocks_w), x);
        ut_view_block(&is, (uint32_t)(b % g.blocks_w), (uint32_t)(b / g.blocks_w), y);
        for (int k = 0; k < 64; k++) sum[k] += (double)((x[k] - y[k]) * (x[k] - y[k]));
    }
    for (int k = 1; k < 64 && m; k++) {
        double rms = sqrt(sum[k] / (double)m) + .5;
        if (rms > d->noise[k]) d->noise[k] = rms;
    }
    d->noisy = true;
    ut_received_free(&got);
    return UT_OK;
}

/* What the variants with known tables do, where others are noisy: to the robust form all of them are noise. */
static ut_status measure_rest(ut_design *d, const ut_route *r, const ut_picture *cover, const ut_sync *sync, ut_err *e)
{
    ut_channel_jpeg step[UT_CHAIN_MAX];
    ut_status s = UT_OK;
    for (size_t i = 1; i < r->nvariants && s == UT_OK; i++) {
        size_t m = ut_channel_jpegs(r->variant[i].channel, r->variant[i].index, step, UT_CHAIN_MAX);
        if (m && step[m - 1].last && !ut_channel_moves(r->variant[i].channel, cover->width, cover->height)) s = measure_noise(d, &r->variant[i], cover, sync, e);
    }
    return s;
}

/* Known quantisers need room for the rounding of pixels alone; noise wants the middle of the cell. */
static void set_margins(ut_design *d)
{
    ut_lattice l;
    ut_lattice_init(&l, d->quant, d->scale);
    for (int k = 0; k < 64; k++) {
        double half = (double)l.width[k] / UT_LATTICE_UNIT / 2, m = fmax(.3, 2 * d->noise[k]);
        d->margin[k] = fmin(m, fmax(half - .25, .1));
    }
}

static void default_out(ut_design *d)
{
    d->out = (ut_channel_jpeg){ .hsamp = 2, .vsamp = 2, .last = true };
    ut_ijg_table(92, false, d->out.luma);
    ut_ijg_table(92, true, d->out.chroma);
}

ut_status ut_design_init(ut_design *d, const ut_route *r, const ut_picture *cover, bool jpeg_out, const ut_sync *sync, ut_err *e)
{
    *d = (ut_design){ .between = .8, .scale = 16 };
    ut_channel_jpeg step[UT_CHAIN_MAX + 1], last[UT_CHAIN_MAX + 1];
    size_t nlast = 0, first_jpeg = 0;
    const ut_channel *previous = NULL;
    default_out(d);
    for (size_t i = 1; i < r->nvariants; i++) { /* the file as sent has the first matched channel's own tables */
        size_t n = ut_channel_jpegs(r->variant[i].channel, r->variant[i].index, step, UT_CHAIN_MAX);
        if (n && step[n - 1].last && !first_jpeg && !ut_channel_moves(r->variant[i].channel, cover->width, cover->height)) d->out = step[n - 1], first_jpeg = i;
    }
    for (size_t i = 0; i < r->nvariants; i++) {
        const ut_variant *v = &r->variant[i];
        size_t n = 0;
        if (jpeg_out) step[n++] = d->out;
        if (v->channel) {
            size_t m = ut_channel_jpegs(v->channel, v->index, step + n, UT_CHAIN_MAX - n);
            if (!m || !step[n + m - 1].last || ut_channel_moves(v->channel, cover->width, cover->height)) {
                ut_status s = measure_noise(d, v, cover, sync, e);
                if (s != UT_OK) return s;
                continue;
            }
            n += m;
            if (v->channel == previous && nlast == n) add_between(d, step, last, n, jpeg_out), add_between(d, last, step, n, jpeg_out);
        }
        add_chain(d, step, n);
        for (int k = 0; k < 64 && n; k++)
            if (step[n - 1].luma[k] > d->quant[k]) d->quant[k] = step[n - 1].luma[k];
        memcpy(last, step, sizeof last);
        nlast = n;
        previous = v->channel;
    }
    if (d->noisy) return measure_rest(d, r, cover, sync, e);
    if (!d->quant[1]) {
        ut_ijg_table(90, false, d->quant);
    }
    set_margins(d);
    d->table = ut_header_table_id(d->quant);
    return UT_OK;
}
