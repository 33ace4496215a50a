#include "cli/album.h"
#include "cli/json.h"
#include "cli/key.h"
#include "cli/options.h"
#include "cli/progress.h"
#include <stdlib.h>
#include <string.h>

static const ut_option options[] = {
    { "output", 'o', "OUT", true, "the picture to write: OUT.png, OUT.jpg or OUT.webp;\n\"-\" is standard output; for several photos a folder,\nor one -o for each" },
    { "any", 0, "K", false, "several photos: any K of them give the recording back;\ndefault: all of them are needed" },
    { "format", 0, "png|jpg|webp", false, "its format, where the name does not say" },
    UT_CLI_TO_OPTION,
    { "codec", 0, "auto|opus|flac|raw|spectrum", false, "how the voice is coded; raw hides any file's bytes" },
    { "bitrate", 0, "KBPS", false, "of Opus or spectrum; default: the best that fits" },
    { "no-enhance", 0, NULL, false, "leave the voice as it is; else noise is removed\nfirst, if it sounds like speech" },
    UT_CLI_ENHANCE_OPTIONS,
    UT_CLI_KEY_OPTIONS,
    { "fec", 0, "auto|ldpc|bch|rs|hamming", false, "error correction" },
    { "hider", 0, "auto|lattice|inn", false, "what chooses the changes: the lattice alone, or it and\na network; auto: what is better by measurement" },
    UT_CLI_HIDER_WEIGHTS_OPTION,
    { "preview", 0, "FILE.wav", false, "write what the receiver will hear" },
    UT_CLI_PSNR_OPTION,
    { "strip", 0, NULL, false, "drop the photo's EXIF and ICC data" },
    UT_CLI_PROFILE_OPTION,
    UT_CLI_THREADS_OPTION,
    UT_CLI_JSON_OPTION,
    UT_CLI_COMMON_OPTIONS,
};

/* All that the command holds. */
typedef struct job {
    const char *voice_path, *photo_path, *out_path, *preview_path;
    ut_buf voice, photo;
    ut_cli_key key;
    ut_hide_options opt;
    const char **channels;
    ut_hide_report report;
    ut_blob picture;
    double seconds;
} job;

static ut_status check_preview(const job *j, ut_err *e)
{
    const char *taken[] = { j->voice_path, j->photo_path, j->out_path };
    ut_status s;
    if (!j->preview_path)
        return UT_OK;
    if (j->opt.codec == UT_CODEC_RAW)
        return ut_fail(e, UT_E_USAGE, "hide: --preview needs a voice; --codec raw hides bytes as they are");
    if (!strcmp(j->preview_path, "-") && !strcmp(j->out_path, "-"))
        return ut_fail(e, UT_E_USAGE, "hide: standard output can take only one of -o and --preview");
    s = ut_output_check(j->preview_path, true, e);
    return s == UT_OK ? ut_output_distinct(j->preview_path, "--preview", taken, 3, e) : s;
}

/* Everything that can be refused before any work is done. */
static ut_status prepare(const ut_cli *cli, const ut_args *a, job *j, ut_err *e)
{
    ut_status s;
    j->voice_path = a->operand[0];
    j->photo_path = a->operand[1];
    j->out_path = ut_args_value(a, "output");
    j->preview_path = ut_args_value(a, "preview");
    if (!j->out_path)
        return ut_fail(e, UT_E_USAGE, "hide: say where the picture goes: -o OUT.png");
    if (ut_args_values(a, "output", NULL) > 1)
        return ut_fail(e, UT_E_USAGE, "hide: --output is given twice; one photo makes one picture");
    if (ut_args_has(a, "any"))
        return ut_fail(e, UT_E_USAGE, "hide: --any is for several photos");
    s = ut_cli_hide_options(a, &j->opt, &j->channels, e);
    if (s == UT_OK)
        s = ut_cli_format(a, j->out_path, &j->opt.format, e);
    if (s == UT_OK && cli->json && (!strcmp(j->out_path, "-") || (j->preview_path && !strcmp(j->preview_path, "-"))))
        s = ut_fail(e, UT_E_USAGE, "hide: --json needs standard output for itself; give -o a file");
    if (s == UT_OK)
        s = ut_output_check(j->out_path, true, e);
    return s == UT_OK ? check_preview(j, e) : s;
}

