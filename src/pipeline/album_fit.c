/* How an album's payload is spread: photos differ in size, and so do their shares. */
#include "pipeline/album.h"
#include <stdlib.h>

static int by_size(const void *a, const void *b)
{
    size_t x = *(const size_t *)a, y = *(const size_t *)b;
    return (x > y) - (x < y);
}

/* With the `any` poorest photos deciding, a richer one need not carry more than the richest of those. */
size_t ut_album_fit(const size_t *room, size_t n, unsigned any, uint8_t *nsymbols, unsigned *ndata)
{
    size_t sorted[UT_ALBUM_MAX_PHOTOS], best = 0, best_unit = 0, total = 0;
    if (!n || n > UT_ALBUM_MAX_PHOTOS || !any || any > n) return 0;
    for (size_t i = 0; i < n; i++) sorted[i] = room[i] < UT_SHARE_MAX_PAYLOAD ? room[i] : UT_SHARE_MAX_PAYLOAD;
    qsort(sorted, n, sizeof *sorted, by_size);
    for (size_t i = 0; i < n; i++) total += sorted[i < any ? i : any - 1];
    for (size_t t = n; t <= (n > 1 ? UT_SHARE_MAX_SYMBOLS : UINT8_MAX); t++) { /* t symbols at most: the unit that wastes least */
        size_t unit = total / t, sum = 0;
        if (!unit) break;
        for (size_t i = 0; i < any; i++) sum += sorted[i] / unit;
        if (!(sorted[0] / unit)) continue;
        if (sum * unit > best) best = sum * unit, best_unit = unit;
    }
    unsigned pieces = 0;
    for (size_t i = 0; i < n && best; i++) {
        size_t most = sorted[any - 1], r = room[i] < most ? room[i] : most;
        if (nsymbols) nsymbols[i] = (uint8_t)(r / best_unit < UINT8_MAX ? r / best_unit : UINT8_MAX);
        if (i < any) pieces += (unsigned)(sorted[i] / best_unit < UINT8_MAX ? sorted[i] / best_unit : UINT8_MAX);
    }
    if (ndata) *ndata = pieces;
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
