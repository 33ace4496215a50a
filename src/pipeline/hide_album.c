/* hide for albums: recording -> enhance -> encode -> split -> each photo: seal, protect, hide, verify, write. */
#include "pipeline/album.h"
#include "stage/fec/erasure.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SPLITS = 4, READ_NBYTES = 1 << 20 };

const char *ut_photo_name(const ut_photo *p, size_t i, char text[32])
{
    if (p->name) return p->name;
    snprintf(text, 32, "photo %zu", i + 1);
    return text;
}

ut_status ut_photo_read(const ut_photo *p, size_t i, ut_buf *file, ut_err *e)
{
    char text[32];
    const char *name = ut_photo_name(p, i, text);
    if (!p->file.read || p->file.nbytes > UT_SHARE_MAX_PAYLOAD)
        return ut_fail(e, UT_E_INPUT, "%s cannot be read, or is larger than 1 GiB", name);
    ut_status s = ut_buf_resize(file, (size_t)p->file.nbytes, e);
    for (size_t at = 0; s == UT_OK && at < file->len;) {
        ptrdiff_t got = p->file.read(p->file.user, at, file->data + at, file->len - at < READ_NBYTES ? file->len - at : READ_NBYTES);
        if (got <= 0) s = ut_fail(e, UT_E_IO, "cannot read %s to its end", name);
        else at += (size_t)got;
    }
    return s;
}

/* One photo's turn. */
typedef struct turn {
    ut_job job;
    ut_hide_options opt;
    char name[32];
    const ut_hide_options *album_opt;
    size_t i, n;
    double from, share; /* of the album's progress */
} turn;

static int progress(void *user, const char *step, double done)
{
    const turn *t = user;
    char text[64];
    snprintf(text, sizeof text, "photo %zu of %zu: %s", t->i + 1, t->n, step);
    return t->album_opt->progress(t->album_opt->user, text, fmin(1, t->from + t->share * ((double)t->i + done) / (double)t->n));
}

/* Photo i, opened and prepared.  Its report begins anew. */
static ut_status begin(turn *t, ut_job *j, size_t i, double from, double share)
{
    ut_album *a = j->album;
    *t = (turn){ .opt = *j->opt, .album_opt = j->opt, .i = i, .n = a->n, .from = from, .share = share };
    ut_hide_report_free(&a->rep[i]);
    memset(&a->rep[i], 0, sizeof a->rep[i]);
    t->job = (ut_job){ .opt = &t->opt, .rep = &a->rep[i], .err = j->err, .min_psnr_db = j->min_psnr_db };
    t->opt.photo_name = ut_photo_name(&a->photo[i], i, t->name);
    t->opt.format = a->photo[i].format;
    if (t->opt.progress) t->opt.progress = progress, t->opt.user = t;
    t->job.ring.key = j->opt->key;
    ut_buf file = { 0 };
    ut_status s = ut_photo_read(&a->photo[i], i, &file, j->err);
    if (s == UT_OK) s = ut_job_open_photo(&t->job, file.data, file.len);
    ut_buf_free(&file);
    if (s == UT_OK) s = ut_job_prepare(&t->job);
    return s;
}

/* FNV-1a over the pixels: the same photo twice is a mistake that would give both away. */
static uint64_t look_of(const ut_picture *p)
{
    uint64_t h = 14695981039346656037u ^ p->width;
    for (size_t i = 0; i < (size_t)p->width * p->height * 3; i++) h = (h ^ p->rgb[i]) * 1099511628211u;
    return h;
}

