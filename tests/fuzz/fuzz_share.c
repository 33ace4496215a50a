/* Shares of whoever has the key: photos of an album that lie about it and about one another.  Byte 0: how many photos and which segments are lost;
 * then each photo's plain bytes, their length before them in two bytes. */
#include "pipeline/album.h"
#include <stdlib.h>
#include <string.h>

enum { MOST = 4 };

static size_t take(const uint8_t *data, size_t n, ut_member *m, unsigned lost)
{
    if (n < 2) return n;
    size_t want = (size_t)data[0] | (size_t)data[1] << 8;
    if (want > n - 2) want = n - 2;
    m->name = "photo";
    if (ut_buf_append(&m->opened.plain, data + 2, want, NULL) != UT_OK) abort();
    m->opened.nsegments = want ? (want - 1) / 2048 + 1 : 1;
    m->opened.segment_ok = malloc(m->opened.nsegments);
    if (!m->opened.segment_ok) abort();
    for (size_t i = 0; i < m->opened.nsegments; i++) {
        m->opened.segment_ok[i] = !(lost && i % 3 == lost);
        m->opened.nsegments_lost += !m->opened.segment_ok[i];
    }
    m->status = m->opened.nsegments_lost ? UT_E_DAMAGED : UT_OK;
    return want + 2;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    ut_member m[MOST] = { 0 };
    ut_opened joined;
    ut_reveal_options o;
    static ut_reveal_report rep;
    ut_err e = { 0 };
    if (n < 3) return 0;
    size_t count = 1 + data[0] % MOST, at = 1;
    for (size_t i = 0; i < count; i++) at += take(data + at, n - at, &m[i], data[0] >> (2 + 2 * (i & 1)) & 3);
    for (size_t i = 0; i < count; i++) {
        ut_share s;
        size_t head;
        uint8_t again[UT_SHARE_MAX_HEAD];
        if (ut_share_get(m[i].opened.plain.data, m[i].opened.plain.len, &s, &head, NULL) != UT_OK) continue;
        if (ut_share_put(&s, again) != head || memcmp(again, m[i].opened.plain.data, head)) abort();
    }
    ut_reveal_options_init(&o);
    o.nthreads = 1;
    o.partial = data[0] >> 7;
    ut_status s = ut_album_join(m, count, &o, &rep, &joined, &e);
    if (s == UT_E_INTERNAL || (s != UT_OK && (!e.text[0] || joined.plain.data))) abort();
    if (s == UT_OK && (!joined.plain.len || (!o.partial && joined.nsegments_lost))) abort();
    ut_opened_free(&joined);
    for (size_t i = 0; i < count; i++) ut_opened_free(&m[i].opened);
    return 0;
}
