/* hide for several photos: a part of the recording in each. */
#include "cli/album.h"
#include "cli/json.h"
#include "cli/key.h"
#include "cli/options.h"
#include "cli/progress.h"
#include <stdlib.h>
#include <string.h>

typedef struct job {
    const char *voice_path, *preview_path;
    ut_buf voice;
    ut_cli_photos photos;
    ut_outputs outputs;
    ut_cli_key key;
    ut_hide_options opt;
    const char **channels;
    long any;
    ut_hide_report report, *each; /* each: [photos.n], owned */
    ut_err delivery;
    double seconds;
} job;

static ut_status check_preview(const ut_args *a, const job *j, ut_err *e)
{
    ut_status s;
    if (!j->preview_path)
        return UT_OK;
    if (j->opt.codec == UT_CODEC_RAW)
        return ut_fail(e, UT_E_USAGE, "hide: --preview needs a voice; --codec raw hides bytes as they are");
    s = ut_output_check(j->preview_path, true, e);
    if (s == UT_OK)
        s = ut_output_distinct(j->preview_path, "--preview", a->operand, a->noperands, e);
    return s == UT_OK ? ut_output_distinct(j->preview_path, "--preview", (const char *const *)j->outputs.path, j->outputs.n, e) : s;
}

static ut_status check_photos(const ut_args *a, ut_err *e)
{
    ut_status s = UT_OK;
    for (size_t i = 2; i < a->noperands && s == UT_OK; i++)
        if (ut_output_distinct(a->operand[i], "", a->operand + 1, i - 1, NULL) != UT_OK)
            s = ut_fail(e, UT_E_USAGE, "hide: %s is given twice; an album needs different photos", ut_text_name(a->operand[i]));
    return s;
}

static ut_status prepare(const ut_cli *cli, const ut_args *a, job *j, ut_err *e)
{
    ut_status s;
    j->voice_path = a->operand[0];
    j->preview_path = ut_args_value(a, "preview");
    s = ut_cli_hide_options(a, &j->opt, &j->channels, e);
    if (s == UT_OK)
        s = ut_args_integer(a, "any", 1, (long)(a->noperands - 1), &j->any, e);
    if (s == UT_OK && cli->json && j->preview_path && !strcmp(j->preview_path, "-"))
        s = ut_fail(e, UT_E_USAGE, "hide: --json needs standard output for itself; give --preview a file");
    if (s == UT_OK)
        s = check_photos(a, e);
    if (s == UT_OK)
        s = ut_input_read(j->voice_path, "the recording", &j->voice, e);
    if (s == UT_OK)
        s = ut_cli_photos_open(&j->photos, a->operand + 1, a->noperands - 1, "the photo", e);
    if (s == UT_OK)
        s = ut_outputs_plan(&j->outputs, a, &j->photos, e);
    if (s == UT_OK)
        s = check_preview(a, j, e);
    if (s == UT_OK && !(j->each = ut_calloc(j->photos.n, sizeof *j->each, e)))
        s = UT_E_MEMORY;
    return s;
}

static int deliver(void *user, size_t i, const ut_blob *picture)
{
    job *j = user;
    return ut_outputs_stage(&j->outputs, i, picture, &j->delivery) != UT_OK;
}

static ut_status work(const ut_cli *cli, job *j, ut_err *e)
{
    ut_progress p;
    ut_status s;
    double start = ut_now_s();
    j->opt.key = j->key.key;
    j->opt.voice_name = ut_text_name(j->voice_path);
    j->opt.progress = ut_progress_step;
    j->opt.user = &p;
    ut_progress_begin(&p, cli);
    s = ut_hide_album(j->voice.data, j->voice.len, j->photos.photo, j->photos.n, (unsigned)j->any, &j->opt, deliver, j, &j->report, j->each);
    ut_progress_end(&p);
    j->seconds = ut_now_s() - start;
    if (s == UT_E_CANCELLED)
        return ut_fail(e, s, "interrupted; nothing was written");
    if (j->delivery.status != UT_OK)
        *e = j->delivery;
    else if (s != UT_OK)
        ut_fail(e, s, "%s", j->report.message);
    return s;
}

/* All files or none. */
static ut_status save(job *j, ut_err *e)
{
    ut_output preview = { 0 };
    ut_status s = UT_OK;
    if (j->preview_path)
        s = ut_output_stage(&preview, j->preview_path, j->report.preview.data, j->report.preview.nbytes, e);
    if (s == UT_OK)
        s = ut_outputs_commit(&j->outputs, e);
    if (s == UT_OK)
        s = ut_output_commit(&preview, e);
    ut_output_abort(&preview);
    return s;
}

