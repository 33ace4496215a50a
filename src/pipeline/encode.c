/* Middle steps of hide: the best quality that fits, coded, sealed, protected, hidden and recovered again. */
#include "pipeline/album.h"
#include "pipeline/trade.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define GOOD_PSNR_DB 40.0  /* auto quality first asks for this much */
#define FLAC_PSNR_DB 44.0  /* auto takes lossless audio only where it costs nothing visible */

static const double ladder_kbps[] = { 32, 24, 20, 16, 14.5, 12.7, 11, 9.2, 7.5, 6 };
enum { LADDER = sizeof ladder_kbps / sizeof *ladder_kbps };

static ut_status encode(ut_job *j, ut_codec codec, double kbps)
{
    double t0 = ut_now();
    ut_hide_report *r = j->rep;
    ut_status s;
    ut_pcm_free(&j->preview);
    j->payload.len = 0;
    if (ut_job_cancelled(j, "encoding", .1)) return ut_fail(j->err, UT_E_CANCELLED, "cancelled");
    if (codec == UT_CODEC_RAW)
        s = ut_payload_encode_raw(j->voice, j->nvoice, UT_SEGMENT_NBYTES, &j->payload, &j->info, j->err);
    else if (codec == UT_CODEC_FLAC)
        s = ut_payload_encode_flac(&j->pcm, UT_SEGMENT_NBYTES, &j->payload, &j->preview, &j->info, j->err);
    else if (codec == UT_CODEC_SPECTRUM)
        s = ut_payload_encode_spectrum(&j->pcm, kbps, UT_SEGMENT_NBYTES, &j->payload, &j->preview, &j->info, j->err);
    else
        s = ut_payload_encode_opus(&j->pcm, kbps, UT_SEGMENT_NBYTES, &j->payload, &j->preview, &j->info, j->err);
    if (s != UT_OK) return s;
    snprintf(r->codec, sizeof r->codec, "%s", ut_codec_name(codec));
    r->bitrate_kbps = j->info.kbps;
    r->payload_nbytes = j->payload.len;
    ut_hex(j->info.sha256, 32, r->sha256_hex);
    ut_step_add(r->steps, &r->nsteps, "encode", t0, "%s, %zu bytes, %.1f kbit/s", r->codec, j->payload.len, j->info.kbps);
    return UT_OK;
}

static ut_status seal(void *arg, const ut_seal_keys *k, ut_buf *sealed, ut_err *e)
{
    const ut_job *j = arg;
    return ut_seal(k, j->payload.data, j->payload.len, sealed, e);
}

static void describe(ut_job *j)
{
    ut_hide_report *r = j->rep;
    const ut_sender *s = &j->sender;
    r->sealed_nbytes = s->plan.payload_nbytes;
    r->code_nbits = s->plan.code_nbits;
    r->code_rate = 8.0 * (double)r->sealed_nbytes / (double)r->code_nbits;
    r->worst_ber = s->worst_ber;
    snprintf(r->fec, sizeof r->fec, "%s", ut_fec_name(s->plan.kind, s->plan.rate));
    r->nverified = j->route.nvariants + j->route.nbetween;
    for (size_t i = 0; i < j->route.nvariants; i++) {
        size_t n = strlen(r->verified);
        snprintf(r->verified + n, sizeof r->verified - n, "%s%s", n ? ", " : "", j->route.variant[i].name);
    }
    size_t n = strlen(r->verified);
    if (j->route.nbetween) snprintf(r->verified + n, sizeof r->verified - n, " and every quality between");
}

ut_status ut_job_hide(ut_job *j)
{
    double t0 = ut_now();
    ut_hide_report *r = j->rep;
    if (j->album) return ut_album_hide(j);
    if (!j->sender.cover) {
        ut_status s = ut_hide_lsb(j);
        if (s == UT_OK) s = ut_image_compare(&j->cover, &j->lossless, &r->psnr_db, NULL, j->err);
        snprintf(r->fec, sizeof r->fec, "none (lossless)");
        if (s == UT_OK) ut_step_add(r->steps, &r->nsteps, "seal, hide", t0, "low bits, %zu bytes", r->sealed_nbytes);
        return s;
    }
    /* a forecast errs by some tenths; what comes out decides.  The robust form's is rough until a trial has shown the noise */
    size_t most = j->forecast.robust ? SIZE_MAX : ut_forecast_nbits(&j->forecast, fmax(j->min_psnr_db - 1, 20));
    ut_status s = ut_sender_run(&j->sender, seal, j, j->opt->fec, most, j->err);
    if (s == UT_OK) s = ut_image_compare(&j->cover, &j->sender.stego, &r->psnr_db, NULL, j->err);
    if (s != UT_OK) return s;
    if (r->psnr_db < j->min_psnr_db)
        return ut_fail(j->err, UT_E_CAPACITY, "it fits only at %.1f dB, below the asked %.1f dB; use a shorter recording, a "
                       "lower bit rate, a larger photo, or a smaller --min-psnr", r->psnr_db, j->min_psnr_db);
    r->verified[0] = 0;
    describe(j);
    ut_step_add(r->steps, &r->nsteps, "seal, protect, hide", t0, "%s, %zu raw bits, %.2f %% of them wrong at worst, %.1f dB",
                r->fec, r->code_nbits, 100 * r->worst_ber, r->psnr_db);
    return UT_OK;
}

