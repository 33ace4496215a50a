/* Profile files: what is right, what is wrong and on which line, and where they are looked for. */
#include "channel/codec.h"
#include "channel/profile.h"
#include "check.h"
#include <sys/stat.h>
#include <unistd.h>

#define ROW8 "1 2 3 4 5 6 7 8"
#define ROW64 ROW8 " " ROW8 " " ROW8 " " ROW8 " " ROW8 " " ROW8 " " ROW8 " " ROW8

static ut_status parse(const char *text, ut_profile *p, ut_err *e)
{
    *e = (ut_err){ 0 };
    return ut_profile_parse(text, strlen(text), "x", "x.profile", p, e);
}

static void test_right(void)
{
    ut_profile p;
    ut_err e;
    CHECK(parse("# a comment\r\n\n  comment = hello = there\nquality=71-85\t\ngeometry = fit 2048x1024\nsubsampling = 444\n"
                "progressive = yes\nsharpen = 50%\nstatus = measured\nnote = careful", &p, &e) == UT_OK, "%s", e.text);
    CHECK(p.quality_from == 71 && p.quality_to == 85 && p.geometry == UT_GEOMETRY_FIT && p.width == 2048 && p.height == 1024);
    CHECK(p.hsamp == 1 && p.vsamp == 1 && p.progressive && p.sharpen_256 == 128 && p.measured && !strcmp(p.note, "careful"));
    CHECK(parse("luma = " ROW8 "\nluma = " ROW8 "\nluma = " ROW8 "\nluma = " ROW8 "\nluma = " ROW8 "\nluma = " ROW8 "\nluma = "
                ROW8 "\nluma = " ROW8 "\nchroma = luma", &p, &e) == UT_OK, "%s", e.text);
    CHECK(p.luma[8] == 1 && p.chroma[63] == 8 && p.hsamp == 2 && p.vsamp == 2 && !p.measured);
    CHECK(parse("luma = " ROW64 "\nchroma_quality = 50", &p, &e) == UT_OK && p.chroma[0] == 17 && p.chroma[63] == 99);
}

static void test_wrong(void)
{
    static const struct { const char *text, *says; } row[] = {
        { "", "neither a quality" },
        { "quality = 80\nhello", "line 2" },
        { "quality = 80\n\nwidth = 5", "line 3: unknown key" },
        { "quality = 0", "1 to 100" },
        { "quality = 85-71", "1 to 100" },
        { "quality = 80x", "1 to 100" },
        { "quality =", "no value" },
        { "quality = 80\nquality = 81", "given twice" },
        { "quality = 80\nluma = " ROW64, "not both" },
        { "luma = " ROW8, "there are 8" },
        { "luma = " ROW64, "chroma table in one way" },
        { "luma = " ROW64 " 9", "more than 64" },
        { "luma = 0", "1 to 65535" },
        { "luma = 65536", "1 to 65535" },
        { "luma = 1,2", "1 to 65535" },
        { "luma = " ROW64 "\nchroma = luma\nchroma_quality = 50", "one way" },
        { "luma = " ROW64 "\nchroma = " ROW8, "one way" },
        { "geometry = fit 2048", "a geometry is" },
        { "geometry = width 15", "a geometry is" },
        { "geometry = width 70000", "a geometry is" },
        { "geometry = fit", "a geometry is" },
        { "geometry = widthy", "a geometry is" },
        { "subsampling = 411", "420, 422 or 444" },
        { "progressive = maybe", "yes" },
        { "sharpen = 50", "0% to 200%" },
        { "status = perhaps", "measured" },
        { "= 5", "unknown key" },
    };
    ut_profile p;
    ut_err e;
    for (size_t i = 0; i < sizeof row / sizeof row[0]; i++) {
        CHECK(parse(row[i].text, &p, &e) == UT_E_INPUT, "\"%s\" is taken", row[i].text);
        CHECK(strstr(e.text, row[i].says) && strncmp(e.text, "x.profile", 9) == 0, "\"%s\" lacks \"%s\"", e.text, row[i].says);
    }
    char big[20000];
    memset(big, '\n', sizeof big);
    CHECK(ut_profile_parse(big, sizeof big, "x", "x", &p, &e) == UT_E_INPUT && strstr(e.text, "at most"));
    memset(big, '#', 600);
    CHECK(ut_profile_parse(big, 700, "x", "x", &p, &e) == UT_E_INPUT && strstr(e.text, "line 1: longer"), "%s", e.text);
    CHECK(ut_profile_parse("quality = 80\0\n", 14, "x", "x", &p, &e) == UT_E_INPUT && strstr(e.text, "not text"));
}

