/* Running a channel: step after step on pixels, by the codecs of codec.h. */
#include "channel/channel.h"
#include "channel/codec.h"
#include "channel/resize.h"
#include "channel/spec.h"
#include <string.h>

/* Leaves pixels as they are, whatever they are. */
static bool identity(const ut_channel_step *s)
{
    return s->kind == UT_STEP_PNG || ((s->kind == UT_STEP_FACTOR || s->kind == UT_STEP_CROP) && s->ppm == UT_MILLION);
}

bool ut_channel_is_lossless(const ut_channel *c)
{
    for (size_t i = 0; i < c->nsteps; i++)
        if (!identity(&c->step[i])) return false;
    return true;
}

bool ut_channel_is_webp(const ut_channel *c)
{
    size_t n = 0;
    for (size_t i = 0; i < c->nsteps; i++) {
        if (identity(&c->step[i])) continue;
        if (c->step[i].kind != UT_STEP_WEBP) return false;
        n++;
    }
    return n == 1;
}

bool ut_channel_moves(const ut_channel *c, uint32_t width, uint32_t height)
{
    for (size_t i = 0; i < c->nsteps; i++) {
        const ut_channel_step *s = &c->step[i];
        uint32_t w = width, h = height;
        if (s->kind == UT_STEP_PROFILE) ut_profile_size(s->profile, width, height, &w, &h);
        if (w != width || h != height || (s->kind == UT_STEP_CAP && width > s->cap)) return true;
        if ((s->kind == UT_STEP_FACTOR || s->kind == UT_STEP_CROP) && s->ppm != UT_MILLION) return true;
    }
    return false;
}

void ut_channel_fit(const ut_channel *c, uint32_t width, uint32_t height, uint32_t *fit_width, uint32_t *fit_height)
{
    *fit_width = width;
    *fit_height = height;
    for (size_t i = 0; i < c->nsteps; i++)
        if (c->step[i].kind == UT_STEP_PROFILE)
            ut_profile_size(c->step[i].profile, *fit_width, *fit_height, fit_width, fit_height);
}

void ut_channel_canvas(const ut_channel *c, uint32_t width, uint32_t height, uint32_t *canvas_width, uint32_t *canvas_height)
{
    *canvas_width = width;
    *canvas_height = height;
    for (size_t i = 0; i < c->nsteps; i++)
        if (c->step[i].kind == UT_STEP_PROFILE && c->step[i].profile->geometry == UT_GEOMETRY_PAD) {
            *canvas_width = c->step[i].profile->width;
            *canvas_height = c->step[i].profile->height;
        }
}

static bool jpeg_tables(const ut_channel *c, size_t k, size_t variant, ut_channel_jpeg *t)
{
    const ut_channel_step *s = &c->step[k];
    unsigned q = ut_step_quality(s, ut_step_variant(c, k, variant));
    if (s->kind == UT_STEP_PROFILE) {
        ut_profile_tables(s->profile, q, t);
        return true;
    }
    if (s->kind != UT_STEP_JPEG) return false;
    ut_jpeg_quality(q, t);
    t->hsamp = s->hsamp;
    t->vsamp = s->vsamp;
    return true;
}

/* No step after k changes a pixel. */
static bool is_last(const ut_channel *c, size_t k)
{
    while (++k < c->nsteps)
        if (!identity(&c->step[k])) return false;
    return true;
}

size_t ut_channel_jpegs(const ut_channel *c, size_t variant, ut_channel_jpeg *out, size_t max)
{
    size_t n = 0;
    for (size_t k = 0; k < c->nsteps && n < max; k++) {
        if (!jpeg_tables(c, k, variant, &out[n])) continue;
        out[n++].last = is_last(c, k);
    }
    return n;
}

void ut_received_free(ut_received *r)
{
    if (!r) return;
    ut_picture_free(&r->picture);
    ut_jpeg_coefs_free(&r->jpeg);
    ut_buf_free(&r->file);
}

/* The picture on its way: borrowed from the caller until a step makes a new one. */
typedef struct run {
    const ut_picture *now;
    ut_picture own;
    ut_buf file;       /* of the last codec, empty once pixels changed after it or it was superseded */
    bool file_is_jpeg;
    bool undecoded;    /* `now` is out of date: the pixels are in `file` only */
    ut_err *e;
} run;

static void adopt(run *r, ut_picture *p)
{
    ut_picture_free(&r->own);
    r->own = *p;
    r->now = &r->own;
}

static ut_status open_file(run *r)
{
    ut_file_info info;
    ut_picture p;
    if (!r->undecoded) return UT_OK;
    ut_status s = ut_codec_read(r->file.data, r->file.len, "the channel's file", &p, NULL, &info, r->e);
    if (s != UT_OK) return s;
    r->undecoded = false;
    adopt(r, &p);
    return UT_OK;
}

/* A picture without EXIF: lossy channels drop it; the profile stays, for it says what the numbers mean. */
static ut_picture without_exif(const ut_picture *p)
{
    ut_picture q = *p; /* borrowed */
    q.exif = (ut_buf){ 0 };
    return q;
}

static ut_status run_codec(run *r, const ut_channel *c, size_t k, size_t variant)
{
    const ut_channel_step *s = &c->step[k];
    ut_channel_jpeg t;
    ut_picture bare = without_exif(r->now);
    unsigned q = ut_step_quality(s, ut_step_variant(c, k, variant));
    ut_buf file = { 0 };
    r->file_is_jpeg = jpeg_tables(c, k, variant, &t);
    ut_status st = r->file_is_jpeg                ? ut_jpeg_encode(&bare, &t, &file, r->e)
                   : s->kind == UT_STEP_WEBP ? ut_webp_encode(&bare, (int)q, &file, r->e)
                                                  : ut_avif_encode(&bare, q, &file, r->e);
    if (st != UT_OK) return st;
    ut_buf_free(&r->file);
    r->file = file;
    r->undecoded = true; /* decoded when a later step or the caller needs pixels */
    return UT_OK;
}

