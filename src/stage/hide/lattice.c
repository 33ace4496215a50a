#include "stage/hide/lattice.h"
#include <stdlib.h>
#include <string.h>

const uint8_t ut_zigzag[64] = { 0,  1,  8,  16, 9,  2,  3,  10, 17, 24, 32, 25, 18, 11, 4,  5,  12, 19, 26, 33, 40, 48,
                                41, 34, 27, 20, 13, 6,  7,  14, 21, 28, 35, 42, 49, 56, 57, 50, 43, 36, 29, 22, 15, 23,
                                30, 37, 44, 51, 58, 59, 52, 45, 38, 31, 39, 46, 53, 60, 61, 54, 47, 55, 62, 63 };

static const uint8_t annex_k[2][64] = {
    { 16, 11, 10, 16, 24,  40,  51,  61,  12, 12, 14, 19, 26,  58,  60,  55,  14, 13, 16, 24, 40,  57,
      69, 56, 14, 17, 22,  29,  51,  87,  80, 62, 18, 22, 37,  56,  68,  109, 103, 77, 24, 35, 55,  64,
      81, 104, 113, 92, 49, 64, 78,  87,  103, 121, 120, 101, 72, 92, 95, 98, 112, 100, 103, 99 },
    { 17, 18, 24, 47, 99, 99, 99, 99, 18, 21, 26, 66, 99, 99, 99, 99, 24, 26, 56, 99, 99, 99,
      99, 99, 47, 66, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99,
      99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99 }
};

void ut_ijg_table(unsigned quality, bool chroma, uint16_t quant[64])
{
    if (quality < 1) quality = 1;
    if (quality > 100) quality = 100;
    unsigned s = quality < 50 ? 5000 / quality : 200 - 2 * quality;
    for (int i = 0; i < 64; i++) {
        unsigned v = (annex_k[chroma][i] * s + 50) / 100;
        quant[i] = (uint16_t)(v < 1 ? 1 : v > 255 ? 255 : v);
    }
}

/* 8-bit pixels cannot hit narrower cells; an odd multiple keeps what the quantiser gives off the edges. */
enum { NARROW = 28 };

void ut_lattice_init(ut_lattice *l, const uint16_t quant[64], unsigned scale)
{
    l->width[0] = 0;
    for (int i = 1; i < 64; i++) {
        uint32_t w = (uint32_t)quant[i] * scale; /* scale and unit are both sixteenths */
        if (w < NARROW) w *= 3;
        l->width[i] = (uint16_t)(w < 1 ? 1 : w > 65535 ? 65535 : w);
    }
    for (int i = 0; i < 63; i++) { /* stable insertion sort of the zigzag sequence by width */
        uint8_t k = ut_zigzag[i + 1];
        int j = i;
        while (j > 0 && l->width[l->order[j - 1]] > l->width[k]) {
            l->order[j] = l->order[j - 1];
            j--;
        }
        l->order[j] = k;
    }
}

void ut_carriers_free(ut_carriers *c)
{
    free(c->pos);
    *c = (ut_carriers){ 0 };
}

uint8_t *ut_taken_new(ut_grid g, ut_err *e) { return ut_calloc(ut_grid_nblocks(g) * 8 + 1, 1, e); }

ut_status ut_carriers_draw(ut_carriers *c, ut_grid g, const uint8_t *order, unsigned nfreq, size_t n, ut_stream *s,
                           uint8_t *taken, ut_err *e)
{
    size_t nblocks = ut_grid_nblocks(g), room = nblocks * nfreq;
    *c = (ut_carriers){ 0 };
    if (room < n * 2 || room > UINT32_MAX) /* twice: drawing stays quick however many are taken */
        return ut_fail(e, UT_E_CAPACITY, "the photo is too small: %zu blocks of 8x8 pixels cannot hold the %zu bits that every"
                       " message needs; use a larger photo", nblocks, n);
    c->pos = ut_calloc(n, sizeof *c->pos, e);
    if (!c->pos) return UT_E_MEMORY;
    while (c->n < n) {
        uint32_t r = ut_stream_below(s, (uint32_t)room);
        uint32_t pos = r / nfreq * 64 + order[r % nfreq];
        if (ut_taken(taken, pos)) continue;
        taken[pos >> 3] |= (uint8_t)(1 << (pos & 7));
        c->pos[c->n++] = pos;
    }
    return UT_OK;
}

ut_status ut_carriers_fill(ut_carriers *c, ut_grid g, const uint8_t order[63], size_t n, ut_stream *s,
                           const uint8_t *taken, unsigned *nfreq_used, ut_err *e)
{
    size_t nblocks = ut_grid_nblocks(g);
    *c = (ut_carriers){ 0 };
    if (n > nblocks * 63 || !nblocks)
        return ut_fail(e, UT_E_CAPACITY, "the photo holds %zu bits at most, %zu are needed", nblocks * 63, n);
    c->pos = ut_calloc(n + nblocks, sizeof *c->pos, e);
    if (!c->pos) return UT_E_MEMORY;
    unsigned f = 0;
    while (c->n < n && f < 63) {
        size_t begin = c->n;
        for (size_t b = 0; b < nblocks; b++) {
            uint32_t pos = (uint32_t)(b * 64 + order[f]);
            c->pos[c->n] = pos;
            c->n += !ut_taken(taken, pos);
        }
        if (c->n > n) ut_stream_shuffle(s, c->pos + begin, c->n - begin);
        f++;
    }
    if (c->n < n) {
        ut_carriers_free(c);
        return ut_fail(e, UT_E_CAPACITY, "the photo's carriers are used up: %zu bits are needed", n);
    }
    c->n = n;
    *nfreq_used = f;
    ut_stream_shuffle(s, c->pos, n);
    return UT_OK;
}
