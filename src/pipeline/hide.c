/* hide: open -> enhance -> encode -> seal -> protect -> hide -> verify -> write. */
#include "pipeline/job.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void ut_hide_options_init(ut_hide_options *o) 
{
    memset(o, 0, sizeof *o);
    o->strength = 1;
}

void ut_hide_report_free(ut_hide_report *r)
{
    if (r) ut_blob_free(&r->preview);
}

static ut_status run(ut_job *j, const uint8_t *photo, size_t nphoto)
{
    ut_status s = ut_job_open_photo(j, photo, nphoto);
    if (s == UT_OK) s = ut_job_open_voice(j);
    if (s == UT_OK) s = ut_job_prepare(j);
    if (s == UT_OK) s = ut_job_check_length(j);
    if (s == UT_OK) s = ut_job_enhance(j);
    if (s == UT_OK) s = ut_job_encode_and_hide(j);
    if (s == UT_OK) s = ut_job_write(j);
    return s;
}

static void give(ut_buf *from, ut_blob *to)
{
    to->data = from->data;
    to->nbytes = from->len;
    *from = (ut_buf){ 0 };
}

/* What an ideal coder makes of the same photo. */
static void compare_with_ideal(const ut_job *j)
{
    ut_forecast f;
    ut_trial *t = j->trial;
    t->ideal_psnr_db = t->ideal_bpp = t->forecast_psnr_db = NAN;
    if (!j->sender.cover || j->forecast.robust || ut_sender_forecast_ideal(&j->sender, &f, NULL) != UT_OK) return;
    t->ideal_psnr_db = ut_forecast_ideal_psnr(&f, 8 * (double)j->rep->payload_nbytes);
    t->ideal_bpp = ut_forecast_ideal_nbits(&f, j->rep->psnr_db) / ((double)j->rep->width * j->rep->height);
    t->forecast_psnr_db = ut_forecast_psnr(&j->forecast, j->rep->code_nbits);
}

ut_status ut_hide(const uint8_t *voice, size_t nvoice, const uint8_t *photo, size_t nphoto, const ut_hide_options *opt,
                  ut_blob *out, ut_hide_report *rep)
{
    return ut_hide_trial(voice, nvoice, photo, nphoto, opt, NULL, out, rep);
}

ut_status ut_hide_trial(const uint8_t *voice, size_t nvoice, const uint8_t *photo, size_t nphoto, const ut_hide_options *opt,
                        ut_trial *trial, ut_blob *out, ut_hide_report *rep)
{
    ut_hide_options defaults;
    ut_err err = { 0 };
    *out = (ut_blob){ 0 };
    memset(rep, 0, sizeof *rep);
    if (!opt) {
        ut_hide_options_init(&defaults);
        opt = &defaults;
    }
    ut_job j = { .opt = opt, .rep = rep, .err = &err, .trial = trial, .voice = voice, .nvoice = nvoice,
                 .min_psnr_db = opt->min_psnr_db > 0 ? opt->min_psnr_db : 38 };
    j.ring.key = opt->key;
    ut_status s = run(&j, photo, nphoto);
    ut_buf wav = { 0 };
    if (s == UT_OK && j.preview.nsamples) s = ut_audio_write_wav(&j.preview, &wav, &err);
    if (s == UT_OK) {
        give(&j.file, out);
        give(&wav, &rep->preview);
        if (trial) compare_with_ideal(&j);
    } else {
        snprintf(rep->message, sizeof rep->message, "%s", err.text[0] ? err.text : ut_status_text(s));
    }
    ut_buf_free(&wav);
    ut_job_free(&j);
    return s;
}

void ut_job_free(ut_job *j)
{
    ut_sender_free(&j->sender);
    ut_guide_free(j->guide);
    ut_inn_free(j->inn);
    ut_keyring_wipe(&j->ring);
    ut_route_free(&j->route);
    ut_picture_free(&j->cover);
    ut_picture_free(&j->marked);
    ut_picture_free(&j->lossless);
    ut_pcm_free(&j->pcm);
    ut_pcm_free(&j->preview);
    ut_buf_free(&j->payload);
    ut_buf_free(&j->file);
}

bool ut_job_cancelled(const ut_job *j, const char *step, double done)
{
    return j->opt->progress && j->opt->progress(j->opt->user, step, done) != 0;
}
