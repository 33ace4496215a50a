#include "cli/album.h"
#include "cli/json.h"
#include "cli/options.h"
#include "cli/progress.h"
#include <stdlib.h>

static const ut_option options[] = {
    UT_CLI_TO_OPTION,
    UT_CLI_PSNR_OPTION,
    UT_CLI_PROFILE_OPTION,
    UT_CLI_THREADS_OPTION,
    UT_CLI_JSON_OPTION,
    UT_CLI_COMMON_OPTIONS,
};

static void print_channels(const ut_hide_options *o)
{
    for (size_t i = 0; i < o->nchannels; i++)
        printf("%s%s", i ? ", " : "", o->channels[i]);
    if (!o->nchannels)
        printf("jpeg:75-95");
}

static void print_trade(const ut_capacity_report *r)
{
    char a[32], b[32];
    printf("  PSNR               payload   bit/pixel   speech at 12.7 kbit/s\n");
    for (size_t i = 0; i < r->ntrade; i++) {
        const ut_trade *t = &r->trade[i];
        printf("  %5.2f dB  %10s bytes      %.4f   %-13s %s\n", t->psnr_db, ut_text_count(a, t->payload_nbytes), t->net_bpp,
               ut_text_duration(b, t->speech_s), t->measured ? "measured" : "forecast");
    }
}

static void print_text(const char *photo, const ut_hide_options *o, const ut_capacity_report *r)
{
    char a[32], b[32];
    printf("%s, sent as %u x %u pixels through ", ut_text_name(photo), r->width, r->height);
    print_channels(o);
    printf(":\n");
    printf("  payload   %s bytes, %.4f bit/pixel net, at PSNR %s\n", ut_text_count(a, r->payload_nbytes), r->net_bpp,
           ut_text_db(b, r->psnr_db));
    printf("  code      rate %.3f, worst raw bit errors %.3f %%\n", r->code_rate, 100 * r->worst_ber);
    for (size_t i = 0; i < r->nrows; i++)
        if (r->rows[i].seconds > 0)
            printf("  %-22s %s of speech\n", r->rows[i].quality, ut_text_duration(a, r->rows[i].seconds));
    print_trade(r);
}

static void print_members(ut_json *o, const ut_capacity_report *r)
{
    ut_json_count(o, "width", r->width);
    ut_json_count(o, "height", r->height);
    ut_json_count(o, "payload_bytes", r->payload_nbytes);
    ut_json_number(o, "net_bpp", r->net_bpp);
    ut_json_number(o, "psnr_db", r->psnr_db);
    ut_json_number(o, "code_rate", r->code_rate);
    ut_json_number(o, "worst_ber", r->worst_ber);
    ut_json_open(o, "speech", '[');
    for (size_t i = 0; i < r->nrows; i++) {
        ut_json_open(o, NULL, '{');
        ut_json_string(o, "quality", r->rows[i].quality);
        ut_json_number(o, "kbps", r->rows[i].kbps);
        ut_json_number(o, "seconds", r->rows[i].seconds);
        ut_json_close(o, '}');
    }
    ut_json_close(o, ']');
    ut_json_trade(o, r->trade, r->ntrade);
}

static void print_json(const ut_capacity_report *r)
{
    ut_json o;
    ut_json_begin(&o, stdout);
    print_members(&o, r);
    ut_json_end(&o);
}

static ut_status work(const ut_cli *cli, const ut_buf *photo, ut_hide_options *o, ut_capacity_report *r, ut_err *e)
{
    ut_progress p;
    ut_status s;
    o->progress = ut_progress_step;
    o->user = &p;
    ut_progress_begin(&p, cli);
    s = ut_capacity(photo->data, photo->len, o, r);
    ut_progress_end(&p);
    if (s == UT_E_CANCELLED)
        return ut_fail(e, s, "interrupted");
    return s == UT_OK ? s : ut_fail(e, s, "%s", r->message);
}

/* Seconds of speech at a good rate; album heads are in the bytes already. */
static double speech_s(size_t nbytes) { return nbytes > 60 ? ((double)nbytes - 60) * 8 / 12700 : 0; }

