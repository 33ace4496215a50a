#include "cli/io.h"
#include "cli/json.h"
#include "cli/options.h"
#include <string.h>

static const ut_option options[] = { UT_CLI_JSON_OPTION, UT_CLI_COMMON_OPTIONS };

static void print_text(const ut_comparison *c)
{
    char a[32];
    if (c->identical)
        printf("identical: every %s is equal\n", c->is_audio ? "sample" : "pixel");
    else if (c->is_audio)
        printf("SI-SDR %s, STOI %.4f\n", ut_text_db(a, c->si_sdr_db), c->stoi);
    else
        printf("PSNR %s, SSIM %.4f\n", ut_text_db(a, c->psnr_db), c->ssim);
}

static void print_json(const ut_comparison *c)
{
    ut_json o;
    ut_json_begin(&o, stdout);
    ut_json_string(&o, "kind", c->is_audio ? "audio" : "picture");
    ut_json_bool(&o, "identical", c->identical);
    if (c->is_audio) {
        ut_json_number(&o, "si_sdr_db", c->si_sdr_db);
        ut_json_number(&o, "stoi", c->stoi);
    } else {
        ut_json_number(&o, "psnr_db", c->psnr_db);
        ut_json_number(&o, "ssim", c->ssim);
    }
    ut_json_end(&o);
}

static void name_input(ut_err *e, ut_status s, const char *message, const char *const *path)
{
    static const char *const roles[][2] = { { "the first picture", "the first recording" },
                                            { "the second picture", "the second recording" } };
    (void)ut_fail(e, s, "%s", message);
    for (int i = 0; i < 2; i++)
        for (int k = 0; k < 2; k++)
            if (!strncmp(message, roles[i][k], strlen(roles[i][k])))
                (void)ut_cli_fail_named(e, s, message, roles[i][k], path[i]);
}

static ut_status run(ut_cli *cli, const ut_args *args, ut_err *e)
{
    char message[512] = "";
    ut_buf a = { 0 }, b = { 0 };
    ut_comparison c = { 0 };
    ut_status s = ut_input_read(args->operand[0], "the first file", &a, e);
    if (s == UT_OK)
        s = ut_input_read(args->operand[1], "the second file", &b, e);
    if (s == UT_OK) {
        s = ut_compare(a.data, a.len, b.data, b.len, &c, message);
        if (s != UT_OK)
            name_input(e, s, message, args->operand);
    }
    if (s == UT_OK && cli->json) {
        print_json(&c);
        cli->json_done = true;
    } else if (s == UT_OK && !cli->quiet) {
        print_text(&c);
    }
    ut_buf_free(&a);
    ut_buf_free(&b);
    return s;
}

const ut_command ut_cmd_compare = {
    "compare",
    "undertone compare A B [options]",
    "how far two pictures or recordings are apart",
    "Compares two pictures (RGB PSNR, luma SSIM) or two recordings (SI-SDR, STOI) of the same\n"
    "size. The exit status is 0 whether or not they differ.",
    2, 2, options, run,
};
