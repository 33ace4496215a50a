/* capacity: a trial embedding of random bytes shows what fits. */
#include "pipeline/trade.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FAINT_PSNR_DB 51 /* of the second trial */

static ut_status seal(void *arg, const ut_seal_keys *k, ut_buf *sealed, ut_err *e)
{
    const ut_job *j = arg;
    return ut_seal(k, j->payload.data, j->payload.len, sealed, e);
}

/* Random payloads, larger or smaller by what the last trial taught, until one fits well. */
static ut_status trial(ut_job *j, ut_capacity_report *rep)
{
    double bytes = (double)ut_job_budget(j, j->min_psnr_db);
    ut_status s = UT_E_CAPACITY;
    for (int t = 0; t < 5 && bytes >= 64; t++) {
        s = ut_buf_resize(&j->payload, (size_t)bytes, j->err);
        if (s == UT_OK) s = ut_random(j->payload.data, j->payload.len, j->err);
        if (s == UT_OK) s = ut_sender_run(&j->sender, seal, j, j->opt->fec, SIZE_MAX, j->err);
        if (s == UT_OK) s = ut_image_compare(&j->cover, &j->sender.stego, &rep->psnr_db, NULL, j->err);
        if (s != UT_OK && s != UT_E_CAPACITY) return s;
        if (s == UT_OK && rep->psnr_db >= j->min_psnr_db) break;
        bytes *= s == UT_OK ? fmax(.5, 1 - .09 * (j->min_psnr_db - rep->psnr_db) - .01) : .7;
        if (j->design.noisy) { /* the whole photo has taught more than the sample before it */
            s = ut_sender_forecast(&j->sender, &j->forecast, j->err);
            if (s != UT_OK) return s;
            bytes = fmin(bytes, fmax((double)ut_job_budget(j, j->min_psnr_db), bytes / 2));
        }
        s = UT_E_CAPACITY;
    }
    if (s != UT_OK) return ut_fail(j->err, UT_E_CAPACITY, "nothing fits: this photo carries no message through these channels at %.0f dB",
                                   j->min_psnr_db);
    rep->payload_nbytes = j->payload.len;
    rep->code_rate = 8.0 * (double)j->sender.plan.payload_nbytes / (double)j->sender.plan.code_nbits;
    rep->worst_ber = j->sender.worst_ber;
    return UT_OK;
}

/* A second, fainter message shows how little this photo can be changed: a forecast from the first alone would not know. */
static ut_status fill_trade(ut_job *j, ut_capacity_report *rep)
{
    ut_room room = ut_job_room(j);
    ut_tried tried[2] = { { rep->psnr_db, rep->payload_nbytes } };
    size_t ntried = j->sender.cover ? 1 : 0;
    double bytes = ntried && !room.noisy ? ut_trade_nbytes(&room, tried, FAINT_PSNR_DB) : 0;
    if (bytes >= 64 && bytes < .8 * (double)rep->payload_nbytes) {
        ut_status s = ut_buf_resize(&j->payload, (size_t)bytes, j->err);
        if (s == UT_OK) s = ut_sender_run(&j->sender, seal, j, j->opt->fec, SIZE_MAX, j->err);
        if (s == UT_OK) s = ut_image_compare(&j->cover, &j->sender.stego, &tried[1].psnr_db, NULL, j->err);
        if (s != UT_OK && s != UT_E_CAPACITY) return s;
        tried[1].nbytes = j->payload.len;
        ntried += s == UT_OK && tried[1].psnr_db > tried[0].psnr_db;
    }
    ut_trade_fill(&room, tried, ntried, rep->trade, &rep->ntrade);
    return UT_OK;
}

static void fill_rows(ut_capacity_report *r)
{
    static const struct {
        const char *name;
        double kbps;
    } row[] = { { "opus 6 kbit/s", 6 },       { "opus 7.5 kbit/s", 7.5 }, { "opus 9.2 kbit/s", 9.2 }, { "opus 12.7 kbit/s", 12.7 },
                { "opus 16 kbit/s", 16 },     { "opus 24 kbit/s", 24 },   { "flac", 126 } };
    for (size_t i = 0; i < sizeof row / sizeof *row; i++) {
        ut_capacity_row *c = &r->rows[r->nrows++];
        snprintf(c->quality, sizeof c->quality, "%s", row[i].name);
        c->kbps = row[i].kbps;
        c->seconds = fmax(0, ((double)r->payload_nbytes - 60) * 8 / (row[i].kbps * 1000));
    }
}

ut_status ut_capacity(const uint8_t *photo, size_t nphoto, const ut_hide_options *opt, ut_capacity_report *rep)
{
    ut_hide_options defaults;
    ut_hide_report *hidden = ut_calloc(1, sizeof *hidden, NULL);
    ut_err err = { 0 };
    memset(rep, 0, sizeof *rep);
    if (!hidden) return UT_E_MEMORY;
    if (!opt) {
        ut_hide_options_init(&defaults);
        opt = &defaults;
    }
    ut_job j = { .opt = opt, .rep = hidden, .err = &err, .min_psnr_db = opt->min_psnr_db > 0 ? opt->min_psnr_db : 38 };
    ut_status s = ut_job_open_photo(&j, photo, nphoto);
    if (s == UT_OK) s = ut_job_prepare(&j);
    if (s == UT_OK && j.sender.cover) {
        s = trial(&j, rep);
    } else if (s == UT_OK) {
        rep->payload_nbytes = ut_job_budget(&j, 0);
        rep->code_rate = 1;
        rep->psnr_db = 10 * log10(65025 / 1.5);
    }
    rep->width = hidden->width;
    rep->height = hidden->height;
    if (s == UT_OK) {
        rep->net_bpp = 8.0 * (double)rep->payload_nbytes / ((double)rep->width * rep->height);
        fill_rows(rep);
        s = fill_trade(&j, rep);
    }
    if (s != UT_OK) {
        snprintf(rep->message, sizeof rep->message, "%s", err.text[0] ? err.text : ut_status_text(s));
    }
    ut_job_free(&j);
    ut_hide_report_free(hidden);
    free(hidden);
    return s;
}
