/* Any bytes as a profile file, as a channel's specification and as EXIF. */
#include "channel/exif.h"
#include "channel/profile.h"
#include <stdlib.h>
#include <string.h>

static void as_profile(const uint8_t *data, size_t n)
{
    ut_profile p;
    ut_channel_jpeg t;
    ut_err e = { 0 };
    uint32_t w, h;
    if (ut_profile_parse((const char *)data, n, "fuzz", "fuzz.profile", &p, &e) != UT_OK) {
        if (!e.text[0]) abort();
        return;
    }
    ut_profile_tables(&p, p.quality_from, &t);
    for (int i = 0; i < 64; i++)
        if (!t.luma[i] || !t.chroma[i]) abort();
    ut_profile_size(&p, 65535, 3, &w, &h);
    if (!w || !h || w > UT_MAX_SIDE || h > UT_MAX_SIDE) abort();
}

static void as_spec(const uint8_t *data, size_t n)
{
    char text[400], name[600];
    ut_channel *c;
    ut_channel_jpeg t[16];
    ut_err e = { 0 };
    if (n >= sizeof text) return;
    memcpy(text, data, n);
    text[n] = 0;
    if (ut_channel_parse(text, "/nonexistent", &c, &e) != UT_OK) {
        if (c || !e.text[0]) abort();
        return;
    }
    size_t v = ut_channel_nvariants(c);
    ut_channel_variant_name(c, v - 1, name, sizeof name);
    if (ut_channel_jpegs(c, v - 1, t, 16) > 16) abort();
    ut_channel_free(c);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    uint8_t *copy = malloc(n ? n : 1);
    if (!copy) return 0;
    if (n) memcpy(copy, data, n);
    as_profile(data, n);
    as_spec(data, n);
    ut_exif x = ut_exif_normalise(copy, n);
    if (x.orientation < 1 || x.orientation > 8) abort();
    free(copy);
    return 0;
}
