/* Albums without pictures: shares, how they are cut, and joining them in every combination, whole and damaged. */
#include "check.h"
#include "pipeline/album.h"
#include "stage/fec/erasure.h"

static unsigned long long seed = 0xa1b0ull;
static unsigned below(unsigned n) { return (unsigned)((unsigned long long)check_rand(&seed) * n >> 32); }

/* An album of payload bytes, cut for such rooms. */
typedef struct album {
    ut_share share;
    uint8_t *payload;
    size_t n, nbytes;
    ut_member member[UT_ALBUM_MAX_PHOTOS];
    char name[UT_ALBUM_MAX_PHOTOS][24];
} album;

static void make(album *a, const size_t *room, size_t n, unsigned any, size_t nbytes)
{
    *a = (album){ .n = n, .nbytes = nbytes, .payload = malloc(nbytes) };
    for (size_t i = 0; i < nbytes; i++) a->payload[i] = (uint8_t)check_rand(&seed);
    size_t fits = ut_album_fit(room, n, any, a->share.nsymbols, &a->share.ndata);
    CHECK(fits >= nbytes, "%zu bytes fit", fits);
    a->share.nphotos = (unsigned)n;
    a->share.needed = any;
    a->share.payload_nbytes = nbytes;
    memset(a->share.album, (int)below(256), sizeof a->share.album);
    size_t len = ut_share_symbol_nbytes(&a->share);
    for (size_t i = 0; i < n; i++) {
        ut_member *m = &a->member[i];
        uint8_t head[UT_SHARE_MAX_HEAD];
        a->share.index = (unsigned)i;
        size_t h = ut_share_put(&a->share, head);
        CHECK(h == ut_share_head_nbytes(&a->share) && ut_share_is(head, h));
        CHECK(a->share.nsymbols[i] * len <= room[i], "photo %zu: %zu bytes of %zu", i, a->share.nsymbols[i] * len, room[i]);
        if (ut_buf_append(&m->opened.plain, head, h, NULL) != UT_OK || ut_buf_resize(&m->opened.plain, h + a->share.nsymbols[i] * len, NULL) != UT_OK) abort();
        CHECK(ut_erasure_encode(a->share.ndata, len, a->payload, nbytes, ut_share_first(&a->share, (unsigned)i), a->share.nsymbols[i],
                                m->opened.plain.data + h, 1, NULL) == UT_OK);
        m->opened.nsegments = (m->opened.plain.len - 1) / 2048 + 1;
        m->opened.segment_ok = malloc(m->opened.nsegments);
        memset(m->opened.segment_ok, 1, m->opened.nsegments);
        snprintf(a->name[i], sizeof a->name[i], "%zu.png", i);
        m->name = a->name[i];
    }
}

static void drop(album *a)
{
    for (size_t i = 0; i < a->n; i++) ut_opened_free(&a->member[i].opened);
    free(a->payload);
}

static ut_status join(ut_member *m, size_t n, int partial, ut_opened *joined, ut_reveal_report *rep, ut_err *e)
{
    ut_reveal_options o;
    ut_reveal_options_init(&o);
    o.partial = partial;
    o.nthreads = 1;
    *rep = (ut_reveal_report){ 0 };
    *e = (ut_err){ 0 };
    for (size_t i = 0; i < n; i++) m[i].why[0] = 0;
    return ut_album_join(m, n, &o, rep, joined, e);
}

