#include "channel/spec.h"
#include "channel/codec.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static ut_status bad(const char *step, const char *what, ut_err *e)
{
    return ut_fail(e, UT_E_USAGE, "channel step \"%.60s\": %s", step, what);
}

static bool whole(const char **at, unsigned long max, unsigned *out)
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

/* "0.75" in millionths; own code, because strtod obeys the locale. */
static bool millionths(const char *c, uint64_t *ppm)
{
    unsigned w = 0;
    uint64_t unit = UT_MILLION / 10;
    bool digits = whole(&c, 99999999, &w);
    *ppm = (uint64_t)w * UT_MILLION;
    if (*c == '.')
        for (c++; *c >= '0' && *c <= '9'; c++, unit /= 10) {
            if (!unit) return false; /* more than six decimals */
            *ppm += unit * (uint64_t)(*c - '0');
            digits = true;
        }
    return digits && !*c;
}

static ut_status set_jpeg(ut_channel_step *s, const char *text, const char *arg, ut_err *e)
{
    static const char what[] = "jpeg takes a quality of 1 to 100 (jpeg:75), or a range (jpeg:75-95), then if wanted "
                               ":420, :422 or :444";
    s->kind = UT_STEP_JPEG;
    s->hsamp = s->vsamp = 2;
    if (!whole(&arg, 100, &s->from) || !s->from) return bad(text, what, e);
    s->to = s->from;
    if (*arg == '-') {
        arg++;
        if (!whole(&arg, 100, &s->to) || !s->to) return bad(text, what, e);
        if (s->to < s->from) return bad(text, "the range runs from high to low; write the lower quality first", e);
    }
    if (*arg == ':') {
        arg++;
        s->sampling_named = true;
        if (strcmp(arg, "444") == 0) s->hsamp = s->vsamp = 1;
        else if (strcmp(arg, "422") == 0) s->vsamp = 1;
        else if (strcmp(arg, "420") != 0) return bad(text, what, e);
        return UT_OK;
    }
    return *arg ? bad(text, what, e) : UT_OK;
}

static ut_status set_quality(ut_channel_step *s, ut_step_kind kind, const char *text, const char *arg, ut_err *e)
{
    s->kind = kind;
    if (!whole(&arg, 100, &s->from) || *arg)
        return bad(text, kind == UT_STEP_WEBP ? "webp takes a quality of 0 to 100 (webp:80)"
                                              : "avif takes a quality of 0 to 100 (avif:60)", e);
    s->to = s->from;
    return UT_OK;
}

static ut_status set_resize(ut_channel_step *s, const char *text, const char *arg, ut_err *e)
{
    uint64_t v;
    if (!millionths(arg, &v) || v < UT_MILLION / 20)
        return bad(text, "resize takes a factor of 0.05 to 4 (resize:0.75) or a width of 16 or more (resize:1600)", e);
    if (v <= 4ull * UT_MILLION) {
        s->kind = UT_STEP_FACTOR;
        s->ppm = (uint32_t)v;
        return UT_OK;
    }
    s->kind = UT_STEP_CAP;
    s->cap = (uint32_t)(v / UT_MILLION);
    if (v % UT_MILLION || v / UT_MILLION < 16 || v / UT_MILLION > UT_MAX_SIDE)
        return bad(text, "resize takes a factor of 0.05 to 4 (resize:0.75) or a width of 16 to 65535 (resize:1600)", e);
    return UT_OK;
}

static ut_status set_crop(ut_channel_step *s, const char *text, const char *arg, ut_err *e)
{
    uint64_t v;
    s->kind = UT_STEP_CROP;
    if (!millionths(arg, &v) || v < UT_MILLION / 20 || v > UT_MILLION)
        return bad(text, "crop takes the share of each side that is kept, 0.05 to 1 (crop:0.9)", e);
    s->ppm = (uint32_t)v;
    return UT_OK;
}

