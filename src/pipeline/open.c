/* First steps of hide: the photo at the size that the channels leave alone, the recording as samples, the lattice. */
#include "pipeline/album.h"
#include "pipeline/robust.h"
#include "channel/resize.h"
#include "pipeline/geometry.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

#define DROWNED_MSE 13 /* trials that move more than this would drown the synchronisation pattern */

static const char *name_or(const char *name, const char *other) { return name ? name : other; }

static void notice(ut_hide_report *r, const char *text)
{
    size_t n = strlen(r->notice);
    snprintf(r->notice + n, sizeof r->notice - n, "%s%s", n ? "; " : "", text);
}

/* Platforms that pad do so to whatever they get: it must happen before hiding, not after. */
static ut_status pad(ut_job *j)
{
    char text[160];
    for (size_t i = 0; i < j->route.nchannels; i++) {
        uint32_t w = j->cover.width, h = j->cover.height, cw, ch;
        ut_picture padded;
        ut_channel_canvas(j->route.channel[i], w, h, &cw, &ch);
        if (cw == w && ch == h) continue;
        ut_status s = ut_pad(&j->cover, cw, ch, &padded, j->err);
        if (s != UT_OK) return s;
        ut_picture_free(&j->cover);
        j->cover = padded;
        snprintf(text, sizeof text, "the photo was padded to %ux%u, as the channel would have done", cw, ch);
        notice(j->rep, text);
    }
    return UT_OK;
}

ut_status ut_job_open_photo(ut_job *j, const uint8_t *photo, size_t n)
{
    double t0 = ut_now();
    const ut_hide_options *o = j->opt;
    const char *name = name_or(o->photo_name, "the photo");
    uint32_t fw, fh;
    char text[160];
    ut_status s = ut_route_init(&j->route, o->channels, o->nchannels, o->profile_dir, j->err);
    if (s == UT_OK && ut_job_cancelled(j, "opening the photo", 0)) return ut_fail(j->err, UT_E_CANCELLED, "cancelled");
    if (s == UT_OK) s = ut_image_read(photo, n, name, &j->cover, NULL, &j->photo, j->err);
    if (s == UT_OK) s = ut_route_fit(&j->route, j->cover.width, j->cover.height, &fw, &fh, j->err);
    if (s != UT_OK) return s;
    if (j->photo.file_bits > 8) {
        snprintf(text, sizeof text, "%u bits a sample were rounded to 8", j->photo.file_bits);
        notice(j->rep, text);
    }
    if (j->photo.was_cmyk) notice(j->rep, "CMYK was converted to RGB");
    for (size_t i = 0; i < j->route.nchannels; i++)
        if (ut_channel_note(j->route.channel[i])) notice(j->rep, ut_channel_note(j->route.channel[i]));
    if (o->strip) {
        ut_buf_free(&j->cover.icc);
        ut_buf_free(&j->cover.exif);
    }
    uint32_t w = j->cover.width, h = j->cover.height;
    if (fw != w || fh != h) {
        ut_picture fit;
        s = ut_image_resize(&j->cover, fw, fh, &fit, j->err);
        if (s != UT_OK) return s;
        ut_picture_free(&j->cover);
        j->cover = fit;
        snprintf(text, sizeof text, "the photo was scaled from %ux%u to %ux%u, as the channel would have done", w, h, fw, fh);
        notice(j->rep, text);
    }
    s = pad(j);
    if (s != UT_OK) return s;
    fw = j->rep->width = j->cover.width;
    fh = j->rep->height = j->cover.height;
    ut_step_add(j->rep->steps, &j->rep->nsteps, "open photo", t0, "%s %ux%u, sent as %ux%u", j->photo.format, w, h, fw, fh);
    return UT_OK;
}

