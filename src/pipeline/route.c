#include "pipeline/route.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static ut_status add_variant(ut_route *r, const ut_channel *c, size_t index, ut_err *e)
{
    if (r->nvariants == UT_ROUTE_MAX_VARIANTS)
        return ut_fail(e, UT_E_USAGE, "too many channels: more than %d cases to check; ask for fewer or narrower ranges",
                       UT_ROUTE_MAX_VARIANTS);
    ut_variant *v = &r->variant[r->nvariants++];
    *v = (ut_variant){ .channel = c, .index = index };
    if (c) ut_channel_variant_name(c, index, v->name, sizeof v->name);
    else snprintf(v->name, sizeof v->name, "as sent");
    return UT_OK;
}

/* Qualities that lie between two variants of one range. */
static ut_status add_between(ut_route *r, ut_err *e)
{
    r->between_channel = ut_calloc(UT_ROUTE_MAX_VARIANTS, sizeof(ut_channel *), e);
    if (!r->between_channel) return UT_E_MEMORY;
    for (size_t i = 2; i < r->nvariants; i++) {
        const ut_variant *a = &r->variant[i - 1], *b = &r->variant[i];
        unsigned qa, qb;
        int na = 0, nb = 0;
        if (a->channel != b->channel || sscanf(a->name, "jpeg:%u%n", &qa, &na) != 1 || sscanf(b->name, "jpeg:%u%n", &qb, &nb) != 1 ||
            strcmp(a->name + na, b->name + nb) || strchr(b->name, '+'))
            continue;
        for (unsigned q = qa + 1; q < qb && r->nbetween < UT_ROUTE_MAX_VARIANTS; q++) {
            ut_variant *v = &r->between[r->nbetween];
            *v = (ut_variant){ .index = 0 };
            snprintf(v->name, sizeof v->name, "jpeg:%u%.40s", q, b->name + nb);
            ut_status s = ut_channel_parse(v->name, NULL, &r->between_channel[r->nbetween], e);
            if (s != UT_OK) return s;
            v->channel = r->between_channel[r->nbetween++];
        }
    }
    return UT_OK;
}

/* What "any" stands for. */
static const char *const any[] = { "jpeg:50-95", "webp:80", "resize:0.75+jpeg:85" };
enum { NANY = sizeof any / sizeof *any };

/* The names with every "any" spelt out, owned; n: how many. */
static const char **spell_out(const char *const *specs, size_t *n, ut_err *e)
{
    const char **all = ut_calloc(*n * NANY, sizeof *all, e);
    size_t m = 0;
    for (size_t i = 0; all && i < *n; i++) {
        if (strcmp(specs[i], "any") != 0) all[m++] = specs[i];
        else for (size_t k = 0; k < NANY; k++) all[m++] = any[k];
    }
    *n = m;
    return all;
}

ut_status ut_route_init(ut_route *r, const char *const *specs, size_t nspecs, const char *profile_dir, ut_err *e)
{
    static const char *const fallback[] = { "jpeg:75-95" };
    *r = (ut_route){ .lossless = true };
    if (!nspecs) specs = fallback, nspecs = 1;
    const char **all = spell_out(specs, &nspecs, e);
    if (!all) return UT_E_MEMORY;
    r->channel = ut_calloc(nspecs, sizeof(ut_channel *), e);
    ut_status s = r->channel ? add_variant(r, NULL, 0, e) : UT_E_MEMORY;
    for (size_t i = 0; i < nspecs && s == UT_OK; i++) {
        s = ut_channel_parse(all[i], profile_dir, &r->channel[i], e);
        if (s != UT_OK) break;
        const ut_channel *c = r->channel[i];
        r->nchannels++;
        r->lossless = r->lossless && ut_channel_is_lossless(c);
        if (ut_channel_is_lossless(c)) continue; /* the same as "as sent" */
        for (size_t k = 0; k < ut_channel_nvariants(c) && s == UT_OK; k++) s = add_variant(r, c, k, e);
    }
    free(all);
    if (s == UT_OK) s = add_between(r, e);
    if (s != UT_OK) ut_route_free(r);
    return s;
}

void ut_route_free(ut_route *r)
{
    for (size_t i = 0; i < r->nchannels; i++) ut_channel_free(r->channel[i]);
    for (size_t i = 0; i < r->nbetween; i++) ut_channel_free(r->between_channel[i]);
    free(r->between_channel);
    free(r->channel);
    *r = (ut_route){ 0 };
}

ut_status ut_route_fit(const ut_route *r, uint32_t width, uint32_t height, uint32_t *fw, uint32_t *fh, ut_err *e)
{
    *fw = width;
    *fh = height;
    for (int pass = 0; pass < 4; pass++) {
        uint32_t w0 = *fw, h0 = *fh;
        for (size_t i = 0; i < r->nchannels; i++) ut_channel_fit(r->channel[i], *fw, *fh, fw, fh);
        if (*fw == w0 && *fh == h0) return UT_OK;
    }
    return ut_fail(e, UT_E_USAGE, "the channels ask for picture sizes that contradict each other; hide for one platform at a time");
}