static ut_status too_much(ut_job *j, double kbps)
{
    double room = (double)ut_job_budget(j, j->min_psnr_db);
    const char *carrier = j->album ? "these photos carry" : "this photo carries", *larger = j->album ? "more photos" : "a larger photo";
    if (j->opt->codec == UT_CODEC_RAW || j->opt->codec == UT_CODEC_FLAC)
        return ut_fail(j->err, UT_E_CAPACITY, "it does not fit: %zu bytes of payload, %s about %.0f through these "
                       "channels at %.0f dB; use less data, %s, or a smaller --min-psnr", j->payload.len, carrier, room, j->min_psnr_db, larger);
    return ut_fail(j->err, UT_E_CAPACITY, "it does not fit: %.1f s of speech, but at %.1f kbit/s %s about %.1f s through "
                   "these channels; use a shorter recording, %s, or a smaller --min-psnr", j->rep->audio_s, kbps, carrier,
                   floor(10 * room * 8 / (kbps * 1000)) / 10, larger);
}

static ut_status try(ut_job *j, ut_codec codec, double kbps)
{
    size_t nsteps = j->rep->nsteps;
    ut_status s = encode(j, codec, kbps);
    /* a budget far exceeded needs no trial */
    if (s == UT_OK && (double)j->payload.len > 1.25 * (double)ut_job_budget(j, fmax(j->min_psnr_db - .5, 20)))
        s = too_much(j, kbps);
    if (s == UT_OK) s = ut_job_hide(j);
    if (s == UT_E_CAPACITY) j->rep->nsteps = nsteps;
    return s;
}

/* By WB-PESQ over true bytes `spectrum` is ahead of Opus up to here (docs/RESULTS.md, "Speech"). */
#define SPECTRUM_BELOW_KBPS 12

static ut_codec lossy_codec(const ut_job *j, double kbps)
{
    if (j->opt->codec != UT_CODEC_AUTO) return j->opt->codec;
    return kbps < SPECTRUM_BELOW_KBPS ? UT_CODEC_SPECTRUM : UT_CODEC_OPUS;
}

static double voice_nbytes(const ut_job *j, double kbps) /* spectrum hits its rate, Opus stays below it */
{
    return j->rep->audio_s * kbps * 125 * (lossy_codec(j, kbps) == UT_CODEC_SPECTRUM ? 1.02 : .97) + 60;
}

ut_status ut_job_check_length(ut_job *j)
{
    const ut_hide_options *o = j->opt;
    double least = ladder_kbps[LADDER - 1];
    bool search = (o->codec == UT_CODEC_AUTO || o->codec == UT_CODEC_OPUS) && !(o->bitrate_kbps > 0);
    return search && voice_nbytes(j, least) > (double)ut_job_budget(j, j->min_psnr_db) ? too_much(j, least) : UT_OK;
}

/* Down the ladder from the best rate that the forecast holds possible. */
static ut_status ladder(ut_job *j)
{
    double seconds = j->rep->audio_s;
    ut_status s = UT_E_CAPACITY;
    for (int pass = 0; pass < 2 && s == UT_E_CAPACITY; pass++) {
        double want = pass ? j->min_psnr_db : fmax(GOOD_PSNR_DB, j->min_psnr_db);
        double budget = (double)ut_job_budget(j, want);
        int tries = 0;
        for (int i = 0; i < LADDER && tries < 3 && s == UT_E_CAPACITY; i++) {
            if (voice_nbytes(j, ladder_kbps[i]) > budget) continue;
            tries++;
            s = try(j, lossy_codec(j, ladder_kbps[i]), ladder_kbps[i]);
        }
        if (pass == 0 && want <= j->min_psnr_db && tries) break;
    }
    /* where the forecast sees room the trials failed for another reason, and have said which */
    if (s == UT_E_CAPACITY && (!j->err->text[0] || seconds * ladder_kbps[LADDER - 1] * 125 > (double)ut_job_budget(j, j->min_psnr_db)))
        s = too_much(j, ladder_kbps[LADDER - 1]);
    return s;
}

