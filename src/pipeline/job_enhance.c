/* hide's step enhance: the recording, in memory, through the enhancer and back into its place. */
#include "pipeline/clean.h"
#include "pipeline/job.h"
#include <string.h>

typedef struct place {
    ut_job *j;
    size_t at;
} place;

static ut_status put_back(void *user, const int16_t *sample, size_t n, ut_err *e)
{
    place *p = user;
    (void)e;
    memcpy(p->j->pcm.sample + p->at, sample, n * sizeof *sample); /* never ahead of what was pushed */
    p->at += n;
    return UT_OK;
}

static ut_status listen(ut_job *j, ut_heard *heard)
{
    enum { PIECE = 1 << 20 };
    ut_listener *l;
    ut_status s = ut_listener_new(&l, j->err);
    for (size_t at = 0, m; s == UT_OK && at < j->pcm.nsamples; at += m) {
        m = j->pcm.nsamples - at < PIECE ? j->pcm.nsamples - at : PIECE;
        ut_listener_push(l, j->pcm.sample + at, m);
        if (ut_job_cancelled(j, "listening", 0)) s = ut_fail(j->err, UT_E_CANCELLED, "cancelled");
    }
    if (s == UT_OK) ut_listener_finish(l, heard);
    ut_listener_free(l);
    return s;
}

static ut_status clean(ut_job *j, const ut_cleaning *c)
{
    enum { PIECE = UT_ENHANCE_HZ };
    place p = { j, 0 };
    ut_enhancer *h;
    ut_enhancer_report r;
    int16_t piece[PIECE];
    ut_status s = ut_cleaning_start(c, put_back, &p, &h, j->err);
    for (size_t at = 0, m; s == UT_OK && at < j->pcm.nsamples; at += m) {
        m = j->pcm.nsamples - at < PIECE ? j->pcm.nsamples - at : PIECE;
        memcpy(piece, j->pcm.sample + at, m * sizeof *piece); /* what passes through is put back while it is read */
        s = ut_job_cancelled(j, "enhancing", .1 * (double)at / (double)j->pcm.nsamples) ? ut_fail(j->err, UT_E_CANCELLED, "cancelled")
                                                                                        : ut_enhancer_push(h, piece, m, j->err);
    }
    if (s == UT_OK) s = ut_enhancer_finish(h, &r, j->err);
    if (s == UT_OK) ut_cleaning_tell(c, &r);
    ut_enhancer_free(h);
    ut_wipe(piece, sizeof piece);
    return s;
}

ut_status ut_job_enhance(ut_job *j)
{
    double t0 = ut_now();
    const ut_hide_options *o = j->opt;
    bool idle;
    ut_cleaning c = { o->codec == UT_CODEC_RAW ? UT_ENHANCE_OFF : o->enhance, o->strength, o->model, o->nthreads, .told = &j->rep->enhancement };
    ut_status s = ut_cleaning_open(&c, &idle, j->err);
    if (s == UT_OK && !idle) {
        s = listen(j, &c.heard);
        if (s == UT_OK) ut_cleaning_decide(&c);
        if (s == UT_OK) s = clean(j, &c);
        if (s == UT_OK) ut_step_add(j->rep->steps, &j->rep->nsteps, "enhance", t0, "%s", j->rep->enhancement.what);
    }
    ut_cleaning_free(&c);
    return s;
}