/* Every photo's capacity, before anything is hidden. */
static ut_status survey(ut_job *j)
{
    ut_album *a = j->album;
    double t0 = ut_now();
    char other[32];
    for (size_t i = 0; i < a->n; i++) {
        turn t;
        ut_status s = begin(&t, j, i, 0, .1);
        if (s == UT_OK) a->place[i] = (ut_album_place){ .room = ut_job_room(&t.job), .trust = 1, .look = look_of(&t.job.cover) };
        for (size_t k = 0; k < i && s == UT_OK; k++)
            if (a->place[k].look == a->place[i].look)
                s = ut_fail(j->err, UT_E_USAGE, "%s and %s are the same photo; an album needs different ones", ut_photo_name(&a->photo[k], k, other),
                            t.opt.photo_name);
        ut_job_free(&t.job);
        if (s != UT_OK) return s;
    }
    ut_step_add(j->rep->steps, &j->rep->nsteps, "open photos", t0, "%zu photos, any %u of which are to suffice", a->n, a->any);
    return UT_OK;
}

/* Bytes for symbols in each photo at that PSNR. */
static void rooms(const ut_album *a, double psnr_db, size_t *room)
{
    size_t head = UT_SHARE_MAX_HEAD - UT_ALBUM_MAX_PHOTOS + a->n;
    for (size_t i = 0; i < a->n; i++) {
        size_t n = (size_t)(a->place[i].trust * (double)ut_room_nbytes(&a->place[i].room, psnr_db));
        room[i] = n > head ? n - head : 0;
    }
}

size_t ut_album_budget(const ut_album *a, double psnr_db)
{
    size_t room[UT_ALBUM_MAX_PHOTOS];
    rooms(a, psnr_db, room);
    return ut_album_fit(room, a->n, a->any, NULL, NULL);
}

/* Rooms where far more fits than is wanted, as with low bits or a forecast that falls to nothing at once: as much less, in proportion. */
static void shrink(const ut_album *a, size_t nbytes, size_t *room)
{
    size_t less[UT_ALBUM_MAX_PHOTOS], fits = ut_album_fit(room, a->n, a->any, NULL, NULL);
    for (double part = 1.02 * (double)nbytes / (double)fits; part < 1; part *= 1.02) {
        for (size_t i = 0; i < a->n; i++) less[i] = (size_t)ceil(part * (double)room[i]);
        if (ut_album_fit(less, a->n, a->any, NULL, NULL) < nbytes) continue;
        memcpy(room, less, a->n * sizeof *room);
        return;
    }
}

/* Shares for the highest PSNR at which the payload fits in all photos alike. */
static ut_status split(ut_job *j, ut_share *share)
{
    const ut_album *a = j->album;
    size_t room[UT_ALBUM_MAX_PHOTOS];
    double lo = fmax(j->min_psnr_db - 2, 10), hi = 100;
    if (ut_album_budget(a, lo) < j->payload.len)
        return ut_fail(j->err, UT_E_CAPACITY, "it does not fit: %zu bytes of payload, these photos carry about %zu through these channels at %.0f dB; "
                       "use a shorter recording, more photos, or a smaller --min-psnr", j->payload.len, ut_album_budget(a, j->min_psnr_db), j->min_psnr_db);
    while (hi - lo > .02) {
        double mid = (lo + hi) / 2;
        if (ut_album_budget(a, mid) >= j->payload.len) lo = mid;
        else hi = mid;
    }
    rooms(a, lo, room);
    shrink(a, j->payload.len, room);
    *share = (ut_share){ .nphotos = (unsigned)a->n, .needed = a->any, .payload_nbytes = j->payload.len };
    ut_album_fit(room, a->n, a->any, share->nsymbols, &share->ndata);
    return ut_random(share->album, sizeof share->album, j->err);
}

/* Photo i's message. */
static ut_status make_share(const ut_job *j, ut_share *share, size_t i, ut_buf *out, ut_err *e)
{
    uint8_t head[UT_SHARE_MAX_HEAD];
    size_t symbol = ut_share_symbol_nbytes(share);
    share->index = (unsigned)i;
    size_t n = ut_share_put(share, head);
    ut_status s = ut_buf_resize(out, n + share->nsymbols[i] * symbol, e);
    if (s == UT_OK) memcpy(out->data, head, n);
    if (s == UT_OK)
        s = ut_erasure_encode(share->ndata, symbol, j->payload.data, j->payload.len, ut_share_first(share, share->index), share->nsymbols[i],
                              out->data + n, j->opt->nthreads, e);
    return s;
}