ut_status ut_job_open_voice(ut_job *j)
{
    double t0 = ut_now();
    const char *name = name_or(j->opt->voice_name, "the recording");
    if (j->opt->codec == UT_CODEC_RAW) return UT_OK;
    ut_status s = ut_audio_read(j->voice, j->nvoice, name, &j->pcm, j->err);
    if (s != UT_OK) return s;
    j->rep->audio_s = (double)j->pcm.nsamples / j->pcm.rate_hz;
    ut_step_add(j->rep->steps, &j->rep->nsteps, "open recording", t0, "%.1f s", j->rep->audio_s);
    return UT_OK;
}

/* How clearly the pattern is seen after the worst of the channels that change the geometry. */
static ut_status seen(const ut_job *j, double *score)
{
    *score = INFINITY;
    for (size_t i = 1; i < j->route.nvariants; i++) {
        const ut_variant *v = &j->route.variant[i];
        ut_received r;
        ut_places p;
        if (!ut_channel_moves(v->channel, j->cover.width, j->cover.height)) continue;
        ut_status s = ut_channel_apply(v->channel, v->index, &j->marked, UT_WANT_PICTURE, &r, j->err);
        if (s == UT_OK) s = ut_locate(&j->sync, &r.picture, j->opt->nthreads, &p, j->err);
        ut_received_free(&r);
        if (s != UT_OK) return s;
        *score = fmin(*score, p.n ? p.at[0].score : 0);
    }
    return UT_OK;
}

/* Where a channel changes the picture's geometry, hiding starts from a photo that has the pattern by which a receiver can undo that: as weak as will
 * do, for busy photos up to four times as strong. */
static ut_status mark(ut_job *j, const ut_sync **sync)
{
    bool moves = false;
    double score;
    *sync = NULL;
    for (size_t i = 0; i < j->route.nchannels; i++) moves = moves || ut_channel_moves(j->route.channel[i], j->cover.width, j->cover.height);
    if (!moves) return UT_OK;
    ut_status s = ut_sync_of(&j->ring, &j->sync, j->err);
    for (double mse = UT_SYNC_MSE; s == UT_OK && mse <= UT_SYNC_MOST_MSE; mse *= 2) {
        ut_picture_free(&j->marked);
        s = ut_picture_copy(&j->marked, &j->cover, j->err);
        if (s == UT_OK) s = ut_sync_add(&j->sync, &j->marked, mse, j->opt->nthreads, j->err);
        if (s == UT_OK) s = seen(j, &score);
        if (s == UT_OK && score >= UT_SYNC_CLEAR) break;
    }
    if (s == UT_OK) *sync = &j->sync;
    return s;
}

#define SWIFT_NPIXELS 8000000 /* in larger photos the invertible network would make WebP take more than ten seconds of two cores; unasked they do without */

/* WebP is what the invertible network was trained for and measured on (docs/RESULTS.md). */
static bool webp_alone(const ut_route *r)
{
    for (size_t i = 0; i < r->nchannels; i++)
        if (!ut_channel_is_webp(r->channel[i])) return false;
    return r->nchannels > 0;
}

/* The networks that hide, as far as there is use for them.  Unasked: the guide, whose work no receiver sees, and the invertible network where it is known to be better. */
static ut_status learned(ut_job *j)
{
    const ut_hide_options *o = j->opt;
    const bool asked = o->hider == UT_HIDER_INN, small = (size_t)j->cover.width * j->cover.height <= SWIFT_NPIXELS;
    static const char none[] = "this build has no weights for --hider inn with such channels (%s); use --hider lattice, or name a file of weights";
    ut_status s = UT_OK;
    snprintf(j->rep->hider, sizeof j->rep->hider, "lattice");
    if (o->hider == UT_HIDER_LATTICE || (!asked && j->sender.robust && !(small && webp_alone(&j->route))) || (j->trial && j->trial->plain)) return UT_OK;
    if (j->sender.robust) {
        s = ut_inn_open(o->inn, &j->inn, j->err);
        if (s == UT_OK && !j->inn && !asked) return UT_OK;
        if (s == UT_OK && !j->inn) return ut_fail(j->err, UT_E_UNSUPPORTED, none, "hide-inn.safetensors");
        j->sender.inn = j->inn;
        j->ring.inn = o->inn;
        snprintf(j->rep->hider, sizeof j->rep->hider, "inn");
    } else if (j->sender.height) {
        s = ut_guide_open(o->guide, &j->guide, j->err);
        if (s == UT_OK && !j->guide && !asked) return UT_OK;
        if (s == UT_OK && !j->guide) return ut_fail(j->err, UT_E_UNSUPPORTED, none, "hide-guide.safetensors");
        if (s == UT_OK) s = ut_sender_guide(&j->sender, j->guide, j->err);
        snprintf(j->rep->hider, sizeof j->rep->hider, "guided lattice");
    }
    return s;
}

