/* reveal: open -> find -> read -> correct -> unseal -> decode. */
#include "media/audio.h"
#include "media/image.h"
#include "pipeline/album.h"
#include "pipeline/geometry.h"
#include "pipeline/report.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void ut_reveal_options_init(ut_reveal_options *o) { memset(o, 0, sizeof *o); }

typedef struct task {
    const ut_reveal_options *opt;
    ut_reveal_report *rep;
    ut_err err;
    ut_picture picture;
    ut_jpeg_coefs jpeg;
    ut_image_info info;
    ut_restored restored;   /* where the picture did not come as it was hidden in */
    ut_view view;           /* of the picture, or of what was restored */
    ut_keyring ring;
    ut_found found;
    ut_raw raw;
    ut_opened *o;
} task;

static bool cancelled(const task *t, const char *step, double done)
{
    return t->opt->progress && t->opt->progress(t->opt->user, step, done) != 0;
}

static ut_status open_image(task *t, const uint8_t *image, size_t n)
{
    double t0 = ut_now();
    const char *name = t->opt->image_name ? t->opt->image_name : "the picture";
    ut_status s = ut_image_read(image, n, name, &t->picture, &t->jpeg, &t->info, &t->err);
    if (s != UT_OK) return s;
    t->view = (ut_view){ .jpeg = &t->jpeg, .picture = &t->picture };
    ut_step_add(t->rep->steps, &t->rep->nsteps, "open", t0, "%s %ux%u", t->info.format, t->picture.width, t->picture.height);
    return UT_OK;
}

static ut_status find(task *t)
{
    double t0 = ut_now();
    ut_status s = ut_message_find(&t->view, &t->ring, t->info.lossless, &t->found, &t->err);
    if (s == UT_E_KEY) {
        ut_err first = t->err;
        ut_arrival a = { &t->picture, &t->jpeg, t->info.lossless, t->info.exif_width, t->info.exif_height, t->opt };
        s = ut_find_moved(&a, &t->ring, &t->restored, &t->found, &t->err);
        if (s == UT_OK) t->view = t->restored.view;
        if (s == UT_E_KEY) t->err = first;
    }
    if (s != UT_OK) return s;
    ut_step_add(t->rep->steps, &t->rep->nsteps, "find", t0, "%s, hidden in %ux%u, %u raw bits",
                t->found.header.mode == UT_MODE_LSB ? "low bits" : t->found.header.mode == UT_MODE_ROBUST ? "robust form" : "lattice", t->found.header.width, t->found.header.height,
                t->found.header.code_nbits);
    return UT_OK;
}

static ut_status correct(task *t)
{
    double t0 = ut_now();
    ut_reveal_report *r = t->rep;
    ut_status s = ut_message_read(&t->view, &t->found, t->opt->nthreads, &t->raw, &t->err);
    if (s == UT_OK) s = ut_message_decode(&t->raw, t->opt->nthreads, &t->err);
    if (s != UT_OK && s != UT_E_DAMAGED) return s;
    const ut_fec_result *f = &t->raw.result;
    r->ncodewords = t->raw.plan.nblocks;
    r->ncodewords_lost = f->nblocks_lost;
    bool coded = t->raw.phase || t->raw.reading.phase;
    if (!coded) r->ber = 0;
    else if (f->nbits_checked) r->ber = (double)f->nbits_corrected / (double)f->nbits_checked;
    ut_step_add(r->steps, &r->nsteps, "correct", t0, "%s, %zu codewords, %zu lost, %.3f %% of the raw bits were wrong",
                coded ? ut_fec_name(t->raw.plan.kind, t->raw.plan.rate) : "no code", r->ncodewords, r->ncodewords_lost,
                r->ber < 0 ? 0 : 100 * r->ber);
    return s;
}