ut_status ut_job_encode_and_hide(ut_job *j)
{
    const ut_hide_options *o = j->opt;
    if (o->codec == UT_CODEC_RAW) return try(j, UT_CODEC_RAW, 0);
    if (o->codec == UT_CODEC_FLAC) return try(j, UT_CODEC_FLAC, 0);
    if (o->bitrate_kbps > 0) return try(j, lossy_codec(j, o->bitrate_kbps), o->bitrate_kbps);
    if (o->codec == UT_CODEC_AUTO && (double)ut_job_budget(j, fmax(FLAC_PSNR_DB, j->min_psnr_db)) > j->rep->audio_s * 8000) {
        ut_status s = encode(j, UT_CODEC_FLAC, 0);
        if (s == UT_OK && j->payload.len < ut_job_budget(j, fmax(FLAC_PSNR_DB, j->min_psnr_db))) s = ut_job_hide(j);
        else if (s == UT_OK) s = UT_E_CAPACITY;
        if (s != UT_E_CAPACITY) return s;
        j->rep->nsteps--;
    }
    return ladder(j);
}

/* The file, read back: what is written is what was verified. */
static ut_status check_file(ut_job *j)
{
    ut_picture p;
    ut_image_info info;
    const ut_picture *want = j->sender.cover ? &j->sender.stego : &j->lossless;
    ut_status s = ut_image_read(j->file.data, j->file.len, "the result", &p, NULL, &info, j->err);
    if (s != UT_OK) return s;
    if (j->opt->format != UT_FORMAT_JPEG && memcmp(p.rgb, want->rgb, (size_t)p.width * p.height * 3) != 0)
        s = ut_fail(j->err, UT_E_INTERNAL, "the written file does not decode to the verified pixels");
    if (s == UT_OK && !j->sender.cover) {
        ut_view v = { .picture = &p };
        ut_found f;
        ut_raw raw = { 0 };
        ut_buf plain = { 0 };
        ut_unseal_result u = { 0 };
        s = ut_message_find(&v, &j->ring, true, &f, j->err);
        if (s == UT_OK) s = ut_message_read(&v, &f, j->opt->nthreads, &raw, j->err);
        if (s == UT_OK) s = ut_unseal(&f.keys, raw.sealed.data, raw.sealed.len, &plain, &u, j->err);
        if (s == UT_OK && (plain.len != j->payload.len || memcmp(plain.data, j->payload.data, plain.len)))
            s = ut_fail(j->err, UT_E_INTERNAL, "the result did not give the payload back");
        j->rep->nverified = 1;
        snprintf(j->rep->verified, sizeof j->rep->verified, "as sent");
        free(u.segment_ok);
        ut_buf_free(&plain);
        ut_raw_free(&raw);
        ut_wipe(&f, sizeof f);
    }
    bool small = p.width < 11 || p.height < 11; /* narrower than SSIM's window */
    if (small) j->rep->ssim = NAN;
    if (s == UT_OK) s = ut_image_compare(&j->cover, &p, &j->rep->psnr_db, small ? NULL : &j->rep->ssim, j->err);
    ut_picture_free(&p);
    return s;
}

ut_status ut_job_write(ut_job *j)
{
    double t0 = ut_now();
    const ut_picture *p = j->sender.cover ? &j->sender.stego : &j->lossless;
    ut_hide_report *r = j->rep;
    ut_status s;
    if (ut_job_cancelled(j, "writing", .9)) return ut_fail(j->err, UT_E_CANCELLED, "cancelled");
    if (j->opt->format == UT_FORMAT_JPEG) s = ut_image_write_jpeg(p, &j->design.out, &j->file, j->err);
    else if (j->opt->format == UT_FORMAT_WEBP) s = ut_image_write_webp_lossless(p, &j->file, j->err);
    else s = ut_image_write_png(p, &j->file, j->err);
    if (s == UT_OK) s = check_file(j);
    if (s != UT_OK) return s;
    r->net_bpp = 8.0 * (double)r->payload_nbytes / ((double)r->width * r->height);
    ut_room room = ut_job_room(j);
    ut_tried tried = { r->psnr_db, r->payload_nbytes };
    ut_trade_fill(&room, &tried, isfinite(r->psnr_db), r->trade, &r->ntrade);
    ut_step_add(r->steps, &r->nsteps, "write", t0, "%zu bytes, SSIM %.4f", j->file.len, r->ssim);
    return UT_OK;
}
