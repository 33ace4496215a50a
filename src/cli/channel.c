#include "cli/io.h"
#include "cli/options.h"
#include <string.h>

static const ut_option options[] = {
    { "through", 0, "CHANNEL", false, "the channel: whatsapp, jpeg:75, resize:0.75+webp:80, ..." },
    UT_CLI_PROFILE_OPTION,
    UT_CLI_COMMON_OPTIONS,
};

static ut_status run(ut_cli *cli, const ut_args *a, ut_err *e)
{
    const char *in_path = a->operand[0], *out_path = a->operand[1], *through = ut_args_value(a, "through");
    char message[512] = "", count[32];
    ut_buf in = { 0 };
    ut_blob out = { 0 };
    ut_status s;
    if (!through)
        return ut_fail(e, UT_E_USAGE, "channel: name the channel: --through whatsapp");
    s = ut_output_check(out_path, true, e);
    if (s == UT_OK)
        s = ut_input_read(in_path, "the picture", &in, e);
    if (s == UT_OK) {
        s = ut_channel_run(in.data, in.len, through, ut_args_value(a, "profile-dir"), &out, message);
        if (s != UT_OK)
            (void)ut_cli_fail_named(e, s, message, "the picture", in_path);
    }
    if (s == UT_OK)
        s = ut_output_write(out_path, out.data, out.nbytes, e);
    if (s == UT_OK && !cli->quiet && strcmp(out_path, "-"))
        printf("Sent %s through %s: %s, %s bytes.\n", ut_text_name(in_path), through, out_path,
               ut_text_count(count, out.nbytes));
    ut_buf_free(&in);
    ut_blob_free(&out);
    return s;
}

const ut_command ut_cmd_channel = {
    "channel",
    "undertone channel IN OUT --through CHANNEL [options]",
    "send a picture through a simulated channel",
    "Does to the picture IN what the channel would, with real codecs, and writes OUT in the\n"
    "channel's own file format (PNG where it has none), whatever OUT's name ends in.",
    2, 2, options, run,
};