static ut_status set_profile(ut_channel_step *s, const char *text, const char *name, const char *arg, const char *dir,
                             ut_err *e)
{
    ut_profile *p = ut_calloc(1, sizeof *p, e);
    if (!p) return UT_E_MEMORY;
    s->kind = UT_STEP_PROFILE;
    s->profile = p; /* owned by the channel from here on */
    ut_status st = ut_profile_find(name, dir, p, e);
    if (st != UT_OK) return st;
    s->from = p->quality_from;
    s->to = p->quality_to;
    if (!arg) return UT_OK;
    unsigned q;
    if (!whole(&arg, 100, &q) || *arg || s->from == s->to || q < s->from || q > s->to)
        return bad(text, s->from == s->to ? "this profile takes no quality" : "the quality is outside the profile's range", e);
    s->from = s->to = q;
    return UT_OK;
}

static ut_status one_step(ut_channel_step *s, const char *text, const char *dir, ut_err *e)
{
    char name[64];
    const char *colon = strchr(text, ':'), *arg = colon ? colon + 1 : NULL;
    size_t n = colon ? (size_t)(colon - text) : strlen(text);
    if (!n) return ut_fail(e, UT_E_USAGE, "a channel step is empty: write steps with \"+\" between them, as in "
                           "resize:1600+jpeg:80");
    if (n >= sizeof name) return bad(text, "the name is too long", e);
    memcpy(name, text, n);
    name[n] = 0;
    bool png = strcmp(name, "png") == 0, crop = strcmp(name, "crop") == 0;
    bool jpeg = strcmp(name, "jpeg") == 0 || strcmp(name, "jpg") == 0, resize = strcmp(name, "resize") == 0;
    bool webp = strcmp(name, "webp") == 0, avif = strcmp(name, "avif") == 0;
    if (strncmp(name, "any", 3) == 0) return bad(text, "names that begin with \"any\" are reserved", e);
    if (png) {
        s->kind = UT_STEP_PNG;
        return arg ? bad(text, "png takes no argument", e) : UT_OK;
    }
    if ((jpeg || webp || avif || resize || crop) && !arg) arg = "";
    if (jpeg) return set_jpeg(s, text, arg, e);
    if (webp) return set_quality(s, UT_STEP_WEBP, text, arg, e);
    if (avif) return set_quality(s, UT_STEP_AVIF, text, arg, e);
    if (resize) return set_resize(s, text, arg, e);
    if (crop) return set_crop(s, text, arg, e);
    return set_profile(s, text, name, arg, dir, e);
}

static void add_note(ut_channel *c, const ut_profile *p)
{
    size_t at = strlen(c->note);
    if (!p->note[0] && p->measured) return;
    snprintf(c->note + at, sizeof c->note - at, "%s%s: %s", at ? "; " : "", p->name,
             p->note[0] ? p->note : "not measured on the platform");
}

ut_status ut_channel_parse(const char *spec, const char *profile_dir, ut_channel **out, ut_err *e)
{
    *out = NULL;
    if (!spec || !*spec) return ut_fail(e, UT_E_USAGE, "a channel has no name: give one like jpeg:75-95, png or whatsapp");
    if (strlen(spec) >= UT_CHANNEL_SPEC)
        return ut_fail(e, UT_E_USAGE, "a channel's name is longer than %d bytes", UT_CHANNEL_SPEC - 1);
    ut_channel *c = ut_calloc(1, sizeof *c, e);
    if (!c) return UT_E_MEMORY;
    strcpy(c->spec, spec);
    c->nvariants = 1;
    ut_status s = UT_OK;
    for (const char *at = spec; s == UT_OK && at;) {
        char text[UT_CHANNEL_SPEC];
        size_t n = strcspn(at, "+");
        memcpy(text, at, n);
        text[n] = 0;
        at = at[n] ? at + n + 1 : NULL;
        if (c->nsteps == UT_CHANNEL_STEPS) {
            s = ut_fail(e, UT_E_USAGE, "channel \"%.60s\" has more than %d steps", spec, UT_CHANNEL_STEPS);
            break;
        }
        ut_channel_step *step = &c->step[c->nsteps++];
        s = one_step(step, text, profile_dir, e);
        if (s != UT_OK) break;
        c->nvariants *= ut_step_nvariants(step);
        if (c->nvariants > UT_CHANNEL_VARIANTS)
            s = ut_fail(e, UT_E_USAGE, "channel \"%.60s\" has more than %d variants: use narrower ranges", spec,
                        UT_CHANNEL_VARIANTS);
        if (step->profile) add_note(c, step->profile);
    }
    if (s != UT_OK) {
        ut_channel_free(c);
        return s;
    }
    *out = c;
    return UT_OK;
}

