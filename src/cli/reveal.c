#include "cli/album.h"
#include "cli/json.h"
#include "cli/key.h"
#include "cli/options.h"
#include "cli/progress.h"
#include <string.h>

static const ut_option options[] = {
    { "output", 'o', "VOICE.wav", false, "where the recording goes; \"-\" is standard output" },
    UT_CLI_KEY_OPTIONS,
    { "partial", 0, NULL, false, "write what survived of a damaged message, silence for\nthe rest; exit status 6 unless all is there" },
    UT_CLI_HIDER_WEIGHTS_OPTION,
    UT_CLI_THREADS_OPTION,
    UT_CLI_JSON_OPTION,
    UT_CLI_COMMON_OPTIONS,
};

typedef struct job {
    const char *image_path, *out_path;
    ut_buf image;
    ut_cli_key key;
    ut_reveal_options opt;
    ut_reveal_report report;
    ut_blob voice;
    double seconds;
} job;

static ut_status prepare(const ut_cli *cli, const ut_args *a, job *j, ut_err *e)
{
    ut_status s;
    ut_reveal_options_init(&j->opt);
    j->image_path = a->operand[0];
    j->out_path = ut_args_value(a, "output");
    if (!j->out_path)
        return ut_fail(e, UT_E_USAGE, "reveal: say where the recording goes: -o VOICE.wav");
    if (cli->json && !strcmp(j->out_path, "-"))
        return ut_fail(e, UT_E_USAGE, "reveal: --json needs standard output for itself; give -o a file");
    j->opt.partial = ut_args_has(a, "partial");
    j->opt.inn = ut_args_value(a, "hider-weights");
    s = ut_cli_threads(a, &j->opt.nthreads, e);
    return s == UT_OK ? ut_output_check(j->out_path, true, e) : s;
}

/* UT_OK: every bit is there.  UT_E_DAMAGED with bytes in j->voice: part of it is (--partial). */
static ut_status work(const ut_cli *cli, job *j, ut_err *e)
{
    ut_progress p;
    ut_status s;
    double start = ut_now_s();
    j->opt.key = j->key.key;
    j->opt.image_name = ut_text_name(j->image_path);
    j->opt.progress = ut_progress_step;
    j->opt.user = &p;
    ut_progress_begin(&p, cli);
    s = ut_reveal(j->image.data, j->image.len, &j->opt, &j->voice, &j->report);
    ut_progress_end(&p);
    j->seconds = ut_now_s() - start;
    if (s == UT_E_CANCELLED)
        return ut_fail(e, s, "interrupted; nothing was written");
    if (s == UT_OK && !j->report.exact)
        s = UT_E_DAMAGED;
    if (s == UT_E_DAMAGED && j->opt.partial && j->voice.nbytes)
        return ut_fail(e, s, "%s: only part of the message came back (%zu of %zu segments lost); wrote %s with gaps",
                       ut_text_name(j->image_path), j->report.nsegments_lost, j->report.nsegments, j->out_path);
    if (s == UT_OK)
        return s;
    ut_blob_free(&j->voice);
    if (j->report.diagnosis[0] && !strstr(j->report.message, j->report.diagnosis))
        return ut_fail(e, s, "%s (%s)", j->report.message, j->report.diagnosis);
    return ut_fail(e, s, "%s", j->report.message);
}

static void print_text(FILE *f, const job *j)
{
    const ut_reveal_report *r = &j->report;
    char a[32], b[32];
    fprintf(f, "Revealed %s (%s) from %s in %s.\n",
            strcmp(j->out_path, "-") ? j->out_path : "the recording on standard output",
            r->is_audio ? ut_text_duration(a, r->audio_s) : "bytes as they were", ut_text_name(j->image_path),
            ut_text_duration(b, j->seconds));
    fprintf(f, "  voice     %s, %s bytes\n", r->codec, ut_text_count(a, r->payload_nbytes));
    if (r->ber >= 0)
        fprintf(f, "  channel   raw bit errors %.3f %%, %zu of %zu code words lost\n", 100 * r->ber, r->ncodewords_lost,
                r->ncodewords);
    if (r->diagnosis[0])
        fprintf(f, "            %s\n", r->diagnosis);
    fprintf(f, "  exact     %s\n", r->exact ? "yes, bit for bit what was hidden" : "NO: parts are missing");
    fprintf(f, "  sha-256   %s\n", r->sha256_hex);
}

static void print_json(const job *j, const ut_err *e)
{
    const ut_reveal_report *r = &j->report;
    ut_json o;
    ut_json_begin(&o, stdout);
    ut_json_string(&o, "output", j->out_path);
    ut_json_count(&o, "output_bytes", j->voice.nbytes);
    ut_json_bool(&o, "exact", r->exact);
    ut_json_bool(&o, "is_audio", r->is_audio);
    ut_json_string(&o, "codec", r->codec);
    ut_json_number(&o, "audio_s", r->audio_s);
    ut_json_count(&o, "payload_bytes", r->payload_nbytes);
    if (r->ber >= 0)
        ut_json_number(&o, "ber", r->ber);
    ut_json_count(&o, "ncodewords", r->ncodewords);
    ut_json_count(&o, "ncodewords_lost", r->ncodewords_lost);
    ut_json_count(&o, "nsegments", r->nsegments);
    ut_json_count(&o, "nsegments_lost", r->nsegments_lost);
    ut_json_string(&o, "sha256", r->sha256_hex);
    ut_json_string(&o, "diagnosis", r->diagnosis);
    ut_json_number(&o, "seconds", j->seconds);
    ut_json_steps(&o, r->steps, r->nsteps);
    if (!r->exact) {
        ut_json_open(&o, "error", '{');
        ut_json_count(&o, "status", UT_EXIT_DAMAGED);
        ut_json_string(&o, "message", e->text);
        ut_json_close(&o, '}');
    }
    ut_json_end(&o);
}

static ut_status run(ut_cli *cli, const ut_args *a, ut_err *e)
{
    job j = { 0 };
    ut_err io = { 0 };
    if (a->noperands > 1)
        return ut_cli_reveal_album(cli, a, e);
    ut_status s = prepare(cli, a, &j, e), written;
    if (s == UT_OK)
        s = ut_input_read(j.image_path, "the picture", &j.image, e);
    if (s == UT_OK)
        s = ut_cli_key_get(a, false, &j.key, e);
    if (s == UT_OK)
        s = work(cli, &j, e);
    if (s == UT_OK || (s == UT_E_DAMAGED && j.voice.nbytes)) {
        written = ut_output_write(j.out_path, j.voice.data, j.voice.nbytes, &io);
        if (written != UT_OK) {
            *e = io;
            s = written;
        } else if (cli->json) {
            print_json(&j, e);
            cli->json_done = true;
        } else if (!cli->quiet) {
            FILE *f = strcmp(j.out_path, "-") ? stdout : stderr;
            if (cli->verbose)
                ut_text_steps(f, j.report.steps, j.report.nsteps);
            print_text(f, &j);
        }
    }
    ut_buf_free(&j.image);
    ut_cli_key_free(&j.key);
    ut_blob_free(&j.voice);
    return s;
}

const ut_command ut_cmd_reveal = {
    "reveal",
    "undertone reveal IMAGE... -o VOICE.wav [options]",
    "get the recording back",
    "Gets back what was hidden in IMAGE and proves, by its SHA-256, that it is what the\n"
    "sender previewed, bit for bit.  Of an album give enough photos, in any order.",
    1, UT_ALBUM_MAX, options, run,
};
