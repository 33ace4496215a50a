#include "stage/hide/lsb.h"
#include <stdlib.h>
#include <string.h>

static size_t nsamples(uint32_t w, uint32_t h) { return (size_t)w * h * 3; }

size_t ut_lsb_capacity(uint32_t width, uint32_t height, size_t reserved)
{
    size_t n = nsamples(width, height);
    return n > reserved ? 2 * (n - reserved) : 0;
}

static bool among(uint32_t v, const uint32_t *a, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (a[i] == v) return true;
    return false;
}

ut_status ut_lsb_draw(uint32_t *sample, size_t n, uint32_t width, uint32_t height, ut_stream *s, const uint32_t *avoid,
                      size_t navoid, ut_err *e)
{
    size_t room = nsamples(width, height);
    if (room < 4 * (n + navoid))
        return ut_fail(e, UT_E_CAPACITY, "the photo is too small: %ux%u pixels cannot hold the %zu bits that every message"
                       " needs; use a larger photo", width, height, n + navoid);
    for (size_t i = 0; i < n;) {
        uint32_t v = ut_stream_below(s, (uint32_t)room);
        if (among(v, avoid, navoid) || among(v, sample, i)) continue;
        sample[i++] = v;
    }
    return UT_OK;
}

ut_status ut_lsb_salt_places(uint32_t sample[128], uint32_t width, uint32_t height, ut_err *e)
{
    static const uint8_t public_key[32] = "undertone format 1, salt's place";
    ut_stream *s = ut_stream_new(public_key, 1, e);
    if (!s) return UT_E_MEMORY;
    ut_status st = ut_lsb_draw(sample, 128, width, height, s, NULL, 0, e);
    ut_stream_free(s);
    return st;
}

/* One step up or down, whichever the coin says and 0..255 allows, to change the low bit. */
static uint8_t match1(uint8_t v, unsigned bit, unsigned coin)
{
    if ((v & 1u) == bit) return v;
    if (v == 0) return 1;
    if (v == 255) return 254;
    return (uint8_t)(coin ? v + 1 : v - 1);
}

/* The nearest value that is `want` modulo 4; the coin decides between +2 and -2. */
static uint8_t match2(uint8_t v, unsigned want, unsigned coin)
{
    static const int step[4] = { 0, 1, 2, -1 };
    int d = step[(want - v) & 3u];
    if (d == 2 && coin) d = -2;
    if (v + d < 0) d += 4;
    if (v + d > 255) d -= 4;
    return (uint8_t)(v + d);
}

void ut_lsb_write(ut_picture *p, const uint32_t *sample, const uint8_t *bits, size_t n, ut_stream *signs)
{
    for (size_t i = 0; i < n; i++)
        p->rgb[sample[i]] = match1(p->rgb[sample[i]], bits[i], ut_stream_u32(signs) & 1);
}

void ut_lsb_read(const ut_picture *p, const uint32_t *sample, uint8_t *bits, size_t n)
{
    for (size_t i = 0; i < n; i++) bits[i] = p->rgb[sample[i]] & 1;
}

static int ascending(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

/* Walks the free samples once; each gets floor or ceiling of nbits/free bits, exactly nbits in all (selection
 * sampling: Knuth, TAOCP 3.4.2, algorithm S). */
typedef struct walk {
    size_t at, end, free_left, extra_left; /* extra: samples that get one bit more than base */
    unsigned base;
    uint32_t *sorted;
    size_t nsorted, next;
    ut_stream *places;
} walk;

static ut_status walk_init(walk *w, uint32_t width, uint32_t height, size_t nbits, const uint32_t *reserved,
                           size_t nreserved, ut_stream *places, ut_err *e)
{
    size_t all = nsamples(width, height);
    if (nbits > ut_lsb_capacity(width, height, nreserved))
        return ut_fail(e, UT_E_CAPACITY, "the photo holds %zu bits without loss, %zu are needed; use a larger photo",
                       ut_lsb_capacity(width, height, nreserved), nbits);
    *w = (walk){ .end = all, .free_left = all - nreserved, .nsorted = nreserved, .places = places };
    w->base = (unsigned)(nbits / w->free_left);
    w->extra_left = nbits % w->free_left;
    w->sorted = ut_calloc(nreserved, sizeof *w->sorted, e);
    if (!w->sorted) return UT_E_MEMORY;
    if (nreserved) memcpy(w->sorted, reserved, nreserved * sizeof *w->sorted);
    qsort(w->sorted, nreserved, sizeof *w->sorted, ascending);
    return UT_OK;
}

/* Next sample and how many bits it carries; false at the end. */
static bool walk_next(walk *w, size_t *sample, unsigned *bits)
{
    while (w->at < w->end && (w->extra_left || w->base)) {
        size_t i = w->at++;
        if (w->next < w->nsorted && w->sorted[w->next] == i) {
            w->next++;
            continue;
        }
        bool one_more = ut_stream_below(w->places, (uint32_t)w->free_left) < w->extra_left;
        w->free_left--;
        w->extra_left -= one_more;
        *sample = i;
        *bits = w->base + one_more;
        if (*bits) return true;
    }
    return false;
}

ut_status ut_lsb_forward(ut_picture *p, const uint8_t *bits, size_t nbits, const uint32_t *reserved, size_t nreserved,
                         ut_stream *places, ut_stream *signs, ut_err *e)
{
    walk w;
    ut_status s = walk_init(&w, p->width, p->height, nbits, reserved, nreserved, places, e);
    if (s != UT_OK) return s;
    size_t i;
    unsigned n;
    while (walk_next(&w, &i, &n)) {
        unsigned coin = ut_stream_u32(signs) & 1;
        if (n == 1) p->rgb[i] = match1(p->rgb[i], bits[0], coin);
        else p->rgb[i] = match2(p->rgb[i], (unsigned)(bits[0] | bits[1] << 1), coin);
        bits += n;
    }
    free(w.sorted);
    return UT_OK;
}

ut_status ut_lsb_reverse(const ut_picture *p, uint8_t *bits, size_t nbits, const uint32_t *reserved, size_t nreserved,
                         ut_stream *places, ut_err *e)
{
    walk w;
    ut_status s = walk_init(&w, p->width, p->height, nbits, reserved, nreserved, places, e);
    if (s != UT_OK) return s;
    size_t i;
    unsigned n;
    while (walk_next(&w, &i, &n)) {
        bits[0] = p->rgb[i] & 1;
        if (n == 2) bits[1] = p->rgb[i] >> 1 & 1;
        bits += n;
    }
    free(w.sorted);
    return UT_OK;
}
