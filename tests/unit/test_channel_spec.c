/* The grammar of channels, their variants, and what is said about wrong ones. */
#include "channel/codec.h"
#include "check.h"

static ut_channel *parsed(const char *spec)
{
    ut_channel *c = NULL;
    ut_err e = { 0 };
    CHECK(ut_channel_parse(spec, NULL, &c, &e) == UT_OK, "%s: %s", spec, e.text);
    if (!c) exit(1);
    return c;
}

static void check_variants(const char *spec, const char *names)
{
    ut_channel *c = parsed(spec);
    char all[2048] = "", one[128];
    for (size_t i = 0; i < ut_channel_nvariants(c); i++) {
        ut_channel_variant_name(c, i, one, sizeof one);
        if (i) strcat(all, " ");
        strcat(all, one);
        ut_channel *again = parsed(one); /* every variant's name is a channel of its own */
        CHECK(ut_channel_nvariants(again) == 1, "%s", one);
        ut_channel_free(again);
    }
    CHECK(strcmp(all, names) == 0, "%s: %s", spec, all);
    CHECK(strcmp(ut_channel_spec(c), spec) == 0);
    ut_channel_free(c);
}

static void test_variants(void)
{
    check_variants("png", "png");
    check_variants("jpeg:75", "jpeg:75");
    check_variants("jpeg:75-95", "jpeg:75 jpeg:80 jpeg:85 jpeg:90 jpeg:95");
    check_variants("jpeg:72-84:444", "jpeg:72:444 jpeg:75:444 jpeg:80:444 jpeg:84:444");
    check_variants("jpeg:76-79", "jpeg:76 jpeg:79");
    check_variants("jpeg:1-5:422", "jpeg:1:422 jpeg:5:422");
    check_variants("jpeg:88-88", "jpeg:88");
    check_variants("resize:0.75+jpeg:80-85", "resize:0.75+jpeg:80 resize:0.75+jpeg:85");
    check_variants("jpeg:90-92+webp:80+jpeg:70-75", "jpeg:90+webp:80+jpeg:70 jpeg:90+webp:80+jpeg:75 "
                                                   "jpeg:92+webp:80+jpeg:70 jpeg:92+webp:80+jpeg:75");
    check_variants("facebook", "facebook:71 facebook:75 facebook:80 facebook:85");
    check_variants("whatsapp+telegram", "whatsapp+telegram");
    check_variants("crop:0.9+resize:1600+resize:2+avif:60", "crop:0.9+resize:1600+resize:2+avif:60");
    ut_channel *c = parsed("jpeg:75-95");
    char tiny[4], none = 'x';
    ut_channel_variant_name(c, 0, tiny, sizeof tiny);
    CHECK(strcmp(tiny, "jpe") == 0);
    ut_channel_variant_name(c, 0, &none, 0);
    CHECK(none == 'x');
    ut_channel_free(c);
}

static void test_errors(void)
{
    static const struct { const char *spec, *says; } row[] = {
        { "", "no name" }, { "+", "empty" }, { "jpeg:75+", "empty" }, { "jpeg", "quality of 1 to 100" },
        { "jpeg:0", "1 to 100" }, { "jpeg:101", "1 to 100" }, { "jpeg:7x", "1 to 100" }, { "jpeg:75:411", ":444" },
        { "jpeg:75-", "range" }, { "jpeg:95-75", "lower quality first" }, { "jpeg:-5", "1 to 100" },
        { "jpeg:99999999999999999999", "1 to 100" }, { "webp", "webp takes" }, { "webp:101", "webp takes" },
        { "avif:x", "avif takes" }, { "resize", "resize takes" }, { "resize:0.01", "resize takes" },
        { "resize:4.5", "resize takes" }, { "resize:15", "16" }, { "resize:70000", "65535" }, { "resize:1e3", "resize takes" },
        { "resize:0.12345678", "resize takes" }, { "crop:0", "crop takes" }, { "crop:1.5", "crop takes" },
        { "crop:.", "crop takes" }, { "png:1", "no argument" }, { "anything", "reserved" }, { "any:3", "reserved" },
        { "whatsap", "whatsapp" }, { "whatsapp:80", "no quality" }, { "facebook:50", "range" },
        { "../../etc/passwd", "unknown channel step" }, { "WhatsApp", "unknown" }, { "jpeg:75 ", "1 to 100" },
        { "jpeg:1-100+jpeg:1-100+jpeg:1-100", "variants" },
        { "png+png+png+png+png+png+png+png+png+png+png+png+png+png+png+png+png", "more than 16 steps" },
    };
    for (size_t i = 0; i < sizeof row / sizeof row[0]; i++) {
        ut_channel *c = NULL;
        ut_err e = { 0 };
        CHECK(ut_channel_parse(row[i].spec, NULL, &c, &e) == UT_E_USAGE && !c, "%s is taken", row[i].spec);
        CHECK(strstr(e.text, row[i].says) != NULL, "%s: \"%s\" lacks \"%s\"", row[i].spec, e.text, row[i].says);
        ut_channel_free(c);
    }
    char longer[2000];
    ut_channel *c;
    ut_err e = { 0 };
    memset(longer, 'a', sizeof longer - 1);
    longer[sizeof longer - 1] = 0;
    CHECK(ut_channel_parse(longer, NULL, &c, &e) == UT_E_USAGE && ut_channel_parse(NULL, NULL, &c, &e) == UT_E_USAGE);
}

