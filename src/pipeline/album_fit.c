/* How an album's payload is spread: photos differ in size, and so do their shares. */
#include "pipeline/album.h"
#include <stdlib.h>

static int by_size(const void *a, const void *b)
{
    size_t x = *(const size_t *)a, y = *(const size_t *)b;
    return (x > y) - (x < y);
}

static size_t count(size_t room, size_t unit, size_t most) { return room / unit < most ? room / unit : most; }

/* Symbols of the n poorest. */
static size_t sum(const size_t *sorted, size_t n, size_t unit, size_t most)
{
    size_t s = 0;
    for (size_t i = 0; i < n; i++) s += count(sorted[i], unit, most);
    return s;
}

/* The most symbols that one photo may have so that all photos together have 256; 0: the poorest would have none. */
static size_t most_of_one(const size_t *sorted, size_t n, size_t unit)
{
    size_t lo = 0, hi = UINT8_MAX;
    if (sorted[0] < unit) return 0;
    while (lo < hi) {
        size_t mid = (lo + hi + 1) / 2;
        if (sum(sorted, n, unit, mid) <= UT_SHARE_MAX_SYMBOLS) lo = mid;
        else hi = mid - 1;
    }
    return lo;
}

/* With the `any` poorest photos deciding, a richer one need not carry more than the richest of those. */
size_t ut_album_fit(const size_t *room, size_t n, unsigned any, uint8_t *nsymbols, unsigned *ndata)
{
    enum { FEW = 8 };
    size_t sorted[UT_ALBUM_MAX_PHOTOS], best = 0, best_unit = 0, best_most = 0, total = 0;
    if (!n || n > UT_ALBUM_MAX_PHOTOS || !any || any > n) return 0;
    for (size_t i = 0; i < n; i++) sorted[i] = room[i] < UT_SHARE_MAX_PAYLOAD ? room[i] : UT_SHARE_MAX_PAYLOAD;
    qsort(sorted, n, sizeof *sorted, by_size);
    for (size_t i = any; i < n; i++) sorted[i] = sorted[any - 1];
    for (size_t i = 0; i < n; i++) total += sorted[i];
    for (size_t t = 1; t <= UT_SHARE_MAX_SYMBOLS + FEW; t++) { /* the unit that wastes least: a share of all, or of the poorest's room */
        size_t unit = t <= UT_SHARE_MAX_SYMBOLS ? total / t : sorted[0] / (t - UT_SHARE_MAX_SYMBOLS);
        size_t most = unit ? most_of_one(sorted, n, unit) : 0, nbytes = unit * sum(sorted, any, unit ? unit : 1, most);
        if (nbytes > best) best = nbytes, best_unit = unit, best_most = most;
    }
    for (size_t i = 0; i < n && nsymbols && best; i++)
        nsymbols[i] = (uint8_t)count(room[i] < sorted[any - 1] ? room[i] : sorted[any - 1], best_unit, best_most);
    if (ndata) *ndata = best ? (unsigned)sum(sorted, any, best_unit, best_most) : 0;
    return best < UT_SHARE_MAX_PAYLOAD ? best : UT_SHARE_MAX_PAYLOAD;
}

size_t ut_album_nbytes(const size_t *photo_nbytes, size_t n, unsigned any)
{
    size_t room[UT_ALBUM_MAX_PHOTOS];
    if (n > UT_ALBUM_MAX_PHOTOS) return 0;
    if (n == 1 && any <= 1) return *photo_nbytes;
    for (size_t i = 0; i < n; i++) room[i] = photo_nbytes[i] > UT_SHARE_MAX_HEAD ? photo_nbytes[i] - UT_SHARE_MAX_HEAD : 0;
    return ut_album_fit(room, n, any ? any : (unsigned)n, NULL, NULL);
}