static void put(const char *dir, const char *name, const char *text)
{
    char path[1200];
    snprintf(path, sizeof path, "%s/%s", dir, name);
    FILE *f = fopen(path, "w");
    if (!f) exit(1);
    fputs(text, f);
    fclose(f);
}

/* A folder given by the caller comes first, then the user's; a broken file there is an error, not passed over. */
static void test_places(void)
{
    char dir[] = "/tmp/ut_profile_XXXXXX", sub[64], cmd[200];
    ut_profile p;
    ut_err e = { 0 };
    if (!mkdtemp(dir)) exit(1);
    snprintf(sub, sizeof sub, "%s/undertone", dir);
    mkdir(sub, 0700);
    snprintf(sub, sizeof sub, "%s/undertone/profiles", dir);
    mkdir(sub, 0700);
    setenv("XDG_CONFIG_HOME", dir, 1);
    put(sub, "mine.profile", "quality = 61\n");
    CHECK(ut_profile_find("mine", NULL, &p, &e) == UT_OK && p.quality_from == 61, "%s", e.text);
    put(dir, "mine.profile", "quality = 62\n");
    CHECK(ut_profile_find("mine", dir, &p, &e) == UT_OK && p.quality_from == 62, "%s", e.text);
    put(dir, "whatsapp.profile", "quality = 63\n");
    CHECK(ut_profile_find("whatsapp", dir, &p, &e) == UT_OK && p.quality_from == 63, "%s", e.text);
    CHECK(ut_profile_find("whatsapp", NULL, &p, &e) == UT_OK && p.quality_from == 0 && p.luma[63] == 167, "%s", e.text);
    put(dir, "mine.profile", "quality = 62\noops\n");
    CHECK(ut_profile_find("mine", dir, &p, &e) == UT_E_INPUT && strstr(e.text, dir) && strstr(e.text, "line 2"), "%s", e.text);
    ut_channel *c = NULL;
    put(dir, "mine.profile", "quality = 62\ngeometry = width 500\n");
    CHECK(ut_channel_parse("mine+jpeg:80", dir, &c, &e) == UT_OK, "%s", e.text);
    if (c) CHECK(strstr(ut_channel_note(c), "mine: not measured") != NULL);
    ut_channel_free(c);
    CHECK(ut_profile_find("nosuch", dir, &p, &e) == UT_E_USAGE && strstr(e.text, "telegram"), "%s", e.text);
    snprintf(cmd, sizeof cmd, "rm -r %s", dir);
    CHECK(system(cmd) == 0);
}

/* The four that are compiled in are the data files, and say what they assume. */
static void test_builtin(void)
{
    static const char *const names[] = { "facebook", "instagram", "telegram", "whatsapp" };
    CHECK(ut_builtin_profiles_count >= 4);
    for (int i = 0; i < 4; i++) {
        bool found = false;
        for (size_t k = 0; k < ut_builtin_profiles_count; k++) {
            const ut_builtin_profile *b = &ut_builtin_profiles[k];
            ut_profile p, q;
            ut_err e = { 0 };
            if (strcmp(b->name, names[i]) != 0) continue;
            found = true;
            CHECK(ut_profile_parse(b->text, b->nbytes, b->name, b->name, &p, &e) == UT_OK, "%s", e.text);
            CHECK(p.note[0], "%s has no note", b->name);
            CHECK(ut_profile_find(b->name, NULL, &q, &e) == UT_OK && memcmp(&p, &q, sizeof p) == 0, "%s", b->name);
        }
        CHECK(found, "%s", names[i]);
    }
    ut_profile p;
    ut_err e = { 0 };
    unsigned sum = 0, least = 999, most = 0;
    CHECK(ut_profile_find("instagram", NULL, &p, &e) == UT_OK, "%s", e.text);
    for (int i = 0; i < 64; i++) {
        sum += p.luma[i];
        if (p.luma[i] < least) least = p.luma[i];
        if (p.luma[i] > most) most = p.luma[i];
    }
    CHECK(least == 5 && most == 25 && (sum * 10 + 32) / 64 == 158 && p.progressive, "%u", sum);
    CHECK(memcmp(p.luma, p.chroma, sizeof p.luma) == 0);
}

int main(void)
{
    setenv("XDG_CONFIG_HOME", "/nonexistent", 1);
    test_right();
    test_wrong();
    test_places();
    test_builtin();
    return check_end();
}