static void print_album_text(const ut_cli_photos *p, const ut_hide_options *o, const ut_capacity_report *r, const size_t *nbytes)
{
    char a[32], b[32];
    for (size_t i = 0; i < p->n; i++)
        printf("%s, sent as %u x %u pixels: %s bytes at PSNR %s\n", ut_text_name(p->path[i]), r[i].width, r[i].height,
               ut_text_count(a, r[i].payload_nbytes), ut_text_db(b, r[i].psnr_db));
    printf("As an album of %zu photos, through ", p->n);
    print_channels(o);
    printf(":\n");
    for (size_t k = 1; k <= p->n; k++) {
        size_t n = ut_album_nbytes(nbytes, p->n, (unsigned)k);
        printf("  any %2zu suffice%s  %10s bytes   %s of speech at 12.7 kbit/s\n", k, k == 1 ? "s" : " ", ut_text_count(a, n), ut_text_duration(b, speech_s(n)));
    }
}

static void print_album_json(const ut_cli_photos *p, const ut_capacity_report *r, const size_t *nbytes)
{
    ut_json o;
    ut_json_begin(&o, stdout);
    ut_json_open(&o, "photos", '[');
    for (size_t i = 0; i < p->n; i++) {
        ut_json_open(&o, NULL, '{');
        ut_json_string(&o, "photo", p->path[i]);
        print_members(&o, &r[i]);
        ut_json_close(&o, '}');
    }
    ut_json_close(&o, ']');
    ut_json_open(&o, "album", '[');
    for (size_t k = 1; k <= p->n; k++) {
        size_t n = ut_album_nbytes(nbytes, p->n, (unsigned)k);
        ut_json_open(&o, NULL, '{');
        ut_json_count(&o, "needed", k);
        ut_json_count(&o, "payload_bytes", n);
        ut_json_number(&o, "speech_s", speech_s(n));
        ut_json_close(&o, '}');
    }
    ut_json_close(&o, ']');
    ut_json_end(&o);
}

static ut_status album(ut_cli *cli, const ut_args *a, ut_err *e)
{
    const char **channels = NULL;
    ut_hide_options o;
    const ut_cli_photos photos = { .path = a->operand, .n = a->noperands };
    ut_capacity_report *r = ut_calloc(a->noperands, sizeof *r, e);
    size_t *nbytes = ut_calloc(a->noperands, sizeof *nbytes, e);
    ut_status s = r && nbytes ? ut_cli_hide_options(a, &o, &channels, e) : UT_E_MEMORY;
    for (size_t i = 0; i < photos.n && s == UT_OK; i++) {
        ut_buf file = { 0 };
        s = ut_input_read(a->operand[i], "the photo", &file, e);
        o.photo_name = ut_text_name(a->operand[i]);
        if (s == UT_OK)
            s = work(cli, &file, &o, &r[i], e);
        if (s == UT_E_CAPACITY) {
            ut_err was = *e;
            ut_fail(e, s, "%.120s: %.380s", o.photo_name, was.text);
        }
        nbytes[i] = r[i].payload_nbytes;
        ut_buf_free(&file);
    }
    if (s == UT_OK && cli->json) {
        print_album_json(&photos, r, nbytes);
        cli->json_done = true;
    } else if (s == UT_OK && !cli->quiet) {
        print_album_text(&photos, &o, r, nbytes);
    }
    free(channels);
    free(nbytes);
    free(r);
    return s;
}

static ut_status run(ut_cli *cli, const ut_args *a, ut_err *e)
{
    if (a->noperands > 1)
        return album(cli, a, e);
    const char *path = a->operand[0], **channels = NULL;
    ut_hide_options o;
    ut_capacity_report r = { 0 };
    ut_buf photo = { 0 };
    ut_status s = ut_cli_hide_options(a, &o, &channels, e);
    if (s == UT_OK)
        s = ut_input_read(path, "the photo", &photo, e);
    o.photo_name = ut_text_name(path);
    if (s == UT_OK)
        s = work(cli, &photo, &o, &r, e);
    if (s == UT_OK && cli->json) {
        print_json(&r);
        cli->json_done = true;
    } else if (s == UT_OK && !cli->quiet) {
        print_text(path, &o, &r);
    }
    ut_buf_free(&photo);
    free(channels);
    return s;
}

const ut_command ut_cmd_capacity = {
    "capacity",
    "undertone capacity PHOTO... [--to CHANNEL]... [options]",
    "how much fits in a photo, or in several",
    "Says how much fits in PHOTO through every channel named by --to, measured by a trial,\n"
    "and what an album of several photos carries.",
    1, UT_ALBUM_MAX, options, run,
};