/* A geometric step's result replaces the picture; nothing happens if the size is as before. */
static ut_status run_resize(run *r, uint32_t w, uint32_t h)
{
    ut_picture p;
    if (w == r->now->width && h == r->now->height) return UT_OK;
    ut_status s = ut_codec_check_size(w, h, "the resized picture", r->e);
    if (s == UT_OK) s = ut_resize(r->now, w, h, &p, r->e);
    if (s != UT_OK) return s;
    adopt(r, &p);
    ut_buf_free(&r->file);
    return UT_OK;
}

static ut_status run_crop(run *r, uint32_t ppm)
{
    ut_picture p;
    const ut_picture *in = r->now;
    uint32_t w = (uint32_t)(((uint64_t)in->width * ppm + UT_MILLION / 2) / UT_MILLION);
    uint32_t h = (uint32_t)(((uint64_t)in->height * ppm + UT_MILLION / 2) / UT_MILLION);
    w = w ? w : 1;
    h = h ? h : 1;
    ut_status s = ut_crop(in, (in->width - w) / 2, (in->height - h) / 2, w, h, &p, r->e);
    if (s != UT_OK) return s;
    adopt(r, &p);
    ut_buf_free(&r->file);
    return UT_OK;
}

static ut_status run_profile(run *r, const ut_channel *c, size_t k, size_t variant)
{
    const ut_profile *p = c->step[k].profile;
    uint32_t w, h;
    ut_picture q;
    ut_profile_size(p, r->now->width, r->now->height, &w, &h);
    ut_status s = run_resize(r, w, h);
    if (s == UT_OK && p->geometry == UT_GEOMETRY_PAD && (w != p->width || h != p->height)) {
        s = ut_pad(r->now, p->width, p->height, &q, r->e);
        if (s == UT_OK) adopt(r, &q);
    }
    if (s == UT_OK && p->sharpen_256) {
        s = ut_sharpen(r->now, p->sharpen_256, &q, r->e);
        if (s == UT_OK) adopt(r, &q);
    }
    return s == UT_OK ? run_codec(r, c, k, variant) : s;
}

static uint32_t scaled(uint32_t side, uint32_t ppm)
{
    uint64_t v = ((uint64_t)side * ppm + UT_MILLION / 2) / UT_MILLION;
    return (uint32_t)(v ? v : 1);
}

static ut_status run_step(run *r, const ut_channel *c, size_t k, size_t variant)
{
    const ut_channel_step *st = &c->step[k];
    if (st->kind == UT_STEP_PNG) { /* pixels stay; the file is a PNG, written at the end if it is wanted */
        ut_status s = open_file(r);
        ut_buf_free(&r->file);
        return s;
    }
    if (identity(st)) return UT_OK;
    ut_status s = open_file(r);
    if (s != UT_OK) return s;
    uint32_t w = r->now->width, h = r->now->height;
    switch (st->kind) {
    case UT_STEP_FACTOR: return run_resize(r, scaled(w, st->ppm), scaled(h, st->ppm));
    case UT_STEP_CAP:
        if (w <= st->cap) return UT_OK;
        h = (uint32_t)(((uint64_t)h * st->cap + w / 2) / w);
        return run_resize(r, st->cap, h ? h : 1);
    case UT_STEP_CROP: return run_crop(r, st->ppm);
    case UT_STEP_PROFILE: return run_profile(r, c, k, variant);
    case UT_STEP_JPEG:
    case UT_STEP_WEBP:
    case UT_STEP_AVIF: return run_codec(r, c, k, variant);
    case UT_STEP_PNG: break;
    }
    return UT_OK;
}

static ut_status deliver(run *r, unsigned want, ut_received *out)
{
    ut_status s = UT_OK;
    bool jpeg = r->file.len && r->file_is_jpeg;
    if ((want & UT_WANT_JPEG) && jpeg)
        s = ut_jpeg_read_coefs(r->file.data, r->file.len, "the channel's file", &out->jpeg, r->e);
    bool picture = (want & UT_WANT_PICTURE) || ((want & UT_WANT_JPEG) && !jpeg);
    if (s == UT_OK && (picture || ((want & UT_WANT_FILE) && !r->file.len))) s = open_file(r);
    if (s == UT_OK && (want & UT_WANT_FILE) && !r->file.len) s = ut_png_encode(r->now, &r->file, r->e);
    if (s != UT_OK) return s;
    if (picture && r->now == &r->own) {
        out->picture = r->own;
        r->own = (ut_picture){ 0 };
    } else if (picture) {
        s = ut_picture_copy(&out->picture, r->now, r->e);
    }
    if (s == UT_OK && (want & UT_WANT_FILE)) {
        out->file = r->file;
        r->file = (ut_buf){ 0 };
    }
    return s;
}

ut_status ut_channel_apply(const ut_channel *c, size_t variant, const ut_picture *in, unsigned want, ut_received *out,
                           ut_err *e)
{
    run r = { .now = in, .e = e };
    ut_status s = UT_OK;
    *out = (ut_received){ 0 };
    if (variant >= c->nvariants)
        return ut_fail(e, UT_E_USAGE, "channel \"%.60s\" has no variant %zu", c->spec, variant);
    for (size_t k = 0; k < c->nsteps && s == UT_OK; k++) s = run_step(&r, c, k, variant);
    if (s == UT_OK) s = deliver(&r, want, out);
    ut_picture_free(&r.own);
    ut_buf_free(&r.file);
    if (s != UT_OK) ut_received_free(out);
    return s;
}
