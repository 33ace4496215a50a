#include "cli/io.h"
#include "cli/options.h"
#include <string.h>

static const ut_option options[] = {
    { "output", 'o', "KEYFILE", false, "the file to make; must not exist" },
    UT_CLI_COMMON_OPTIONS,
};

static ut_status run(ut_cli *cli, const ut_args *a, ut_err *e)
{
    const char *path = ut_args_value(a, "output");
    ut_blob key = { 0 };
    ut_status s;
    if (!path || !*path || !strcmp(path, "-"))
        return ut_fail(e, UT_E_USAGE, "keygen: name the file to make: -o KEYFILE");
    s = ut_keygen(&key);
    if (s != UT_OK)
        (void)ut_fail(e, s, "cannot make a key: %s", ut_status_text(s));
    else
        s = ut_output_create_private(path, key.data, key.nbytes, e);
    if (s == UT_OK && !cli->quiet)
        printf("Wrote a new key to %s; whoever reveals needs the same file.\n", path);
    ut_blob_free(&key);
    return s;
}

const ut_command ut_cmd_keygen = {
    "keygen",
    "undertone keygen -o KEYFILE",
    "make a key file",
    "Makes a key of 256 random bits, readable by its owner only. Give the same file to whoever\n"
    "is to reveal, over a channel you trust.",
    0, 0, options, run,
};