static ut_status work(ut_cli *cli, job *j, ut_err *e)
{
    ut_progress p;
    ut_status s;
    double start = ut_now_s();
    j->opt.key = j->key.key;
    j->opt.voice_name = ut_text_name(j->voice_path);
    j->opt.photo_name = ut_text_name(j->photo_path);
    j->opt.progress = ut_progress_step;
    j->opt.user = &p;
    ut_progress_begin(&p, cli);
    s = ut_hide(j->voice.data, j->voice.len, j->photo.data, j->photo.len, &j->opt, &j->picture, &j->report);
    ut_progress_end(&p);
    j->seconds = ut_now_s() - start;
    if (s == UT_E_CANCELLED)
        return ut_fail(e, s, "interrupted; nothing was written");
    return s == UT_OK ? s : ut_fail(e, s, "%s", j->report.message);
}

/* Both files or none. */
static ut_status save(const job *j, ut_err *e)
{
    ut_output picture = { 0 }, preview = { 0 };
    ut_status s = UT_OK;
    if (j->preview_path)
        s = ut_output_stage(&preview, j->preview_path, j->report.preview.data, j->report.preview.nbytes, e);
    if (s == UT_OK)
        s = ut_output_stage(&picture, j->out_path, j->picture.data, j->picture.nbytes, e);
    if (s == UT_OK)
        s = ut_output_commit(&picture, e);
    if (s == UT_OK)
        s = ut_output_commit(&preview, e);
    ut_output_abort(&picture);
    ut_output_abort(&preview);
    return s;
}

/* What else this photo could carry, shortly: at three levels. */
static void print_trade(FILE *f, const ut_hide_report *r)
{
    char a[32];
    bool any = false;
    for (size_t i = 0; i < r->ntrade; i++) {
        const ut_trade *t = &r->trade[i];
        if (t->measured || (t->psnr_db != 40 && t->psnr_db != 45 && t->psnr_db != 51))
            continue;
        fprintf(f, "%s%s bytes at %.0f dB", any ? ", " : "  photo     would carry about ", ut_text_count(a, t->payload_nbytes), t->psnr_db);
        any = true;
    }
    if (any)
        fputc('\n', f);
}

static void print_text(FILE *f, const job *j)
{
    const ut_hide_report *r = &j->report;
    char a[32], b[32];
    bool raw = !strcmp(r->codec, "raw");
    fprintf(f, "Hid %s (%s) in %s, %u x %u pixels, in %s.\n", ut_text_name(j->voice_path),
            raw ? "bytes as they are" : ut_text_duration(a, r->audio_s),
            strcmp(j->out_path, "-") ? j->out_path : "the picture on standard output", r->width, r->height,
            ut_text_duration(b, j->seconds));
    if (!raw)
        fprintf(f, "  enhance   %s\n", r->enhancement.what);
    fprintf(f, "  voice     %s", r->codec);
    if (r->bitrate_kbps > 0)
        fprintf(f, " %.1f kbit/s", r->bitrate_kbps);
    fprintf(f, ", %s bytes, sealed %s\n", ut_text_count(a, r->payload_nbytes), ut_text_count(b, r->sealed_nbytes));
    fprintf(f, "  code      %s, rate %.3f, worst raw bit errors %.3f %%\n", r->fec, r->code_rate, 100 * r->worst_ber);
    fprintf(f, "  picture   PSNR %s, SSIM %.4f, %.4f bit/pixel net\n", ut_text_db(a, r->psnr_db), r->ssim, r->net_bpp);
    print_trade(f, r);
    fprintf(f, "  verified  bit for bit through %s\n", r->verified);
    fprintf(f, "  sha-256   %s\n", r->sha256_hex);
    if (j->preview_path)
        fprintf(f, "  preview   %s\n", j->preview_path);
    if (r->notice[0])
        fprintf(f, "  note      %s\n", r->notice);
}

