#include "channel/profile.h"
#include "channel/codec.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_FILE = 16384, MAX_LINE = 512 };

typedef struct parser {
    const char *file;
    unsigned line;
    ut_profile *p;
    unsigned nluma, nchroma;
    unsigned chroma_quality;
    bool chroma_same;
    unsigned seen; /* bit per key */
    ut_err *e;
} parser;

static ut_status bad(const parser *s, const char *what, const char *value)
{
    return ut_fail(s->e, UT_E_INPUT, "%s, line %u: %s: \"%.40s\"", s->file, s->line, what, value);
}

/* Digits up to `max` at *at, which is moved past them. */
static bool number(const char **at, unsigned long max, unsigned *out)
{
    unsigned long v = 0;
    const char *c = *at;
    if (*c < '0' || *c > '9') return false;
    for (; *c >= '0' && *c <= '9'; c++) {
        v = v * 10 + (unsigned long)(*c - '0');
        if (v > max) return false;
    }
    *at = c;
    *out = (unsigned)v;
    return true;
}
static void spaces(const char **at)
{
    while (**at == ' ' || **at == '\t') ++*at;
}

static ut_status set_table(parser *s, const char *v, uint16_t table[64], unsigned *n)
{
    unsigned x;
    for (const char *c = v; *c; spaces(&c)) {
        if (*n == 64) return bad(s, "more than 64 numbers in the table", v);
        if (!number(&c, 65535, &x) || !x || (*c && *c != ' ' && *c != '\t'))
            return bad(s, "a quantisation table holds numbers from 1 to 65535", v);
        table[(*n)++] = (uint16_t)x;
    }
    return UT_OK;
}
static ut_status set_luma(parser *s, const char *v) { return set_table(s, v, s->p->luma, &s->nluma); }
static ut_status set_chroma(parser *s, const char *v)
{
    if (strcmp(v, "luma") == 0) {
        s->chroma_same = true;
        return UT_OK;
    }
    return set_table(s, v, s->p->chroma, &s->nchroma);
}
static ut_status set_chroma_quality(parser *s, const char *v)
{
    const char *c = v;
    if (!number(&c, 100, &s->chroma_quality) || !s->chroma_quality || *c) return bad(s, "a quality is 1 to 100", v);
    return UT_OK;
}

static ut_status set_quality(parser *s, const char *v)
{
    const char *c = v;
    ut_profile *p = s->p;
    bool ok = number(&c, 100, &p->quality_from) && p->quality_from;
    p->quality_to = p->quality_from;
    if (ok && *c == '-') {
        c++;
        ok = number(&c, 100, &p->quality_to) && p->quality_to >= p->quality_from;
    }
    return ok && !*c ? UT_OK : bad(s, "a quality is 1 to 100, a range like 71-85", v);
}

static ut_status set_geometry(parser *s, const char *v)
{
    static const char *const word[] = { "none", "width", "fit", "pad" };
    ut_profile *p = s->p;
    for (int k = 0; k < 4; k++) {
        size_t n = strlen(word[k]);
        if (strncmp(v, word[k], n) != 0 || (v[n] && v[n] != ' ')) continue;
        const char *c = v + n;
        bool ok = true;
        spaces(&c);
        p->geometry = (ut_geometry)k;
        if (k >= 1) ok = number(&c, UT_MAX_SIDE, &p->width) && p->width >= 16;
        if (ok && k >= 2) {
            ok = *c == 'x';
            c++;
            ok = ok && number(&c, UT_MAX_SIDE, &p->height) && p->height >= 16;
        }
        if (ok && !*c) return UT_OK;
    }
    return bad(s, "a geometry is none, width N, fit WxH or pad WxH, with sides of 16 to 65535", v);
}

static ut_status set_subsampling(parser *s, const char *v)
{
    s->p->hsamp = strcmp(v, "444") == 0 ? 1 : 2;
    s->p->vsamp = strcmp(v, "420") == 0 ? 2 : 1;
    if (strcmp(v, "420") != 0 && strcmp(v, "422") != 0 && strcmp(v, "444") != 0)
        return bad(s, "subsampling is 420, 422 or 444", v);
    return UT_OK;
}

static ut_status set_yes_no(parser *s, const char *v, const char *yes, const char *no, bool *out)
{
    *out = strcmp(v, yes) == 0;
    if (*out || strcmp(v, no) == 0) return UT_OK;
    char what[64];
    snprintf(what, sizeof what, "must be \"%s\" or \"%s\"", yes, no);
    return bad(s, what, v);
}
static ut_status set_progressive(parser *s, const char *v) { return set_yes_no(s, v, "yes", "no", &s->p->progressive); }
static ut_status set_status(parser *s, const char *v)
{
    return set_yes_no(s, v, "measured", "unverified", &s->p->measured);
}

