#include "cli/options.h"
#include "base/buf.h"
#include <stdlib.h>
#include <string.h>
#include <strings.h>

ut_status ut_cli_threads(const ut_args *a, unsigned *nthreads, ut_err *e)
{
    long n = 0;
    ut_status s = ut_args_integer(a, "threads", 1, 1024, &n, e);
    *nthreads = (unsigned)n;
    return s;
}

static ut_status read_choices(const ut_args *a, ut_hide_options *o, ut_err *e)
{
    static const char *const codecs[] = { "auto", "opus", "flac", "raw", "spectrum", NULL };
    static const ut_codec codec_of[] = { UT_CODEC_AUTO, UT_CODEC_OPUS, UT_CODEC_FLAC, UT_CODEC_RAW, UT_CODEC_SPECTRUM };
    static const char *const fecs[] = { "auto", "ldpc", "bch", "rs", "hamming", NULL };
    static const ut_fec_kind fec_of[] = { UT_FEC_AUTO, UT_FEC_LDPC, UT_FEC_BCH, UT_FEC_RS, UT_FEC_HAMMING };
    static const char *const hiders[] = { "auto", "lattice", "inn", NULL };
    static const ut_hider hider_of[] = { UT_HIDER_AUTO, UT_HIDER_LATTICE, UT_HIDER_INN };
    int codec = 0, fec = 0, hider = 0;
    ut_status s = ut_args_choice(a, "codec", codecs, &codec, e);
    if (s == UT_OK)
        s = ut_args_choice(a, "fec", fecs, &fec, e);
    o->codec = codec_of[codec];
    o->fec = fec_of[fec];
    if (s == UT_OK)
        s = ut_args_choice(a, "hider", hiders, &hider, e);
    o->hider = hider_of[hider];
    o->guide = o->inn = ut_args_value(a, "hider-weights");
    if (s == UT_OK && o->inn && o->hider != UT_HIDER_INN)
        return ut_fail(e, UT_E_USAGE, "%s: --hider-weights goes with --hider inn", a->command->name);
    return s;
}

static ut_status enhance_options(const ut_args *a, ut_hide_options *o, ut_err *e)
{
    bool off = ut_args_has(a, "no-enhance"), asked = ut_args_has(a, "strength") || ut_args_has(a, "model");
    if (asked && (off || o->codec == UT_CODEC_RAW))
        return ut_fail(e, UT_E_USAGE, "%s: --strength and --model do not go with %s", a->command->name, off ? "--no-enhance" : "--codec raw");
    o->enhance = off ? UT_ENHANCE_OFF : asked ? UT_ENHANCE_ON : UT_ENHANCE_AUTO;
    o->model = ut_args_value(a, "model");
    return ut_args_number(a, "strength", 0, 1, &o->strength, e);
}

ut_status ut_cli_hide_options(const ut_args *a, ut_hide_options *o, const char ***channels, ut_err *e)
{
    ut_status s;
    ut_hide_options_init(o);
    *channels = ut_calloc(a->ngiven + 1, sizeof **channels, e);
    if (!*channels)
        return UT_E_MEMORY;
    o->nchannels = ut_args_values(a, "to", *channels);
    o->channels = *channels;
    s = read_choices(a, o, e);
    if (s == UT_OK)
        s = ut_args_number(a, "bitrate", 5, 40, &o->bitrate_kbps, e);
    if (s == UT_OK)
        s = ut_args_number(a, "min-psnr", 10, 100, &o->min_psnr_db, e);
    if (s == UT_OK)
        s = ut_cli_threads(a, &o->nthreads, e);
    if (s == UT_OK)
        s = enhance_options(a, o, e);
    o->strip = ut_args_has(a, "strip");
    o->profile_dir = ut_args_value(a, "profile-dir");
    if (s == UT_OK)
        return UT_OK;
    free(*channels);
    *channels = NULL;
    return s;
}

bool ut_cli_format_of_name(const char *path, ut_format *f)
{
    static const struct {
        const char *suffix;
        ut_format format;
    } known[] = { { ".png", UT_FORMAT_PNG }, { ".jpg", UT_FORMAT_JPEG }, { ".jpeg", UT_FORMAT_JPEG },
                  { ".webp", UT_FORMAT_WEBP } };
    const char *dot = strrchr(path, '.');
    for (size_t i = 0; dot && i < sizeof known / sizeof *known; i++)
        if (!strcasecmp(dot, known[i].suffix)) {
            *f = known[i].format;
            return true;
        }
    return false;
}

ut_status ut_cli_format(const ut_args *a, const char *path, ut_format *f, ut_err *e)
{
    static const char *const names[] = { "png", "jpg", "webp", NULL };
    static const ut_format formats[] = { UT_FORMAT_PNG, UT_FORMAT_JPEG, UT_FORMAT_WEBP };
    ut_format by_name;
    int given = -1;
    ut_status s = ut_args_choice(a, "format", names, &given, e);
    if (s != UT_OK)
        return s;
    if (path && ut_cli_format_of_name(path, &by_name)) {
        if (given >= 0 && formats[given] != by_name)
            return ut_fail(e, UT_E_USAGE, "hide: --format %s does not go with the name %s; change one of them",
                           names[given], path);
        *f = by_name;
    } else if (given >= 0) {
        *f = formats[given];
    } else if (!path || !strcmp(path, "-")) {
        *f = UT_FORMAT_PNG;
    } else {
        return ut_fail(e, UT_E_USAGE, "hide: cannot tell the format from the name %s; end it in .png, .jpg or .webp",
                       path);
    }
    return UT_OK;
}
