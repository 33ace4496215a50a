/* An album's payload out of the symbols that its photos brought, whole or in ranges. */
#include "pipeline/album.h"
#include "stage/fec/erasure.h"
#include <stdlib.h>
#include <string.h>

enum { MAX_CUTS = 4096 }; /* of photos with lost segments only so many places where something begins or ends are looked at */

typedef struct pieces {
    const ut_share *share;
    size_t symbol_nbytes;
    size_t *cut;           /* places in a symbol where what is there may change: sorted */
    size_t ncuts;
    const ut_member *from[UT_ERASURE_MAX_SYMBOLS]; /* which photo brings a symbol; NULL: none */
} pieces;

static int by_place(const void *a, const void *b)
{
    size_t x = *(const size_t *)a, y = *(const size_t *)b;
    return (x > y) - (x < y);
}

/* Where symbol s lies in its photo's message. */
static size_t place_of(const pieces *p, const ut_member *m, unsigned s)
{
    return m->head_nbytes + (s - ut_share_first(&m->share, m->share.index)) * p->symbol_nbytes;
}

/* Segments' borders inside that photo's symbols, if segments are missing. */
static void add_cuts(pieces *p, const ut_member *m, unsigned first, unsigned n)
{
    const ut_opened *o = &m->opened;
    for (size_t i = 1; i <= o->nsegments && p->ncuts < MAX_CUTS; i++) {
        size_t border = i * UT_SEGMENT_NBYTES, end = place_of(p, m, first) + n * p->symbol_nbytes;
        bool before = o->segment_ok[i - 1], after = i < o->nsegments && o->segment_ok[i];
        if (before == after || border <= m->head_nbytes || border >= end) continue;
        p->cut[p->ncuts++] = (border - m->head_nbytes) % p->symbol_nbytes;
    }
}

static bool has(const pieces *p, unsigned s, size_t from, size_t to)
{
    const ut_member *m = p->from[s];
    if (!m) return false;
    if (!m->opened.nsegments_lost) return true;
    size_t at = place_of(p, m, s);
    for (size_t i = (at + from) / UT_SEGMENT_NBYTES; i * UT_SEGMENT_NBYTES < at + to; i++)
        if (!m->opened.segment_ok[i]) return false;
    return true;
}

/* Payload bytes that are not there: their segments are lost. */
static void lose(ut_opened *o, size_t from, size_t to, size_t nbytes)
{
    if (to > nbytes) to = nbytes;
    for (size_t i = from / UT_SEGMENT_NBYTES; from < to && i * UT_SEGMENT_NBYTES < to; i++) {
        o->nsegments_lost += o->segment_ok[i];
        o->segment_ok[i] = 0;
    }
}

static ut_status range(const pieces *p, size_t from, size_t to, unsigned nthreads, ut_opened *o, ut_err *e)
{
    const uint8_t *symbol[UT_ERASURE_MAX_SYMBOLS];
    unsigned nsymbols = ut_share_first(p->share, p->share->nphotos);
    for (unsigned s = 0; s < nsymbols; s++)
        symbol[s] = has(p, s, from, to) ? p->from[s]->opened.plain.data + place_of(p, p->from[s], s) : NULL;
    ut_err err = { 0 };
    ut_status st = ut_erasure_decode(p->share->ndata, nsymbols, p->symbol_nbytes, symbol, from, to, o->plain.data, nthreads, &err);
    if (st != UT_E_DAMAGED) {
        if (st != UT_OK) *e = err;
        return st;
    }
    for (unsigned s = 0; s < p->share->ndata; s++)
        if (!symbol[s]) lose(o, s * p->symbol_nbytes + from, s * p->symbol_nbytes + to, p->share->payload_nbytes);
    return UT_OK;
}

static ut_status prepare(pieces *p, ut_opened *o, ut_err *e)
{
    size_t room = p->share->ndata * p->symbol_nbytes;
    *o = (ut_opened){ .nsegments = (p->share->payload_nbytes - 1) / UT_SEGMENT_NBYTES + 1 };
    p->cut = ut_calloc(MAX_CUTS + 2, sizeof *p->cut, e);
    o->segment_ok = ut_calloc(o->nsegments, 1, e);
    if (!p->cut || !o->segment_ok) return UT_E_MEMORY;
    memset(o->segment_ok, 1, o->nsegments);
    return ut_buf_resize(&o->plain, room, e);
}

ut_status ut_album_assemble(const ut_member *m, size_t n, unsigned nthreads, ut_opened *joined, ut_err *e)
{
    pieces p = { 0 };
    for (size_t i = 0; i < n && !p.share; i++)
        if (m[i].used) p.share = &m[i].share;
    *joined = (ut_opened){ 0 };
    if (!p.share) return ut_fail(e, UT_E_INTERNAL, "an album of no photos");
    p.symbol_nbytes = ut_share_symbol_nbytes(p.share);
    ut_status s = prepare(&p, joined, e);
    for (size_t i = 0; i < n && s == UT_OK; i++) {
        if (!m[i].used) continue;
        const ut_share *h = &m[i].share;
        unsigned first = ut_share_first(h, h->index);
        for (unsigned k = 0; k < h->nsymbols[h->index]; k++) p.from[first + k] = &m[i];
        if (m[i].opened.nsegments_lost) add_cuts(&p, &m[i], first, h->nsymbols[h->index]);
    }
    if (s == UT_OK) {
        p.cut[p.ncuts++] = 0;
        p.cut[p.ncuts++] = p.symbol_nbytes;
        qsort(p.cut, p.ncuts, sizeof *p.cut, by_place);
    }
    for (size_t i = 0; i + 1 < p.ncuts && s == UT_OK; i++)
        if (p.cut[i] < p.cut[i + 1]) s = range(&p, p.cut[i], p.cut[i + 1], nthreads, joined, e);
    if (s == UT_OK) s = ut_buf_resize(&joined->plain, p.share->payload_nbytes, e);
    for (size_t i = 0; i < joined->nsegments && s == UT_OK; i++) { /* what could not be told stays silent */
        size_t at = i * UT_SEGMENT_NBYTES, rest = joined->plain.len - at;
        if (!joined->segment_ok[i]) memset(joined->plain.data + at, 0, rest < UT_SEGMENT_NBYTES ? rest : UT_SEGMENT_NBYTES);
    }
    free(p.cut);
    if (s != UT_OK) ut_opened_free(joined);
    return s;
}