/* Those photos, in this order. */
static void check_some(const album *a, const size_t *which, size_t n)
{
    ut_member m[UT_ALBUM_MAX_PHOTOS];
    ut_opened joined;
    ut_reveal_report rep;
    ut_err e;
    unsigned nsymbols = 0; /* rich photos may suffice though they are fewer */
    for (size_t i = 0; i < n; i++) m[i] = a->member[which[i]], nsymbols += a->share.nsymbols[which[i]];
    ut_status s = join(m, n, 0, &joined, &rep, &e);
    CHECK(n < a->share.needed || nsymbols >= a->share.ndata);
    if (nsymbols >= a->share.ndata)
        CHECK(s == UT_OK && joined.plain.len == a->nbytes && !memcmp(joined.plain.data, a->payload, a->nbytes) && rep.album_nused == n, "%zu photos: %s", n, e.text);
    else
        CHECK(s == UT_E_INPUT && !joined.plain.data && strstr(e.text, "needed"), "%zu photos: %d %s", n, s, e.text);
    ut_opened_free(&joined);
}

/* All subsets; each in order, backwards and shuffled. */
static void every_subset(const size_t *room, size_t n, unsigned any, size_t nbytes)
{
    album a;
    make(&a, room, n, any, nbytes);
    for (unsigned mask = 1; mask < 1u << n; mask++) {
        size_t which[16], count = 0;
        for (size_t i = 0; i < n; i++)
            if (mask >> i & 1) which[count++] = i;
        for (int order = 0; order < 3; order++) {
            check_some(&a, which, count);
            for (size_t i = 0; i < count; i++) {
                size_t k = order == 0 ? count - 1 - i : below((unsigned)count), t = which[i];
                if (order == 0 && k <= i) break;
                which[i] = which[k], which[k] = t;
            }
        }
    }
    drop(&a);
}

/* Any so many photos hold all, in proportion to their rooms where all are needed. */
static void fits(void)
{
    for (int t = 0; t < 300; t++) {
        size_t room[UT_ALBUM_MAX_PHOTOS], n = 2 + below(t % 3 ? 6 : 63), total = 0;
        unsigned any = 1 + below((unsigned)n), ndata;
        uint8_t m[UT_ALBUM_MAX_PHOTOS], sorted[UT_ALBUM_MAX_PHOTOS];
        for (size_t i = 0; i < n; i++) total += room[i] = 2000 + below(20000);
        size_t got = ut_album_fit(room, n, any, m, &ndata), sum = 0, least = 0, unit = got / ndata;
        for (size_t i = 0; i < n; i++) sum += sorted[i] = m[i];
        for (size_t i = 1; i < n; i++)
            for (size_t k = i; k > 0 && sorted[k] < sorted[k - 1]; k--) {
                uint8_t x = sorted[k];
                sorted[k] = sorted[k - 1], sorted[k - 1] = x;
            }
        for (size_t i = 0; i < any; i++) least += sorted[i];
        CHECK(got && sum <= 256 && least == ndata, "%zu photos, any %u: %zu bytes, %zu symbols, the poorest have %zu of %u", n, any, got, sum, least, ndata);
        for (size_t i = 0; i < n; i++) CHECK(m[i] && m[i] * unit <= room[i]);
        if (any == n && n < 8) CHECK(got > total / 100 * 94, "%zu of %zu", got, total);
        if (any > 1) CHECK(ut_album_nbytes(room, n, any) >= ut_album_nbytes(room, n, any - 1));
    }
    size_t tiny[] = { 50000, 90, 50000 }, none[] = { 0, 0 }, equal[] = { 3000, 3000 };
    CHECK(ut_album_nbytes(tiny, 3, 2) == 0 && ut_album_nbytes(none, 2, 1) == 0 && ut_album_nbytes(equal, 2, 3) == 0 && ut_album_nbytes(equal, 0, 0) == 0);
    CHECK(ut_album_nbytes(equal, 2, 0) == ut_album_nbytes(equal, 2, 2) && ut_album_nbytes(equal, 1, 1) == 3000);
    CHECK(ut_album_nbytes(equal, 2, 1) > 2800 && ut_album_nbytes(equal, 2, 2) > 5600);
}