static ut_status name_photo(ut_err *e, ut_status s, const char *name)
{
    ut_err was = *e;
    if (s != UT_E_CAPACITY || strstr(was.text, name)) return s;
    return ut_fail(e, s, "%.120s: %.380s", name, was.text);
}

static ut_status hide_one(ut_job *j, ut_share *share, size_t i)
{
    ut_album *a = j->album;
    turn t;
    ut_status s = begin(&t, j, i, .1, .9);
    if (s == UT_OK) s = make_share(j, share, i, &t.job.payload, j->err);
    a->rep[i].payload_nbytes = t.job.payload.len;
    if (s == UT_OK) s = ut_job_hide(&t.job);
    if (s == UT_OK) s = ut_job_write(&t.job);
    s = name_photo(j->err, s, t.opt.photo_name);
    if (s != UT_OK) snprintf(a->rep[i].message, sizeof a->rep[i].message, "%s", j->err->text);
    if (s == UT_OK) {
        ut_blob picture = { t.job.file.data, t.job.file.len };
        if (a->deliver && a->deliver(a->user, i, &picture)) s = ut_fail(j->err, UT_E_IO, "the picture of %s could not be delivered", t.opt.photo_name);
    }
    ut_job_free(&t.job);
    return s;
}

/* Totals over the photos, and the worst of them. */
static void describe(ut_job *j)
{
    const ut_album *a = j->album;
    ut_hide_report *r = j->rep;
    double pixels = 0;
    r->sealed_nbytes = r->code_nbits = 0;
    r->worst_ber = 0;
    r->psnr_db = INFINITY;
    r->ssim = NAN;
    r->nverified = 0;
    for (size_t i = 0; i < a->n; i++) {
        const ut_hide_report *p = &a->rep[i];
        r->sealed_nbytes += p->sealed_nbytes;
        r->code_nbits += p->code_nbits;
        r->worst_ber = fmax(r->worst_ber, p->worst_ber);
        r->psnr_db = fmin(r->psnr_db, p->psnr_db);
        r->ssim = fmin(r->ssim, p->ssim);
        r->nverified += p->nverified;
        pixels += (double)p->width * p->height;
    }
    r->code_rate = 8.0 * (double)r->sealed_nbytes / (double)r->code_nbits;
    r->net_bpp = 8.0 * (double)r->payload_nbytes / pixels;
    snprintf(r->fec, sizeof r->fec, "%s", a->rep[0].fec);
    snprintf(r->verified, sizeof r->verified, "%s", a->rep[0].verified);
}

/* A photo that carries less than was thought gets a smaller share, and all begin anew: the shares say how the others were cut. */
ut_status ut_album_hide(ut_job *j)
{
    ut_album *a = j->album;
    double t0 = ut_now();
    ut_share share;
    ut_status s = UT_E_CAPACITY;
    for (int n = 0; n < SPLITS && s == UT_E_CAPACITY; n++) {
        s = split(j, &share);
        if (s != UT_OK) return s;
        for (size_t i = 0; i < a->n && s == UT_OK; i++) {
            s = hide_one(j, &share, i);
            if (s == UT_E_CAPACITY) a->place[i].trust *= .85;
        }
    }
    if (s != UT_OK) return s;
    describe(j);
    ut_step_add(j->rep->steps, &j->rep->nsteps, "split, hide, write", t0, "%zu photos, %u pieces of %zu bytes and %u further ones, %.1f dB at worst", a->n,
                share.ndata, ut_share_symbol_nbytes(&share), ut_share_first(&share, share.nphotos) - share.ndata, j->rep->psnr_db);
    return UT_OK;
}

