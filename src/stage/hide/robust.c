#include "stage/hide/robust.h"
#include "stage/hide/preamble.h"
#include <stdlib.h>

float ut_robust_box_width(unsigned tier)
{
    static const float width[UT_ROBUST_NTIERS] = { 8, 12, 18, 27, 40 };
    return width[tier < UT_ROBUST_NTIERS ? tier : UT_ROBUST_NTIERS - 1];
}

bool ut_robust_dense(ut_grid g, bool *fits)
{
    size_t n = ut_grid_nblocks(g);
    *fits = n >= UT_ROBUST_DENSE_TILE * UT_ROBUST_DENSE_TILE && n <= UINT32_MAX / 64;
    return n < UT_ROBUST_TILE * UT_ROBUST_TILE;
}

static ut_status dithers(uint8_t **out, size_t n, ut_stream *s, ut_err *e)
{
    *out = ut_calloc(n, 1, e);
    if (!*out) return UT_E_MEMORY;
    ut_stream_bytes(s, *out, n);
    for (size_t i = 0; i < n; i++) (*out)[i] &= UT_SCS_PHASES - 1;
    return UT_OK;
}

/* What a tile's slots hold. */
typedef struct tile {
    uint32_t slot[UT_ROBUST_NSLOTS]; /* shuffled; the i-th holds code bit i modulo their count */
    uint8_t freq[UT_ROBUST_NSLOTS];  /* of the i-th, natural order */
    uint8_t *dither;                 /* of the i-th, owned */
} tile;

static ut_status tile_init(tile *t, unsigned per_block, const uint8_t locator[32], ut_err *e)
{
    ut_stream *s = ut_stream_new(locator, UT_DOMAIN_BOX, e);
    if (!s) return UT_E_MEMORY;
    for (uint32_t i = 0; i < UT_ROBUST_NSLOTS; i++) t->slot[i] = i;
    ut_stream_shuffle(s, t->slot, UT_ROBUST_NSLOTS);
    unsigned choice = UT_ROBUST_NFREQ / per_block; /* each slot of a block has frequencies of its own */
    for (uint32_t i = 0; i < UT_ROBUST_NSLOTS; i++)
        t->freq[i] = ut_zigzag[1 + t->slot[i] % per_block * choice + ut_stream_below(s, choice)];
    ut_status st = dithers(&t->dither, UT_ROBUST_NSLOTS, s, e);
    ut_stream_free(s);
    return st;
}

/* How often column (row) `at` of the tile occurs among so many blocks, the first of which is the tile's column `first`. */
static size_t count_copies(unsigned first, unsigned at, unsigned edge, uint32_t blocks)
{
    unsigned begin = (at + edge - first % edge) % edge;
    return begin < blocks ? (blocks - 1 - begin) / edge + 1 : 0;
}

ut_status ut_robust_box(ut_scs_carriers *c, ut_grid g, bool dense, unsigned bx, unsigned by, size_t nbits,
                        const uint8_t locator[32], uint8_t *taken, ut_err *e)
{
    unsigned edge = dense ? UT_ROBUST_DENSE_TILE : UT_ROBUST_TILE, per_block = dense ? 4 : 1;
    *c = (ut_scs_carriers){ 0 };
    if (!nbits || nbits > UT_ROBUST_NSLOTS) return ut_fail(e, UT_E_INTERNAL, "%zu bits are too many for the box of the robust form", nbits);
    tile *t = ut_calloc(1, sizeof *t, e);
    if (!t) return UT_E_MEMORY;
    ut_status s = tile_init(t, per_block, locator, e);
    size_t n = 0;
    for (size_t i = 0; i < UT_ROBUST_NSLOTS; i++) {
        unsigned b = t->slot[i] / per_block;
        n += count_copies(bx, b % edge, edge, g.blocks_w) * count_copies(by, b / edge, edge, g.blocks_h);
    }
    if (s == UT_OK) {
        c->at.pos = ut_calloc(n ? n : 1, sizeof *c->at.pos, e);
        c->dither = ut_calloc(n ? n : 1, 1, e);
        c->bit = ut_calloc(n ? n : 1, sizeof *c->bit, e);
        s = c->at.pos && c->dither && c->bit ? UT_OK : UT_E_MEMORY;
    }
    for (size_t i = 0; i < UT_ROBUST_NSLOTS && s == UT_OK; i++) {
        unsigned b = t->slot[i] / per_block;
        for (uint32_t y = (b / edge + edge - by % edge) % edge; y < g.blocks_h; y += edge)
            for (uint32_t x = (b % edge + edge - bx % edge) % edge; x < g.blocks_w; x += edge) {
                uint32_t pos = (y * g.blocks_w + x) * 64 + t->freq[i];
                c->at.pos[c->at.n] = pos;
                c->dither[c->at.n] = t->dither[i];
                c->bit[c->at.n++] = (uint16_t)(i % nbits);
                if (taken) taken[pos >> 3] |= (uint8_t)(1 << (pos & 7));
            }
    }
    free(t->dither);
    free(t);
    if (s != UT_OK) ut_scs_carriers_free(c);
    return s;
}

ut_status ut_robust_payload(ut_scs_carriers *c, ut_grid g, unsigned nfreq, const uint8_t carrier_key[32],
                            const uint8_t dither_key[32], const uint8_t *taken, ut_err *e)
{
    size_t nblocks = ut_grid_nblocks(g), n = 0;
    unsigned used;
    *c = (ut_scs_carriers){ 0 };
    for (size_t b = 0; b < nblocks; b++)
        for (unsigned f = 0; f < nfreq; f++) n += !ut_taken(taken, (uint32_t)(b * 64 + ut_zigzag[1 + f]));
    ut_stream *s = ut_stream_new(carrier_key, UT_DOMAIN_PAYLOAD, e);
    if (!s) return UT_E_MEMORY;
    ut_status st = ut_carriers_fill(&c->at, g, ut_zigzag + 1, n, s, taken, &used, e);
    ut_stream_free(s);
    if (st != UT_OK) return st;
    s = ut_stream_new(dither_key, UT_DOMAIN_DITHER, e);
    st = s ? dithers(&c->dither, n, s, e) : UT_E_MEMORY;
    ut_stream_free(s);
    if (st != UT_OK) ut_scs_carriers_free(c);
    return st;
}