/* Shares that lie. */
static void hostile(void)
{
    size_t room[] = { 3000, 4000, 5000 };
    album a;
    make(&a, room, 3, 2, 6000);
    ut_buf *p = &a.member[1].opened.plain;
    ut_share s;
    size_t head;
    CHECK(ut_share_get(p->data, p->len, &s, &head, NULL) == UT_OK && head == a.member[1].opened.plain.len - s.nsymbols[1] * ut_share_symbol_nbytes(&s));
    CHECK(s.index == 1 && ut_share_fits(&s, &a.share));
    for (size_t n = 0; n < p->len; n++) { /* cut short */
        uint8_t *cut = malloc(n + 1);
        memcpy(cut, p->data, n);
        CHECK(ut_share_get(cut, n, &s, &head, NULL) == UT_E_INPUT, "%zu bytes", n);
        free(cut);
    }
    static const struct { int at; uint8_t value; } lie[] = { { 0, 0x2c }, { 0, 0x54 }, { 17, 0 }, { 17, 65 }, { 17, 4 }, { 18, 0 }, { 18, 4 }, { 18, 1 },
                                                           { 19, 3 }, { 20, 255 }, { 21, 0x80 }, { 23, 0 }, { 23, 255 }, { 24, 1 }, { 25, 0 } };
    for (size_t i = 0; i < sizeof lie / sizeof *lie; i++) {
        uint8_t was = p->data[lie[i].at];
        p->data[lie[i].at] = lie[i].value;
        CHECK(ut_share_get(p->data, p->len, &s, &head, NULL) == UT_E_INPUT, "byte %d = %u", lie[i].at, lie[i].value);
        p->data[lie[i].at] = was;
    }
    drop(&a);
}

/* Wrong combinations, and photos that give nothing. */
static void mixtures(void)
{
    size_t room[] = { 9000, 14000, 11000 };
    album a, b;
    ut_member m[4];
    ut_opened joined;
    ut_reveal_report rep;
    ut_err e;
    make(&a, room, 3, 2, 15000);
    make(&b, room, 3, 2, 15000);
    m[0] = a.member[0], m[1] = b.member[1], m[2] = a.member[2];
    b.name[1][0] = 'x';
    CHECK(join(m, 3, 0, &joined, &rep, &e) == UT_E_INPUT && strstr(e.text, "x.png belongs to another album"), "%s", e.text);
    m[1].opened.plain.data[1] ^= 1; /* another album's number does not matter; now both b's differ, still none fits */
    CHECK(join(m, 2, 0, &joined, &rep, &e) == UT_E_INPUT && strstr(e.text, "belongs to another"), "%s", e.text);
    m[1].opened.plain.data[1] ^= 1;
    m[1] = a.member[0]; /* the same photo again */
    CHECK(join(m, 2, 0, &joined, &rep, &e) == UT_E_INPUT && strstr(e.text, "1 of 2 needed photos is here") && strstr(e.text, "same photo"), "%s", e.text);
    CHECK(join(m, 3, 0, &joined, &rep, &e) == UT_OK && rep.album_nused == 2 && strstr(rep.notice, "same photo"), "%s %s", e.text, rep.notice);
    CHECK(!memcmp(joined.plain.data, a.payload, a.nbytes));
    ut_opened_free(&joined);
    m[1] = (ut_member){ .name = "wrong.png", .status = UT_E_KEY, .why = "no message" };
    ut_reveal_options o;
    ut_reveal_options_init(&o);
    CHECK(ut_album_join(m, 3, &o, &rep, &joined, &e) == UT_OK && strstr(rep.notice, "wrong.png was not used: no message"), "%s", rep.notice);
    ut_opened_free(&joined);
    snprintf(m[1].why, sizeof m[1].why, "no message");
    CHECK(ut_album_join(m, 2, &o, &rep, &joined, &e) == UT_E_DAMAGED && strstr(e.text, "one more of this album is needed; wrong.png cannot be used: no message"), "%s", e.text);
    snprintf(m[1].why, sizeof m[1].why, "no message");
    CHECK(ut_album_join(m + 1, 1, &o, &rep, &joined, &e) == UT_E_KEY);
    uint8_t own[] = { 1 << 5 | 3 << 2, 1, 0 }, yes = 1;
    m[1] = (ut_member){ .name = "own.png", .opened = { { own, 3, 3 }, &yes, 1, 0 } };
    CHECK(join(m, 3, 0, &joined, &rep, &e) == UT_E_INPUT && strstr(e.text, "own.png holds a message of its own"), "%s", e.text);
    drop(&a);
    drop(&b);
}