void ut_channel_free(ut_channel *c)
{
    if (!c) return;
    for (size_t i = 0; i < c->nsteps; i++) free(c->step[i].profile);
    free(c);
}

const char *ut_channel_spec(const ut_channel *c) { return c->spec; }
const char *ut_channel_note(const ut_channel *c) { return c->note[0] ? c->note : NULL; }
size_t ut_channel_nvariants(const ut_channel *c) { return c->nvariants; }

/* Both ends and the multiples of five strictly between them. */
size_t ut_step_nvariants(const ut_channel_step *s)
{
    return s->from == s->to ? 1 : 2 + (s->to - 1) / 5 - s->from / 5;
}
unsigned ut_step_quality(const ut_channel_step *s, size_t i)
{
    if (i == 0) return s->from;
    if (i + 1 == ut_step_nvariants(s)) return s->to;
    return (s->from / 5 + (unsigned)i) * 5;
}
size_t ut_step_variant(const ut_channel *c, size_t k, size_t i)
{
    for (size_t j = c->nsteps; j-- > k + 1;) i /= ut_step_nvariants(&c->step[j]);
    return i % ut_step_nvariants(&c->step[k]);
}

static void decimal(char *to, size_t n, const char *name, uint32_t ppm)
{
    int len = snprintf(to, n, "%s:%u.%06u", name, ppm / UT_MILLION, ppm % UT_MILLION);
    while (len > 0 && (size_t)len < n && to[len - 1] == '0') to[--len] = 0;
    if (len > 0 && (size_t)len < n && to[len - 1] == '.') to[--len] = 0;
}

void ut_channel_variant_name(const ut_channel *c, size_t i, char *name, size_t nname)
{
    size_t at = 0;
    if (nname) name[0] = 0;
    for (size_t k = 0; k < c->nsteps && at < nname; k++) {
        const ut_channel_step *s = &c->step[k];
        unsigned q = ut_step_quality(s, ut_step_variant(c, k, i));
        char one[64] = "png";
        if (s->kind == UT_STEP_JPEG)
            snprintf(one, sizeof one, "jpeg:%u%s", q, !s->sampling_named ? "" : s->hsamp == 1 ? ":444" : s->vsamp == 1
                     ? ":422" : ":420");
        if (s->kind == UT_STEP_WEBP) snprintf(one, sizeof one, "webp:%u", q);
        if (s->kind == UT_STEP_AVIF) snprintf(one, sizeof one, "avif:%u", q);
        if (s->kind == UT_STEP_CAP) snprintf(one, sizeof one, "resize:%u", s->cap);
        if (s->kind == UT_STEP_FACTOR) decimal(one, sizeof one, "resize", s->ppm);
        if (s->kind == UT_STEP_CROP) decimal(one, sizeof one, "crop", s->ppm);
        if (s->kind == UT_STEP_PROFILE)
            snprintf(one, sizeof one, s->profile->quality_from == s->profile->quality_to ? "%s" : "%s:%u",
                     s->profile->name, q);
        int n = snprintf(name + at, nname - at, "%s%s", k ? "+" : "", one);
        at += n > 0 ? (size_t)n : 0;
    }
}
