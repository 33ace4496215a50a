/* ut_enhance: listen -> clean -> write, in two passes over the recording and constant memory. */
#include "media/audio.h"
#include "media/audio_writer.h"
#include "pipeline/clean.h"
#include "pipeline/report.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

void ut_enhance_options_init(ut_enhance_options *o) { *o = (ut_enhance_options){ .mode = UT_ENHANCE_ON, .strength = 1 }; }

typedef struct job {
    const ut_enhance_options *opt;
    ut_enhance_report *rep;
    ut_err *err;
    const ut_source *voice;
    uint64_t furthest; /* byte of the source that was read */
    ut_cleaning cleaning;
    ut_listener *listener;
    ut_enhancer *enhancer;
    ut_audio_writer *writer;
    ut_write_fn write;
    void *user;
    uint64_t taken, given;
} job;

#define LISTENING .1 /* share of the work that the first pass counts for */

static ptrdiff_t read_watched(void *user, uint64_t at, void *to, size_t n)
{
    job *j = user;
    if (at > j->furthest) j->furthest = at;
    return j->voice->read(j->voice->user, at, to, n);
}

static ut_status progress(const job *j, const char *step, double done, ut_err *e)
{
    if (j->opt->progress && j->opt->progress(j->opt->user, step, done)) return ut_fail(e, UT_E_CANCELLED, "cancelled");
    return UT_OK;
}

static ut_status hear(void *user, const int16_t *sample, size_t n, ut_err *e)
{
    job *j = user;
    ut_listener_push(j->listener, sample, n);
    return progress(j, "listening", LISTENING * (double)j->furthest / (double)j->voice->nbytes, e);
}

static ut_status clean(void *user, const int16_t *sample, size_t n, ut_err *e)
{
    job *j = user;
    j->taken += n;
    if (j->taken > j->cleaning.heard.nsamples) return ut_fail(e, UT_E_IO, "the recording changed while it was read");
    ut_status s = progress(j, "enhancing", LISTENING + (1 - LISTENING) * (double)j->taken / (double)j->cleaning.heard.nsamples, e);
    return s == UT_OK ? ut_enhancer_push(j->enhancer, sample, n, e) : s;
}

static ut_status put(void *user, const void *data, size_t n, ut_err *e)
{
    job *j = user;
    return j->write(j->user, data, n) ? ut_fail(e, UT_E_IO, "the result could not be written") : UT_OK;
}

static ut_status give(void *user, const int16_t *sample, size_t n, ut_err *e)
{
    job *j = user;
    j->given += n;
    return ut_audio_writer_put(j->writer, sample, n, e);
}

static ut_status first_pass(job *j, const ut_source *src)
{
    double t0 = ut_now();
    ut_status s = ut_listener_new(&j->listener, j->err);
    if (s == UT_OK) s = ut_audio_stream(src, j->opt->voice_name, hear, j, j->err);
    if (s != UT_OK) return s;
    ut_heard *h = &j->cleaning.heard;
    ut_listener_finish(j->listener, h);
    ut_cleaning_decide(&j->cleaning);
    j->rep->audio_s = (double)h->nsamples / UT_ENHANCE_HZ;
    ut_step_add(j->rep->steps, &j->rep->nsteps, "listen", t0, "%.1f s, active level %.1f dB, %.0f %% speech", j->rep->audio_s, h->level_db,
                100 * h->speech_share);
    return UT_OK;
}

static ut_status second_pass(job *j, const ut_source *src)
{
    double t0 = ut_now();
    ut_enhancer_report r;
    ut_status s = ut_audio_writer_new(j->opt->format, j->cleaning.heard.nsamples, put, j, &j->writer, j->err);
    if (s == UT_OK) s = ut_cleaning_start(&j->cleaning, give, j, &j->enhancer, j->err);
    if (s == UT_OK) s = ut_audio_stream(src, j->opt->voice_name, clean, j, j->err);
    if (s == UT_OK) s = ut_enhancer_finish(j->enhancer, &r, j->err);
    if (s == UT_OK) s = ut_audio_writer_finish(j->writer, j->err);
    if (s == UT_OK && j->given != j->cleaning.heard.nsamples) s = ut_fail(j->err, UT_E_IO, "the recording changed while it was read");
    if (s != UT_OK) return s;
    ut_cleaning_tell(&j->cleaning, &r);
    ut_step_add(j->rep->steps, &j->rep->nsteps, "enhance", t0, "%s", j->rep->enhancement.what);
    return UT_OK;
}

ut_status ut_enhance_stream(const ut_source *voice, const ut_enhance_options *opt, ut_write_fn write, void *user, ut_enhance_report *rep)
{
    ut_enhance_options defaults;
    ut_err err = { 0 };
    bool idle;
    memset(rep, 0, sizeof *rep);
    if (!opt) {
        ut_enhance_options_init(&defaults);
        opt = &defaults;
    }
    job j = { .opt = opt, .rep = rep, .err = &err, .voice = voice, .write = write, .user = user };
    j.cleaning = (ut_cleaning){ opt->mode, opt->strength, opt->model, opt->nthreads, .told = &rep->enhancement };
    ut_source src = { voice->nbytes, read_watched, &j };
    ut_status s = ut_cleaning_open(&j.cleaning, &idle, &err);
    if (s == UT_OK) s = first_pass(&j, &src);
    if (s == UT_OK) s = second_pass(&j, &src);
    if (s != UT_OK) snprintf(rep->message, sizeof rep->message, "%s", err.text[0] ? err.text : ut_status_text(s));
    ut_listener_free(j.listener);
    ut_enhancer_free(j.enhancer);
    ut_audio_writer_free(j.writer);
    ut_cleaning_free(&j.cleaning);
    return s;
}

typedef struct collected {
    ut_buf file;
    ut_err err;
} collected;

static int collect(void *user, const void *data, size_t n)
{
    collected *c = user;
    return ut_buf_append(&c->file, data, n, &c->err) != UT_OK;
}

ut_status ut_enhance(const uint8_t *voice, size_t nvoice, const ut_enhance_options *opt, ut_blob *out, ut_enhance_report *rep)
{
    ut_blob bytes = { (uint8_t *)(uintptr_t)voice, nvoice };
    ut_source src = ut_source_of(&bytes);
    collected c = { 0 };
    *out = (ut_blob){ 0 };
    ut_status s = ut_enhance_stream(&src, opt, collect, &c, rep);
    if (c.err.status != UT_OK) {
        s = c.err.status;
        snprintf(rep->message, sizeof rep->message, "%s", c.err.text);
    }
    if (s == UT_OK) *out = (ut_blob){ c.file.data, c.file.len };
    else ut_buf_free(&c.file);
    return s;
}
