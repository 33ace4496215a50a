#include "pipeline/geometry.h"
#include "channel/resize.h"
#include "channel/turn.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

void ut_restored_free(ut_restored *r)
{
    ut_picture_free(&r->picture);
    ut_jpeg_coefs_free(&r->jpeg);
    *r = (ut_restored){ 0 };
}

static void show(ut_restored *r) { r->view = (ut_view){ .jpeg = &r->jpeg, .picture = &r->picture }; }

ut_status ut_restore_turned(const ut_picture *got, const ut_jpeg_coefs *jpeg, bool pixels, unsigned o, ut_restored *r, ut_err *e)
{
    *r = (ut_restored){ 0 };
    ut_status s = ut_orient_luma(jpeg, o, &r->jpeg, e);
    if (s == UT_OK && (pixels || !r->jpeg.nplanes)) {
        s = ut_picture_copy(&r->picture, got, e);
        if (s == UT_OK) s = ut_orient(&r->picture, o, e);
    }
    snprintf(r->story, sizeof r->story, "%s", ut_orient_story(o));
    show(r);
    if (s != UT_OK) ut_restored_free(r);
    return s;
}

ut_status ut_restore_sized(const ut_picture *got, uint32_t width, uint32_t height, ut_restored *r, ut_err *e)
{
    *r = (ut_restored){ 0 };
    ut_status s = ut_resize(got, width, height, &r->picture, e);
    snprintf(r->story, sizeof r->story, "was resized from %ux%u to %ux%u", width, height, got->width, got->height);
    show(r);
    if (s != UT_OK) ut_restored_free(r);
    return s;
}

ut_status ut_sync_of(ut_keyring *ring, ut_sync *s, ut_err *e)
{
    ut_seal_keys locator;
    ut_status st = ut_keyring_locator(ring, &locator, e);
    if (st == UT_OK) st = ut_sync_init(s, locator.carrier, e);
    ut_wipe(&locator, sizeof locator);
    return st;
}

#define WHOLE 1.2 /* pixels that a fit may be off and the picture still be a whole one */

/* A stretch of n samples that begins and ends between pixels of the grid, as near as the fit can tell: a picture resized as a whole, one cut
 * to whole pixels, or one cut and then resized.  False: it cannot be. */
static bool in_whole_pixels(double *scale, double *x0, uint32_t n, double sigma)
{
    double start = round(*x0), length = round(*x0 + *scale * n) - start, slack = fmin(fmax(3 * sigma, .12), .75);
    if (fabs(*x0 - start) > slack || fabs(*x0 + *scale * n - start - length) > slack || length < 8) return false;
    *scale = length / n;
    *x0 = start;
    return true;
}

/* Offsets are known modulo the period: the one next to zero, for most pictures are whole. */
static double near_zero(double x) { return x - UT_SYNC_PERIOD * floor(x / UT_SYNC_PERIOD + .25); }

/* A whole picture that kept its proportions when it was resized, as nearly all do: lengths in whole pixels that the better known axis decides.
 * False: it is not one. */
static bool in_proportion(ut_sync_fit *f, uint32_t width, uint32_t height)
{
    double long_x = f->scale_x * width, long_y = f->scale_y * height;
    double scale = width >= height ? f->scale_x : f->scale_y; /* the longer side, of the same error in pixels, knows better */
    double ratio = (long_x + long_y) / ((double)width + height);
    double w = round(ratio * width), h = round(ratio * height);
    if (fabs(f->x0) > WHOLE || fabs(f->y0) > WHOLE || fabs(f->x0 + long_x - w) > WHOLE || fabs(f->y0 + long_y - h) > WHOLE || w < 8 || h < 8) return false;
    if (fabs(scale / ratio - 1) > .005 || (w == width && h == height)) return false; /* nothing was resized */
    f->scale_x = w / width;
    f->scale_y = h / height;
    f->x0 = f->y0 = 0;
    return true;
}

static void add_place(ut_places *p, const ut_sync_fit *f)
{
    for (size_t i = 0; i < p->n; i++) {
        const ut_sync_fit *g = &p->at[i];
        if (g->turn == f->turn && fabs(g->scale_x - f->scale_x) < 1e-7 && fabs(g->scale_y - f->scale_y) < 1e-7 && fabs(g->x0 - f->x0) < 1e-4 &&
            fabs(g->y0 - f->y0) < 1e-4)
            return;
    }
    if (p->n < UT_MAX_PLACES) p->at[p->n++] = *f;
}

ut_status ut_locate(const ut_sync *sync, const ut_picture *got, unsigned nthreads, ut_places *p, ut_err *e)
{
    ut_sync_fit hit[4], best = { 0 };
    size_t n;
    p->n = 0;
    ut_status s = ut_sync_search(sync, got, nthreads, hit, 4, &n, e);
    ut_picture upright = { 0 };
    unsigned turned = 0;
    for (size_t i = 0; i < n && s == UT_OK; i++) {
        if (turned != hit[i].turn) {
            ut_picture_free(&upright);
            s = ut_picture_copy(&upright, got, e);
            if (s == UT_OK) s = ut_orient(&upright, hit[i].turn, e);
            turned = hit[i].turn;
        }
        if (s == UT_OK) s = ut_sync_refine(sync, &upright, nthreads, &hit[i], e);
        if (s == UT_OK && (!best.turn || hit[i].score > best.score)) best = hit[i];
    }
    if (s == UT_OK && best.turn) {
        best.x0 = near_zero(best.x0);
        best.y0 = near_zero(best.y0);
        ut_sync_fit whole = best, even = best;
        if (in_proportion(&even, upright.width, upright.height)) add_place(p, &even);
        if (in_whole_pixels(&whole.scale_x, &whole.x0, upright.width, best.sigma) &&
            in_whole_pixels(&whole.scale_y, &whole.y0, upright.height, best.sigma))
            add_place(p, &whole);
        add_place(p, &best);
    }
    ut_picture_free(&upright);
    return s;
}