static ut_status unseal(task *t)
{
    double t0 = ut_now();
    ut_unseal_result u = { 0 };
    ut_status s = ut_unseal(&t->found.keys, t->raw.sealed.data, t->raw.sealed.len, &t->o->plain, &u, &t->err);
    t->o->segment_ok = u.segment_ok;
    t->rep->nsegments = t->o->nsegments = u.nsegments;
    t->rep->nsegments_lost = t->o->nsegments_lost = u.nsegments_lost;
    if (s == UT_E_KEY) s = UT_E_DAMAGED; /* the header was authentic: the key is right */
    ut_step_add(t->rep->steps, &t->rep->nsteps, "unseal", t0, "%zu segments, %zu lost", t->rep->nsegments, t->rep->nsegments_lost);
    return s;
}

static ut_status decode(const ut_opened *o, ut_reveal_report *r, ut_buf *result, ut_err *e)
{
    double t0 = ut_now();
    ut_payload_out out = { 0 };
    ut_status s = ut_payload_decode(o->plain.data, o->plain.len, UT_SEGMENT_NBYTES, o->nsegments_lost ? o->segment_ok : NULL, &out, e), w;
    if (s != UT_OK && s != UT_E_DAMAGED) return s;
    const ut_payload_info *i = &out.info;
    r->is_audio = i->codec != UT_CODEC_RAW;
    r->payload_nbytes = o->plain.len;
    r->exact = out.exact;
    ut_hex(i->sha256, 32, r->sha256_hex);
    snprintf(r->codec, sizeof r->codec, "%s", ut_codec_name(i->codec));
    if (r->is_audio) {
        r->audio_s = (double)out.pcm.nsamples / out.pcm.rate_hz;
        w = ut_audio_write_wav(&out.pcm, result, e);
    } else {
        w = ut_buf_append(result, out.raw.data, out.raw.len, e);
    }
    ut_step_add(r->steps, &r->nsteps, "decode", t0, "%s, %s", r->codec, r->exact ? "exact" : "not exact");
    ut_payload_out_free(&out);
    return w != UT_OK ? w : s;
}

ut_status ut_reveal_decode(const ut_opened *o, const ut_reveal_options *opt, ut_reveal_report *r, ut_buf *result, ut_err *e)
{
    if (o->nsegments_lost && (!opt->partial || o->nsegments_lost == o->nsegments))
        return ut_fail(e, UT_E_DAMAGED, "the message is damaged beyond repair: %zu of %zu codewords and %zu of %zu segments are lost%s",
                       r->ncodewords_lost, r->ncodewords, o->nsegments_lost, o->nsegments,
                       o->nsegments_lost < o->nsegments ? "; --partial gives back what survived" : "");
    return decode(o, r, result, e);
}

static void diagnose(task *t, ut_status s)
{
    ut_reveal_report *r = t->rep;
    char *d = r->diagnosis;
    size_t n = 0, room = sizeof r->diagnosis;
    if (!t->picture.rgb) return;
    n += (size_t)snprintf(d, room, "%s of %ux%u", t->info.format, t->picture.width, t->picture.height);
    if (t->restored.story[0] && n < room) n += (size_t)snprintf(d + n, room - n, ", it %s", t->restored.story);
    if (t->jpeg.nplanes && n < room) {
        uint16_t q[64];
        memcpy(q, t->jpeg.plane[0].quant, sizeof q);
        unsigned id = ut_header_table_id(q);
        if (id <= 100) n += (size_t)snprintf(d + n, room - n, ", JPEG quality %u", id);
        else if (id == UT_TABLE_WHATSAPP) n += (size_t)snprintf(d + n, room - n, ", compressed by WhatsApp's table");
    }
    if (t->info.exif_width && n < room && (t->info.exif_width != t->picture.width || t->info.exif_height != t->picture.height) &&
        (t->info.exif_width != t->picture.height || t->info.exif_height != t->picture.width))
        n += (size_t)snprintf(d + n, room - n, ", its EXIF speaks of %ux%u: it was resized or cropped", t->info.exif_width,
                              t->info.exif_height);
    if (t->found.header.code_nbits && n < room) {
        if (r->ber >= 0) n += (size_t)snprintf(d + n, room - n, ", %.2f %% of the raw bits wrong", 100 * r->ber);
        if (r->ncodewords_lost && n < room)
            n += (size_t)snprintf(d + n, room - n, ", %zu of %zu codewords lost", r->ncodewords_lost, r->ncodewords);
        if (r->nsegments_lost && n < room)
            n += (size_t)snprintf(d + n, room - n, ", %zu of %zu segments lost", r->nsegments_lost, r->nsegments);
    } else if (s == UT_E_KEY && n < room) {
        snprintf(d + n, room - n, ", no header readable with this key at this size");
    }
}