static ut_status set_sharpen(parser *s, const char *v)
{
    const char *c = v;
    unsigned percent;
    if (!number(&c, 200, &percent) || strcmp(c, "%") != 0) return bad(s, "sharpen is 0% to 200%", v);
    s->p->sharpen_256 = (percent * 256 + 50) / 100;
    return UT_OK;
}

static ut_status set_note(parser *s, const char *v)
{
    if (strlen(v) >= sizeof s->p->note) return bad(s, "a note has at most 199 bytes", v);
    strcpy(s->p->note, v);
    return UT_OK;
}
static ut_status set_text(parser *s, const char *v) { return (void)s, (void)v, UT_OK; }

static const struct key {
    const char *name;
    ut_status (*set)(parser *, const char *);
    bool repeats;
} keys[] = {
    { "comment", set_text, true },   { "source", set_text, true },        { "note", set_note, false },
    { "status", set_status, false }, { "geometry", set_geometry, false }, { "quality", set_quality, false },
    { "luma", set_luma, true },      { "chroma", set_chroma, true },      { "chroma_quality", set_chroma_quality, false },
    { "subsampling", set_subsampling, false }, { "progressive", set_progressive, false },
    { "sharpen", set_sharpen, false },
};

static ut_status one_line(parser *s, char *text)
{
    size_t n = strlen(text);
    while (n && (text[n - 1] == ' ' || text[n - 1] == '\t' || text[n - 1] == '\r')) text[--n] = 0;
    const char *key = text;
    spaces(&key);
    if (!*key || *key == '#') return UT_OK;
    char *eq = strchr(text, '=');
    if (!eq) return bad(s, "not of the form key = value", key);
    const char *value = eq + 1;
    while (eq > key && (eq[-1] == ' ' || eq[-1] == '\t')) eq--;
    *eq = 0;
    spaces(&value);
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
        if (strcmp(keys[i].name, key) != 0) continue;
        if (!*value) return bad(s, "no value given for", key);
        if (s->seen >> i & 1 && !keys[i].repeats) return bad(s, "given twice", key);
        s->seen |= 1u << i;
        return keys[i].set(s, value);
    }
    return bad(s, "unknown key", key);
}

static ut_status finish(parser *s)
{
    ut_profile *p = s->p;
    if (p->quality_from) {
        if (s->nluma || s->nchroma || s->chroma_same || s->chroma_quality)
            return ut_fail(s->e, UT_E_INPUT, "%s: give either a quality or tables, not both", s->file);
        return UT_OK;
    }
    if (s->nluma != 64)
        return ut_fail(s->e, UT_E_INPUT, "%s: neither a quality nor 64 luma table entries (there are %u)", s->file,
                       s->nluma);
    if ((s->nchroma != 0) + s->chroma_same + (s->chroma_quality != 0) != 1 || (s->nchroma && s->nchroma != 64))
        return ut_fail(s->e, UT_E_INPUT, "%s: give the chroma table in one way: 64 entries, \"chroma = luma\" or "
                       "chroma_quality", s->file);
    if (s->chroma_same) memcpy(p->chroma, p->luma, sizeof p->chroma);
    if (s->chroma_quality) {
        ut_channel_jpeg t;
        ut_jpeg_quality(s->chroma_quality, &t);
        memcpy(p->chroma, t.chroma, sizeof p->chroma);
    }
    return UT_OK;
}

ut_status ut_profile_parse(const char *text, size_t n, const char *name, const char *file, ut_profile *out, ut_err *e)
{
    parser s = { .file = file, .p = out, .e = e };
    *out = (ut_profile){ .hsamp = 2, .vsamp = 2 };
    snprintf(out->name, sizeof out->name, "%s", name);
    if (n > MAX_FILE) return ut_fail(e, UT_E_INPUT, "%s: a profile has at most %d bytes", file, (int)MAX_FILE);
    for (size_t at = 0; at < n;) {
        char line[MAX_LINE];
        const char *end = memchr(text + at, '\n', n - at);
        size_t len = end ? (size_t)(end - text) - at : n - at;
        s.line++;
        if (len >= sizeof line || memchr(text + at, 0, len))
            return ut_fail(e, UT_E_INPUT, "%s, line %u: longer than %d bytes, or not text", file, s.line, MAX_LINE - 1);
        memcpy(line, text + at, len);
        line[len] = 0;
        ut_status st = one_line(&s, line);
        if (st != UT_OK) return st;
        at += len + 1;
    }
    return finish(&s);
}