static void print_text(FILE *f, const job *j)
{
    const ut_hide_report *r = &j->report;
    char a[32], b[32];
    size_t n = j->photos.n;
    bool raw = !strcmp(r->codec, "raw");
    fprintf(f, "Hid %s (%s) in %zu photos, ", ut_text_name(j->voice_path), raw ? "bytes as they are" : ut_text_duration(a, r->audio_s), n);
    if (j->any && (size_t)j->any < n)
        fprintf(f, "any %ld of which give it back, in %s.\n", j->any, ut_text_duration(b, j->seconds));
    else
        fprintf(f, "all of which are needed, in %s.\n", ut_text_duration(b, j->seconds));
    if (!raw)
        fprintf(f, "  enhance   %s\n", r->enhancement.what);
    fprintf(f, "  voice     %s", r->codec);
    if (r->bitrate_kbps > 0)
        fprintf(f, " %.1f kbit/s", r->bitrate_kbps);
    fprintf(f, ", %s bytes; %.4f bit/pixel net over all photos\n", ut_text_count(a, r->payload_nbytes), r->net_bpp);
    for (size_t i = 0; i < n; i++) {
        const ut_hide_report *p = &j->each[i];
        fprintf(f, "  photo     %s, %u x %u pixels: %s bytes, PSNR %s, SSIM %.4f\n", j->outputs.path[i], p->width, p->height,
                ut_text_count(a, p->payload_nbytes), ut_text_db(b, p->psnr_db), p->ssim);
        if (p->notice[0])
            fprintf(f, "            note: %s\n", p->notice);
    }
    fprintf(f, "  verified  each bit for bit through %s\n", r->verified);
    fprintf(f, "  sha-256   %s\n", r->sha256_hex);
    if (j->preview_path)
        fprintf(f, "  preview   %s\n", j->preview_path);
    if (r->notice[0])
        fprintf(f, "  note      %s\n", r->notice);
}

static void print_photo(ut_json *o, const job *j, size_t i)
{
    const ut_hide_report *p = &j->each[i];
    ut_json_open(o, NULL, '{');
    ut_json_string(o, "photo", j->photos.path[i]);
    ut_json_string(o, "output", j->outputs.path[i]);
    ut_json_count(o, "output_bytes", j->outputs.nbytes[i]);
    ut_json_count(o, "width", p->width);
    ut_json_count(o, "height", p->height);
    ut_json_count(o, "payload_bytes", p->payload_nbytes);
    ut_json_count(o, "sealed_bytes", p->sealed_nbytes);
    ut_json_count(o, "code_bits", p->code_nbits);
    ut_json_string(o, "fec", p->fec);
    ut_json_string(o, "hider", p->hider);
    ut_json_number(o, "code_rate", p->code_rate);
    ut_json_number(o, "worst_ber", p->worst_ber);
    ut_json_number(o, "net_bpp", p->net_bpp);
    ut_json_number(o, "psnr_db", p->psnr_db);
    ut_json_number(o, "ssim", p->ssim);
    ut_json_count(o, "nverified", p->nverified);
    ut_json_string(o, "notice", p->notice);
    ut_json_steps(o, p->steps, p->nsteps);
    ut_json_close(o, '}');
}

static void print_json(const job *j)
{
    const ut_hide_report *r = &j->report;
    ut_json o;
    ut_json_begin(&o, stdout);
    ut_json_string(&o, "preview", j->preview_path);
    ut_json_count(&o, "photos_needed", j->any ? (size_t)j->any : j->photos.n);
    ut_json_open(&o, "photos", '[');
    for (size_t i = 0; i < j->photos.n; i++)
        print_photo(&o, j, i);
    ut_json_close(&o, ']');
    ut_json_enhancement(&o, &r->enhancement);
    ut_json_string(&o, "codec", r->codec);
    ut_json_number(&o, "bitrate_kbps", r->bitrate_kbps);
    ut_json_number(&o, "audio_s", r->audio_s);
    ut_json_count(&o, "payload_bytes", r->payload_nbytes);
    ut_json_count(&o, "sealed_bytes", r->sealed_nbytes);
    ut_json_number(&o, "worst_ber", r->worst_ber);
    ut_json_number(&o, "net_bpp", r->net_bpp);
    ut_json_number(&o, "psnr_db", r->psnr_db);
    ut_json_number(&o, "ssim", r->ssim);
    ut_json_string(&o, "sha256", r->sha256_hex);
    ut_json_count(&o, "nverified", r->nverified);
    ut_json_string(&o, "verified", r->verified);
    ut_json_string(&o, "notice", r->notice);
    ut_json_number(&o, "seconds", j->seconds);
    ut_json_steps(&o, r->steps, r->nsteps);
    ut_json_end(&o);
}

static void print_steps(FILE *f, const job *j)
{
    ut_text_steps(f, j->report.steps, j->report.nsteps);
    for (size_t i = 0; i < j->photos.n; i++) {
        fprintf(f, "  %s:\n", ut_text_name(j->photos.path[i]));
        ut_text_steps(f, j->each[i].steps, j->each[i].nsteps);
    }
}

static void release(job *j)
{
    ut_outputs_free(&j->outputs);
    ut_cli_photos_close(&j->photos);
    ut_buf_free(&j->voice);
    ut_cli_key_free(&j->key);
    free(j->channels);
    free(j->each);
    ut_hide_report_free(&j->report);
}

ut_status ut_cli_hide_album(ut_cli *cli, const ut_args *a, ut_err *e)
{
    job *j = ut_calloc(1, sizeof *j, e);
    if (!j)
        return UT_E_MEMORY;
    j->outputs.slot = -1;
    ut_status s = prepare(cli, a, j, e);
    if (s == UT_OK)
        s = ut_cli_key_get(a, true, &j->key, e);
    if (s == UT_OK)
        s = work(cli, j, e);
    if (s == UT_OK)
        s = save(j, e);
    if (s == UT_OK && cli->json) {
        print_json(j);
        cli->json_done = true;
    } else if (s == UT_OK && !cli->quiet) {
        FILE *f = j->preview_path && !strcmp(j->preview_path, "-") ? stderr : stdout;
        if (cli->verbose)
            print_steps(f, j);
        print_text(f, j);
    }
    release(j);
    free(j);
    return s;
}