static void test_facts(void)
{
    static const struct { const char *spec; bool lossless; size_t njpegs; bool last; } row[] = {
        { "png", true, 0, false }, { "png+crop:1+resize:1", true, 0, false }, { "jpeg:100", false, 1, true },
        { "jpeg:80+png", false, 1, true }, { "jpeg:80+resize:1+crop:1", false, 1, true },
        { "jpeg:80+resize:0.9", false, 1, false }, { "jpeg:80+webp:90", false, 1, false }, { "crop:0.9", false, 0, false },
        { "jpeg:80+whatsapp", false, 2, true }, { "webp:90", false, 0, false }, { "avif:90", false, 0, false },
    };
    for (size_t i = 0; i < sizeof row / sizeof row[0]; i++) {
        ut_channel *c = parsed(row[i].spec);
        ut_channel_jpeg t[8];
        CHECK(ut_channel_is_lossless(c) == row[i].lossless, "%s", row[i].spec);
        size_t n = ut_channel_jpegs(c, 0, t, 8);
        CHECK(n == row[i].njpegs, "%s: %zu", row[i].spec, n);
        if (n) CHECK(t[n - 1].last == row[i].last, "%s", row[i].spec);
        if (n == 2) CHECK(!t[0].last && ut_channel_jpegs(c, 0, t, 1) == 1, "%s", row[i].spec);
        ut_channel_free(c);
    }
    ut_channel *c = parsed("jpeg:75-95:444");
    ut_channel_jpeg t, q;
    for (size_t v = 0; v < 5; v++) {
        CHECK(ut_channel_jpegs(c, v, &t, 1) == 1 && t.hsamp == 1 && t.vsamp == 1 && !t.progressive);
        ut_jpeg_quality(75 + 5 * (unsigned)v, &q);
        CHECK(memcmp(t.luma, q.luma, 128) == 0 && memcmp(t.chroma, q.chroma, 128) == 0);
    }
    ut_channel_free(c);
}

static void test_fit(void)
{
    static const struct { const char *spec; uint32_t w, h, fw, fh; } row[] = {
        { "whatsapp", 4000, 3000, 1600, 1200 }, { "whatsapp", 3000, 4000, 1600, 2133 }, { "whatsapp", 1600, 9000, 1600, 9000 },
        { "whatsapp", 800, 600, 800, 600 }, { "telegram", 4000, 3000, 1280, 960 }, { "telegram", 3000, 4000, 960, 1280 },
        { "telegram", 4000, 1000, 1280, 320 }, { "telegram", 1000, 1000, 960, 960 }, { "telegram", 900, 900, 900, 900 },
        { "instagram", 1080, 1080, 1440, 1440 }, { "facebook", 4096, 1000, 2048, 500 }, { "jpeg:75", 4000, 3000, 4000, 3000 },
        { "resize:1600+jpeg:80", 4000, 3000, 4000, 3000 }, { "whatsapp+telegram", 4000, 3000, 1280, 960 },
        { "whatsapp", 60000, 1, 1600, 1 },
    };
    for (size_t i = 0; i < sizeof row / sizeof row[0]; i++) {
        ut_channel *c = parsed(row[i].spec);
        uint32_t w, h, w2, h2;
        ut_channel_fit(c, row[i].w, row[i].h, &w, &h);
        CHECK(w == row[i].fw && h == row[i].fh, "%s: %ux%u to %ux%u", row[i].spec, row[i].w, row[i].h, w, h);
        ut_channel_fit(c, w, h, &w2, &h2);
        CHECK(w2 == w && h2 == h, "%s: the rule does not leave its own result alone", row[i].spec);
        ut_channel_free(c);
    }
}

static void test_notes(void)
{
    ut_channel *c = parsed("jpeg:80"), *d = parsed("whatsapp+telegram");
    CHECK(ut_channel_note(c) == NULL && strstr(ut_channel_note(d), "whatsapp: ") && strstr(ut_channel_note(d), "telegram: "));
    ut_channel_free(c);
    ut_channel_free(d);
}

int main(void)
{
    setenv("XDG_CONFIG_HOME", "/nonexistent", 1); /* not the profiles of whoever runs this */
    test_variants();
    test_errors();
    test_facts();
    test_fit();
    test_notes();
    return check_end();
}