static ut_status run(ut_job *j)
{
    ut_status s = ut_job_open_voice(j);
    if (s == UT_OK) s = survey(j);
    if (s == UT_OK) s = ut_job_check_length(j);
    if (s == UT_OK) s = ut_job_enhance(j);
    if (s == UT_OK) s = ut_job_encode_and_hide(j);
    return s;
}

static ut_status alone(const uint8_t *voice, size_t nvoice, const ut_photo *photo, const ut_hide_options *opt, ut_album_fn deliver, void *user,
                       ut_hide_report *rep)
{
    ut_hide_options o = *opt;
    ut_buf file = { 0 };
    ut_blob out = { 0 };
    ut_err e = { 0 };
    char name[32];
    o.photo_name = ut_photo_name(photo, 0, name);
    o.format = photo->format;
    ut_status s = ut_photo_read(photo, 0, &file, &e);
    if (s == UT_OK) s = ut_hide(voice, nvoice, file.data, file.len, &o, &out, rep);
    else snprintf(rep->message, sizeof rep->message, "%s", e.text);
    if (s == UT_OK && deliver && deliver(user, 0, &out)) {
        s = UT_E_IO;
        snprintf(rep->message, sizeof rep->message, "the picture of %s could not be delivered", o.photo_name);
        ut_hide_report_free(rep);
    }
    ut_buf_free(&file);
    ut_blob_free(&out);
    return s;
}

ut_status ut_hide_album(const uint8_t *voice, size_t nvoice, const ut_photo *photos, size_t n, unsigned any, const ut_hide_options *opt,
                        ut_album_fn deliver, void *user, ut_hide_report *rep, ut_hide_report *photo_rep)
{
    ut_hide_options defaults;
    ut_err err = { 0 };
    ut_buf wav = { 0 };
    memset(rep, 0, sizeof *rep);
    if (!opt) {
        ut_hide_options_init(&defaults);
        opt = &defaults;
    }
    if (photo_rep) memset(photo_rep, 0, n * sizeof *photo_rep);
    if (n == 1 && any <= 1) {
        ut_status s = alone(voice, nvoice, photos, opt, deliver, user, rep);
        if (photo_rep) *photo_rep = *rep, photo_rep->preview = (ut_blob){ 0 };
        return s;
    }
    ut_album a = { .photo = photos, .n = n, .any = any ? any : (unsigned)n, .rep = photo_rep, .deliver = deliver, .user = user };
    ut_job j = { .opt = opt, .rep = rep, .err = &err, .voice = voice, .nvoice = nvoice, .album = &a,
                 .min_psnr_db = opt->min_psnr_db > 0 ? opt->min_psnr_db : 38 };
    ut_status s = UT_OK;
    if (!n || n > UT_ALBUM_MAX) s = ut_fail(&err, UT_E_USAGE, "an album has 1 to %d photos, not %zu", UT_ALBUM_MAX, n);
    else if (any > n) s = ut_fail(&err, UT_E_USAGE, "any %u of %zu photos cannot suffice; give a number from 1 to %zu", any, n, n);
    ut_hide_report *own = photo_rep ? NULL : ut_calloc(n, sizeof *own, &err);
    a.place = ut_calloc(n, sizeof *a.place, &err);
    if (own) a.rep = own;
    if (s == UT_OK) s = a.rep && a.place ? run(&j) : UT_E_MEMORY;
    if (s == UT_OK && j.preview.nsamples) s = ut_audio_write_wav(&j.preview, &wav, &err);
    if (s == UT_OK) rep->preview = (ut_blob){ wav.data, wav.len };
    else snprintf(rep->message, sizeof rep->message, "%s", err.text[0] ? err.text : ut_status_text(s));
    ut_job_free(&j);
    free(a.place);
    free(own);
    return s;
}
