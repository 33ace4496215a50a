/* Which of the photos at hand make an album, and what to say where they do not. */
#include "pipeline/album.h"
#include <stdio.h>
#include <string.h>

static const char *plural(size_t n, const char *one, const char *many) { return n == 1 ? one : many; }

bool ut_member_is_share(const ut_member *m)
{
    const ut_opened *o = &m->opened;
    return (m->status == UT_OK || m->status == UT_E_DAMAGED) && o->nsegments && o->segment_ok[0] && ut_share_is(o->plain.data, o->plain.len);
}

static void explain(ut_member *m, const char *why)
{
    if (!m->why[0]) snprintf(m->why, sizeof m->why, "%s", why);
}

/* Shares out of what was opened.  UT_E_INPUT: a photo with a message of its own. */
static ut_status read_shares(ut_member *m, size_t n, ut_err *e)
{
    for (size_t i = 0; i < n; i++) {
        ut_err why = { 0 };
        ut_member *p = &m[i];
        p->is_share = false;
        if (ut_member_is_share(p)) {
            p->is_share = ut_share_get(p->opened.plain.data, p->opened.plain.len, &p->share, &p->head_nbytes, &why) == UT_OK;
            if (!p->is_share) explain(p, why.text);
        } else if (p->status == UT_OK) {
            return ut_fail(e, UT_E_INPUT, "%s holds a message of its own and is no part of an album; reveal it by itself", p->name);
        } else {
            explain(p, "its message is damaged beyond use");
        }
    }
    return UT_OK;
}

/* The album that most of the photos belong to; NULL: none of them has a share. */
static const ut_member *find_album(const ut_member *m, size_t n)
{
    const ut_member *best = NULL;
    size_t most = 0;
    for (size_t i = 0; i < n; i++) {
        size_t same = 0;
        for (size_t k = 0; k < n && m[i].is_share; k++) same += m[k].is_share && ut_share_fits(&m[i].share, &m[k].share);
        if (same > most) most = same, best = &m[i];
    }
    return best;
}

static ut_status no_album(const ut_member *m, size_t n, ut_err *e)
{
    for (size_t i = 0; i < n; i++) /* the most telling reason */
        if (m[i].status != UT_E_KEY)
            return ut_fail(e, m[i].status == UT_OK ? UT_E_INPUT : m[i].status, "%s cannot be used: %s", m[i].name, m[i].why);
    return ut_fail(e, UT_E_KEY, "no message for this key was found in any of the %zu pictures: the key is wrong, nothing is hidden there, or "
                   "they were resized, cropped or compressed harder than they were made for", n);
}

static ut_status check_one_album(const ut_member *m, size_t n, const ut_member *album, ut_err *e)
{
    for (size_t i = 0; i < n; i++)
        if (m[i].is_share && !ut_share_fits(&m[i].share, &album->share))
            return ut_fail(e, UT_E_INPUT, "%s belongs to another album than %s; reveal each album by itself", m[i].name, album->name);
    return UT_OK;
}

/* Chooses whom to ask: of two copies of a photo the better, and damaged ones only where the others do not suffice. */
static void choose(ut_member *m, size_t n, const ut_share *album)
{
    char why[512];
    unsigned whole = 0;
    for (size_t i = 0; i < n; i++) {
        m[i].used = m[i].is_share;
        for (size_t k = 0; k < i && m[i].used; k++) {
            if (!m[k].used || m[k].share.index != m[i].share.index) continue;
            bool better = m[i].opened.nsegments_lost < m[k].opened.nsegments_lost;
            ut_member *out = better ? &m[k] : &m[i], *in = better ? &m[i] : &m[k];
            out->used = false;
            snprintf(why, sizeof why, "it is the same photo of the album as %.400s", in->name);
            explain(out, why);
        }
    }
    for (size_t i = 0; i < n; i++)
        if (m[i].used && !m[i].opened.nsegments_lost) whole += m[i].share.nsymbols[m[i].share.index];
    for (size_t i = 0; i < n && whole >= album->ndata; i++) {
        if (!m[i].used || !m[i].opened.nsegments_lost) continue;
        m[i].used = false;
        snprintf(why, sizeof why, "%zu of its %zu segments are lost, and the others suffice", m[i].opened.nsegments_lost, m[i].opened.nsegments);
        explain(&m[i], why);
    }
}

static void tell(const ut_member *m, size_t n, const ut_share *album, ut_reveal_report *r)
{
    r->album_nphotos = album->nphotos;
    r->album_needed = album->needed;
    r->album_nused = 0;
    r->notice[0] = 0;
    for (size_t i = 0; i < n; i++) {
        size_t at = strlen(r->notice);
        r->album_nused += m[i].used;
        if (!m[i].used && n > 1) snprintf(r->notice + at, sizeof r->notice - at, "%s%s was not used: %s", at ? "; " : "", m[i].name, m[i].why);
    }
}

/* Not all of the payload can be had.  Copies of a photo count once. */
static ut_status incomplete(const ut_member *m, size_t n, const ut_share *album, const ut_opened *joined, ut_err *e)
{
    unsigned here = 0, useless = 0;
    const ut_member *bad = NULL;
    for (size_t i = 0; i < n; i++) {
        here += m[i].used;
        if (m[i].used) continue;
        if (!bad || (bad->is_share && !m[i].is_share)) bad = &m[i];
        useless += !m[i].is_share;
    }
    if (here >= album->needed)
        return ut_fail(e, UT_E_DAMAGED, "photos enough of this album are here, but too much of them is damaged: %zu of the recording's %zu "
                       "segments are lost%s", joined->nsegments_lost, joined->nsegments,
                       joined->nsegments_lost < joined->nsegments ? "; --partial gives back what survived" : "");
    unsigned missing = album->needed - here;
    char more[24] = "one";
    if (missing > 1) snprintf(more, sizeof more, "%u", missing);
    return ut_fail(e, here + useless >= album->needed ? UT_E_DAMAGED : UT_E_INPUT,
                   "%u of %u needed photos %s here: %s more of this album %s needed%s%.120s%s%.220s", here, album->needed, plural(here, "is", "are"), more,
                   plural(missing, "is", "are"), bad ? "; " : "", bad ? bad->name : "", bad ? " cannot be used: " : "", bad ? bad->why : "");
}

ut_status ut_album_join(ut_member *m, size_t n, const ut_reveal_options *opt, ut_reveal_report *rep, ut_opened *joined, ut_err *e)
{
    *joined = (ut_opened){ 0 };
    ut_status s = read_shares(m, n, e);
    if (s != UT_OK) return s;
    const ut_member *album = find_album(m, n);
    if (!album) return no_album(m, n, e);
    s = check_one_album(m, n, album, e);
    if (s != UT_OK) return s;
    const ut_share *share = &album->share;
    choose(m, n, share);
    tell(m, n, share, rep);
    s = ut_album_assemble(m, n, opt->nthreads, joined, e);
    if (s != UT_OK) return s;
    rep->nsegments = joined->nsegments;
    rep->nsegments_lost = joined->nsegments_lost;
    if (joined->nsegments_lost && (!opt->partial || joined->nsegments_lost == joined->nsegments)) {
        s = incomplete(m, n, share, joined, e);
        ut_opened_free(joined);
    }
    return s;
}
