/* reveal for several photos of an album. */
#include "cli/album.h"
#include "cli/json.h"
#include "cli/key.h"
#include "cli/options.h"
#include "cli/progress.h"
#include <stdlib.h>
#include <string.h>

typedef struct job {
    const char *out_path;
    ut_cli_photos photos;
    ut_cli_key key;
    ut_reveal_options opt;
    ut_reveal_report report, *each; /* each: [photos.n], owned */
    ut_blob voice;
    double seconds;
} job;

static ut_status prepare(const ut_cli *cli, const ut_args *a, job *j, ut_err *e)
{
    ut_status s;
    ut_reveal_options_init(&j->opt);
    j->out_path = ut_args_value(a, "output");
    if (!j->out_path)
        return ut_fail(e, UT_E_USAGE, "reveal: say where the recording goes: -o VOICE.wav");
    if (cli->json && !strcmp(j->out_path, "-"))
        return ut_fail(e, UT_E_USAGE, "reveal: --json needs standard output for itself; give -o a file");
    j->opt.partial = ut_args_has(a, "partial");
    j->opt.inn = ut_args_value(a, "hider-weights");
    s = ut_cli_threads(a, &j->opt.nthreads, e);
    if (s == UT_OK)
        s = ut_output_check(j->out_path, true, e);
    if (s == UT_OK)
        s = ut_cli_photos_open(&j->photos, a->operand, a->noperands, "the picture", e);
    if (s == UT_OK && !(j->each = ut_calloc(j->photos.n, sizeof *j->each, e)))
        s = UT_E_MEMORY;
    return s;
}

/* UT_OK: every bit is there.  UT_E_DAMAGED with bytes in j->voice: part of it is (--partial). */
static ut_status work(const ut_cli *cli, job *j, ut_err *e)
{
    ut_progress p;
    ut_status s;
    double start = ut_now_s();
    j->opt.key = j->key.key;
    j->opt.progress = ut_progress_step;
    j->opt.user = &p;
    ut_progress_begin(&p, cli);
    s = ut_reveal_album(j->photos.photo, j->photos.n, &j->opt, &j->voice, &j->report, j->each);
    ut_progress_end(&p);
    j->seconds = ut_now_s() - start;
    if (s == UT_E_CANCELLED)
        return ut_fail(e, s, "interrupted; nothing was written");
    if (s == UT_OK && !j->report.exact)
        s = UT_E_DAMAGED;
    if (s == UT_E_DAMAGED && j->opt.partial && j->voice.nbytes)
        return ut_fail(e, s, "only part of the message came back from these photos (%zu of %zu segments lost); wrote %s with gaps", j->report.nsegments_lost,
                       j->report.nsegments, j->out_path);
    if (s == UT_OK)
        return s;
    ut_blob_free(&j->voice);
    return ut_fail(e, s, "%s", j->report.message);
}

static void print_text(FILE *f, const job *j)
{
    const ut_reveal_report *r = &j->report;
    char a[32], b[32];
    fprintf(f, "Revealed %s (%s) from %u of an album's %u photos in %s.\n", strcmp(j->out_path, "-") ? j->out_path : "the recording on standard output",
            r->is_audio ? ut_text_duration(a, r->audio_s) : "bytes as they were", r->album_nused, r->album_nphotos, ut_text_duration(b, j->seconds));
    fprintf(f, "  voice     %s, %s bytes\n", r->codec, ut_text_count(a, r->payload_nbytes));
    for (size_t i = 0; i < j->photos.n; i++) {
        const ut_reveal_report *p = &j->each[i];
        fprintf(f, "  photo     %s: %s", ut_text_name(j->photos.path[i]), p->message[0] ? "not used: " : "used");
        if (p->message[0])
            fprintf(f, "%s", p->message);
        else if (p->nsegments_lost)
            fprintf(f, ", without %zu of its %zu segments", p->nsegments_lost, p->nsegments);
        if (!p->message[0] && p->ber >= 0)
            fprintf(f, ", raw bit errors %.3f %%", 100 * p->ber);
        fputc('\n', f);
    }
    fprintf(f, "  exact     %s\n", r->exact ? "yes, bit for bit what was hidden" : "NO: parts are missing");
    fprintf(f, "  sha-256   %s\n", r->sha256_hex);
}

static void print_photo(ut_json *o, const job *j, size_t i)
{
    const ut_reveal_report *p = &j->each[i];
    ut_json_open(o, NULL, '{');
    ut_json_string(o, "image", j->photos.path[i]);
    ut_json_bool(o, "used", !p->message[0]);
    ut_json_string(o, "why_not", p->message);
    if (p->ber >= 0)
        ut_json_number(o, "ber", p->ber);
    ut_json_count(o, "ncodewords", p->ncodewords);
    ut_json_count(o, "ncodewords_lost", p->ncodewords_lost);
    ut_json_count(o, "nsegments", p->nsegments);
    ut_json_count(o, "nsegments_lost", p->nsegments_lost);
    ut_json_string(o, "diagnosis", p->diagnosis);
    ut_json_steps(o, p->steps, p->nsteps);
    ut_json_close(o, '}');
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
    ut_json_count(&o, "album_photos", r->album_nphotos);
    ut_json_count(&o, "photos_needed", r->album_needed);
    ut_json_count(&o, "photos_used", r->album_nused);
    ut_json_open(&o, "photos", '[');
    for (size_t i = 0; i < j->photos.n; i++)
        print_photo(&o, j, i);
    ut_json_close(&o, ']');
    ut_json_count(&o, "nsegments", r->nsegments);
    ut_json_count(&o, "nsegments_lost", r->nsegments_lost);
    ut_json_string(&o, "sha256", r->sha256_hex);
    ut_json_string(&o, "notice", r->notice);
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

static void print_steps(FILE *f, const job *j)
{
    ut_text_steps(f, j->report.steps, j->report.nsteps);
    for (size_t i = 0; i < j->photos.n; i++) {
        fprintf(f, "  %s:\n", ut_text_name(j->photos.path[i]));
        ut_text_steps(f, j->each[i].steps, j->each[i].nsteps);
    }
}

static void print(ut_cli *cli, const job *j, const ut_err *e)
{
    if (cli->json) {
        print_json(j, e);
        cli->json_done = true;
    } else if (!cli->quiet) {
        FILE *f = strcmp(j->out_path, "-") ? stdout : stderr;
        if (cli->verbose)
            print_steps(f, j);
        print_text(f, j);
    }
}

ut_status ut_cli_reveal_album(ut_cli *cli, const ut_args *a, ut_err *e)
{
    ut_err io = { 0 };
    job *j = ut_calloc(1, sizeof *j, e);
    if (!j)
        return UT_E_MEMORY;
    ut_status s = prepare(cli, a, j, e);
    if (s == UT_OK)
        s = ut_cli_key_get(a, false, &j->key, e);
    if (s == UT_OK)
        s = work(cli, j, e);
    if (s == UT_OK || (s == UT_E_DAMAGED && j->voice.nbytes)) {
        ut_status written = ut_output_write(j->out_path, j->voice.data, j->voice.nbytes, &io);
        if (written == UT_OK) {
            print(cli, j, e);
        } else {
            *e = io;
            s = written;
        }
    }
    ut_cli_photos_close(&j->photos);
    ut_cli_key_free(&j->key);
    ut_blob_free(&j->voice);
    free(j->each);
    free(j);
    return s;
}
