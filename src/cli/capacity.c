#include "cli/io.h"
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

static void print_text(const char *photo, const ut_hide_options *o, const ut_capacity_report *r)
{
    char a[32], b[32];
    printf("%s, sent as %u x %u pixels through ", ut_text_name(photo), r->width, r->height);
    for (size_t i = 0; i < o->nchannels; i++)
        printf("%s%s", i ? ", " : "", o->channels[i]);
    printf("%s:\n", o->nchannels ? "" : "jpeg:75-95");
    printf("  payload   %s bytes, %.4f bit/pixel net, at PSNR %s\n", ut_text_count(a, r->payload_nbytes), r->net_bpp,
           ut_text_db(b, r->psnr_db));
    printf("  code      rate %.3f, worst raw bit errors %.3f %%\n", r->code_rate, 100 * r->worst_ber);
    for (size_t i = 0; i < r->nrows; i++)
        if (r->rows[i].seconds > 0)
            printf("  %-22s %s of speech\n", r->rows[i].quality, ut_text_duration(a, r->rows[i].seconds));
}

static void print_json(const ut_capacity_report *r)
{
    ut_json o;
    ut_json_begin(&o, stdout);
    ut_json_count(&o, "width", r->width);
    ut_json_count(&o, "height", r->height);
    ut_json_count(&o, "payload_bytes", r->payload_nbytes);
    ut_json_number(&o, "net_bpp", r->net_bpp);
    ut_json_number(&o, "psnr_db", r->psnr_db);
    ut_json_number(&o, "code_rate", r->code_rate);
    ut_json_number(&o, "worst_ber", r->worst_ber);
    ut_json_open(&o, "speech", '[');
    for (size_t i = 0; i < r->nrows; i++) {
        ut_json_open(&o, NULL, '{');
        ut_json_string(&o, "quality", r->rows[i].quality);
        ut_json_number(&o, "kbps", r->rows[i].kbps);
        ut_json_number(&o, "seconds", r->rows[i].seconds);
        ut_json_close(&o, '}');
    }
    ut_json_close(&o, ']');
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

static ut_status run(ut_cli *cli, const ut_args *a, ut_err *e)
{
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
    "undertone capacity PHOTO [--to CHANNEL]... [options]",
    "how much fits in a photo",
    "Says how much fits in PHOTO through every channel named by --to, measured by a trial.",
    1, 1, options, run,
};