ut_status ut_job_prepare(ut_job *j)
{
    double t0 = ut_now();
    if (j->route.lossless && j->opt->format != UT_FORMAT_JPEG) {
        ut_step_add(j->rep->steps, &j->rep->nsteps, "prepare", t0, "every channel keeps every pixel: lossless mode");
        snprintf(j->rep->hider, sizeof j->rep->hider, "low bits");
        return UT_OK;
    }
    bool jpeg = j->opt->format == UT_FORMAT_JPEG;
    const ut_sync *sync;
    ut_status s = mark(j, &sync);
    const ut_picture *base = sync ? &j->marked : &j->cover;
    if (s == UT_OK) s = ut_design_init(&j->design, &j->route, base, jpeg, sync, j->err);
    if (s == UT_OK) s = ut_sender_init(&j->sender, base, &j->route, &j->design, &j->ring, jpeg, j->opt, j->err);
    j->sender.sync = sync;
    if (s == UT_OK && j->trial && j->trial->plain) {
        if (j->design.noisy) return ut_fail(j->err, UT_E_UNSUPPORTED, "the plain lattice is not for channels that add noise");
        j->sender.height = 0;
        if (j->sender.quiet) s = ut_sender_coarser(&j->sender, j->err);
    }
    if (s == UT_OK) s = learned(j);
    double mse = 65025 / pow(10, fmax(j->min_psnr_db, 35) / 10);
    if (sync) mse = fmin(mse, DROWNED_MSE);
    if (s == UT_OK && j->design.noisy) s = ut_robust_learn(&j->sender, mse, j->err);
    if (s == UT_OK) s = ut_sender_forecast(&j->sender, &j->forecast, j->err);
    if (s != UT_OK) return s;
    if (j->design.noisy)
        ut_step_add(j->rep->steps, &j->rep->nsteps, "prepare", t0, "%zu cases to survive, robust form, %.1f %% of the bits wrong in trials",
                    j->route.nvariants, 100 * j->sender.worst_ber);
    else
        ut_step_add(j->rep->steps, &j->rep->nsteps, "prepare", t0, "%zu cases to survive, table %u x %u/16, %s %u",
                j->route.nvariants, j->design.table, j->design.scale, j->sender.quiet ? "quiet header, carriers a bit:" : "preamble step",
                j->sender.quiet ? j->sender.quiet : j->sender.tier);
    return UT_OK;
}

size_t ut_room_nbytes(const ut_room *r, double psnr_db)
{
    double bits;
    if (r->lossless) {
        size_t n = ut_lsb_job_capacity(r->width, r->height);
        return ut_unsealed_nbytes(n / 8) == SIZE_MAX ? 0 : ut_unsealed_nbytes(n / 8);
    }
    bits = (double)ut_forecast_nbits(&r->forecast, psnr_db);
    bits *= r->forecast.robust ? 1 : r->forecast.height ? .95 : .91; /* the robust form's are sealed bits already */
    size_t plain = ut_unsealed_nbytes((size_t)(bits / 8));
    return plain == SIZE_MAX ? 0 : plain;
}

ut_room ut_job_room(const ut_job *j) { return (ut_room){ j->forecast, !j->sender.cover, j->design.noisy, j->cover.width, j->cover.height }; }

size_t ut_job_budget(const ut_job *j, double psnr_db)
{
    if (j->album) return ut_album_budget(j->album, psnr_db);
    ut_room r = ut_job_room(j);
    return ut_room_nbytes(&r, psnr_db);
}
