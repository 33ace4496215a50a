#include "cli/io.h"
#include "cli/json.h"
#include "cli/options.h"
#include "cli/progress.h"
#include <string.h>
#include <strings.h>

static const ut_option options[] = {
    { "output", 'o', "OUT", false, "the recording to write: OUT.wav or OUT.flac, 16 kHz mono;\n\"-\" is standard output, as WAV" },
    UT_CLI_ENHANCE_OPTIONS,
    { "force", 0, NULL, false, "also what does not sound like speech" },
    UT_CLI_THREADS_OPTION,
    UT_CLI_JSON_OPTION,
    UT_CLI_COMMON_OPTIONS,
};

typedef struct job {
    const char *in_path, *out_path;
    ut_input in;
    ut_output out;
    ut_enhance_options opt;
    ut_enhance_report report;
    size_t nbytes; /* written */
    double seconds;
    ut_err err; /* of the output */
} job;

static ut_status choose_format(job *j, ut_err *e)
{
    const char *dot = strrchr(j->out_path, '.');
    if (!strcmp(j->out_path, "-") || (dot && !strcasecmp(dot, ".wav")) || !strncmp(j->out_path, "/dev/", 5))
        return UT_OK;
    if (!dot || strcasecmp(dot, ".flac"))
        return ut_fail(e, UT_E_USAGE, "enhance: cannot tell the format from the name %s; end it in .wav or .flac", j->out_path);
    j->opt.format = UT_SOUND_FLAC;
    return UT_OK;
}

static ut_status prepare(const ut_cli *cli, const ut_args *a, job *j, ut_err *e)
{
    ut_status s;
    ut_enhance_options_init(&j->opt);
    j->in_path = a->operand[0];
    j->out_path = ut_args_value(a, "output");
    j->opt.model = ut_args_value(a, "model");
    j->opt.voice_name = ut_text_name(j->in_path);
    if (ut_args_has(a, "force"))
        j->opt.mode = UT_ENHANCE_FORCE;
    if (!j->out_path)
        return ut_fail(e, UT_E_USAGE, "enhance: say where the recording goes: -o OUT.wav");
    if (cli->json && !strcmp(j->out_path, "-"))
        return ut_fail(e, UT_E_USAGE, "enhance: --json needs standard output for itself; give -o a file");
    s = choose_format(j, e);
    if (s == UT_OK)
        s = ut_args_number(a, "strength", 0, 1, &j->opt.strength, e);
    if (s == UT_OK)
        s = ut_cli_threads(a, &j->opt.nthreads, e);
    return s == UT_OK ? ut_output_check(j->out_path, true, e) : s;
}

static int write_piece(void *user, const void *data, size_t n)
{
    job *j = user;
    j->nbytes += n;
    return ut_output_append(&j->out, data, n, &j->err) != UT_OK;
}

static ut_status work(const ut_cli *cli, job *j, ut_err *e)
{
    ut_progress p;
    ut_status s;
    double start = ut_now_s();
    j->opt.progress = ut_progress_step;
    j->opt.user = &p;
    ut_progress_begin(&p, cli);
    s = ut_enhance_stream(&j->in.source, &j->opt, write_piece, j, &j->report);
    ut_progress_end(&p);
    j->seconds = ut_now_s() - start;
    if (j->err.status != UT_OK)
        return ut_fail(e, j->err.status, "%s", j->err.text);
    if (s == UT_E_CANCELLED)
        return ut_fail(e, s, "interrupted; nothing was written");
    return s == UT_OK ? s : ut_fail(e, s, "%s", j->report.message);
}

static void print_text(FILE *f, const job *j)
{
    const ut_enhance_report *r = &j->report;
    char a[32], b[32];
    fprintf(f, "Wrote %s from %s (%s) in %s.\n", strcmp(j->out_path, "-") ? j->out_path : "standard output", ut_text_name(j->in_path),
            ut_text_duration(a, r->audio_s), ut_text_duration(b, j->seconds));
    fprintf(f, "  enhance   %s\n", r->enhancement.what);
    if (r->enhancement.done)
        fprintf(f, "  model     %s\n", r->enhancement.model);
}

static void print_json(const job *j)
{
    const ut_enhance_report *r = &j->report;
    ut_json o;
    ut_json_begin(&o, stdout);
    ut_json_string(&o, "output", j->out_path);
    ut_json_count(&o, "output_bytes", j->nbytes);
    ut_json_number(&o, "audio_s", r->audio_s);
    ut_json_enhancement(&o, &r->enhancement);
    ut_json_number(&o, "seconds", j->seconds);
    ut_json_steps(&o, r->steps, r->nsteps);
    ut_json_end(&o);
}

static ut_status run(ut_cli *cli, const ut_args *a, ut_err *e)
{
    job j = { .in.fd = -1 };
    ut_status s = prepare(cli, a, &j, e);
    if (s == UT_OK)
        s = ut_input_open(&j.in, j.in_path, "the recording", e);
    if (s == UT_OK)
        s = ut_output_begin(&j.out, j.out_path, e);
    if (s == UT_OK)
        s = work(cli, &j, e);
    if (s == UT_OK)
        s = ut_output_end(&j.out, e);
    if (s == UT_OK)
        s = ut_output_commit(&j.out, e);
    ut_output_abort(&j.out);
    ut_input_close(&j.in);
    if (s == UT_OK && cli->json) {
        print_json(&j);
        cli->json_done = true;
    } else if (s == UT_OK && !cli->quiet) {
        FILE *f = strcmp(j.out_path, "-") ? stdout : stderr;
        if (cli->verbose)
            ut_text_steps(f, j.report.steps, j.report.nsteps);
        print_text(f, &j);
    }
    return s;
}

const ut_command ut_cmd_enhance = {
    "enhance",
    "undertone enhance IN -o OUT.wav [options]",
    "remove noise from a recording",
    "Removes noise from the recording IN, as hide does by itself. Music and\n"
    "other sounds that are not speech are left alone.",
    1, 1, options, run,
};