bool ut_profile_name_ok(const char *name)
{
    size_t n = strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-_");
    return n && n < 32 && !name[n] && name[0] >= 'a' && name[0] <= 'z' && strncmp(name, "any", 3) != 0;
}

static uint32_t share(uint64_t a, uint64_t num, uint64_t den)
{
    uint64_t v = (a * num + den / 2) / den;
    return (uint32_t)(v < 1 ? 1 : v > UT_MAX_SIDE ? UT_MAX_SIDE : v);
}

void ut_profile_size(const ut_profile *p, uint32_t w, uint32_t h, uint32_t *to_w, uint32_t *to_h)
{
    uint32_t bw = p->width, bh = p->height;
    *to_w = w;
    *to_h = h;
    if (p->geometry == UT_GEOMETRY_NONE || !w || !h) return;
    if (p->geometry == UT_GEOMETRY_WIDTH) {
        if (w <= bw) return;
        *to_w = bw;
        *to_h = share(h, bw, w);
        return;
    }
    if (p->geometry == UT_GEOMETRY_FIT) {
        if ((h > w) != (bh > bw) && w != h) bw = p->height, bh = p->width;
        if (w <= bw && h <= bh) return;
    }
    if ((uint64_t)w * bh >= (uint64_t)h * bw) {
        *to_w = bw;
        *to_h = share(h, bw, w);
    } else {
        *to_w = share(w, bh, h);
        *to_h = bh;
    }
}

void ut_profile_tables(const ut_profile *p, unsigned quality, ut_channel_jpeg *t)
{
    if (p->quality_from) {
        ut_jpeg_quality(quality, t);
    } else {
        *t = (ut_channel_jpeg){ 0 };
        memcpy(t->luma, p->luma, sizeof t->luma);
        memcpy(t->chroma, p->chroma, sizeof t->chroma);
    }
    t->hsamp = p->hsamp;
    t->vsamp = p->vsamp;
    t->progressive = p->progressive;
}

/* *found: there is such a file, good or bad. */
static ut_status from_dir(const char *dir, const char *sub, const char *name, ut_profile *out, bool *found, ut_err *e)
{
    char path[4096], text[MAX_FILE + 1];
    if (!dir || !*dir) return UT_OK;
    int len = snprintf(path, sizeof path, "%s%s/%s.profile", dir, sub, name);
    if (len < 0 || (size_t)len >= sizeof path) return UT_OK;
    FILE *f = fopen(path, "rb");
    if (!f) {
        if (errno == ENOENT || errno == ENOTDIR || errno == EACCES) return UT_OK;
        *found = true;
        return ut_fail(e, UT_E_IO, "%s: cannot be opened (%s)", path, strerror(errno));
    }
    *found = true;
    size_t n = fread(text, 1, sizeof text, f);
    bool failed = ferror(f) != 0;
    fclose(f);
    if (failed) return ut_fail(e, UT_E_IO, "%s: cannot be read", path);
    return ut_profile_parse(text, n, name, path, out, e);
}

static ut_status unknown(const char *name, ut_err *e)
{
    char list[256] = "";
    size_t at = 0;
    for (size_t i = 0; i < ut_builtin_profiles_count && at < sizeof list - 40; i++)
        at += (size_t)snprintf(list + at, sizeof list - at, ", %.32s", ut_builtin_profiles[i].name);
    return ut_fail(e, UT_E_USAGE, "unknown channel step \"%.40s\": known are png, jpeg:Q, jpeg:Q-Q, webp:Q, avif:Q, "
                   "resize:FACTOR, resize:WIDTH, crop:SHARE and the profiles%s", name, list[0] ? list + 1 : " (none)");
}

ut_status ut_profile_find(const char *name, const char *dir, ut_profile *out, ut_err *e)
{
    if (!ut_profile_name_ok(name)) return unknown(name, e);
    const char *config = getenv("XDG_CONFIG_HOME");
    bool xdg = config && *config;
    const struct { const char *dir, *sub; } place[] = { { dir, "" },
                                                        { xdg ? config : getenv("HOME"),
                                                          xdg ? "/undertone/profiles" : "/.config/undertone/profiles" },
                                                        { UT_PROFILE_DIR, "" },
                                                        { UT_SOURCE_PROFILE_DIR, "" } };
    for (size_t i = 0; i < sizeof place / sizeof place[0]; i++) {
        bool found = false;
        ut_status s = from_dir(place[i].dir, place[i].sub, name, out, &found, e);
        if (found) return s;
    }
    for (size_t i = 0; i < ut_builtin_profiles_count; i++)
        if (strcmp(ut_builtin_profiles[i].name, name) == 0)
            return ut_profile_parse(ut_builtin_profiles[i].text, ut_builtin_profiles[i].nbytes, name, name, out, e);
    return unknown(name, e);
}