/* Segments of photos are lost: what the others have makes up for it, or a part comes back. */
static void damaged(void)
{
    size_t room[] = { 30000, 50000, 40000 };
    album a;
    ut_member m[3];
    ut_opened joined;
    ut_reveal_report rep;
    ut_err e;
    make(&a, room, 3, 2, 60000);
    for (int t = 0; t < 60; t++) {
        size_t lost = 0;
        for (size_t i = 0; i < 3; i++) {
            m[i] = a.member[i];
            memset(m[i].opened.segment_ok, 1, m[i].opened.nsegments);
            m[i].opened.nsegments_lost = 0;
            m[i].status = UT_OK;
            for (unsigned k = below(t < 30 ? 4 : 12); k > 0; k--) {
                size_t at = 1 + below((unsigned)m[i].opened.nsegments - 1);
                m[i].opened.nsegments_lost += m[i].opened.segment_ok[at];
                m[i].opened.segment_ok[at] = 0;
                m[i].status = UT_E_DAMAGED;
            }
            lost += m[i].opened.nsegments_lost;
        }
        ut_status s = join(m, 3, 0, &joined, &rep, &e);
        CHECK(s == UT_OK || (s == UT_E_DAMAGED && !joined.plain.data && strstr(e.text, "damaged")), "%s", e.text);
        if (s == UT_OK) CHECK(!memcmp(joined.plain.data, a.payload, a.nbytes) && joined.nsegments_lost == 0, "%zu lost", lost);
        if (t < 10) CHECK(s == UT_OK || lost > 3, "%zu segments lost: %s", lost, e.text);
        ut_opened_free(&joined);
        s = join(m, 3, 1, &joined, &rep, &e);
        CHECK(s == UT_OK, "%s", e.text);
        for (size_t i = 0; s == UT_OK && i < joined.nsegments; i++) {
            size_t at = i * 2048, n = a.nbytes - at < 2048 ? a.nbytes - at : 2048;
            CHECK(!joined.segment_ok[i] || !memcmp(joined.plain.data + at, a.payload + at, n), "segment %zu is wrong", i);
        }
        ut_opened_free(&joined);
    }
    /* one photo whole, one short of a segment, the third missing: the damaged one is asked for what it has, and is not enough */
    memset(m[0].opened.segment_ok, 1, m[0].opened.nsegments);
    m[0].opened.nsegments_lost = 0, m[0].status = UT_OK;
    memset(m[1].opened.segment_ok, 1, m[1].opened.nsegments);
    m[1].opened.segment_ok[3] = 0, m[1].opened.nsegments_lost = 1, m[1].status = UT_E_DAMAGED;
    CHECK(join(m, 2, 1, &joined, &rep, &e) == UT_OK && joined.nsegments_lost > 0 && joined.nsegments_lost < joined.nsegments);
    ut_opened_free(&joined);
    drop(&a);
}

int main(void)
{
    static const size_t even[] = { 5000, 5000, 5000, 5000, 5000 }, uneven[] = { 900, 20000, 4000, 7000, 12000 };
    for (unsigned any = 1; any <= 5; any++) {
        every_subset(even, 5, any, 4000 * any);
        every_subset(uneven, 5, any, 700 * any);
    }
    every_subset(even, 2, 2, 2000);
    every_subset(even, 3, 2, 17);
    every_subset(uneven, 4, 4, 30000);
    fits();
    hostile();
    mixtures();
    damaged();
    return check_end();
}
