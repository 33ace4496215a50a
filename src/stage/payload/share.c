#include "stage/payload/share.h"
#include "stage/payload/payload_internal.h"
#include <stdlib.h>
#include <string.h>

enum { SHARE_KIND = 5 }; /* where payloads have their codec */

size_t ut_share_symbol_nbytes(const ut_share *s) { return (s->payload_nbytes - 1) / s->ndata + 1; }

unsigned ut_share_first(const ut_share *s, unsigned photo)
{
    unsigned n = 0;
    for (unsigned i = 0; i < photo; i++) n += s->nsymbols[i];
    return n;
}

size_t ut_share_put(const ut_share *s, uint8_t head[UT_SHARE_MAX_HEAD])
{
    size_t n = 0;
    head[n++] = UT_PAYLOAD_VERSION << 5 | SHARE_KIND << 2;
    memcpy(head + n, s->album, UT_ALBUM_ID_NBYTES);
    n += UT_ALBUM_ID_NBYTES;
    head[n++] = (uint8_t)s->nphotos;
    head[n++] = (uint8_t)s->needed;
    head[n++] = (uint8_t)s->index;
    head[n++] = (uint8_t)(s->ndata - 1);
    n += ut_varint_put(head + n, s->payload_nbytes);
    memcpy(head + n, s->nsymbols, s->nphotos);
    return n + s->nphotos;
}

size_t ut_share_head_nbytes(const ut_share *s)
{
    uint8_t head[UT_SHARE_MAX_HEAD];
    return ut_share_put(s, head);
}

bool ut_share_is(const uint8_t *plain, size_t n) { return n && plain[0] == (UT_PAYLOAD_VERSION << 5 | SHARE_KIND << 2); }

static int by_size(const void *a, const void *b) { return *(const uint8_t *)a - *(const uint8_t *)b; }

/* Any `needed` photos have enough symbols if the poorest have. */
static bool suffices(const ut_share *s)
{
    uint8_t sorted[UT_ALBUM_MAX_PHOTOS];
    unsigned n = 0;
    memcpy(sorted, s->nsymbols, s->nphotos);
    qsort(sorted, s->nphotos, 1, by_size);
    for (unsigned i = 0; i < s->needed; i++) n += sorted[i];
    return n >= s->ndata;
}

static bool parse(const uint8_t *p, size_t n, ut_share *s, size_t *head_nbytes)
{
    uint64_t nbytes;
    size_t at = 1 + UT_ALBUM_ID_NBYTES;
    *s = (ut_share){ 0 };
    if (!ut_share_is(p, n) || n < at + 4) return false;
    memcpy(s->album, p + 1, UT_ALBUM_ID_NBYTES);
    s->nphotos = p[at++];
    s->needed = p[at++];
    s->index = p[at++];
    s->ndata = p[at++] + 1u;
    size_t m = ut_varint_get(p + at, n - at, &nbytes);
    at += m;
    if (!m || !nbytes || nbytes > UT_SHARE_MAX_PAYLOAD || s->nphotos > UT_ALBUM_MAX_PHOTOS || n - at < s->nphotos) return false;
    if (!s->needed || s->needed > s->nphotos || s->index >= s->nphotos) return false;
    s->payload_nbytes = (size_t)nbytes;
    memcpy(s->nsymbols, p + at, s->nphotos);
    *head_nbytes = at + s->nphotos;
    for (unsigned i = 0; i < s->nphotos; i++)
        if (!s->nsymbols[i]) return false;
    return ut_share_first(s, s->nphotos) <= UT_SHARE_MAX_SYMBOLS && suffices(s) &&
           n - *head_nbytes == s->nsymbols[s->index] * ut_share_symbol_nbytes(s);
}

ut_status ut_share_get(const uint8_t *plain, size_t n, ut_share *s, size_t *head_nbytes, ut_err *e)
{
    if (parse(plain, n, s, head_nbytes)) return UT_OK;
    return ut_fail(e, UT_E_INPUT, "its share of an album contradicts itself; it was made by another version or by hand");
}

bool ut_share_fits(const ut_share *a, const ut_share *b)
{
    return a->nphotos == b->nphotos && a->needed == b->needed && a->ndata == b->ndata && a->payload_nbytes == b->payload_nbytes &&
           !memcmp(a->nsymbols, b->nsymbols, a->nphotos) && !memcmp(a->album, b->album, UT_ALBUM_ID_NBYTES);
}