static void print_json(const job *j)
{
    const ut_hide_report *r = &j->report;
    ut_json o;
    ut_json_begin(&o, stdout);
    ut_json_string(&o, "output", j->out_path);
    ut_json_string(&o, "preview", j->preview_path);
    ut_json_count(&o, "output_bytes", j->picture.nbytes);
    ut_json_count(&o, "width", r->width);
    ut_json_count(&o, "height", r->height);
    ut_json_enhancement(&o, &r->enhancement);
    ut_json_string(&o, "codec", r->codec);
    ut_json_number(&o, "bitrate_kbps", r->bitrate_kbps);
    ut_json_number(&o, "audio_s", r->audio_s);
    ut_json_count(&o, "payload_bytes", r->payload_nbytes);
    ut_json_count(&o, "sealed_bytes", r->sealed_nbytes);
    ut_json_count(&o, "code_bits", r->code_nbits);
    ut_json_string(&o, "fec", r->fec);
    ut_json_string(&o, "hider", r->hider);
    ut_json_number(&o, "code_rate", r->code_rate);
    ut_json_number(&o, "worst_ber", r->worst_ber);
    ut_json_number(&o, "net_bpp", r->net_bpp);
    ut_json_number(&o, "psnr_db", r->psnr_db);
    ut_json_number(&o, "ssim", r->ssim);
    ut_json_trade(&o, r->trade, r->ntrade);
    ut_json_string(&o, "sha256", r->sha256_hex);
    ut_json_count(&o, "nverified", r->nverified);
    ut_json_string(&o, "verified", r->verified);
    ut_json_string(&o, "notice", r->notice);
    ut_json_number(&o, "seconds", j->seconds);
    ut_json_steps(&o, r->steps, r->nsteps);
    ut_json_end(&o);
}

static void release(job *j)
{
    ut_buf_free(&j->voice);
    ut_buf_free(&j->photo);
    ut_cli_key_free(&j->key);
    free(j->channels);
    ut_hide_report_free(&j->report);
    ut_blob_free(&j->picture);
}

static ut_status run(ut_cli *cli, const ut_args *a, ut_err *e)
{
    job j = { 0 };
    if (a->noperands > 2)
        return ut_cli_hide_album(cli, a, e);
    ut_status s = prepare(cli, a, &j, e);
    if (s == UT_OK)
        s = ut_input_read(j.voice_path, "the recording", &j.voice, e);
    if (s == UT_OK)
        s = ut_input_read(j.photo_path, "the photo", &j.photo, e);
    if (s == UT_OK)
        s = ut_cli_key_get(a, true, &j.key, e);
    if (s == UT_OK)
        s = work(cli, &j, e);
    if (s == UT_OK)
        s = save(&j, e);
    if (s == UT_OK && cli->json) {
        print_json(&j);
        cli->json_done = true;
    } else if (s == UT_OK && !cli->quiet) {
        bool taken = !strcmp(j.out_path, "-") || (j.preview_path && !strcmp(j.preview_path, "-"));
        FILE *f = taken ? stderr : stdout;
        if (cli->verbose)
            ut_text_steps(f, j.report.steps, j.report.nsteps);
        print_text(f, &j);
    }
    release(&j);
    return s;
}

const ut_command ut_cmd_hide = {
    "hide",
    "undertone hide VOICE PHOTO... -o OUT [--to CHANNEL]... [options]",
    "hide a recording in a photo, or in several",
    "Hides the recording VOICE in PHOTO and writes the picture OUT, after proving that\n"
    "every bit comes back through every channel named by --to.  Several photos make an\n"
    "album: each carries a part of the recording.",
    2, 1 + UT_ALBUM_MAX, options, run,
};
