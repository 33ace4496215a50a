/* Options that hide and capacity share. */
#ifndef UT_CLI_OPTIONS_H
#define UT_CLI_OPTIONS_H
#include "cli/args.h"

/* Fills *o from --to, --codec, --bitrate, --fec, --min-psnr, --strip, --profile-dir, --threads, --no-enhance, --strength, --model, --hider and --hider-weights; what is not given
 * keeps the library's default.  *channels: what o->channels points to; free() it after the call. */
UT_MUST_CHECK ut_status ut_cli_hide_options(const ut_args *a, ut_hide_options *o, const char ***channels, ut_err *e);
UT_MUST_CHECK ut_status ut_cli_threads(const ut_args *a, unsigned *nthreads, ut_err *e);
/* A picture's format by its name, where that says it, or by --format.  path: NULL: there is no name; PNG then by default. */
UT_MUST_CHECK ut_status ut_cli_format(const ut_args *a, const char *path, ut_format *f, ut_err *e);
bool ut_cli_format_of_name(const char *path, ut_format *f);

#define UT_CLI_COMMON_OPTIONS                                                                                          \
    { "quiet", 'q', NULL, false, "print errors only" },                                                                \
    { "verbose", 'v', NULL, false, "print every step, its time and what it did" },                                     \
    { "help", 'h', NULL, false, "this text" }, { NULL, 0, NULL, false, NULL }
#define UT_CLI_JSON_OPTION { "json", 0, NULL, false, "print the result, or the error, as JSON" }
#define UT_CLI_PROFILE_OPTION { "profile-dir", 0, "DIR", false, "further platform profiles" }
#define UT_CLI_THREADS_OPTION                                                                                          \
    { "threads", 0, "N", false, "threads to use; default: one a processor;\nthe result does not depend on it" }
#define UT_CLI_ENHANCE_OPTIONS                                                                                         \
    { "strength", 0, "SHARE", false, "of cleaning: 0 none, 1 all (default), between: both mixed" },                    \
    { "model", 0, "NAME", false, "enhancer's model: a .safetensors file, or the name of an\ninstalled one; default: the built-in model" }
#define UT_CLI_HIDER_WEIGHTS_OPTION                                                                                    \
    { "hider-weights", 0, "FILE", false, "weights of --hider inn, a .safetensors file; default: the\nbuilt-in ones" }
#define UT_CLI_TO_OPTION                                                                                               \
    { "to", 0, "CHANNEL", true, "what the picture must survive: whatsapp, jpeg:75,\njpeg:75-95, webp:80, png, any, ...; may be repeated;\ndefault jpeg:75-95" }
#define UT_CLI_PSNR_OPTION                                                                                             \
    { "min-psnr", 0, "DB", false, "refuse to change the photo more than this; default 38" }
#endif