/* Samples of the grid that lie wholly within the picture. */
static ut_axis axis(double scale, double x0, uint32_t n, double *origin)
{
    double first = ceil(x0 - 1e-6), end = floor(x0 + scale * n + 1e-6);
    *origin = first;
    return (ut_axis){ end > first && end - first < UT_MAX_SIDE ? (uint32_t)(end - first) : 0, (first - x0) / scale, 1 / scale };
}

ut_status ut_restore_placed(const ut_picture *got, const ut_sync_fit *at, ut_restored *r, ut_err *e)
{
    ut_picture upright = { 0 };
    double ox, oy;
    *r = (ut_restored){ 0 };
    ut_status s = ut_picture_copy(&upright, got, e);
    if (s == UT_OK) s = ut_orient(&upright, at->turn, e);
    if (s != UT_OK) {
        ut_picture_free(&upright);
        return s;
    }
    ut_axis x = axis(at->scale_x, at->x0, upright.width, &ox), y = axis(at->scale_y, at->y0, upright.height, &oy);
    s = x.n && y.n && (uint64_t)x.n * y.n <= UT_MAX_PIXELS ? ut_resample(&upright, x, y, &r->picture, e) : ut_fail(e, UT_E_UNSUPPORTED, "the picture cannot be put back at its size");
    show(r);
    while (ox < 0) ox += UT_SYNC_PERIOD;
    while (oy < 0) oy += UT_SYNC_PERIOD;
    r->view.x = (uint32_t)ox;
    r->view.y = (uint32_t)oy;
    r->view.width = r->view.x + x.n;
    r->view.height = r->view.y + y.n;
    ut_picture_free(&upright);
    if (s != UT_OK) ut_restored_free(r);
    return s;
}

enum { SLACK = 7 }; /* pixels that a picture put back may be longer by rounding */

/* Mean difference in green of the picture from the original, were it at (x, y) there; every 37th pixel. */
static double difference(const ut_picture *part, const ut_picture *whole, uint32_t x, uint32_t y)
{
    uint64_t sum = 0, n = 0, all = (uint64_t)part->width * part->height;
    for (uint64_t i = 0; i < all; i += 37) {
        uint64_t px = x + i % part->width, py = y + i / part->width;
        if (px >= whole->width || py >= whole->height) continue;
        int d = part->rgb[3 * i + 1] - whole->rgb[3 * (py * whole->width + px) + 1];
        sum += (uint64_t)(d < 0 ? -d : d);
        n++;
    }
    return n ? (double)sum / (double)n : INFINITY;
}

/* Which multiple of the period: the one at which the picture is most like what was sent. */
static bool settle(ut_view *v, const ut_picture *sent)
{
    double least = INFINITY;
    uint32_t x0 = v->x % UT_SYNC_PERIOD, y0 = v->y % UT_SYNC_PERIOD;
    for (uint32_t y = y0; y + v->picture->height <= sent->height + SLACK; y += UT_SYNC_PERIOD)
        for (uint32_t x = x0; x + v->picture->width <= sent->width + SLACK; x += UT_SYNC_PERIOD) {
            double d = difference(v->picture, sent, x, y);
            if (d < least) least = d, v->x = x, v->y = y;
        }
    v->width = sent->width;
    v->height = sent->height;
    return least < INFINITY;
}

ut_status ut_arrive(const ut_variant *var, const ut_picture *sent, const ut_sync *sync, unsigned nthreads, ut_received *r, ut_view *v,
                    ut_err *e)
{
    bool moves = ut_channel_moves(var->channel, sent->width, sent->height);
    ut_places p;
    ut_restored back;
    ut_status s = ut_channel_apply(var->channel, var->index, sent, moves ? UT_WANT_PICTURE : UT_WANT_JPEG, r, e);
    if (s != UT_OK) return s;
    *v = (ut_view){ .jpeg = &r->jpeg, .picture = &r->picture };
    if (!moves) return UT_OK;
    uint32_t w = r->picture.width, h = r->picture.height;
    p.n = 0;
    if (sync) s = ut_locate(sync, &r->picture, nthreads, &p, e);
    for (size_t i = 0; i < p.n && s == UT_OK; i++) {
        s = ut_restore_placed(&r->picture, &p.at[i], &back, e);
        if (s == UT_OK && !settle(&back.view, sent)) {
            ut_restored_free(&back);
            continue;
        }
        if (s != UT_OK) break;
        ut_picture_free(&r->picture);
        r->picture = back.picture;
        *v = back.view;
        v->picture = &r->picture;
        v->jpeg = NULL;
        return UT_OK;
    }
    ut_received_free(r);
    if (s != UT_OK) return s;
    return ut_fail(e, UT_E_CAPACITY, "%s brings the picture back as %ux%u, and neither its scale nor its place can be told from that; use a larger photo "
                   "or a gentler channel", var->name, w, h);
}