static ut_status run(task *t, const uint8_t *image, size_t n)
{
    ut_status s = open_image(t, image, n);
    if (s == UT_OK && cancelled(t, "looking", .2)) return ut_fail(&t->err, UT_E_CANCELLED, "cancelled");
    if (s == UT_OK) s = find(t);
    if (s == UT_OK && cancelled(t, "reading", .5)) return ut_fail(&t->err, UT_E_CANCELLED, "cancelled");
    if (s == UT_OK) s = correct(t);
    return s == UT_OK || s == UT_E_DAMAGED ? unseal(t) : s;
}

void ut_opened_free(ut_opened *o)
{
    ut_buf_free(&o->plain);
    free(o->segment_ok);
    *o = (ut_opened){ 0 };
}

ut_status ut_reveal_open(const uint8_t *image, size_t n, const ut_reveal_options *opt, ut_reveal_report *rep, ut_opened *o, ut_err *e)
{
    *o = (ut_opened){ 0 };
    memset(rep, 0, sizeof *rep);
    rep->ber = -1;
    task *t = ut_calloc(1, sizeof *t, e);
    if (!t) return UT_E_MEMORY;
    t->opt = opt;
    t->rep = rep;
    t->o = o;
    t->ring.key = opt->key;
    t->ring.inn = opt->inn;
    ut_status s = run(t, image, n);
    diagnose(t, s);
    if (s != UT_OK) *e = t->err;
    if (s != UT_OK && s != UT_E_DAMAGED) ut_opened_free(o);
    ut_raw_free(&t->raw);
    ut_keyring_wipe(&t->ring);
    ut_restored_free(&t->restored);
    ut_picture_free(&t->picture);
    ut_jpeg_coefs_free(&t->jpeg);
    ut_wipe(t, sizeof *t);
    free(t);
    return s;
}

ut_status ut_reveal_finish(ut_status s, ut_buf *result, const ut_reveal_options *opt, ut_blob *out, ut_reveal_report *rep, const ut_err *e)
{
    if (s == UT_OK || (s == UT_E_DAMAGED && opt->partial && result->len)) {
        *out = (ut_blob){ result->data, result->len };
        *result = (ut_buf){ 0 };
    }
    if (s == UT_E_DAMAGED && out->data)
        snprintf(rep->message, sizeof rep->message, "only part of the recording survived: %zu of %zu segments are lost, their time is silent",
                 rep->nsegments_lost, rep->nsegments);
    else if (s != UT_OK) snprintf(rep->message, sizeof rep->message, "%s", e->text[0] ? e->text : ut_status_text(s));
    ut_buf_free(result);
    return s;
}

ut_status ut_reveal(const uint8_t *image, size_t nimage, const ut_reveal_options *opt, ut_blob *out, ut_reveal_report *rep)
{
    ut_reveal_options defaults;
    ut_buf result = { 0 };
    ut_err e = { 0 };
    ut_member m = { 0 };
    *out = (ut_blob){ 0 };
    if (!opt) {
        ut_reveal_options_init(&defaults);
        opt = &defaults;
    }
    m.name = opt->image_name ? opt->image_name : "the picture";
    ut_status s = m.status = ut_reveal_open(image, nimage, opt, rep, &m.opened, &e);
    if (ut_member_is_share(&m)) { /* a photo of an album, which may suffice */
        ut_opened joined;
        s = ut_album_join(&m, 1, opt, rep, &joined, &e);
        if (s == UT_OK) s = ut_reveal_decode(&joined, opt, rep, &result, &e);
        ut_opened_free(&joined);
    } else if (s == UT_OK || s == UT_E_DAMAGED) {
        s = ut_reveal_decode(&m.opened, opt, rep, &result, &e);
    }
    ut_opened_free(&m.opened);
    return ut_reveal_finish(s, &result, opt, out, rep, &e);
}
