/* The normative construction: which check each information bit joins.  A progressive edge growth (Hu, Eleftheriou, Arnold
 * 2005) on the lifted graph: every edge goes to one of the emptiest rows, at a shift that closes no cycle of length 4,
 * nor of length 6 where that can be had.  spec/fec.md says the same in words; change neither without the format's version. */
#include "stage/fec/ldpc.h"
#include <stdlib.h>
#include <string.h>

/* Most redundancy first.  A comment marks those of EN 302 307. */
static const ut_ldpc_profile profiles[] = {
    { 18, 6, 24, 12, 12, 20, "ldpc 1/10" },
    { 22, 8, 20, 10, 12, 20, "ldpc 1/8" },
    { 30, 12, 15, 5, 12, 20, "ldpc 1/6" },
    { 36, 12, 15, 4, 12, 20, "ldpc 1/5" },
    { 45, 15, 12, 3, 12, 20, "ldpc 1/4" }, /* DVB-S2 */
    { 60, 20, 12, 3, 12, 20, "ldpc 1/3" }, /* DVB-S2 */
    { 72, 24, 12, 3, 12, 20, "ldpc 2/5" }, /* DVB-S2 */
    { 80, 30, 10, 3, 12, 20, "ldpc 4/9" },
    { 90, 36, 8, 3, 12, 20, "ldpc 1/2" }, /* DVB-S2 */
    { 99, 36, 10, 3, 12, 20, "ldpc 11/20" },
    { 108, 36, 12, 3, 12, 20, "ldpc 3/5" }, /* DVB-S2 */
    { 120, 12, 13, 3, 12, 20, "ldpc 2/3" }, /* DVB-S2 */
    { 128, 14, 12, 3, 12, 20, "ldpc 0.71" },
    { 135, 15, 12, 3, 12, 20, "ldpc 3/4" }, /* DVB-S2 */
    { 144, 18, 11, 3, 12, 20, "ldpc 4/5" }, /* DVB-S2 */
    { 150, 15, 13, 3, 12, 20, "ldpc 5/6" }, /* DVB-S2 */
    { 155, 15, 8, 3, 12, 20, "ldpc 0.86" },
    { 160, 20, 4, 3, 12, 20, "ldpc 8/9" }, /* DVB-S2 */
    { 162, 18, 4, 3, 12, 20, "ldpc 9/10" }, /* DVB-S2 */
    { 165, 15, 4, 3, 12, 20, "ldpc 0.92" },
    { 168, 12, 4, 3, 12, 20, "ldpc 0.93" },
    { 171, 0, 3, 3, 12, 20, "ldpc 0.95" },
    { 174, 0, 3, 3, 12, 20, "ldpc 0.97" },
};

unsigned ut_ldpc_nprofiles(void) { return sizeof profiles / sizeof *profiles; }
const ut_ldpc_profile *ut_ldpc_profile_at(unsigned rate)
{
    return rate < ut_ldpc_nprofiles() ? &profiles[rate] : NULL;
}

#define MAX_DEGREE 24u

typedef struct half_edge {
    uint16_t shift;
    uint8_t node; /* row of a column's list, column of a row's list */
} half_edge;

typedef struct builder {
    unsigned z, nrows;
    uint32_t random;
    uint8_t row_len[UT_LDPC_COLS], col_len[UT_LDPC_COLS];
    half_edge row[UT_LDPC_COLS][UT_LDPC_MAX_ROW], col[UT_LDPC_COLS][MAX_DEGREE];
    uint8_t mark[UT_LDPC_COLS * UT_LDPC_MAX_Z]; /* of check (row, lane): 2 closes a 4-cycle, 1 a 6-cycle */
} builder;

static uint32_t below(builder *b, uint32_t bound) /* xorshift32 (Marsaglia 2003), scaled */
{
    b->random ^= b->random << 13;
    b->random ^= b->random >> 17;
    b->random ^= b->random << 5;
    return (uint32_t)((uint64_t)b->random * bound >> 32);
}

static void join(builder *b, unsigned row, unsigned col, unsigned shift)
{
    b->row[row][b->row_len[row]++] = (half_edge){ (uint16_t)shift, (uint8_t)col };
    b->col[col][b->col_len[col]++] = (half_edge){ (uint16_t)shift, (uint8_t)row };
}

/* Marks the checks that share a bit with check (row, lane), and those that share one with these, `col` left out. */
static void spread(builder *b, unsigned row, unsigned lane, unsigned col, unsigned depth)
{
    unsigned z = b->z;
    for (unsigned i = 0; i < b->row_len[row]; i++) {
        unsigned c = b->row[row][i].node, v = lane + b->row[row][i].shift;
        if (c == col) continue;
        for (unsigned k = 0; k < b->col_len[c]; k++) {
            unsigned r = b->col[c][k].node, x = v + z - b->col[c][k].shift;
            if (x >= z) x -= z;
            if (x >= z) x -= z;
            if (r == row && x == lane) continue;
            uint8_t *m = &b->mark[r * UT_LDPC_MAX_Z + x];
            if (*m < depth) *m = (uint8_t)depth;
            if (depth == 2) spread(b, r, x, c, 1);
        }
    }
}

/* A row that the column does not have yet, among those the emptiest; the count of such rows scanned from a random start. */
static bool find_place(builder *b, unsigned col, unsigned *row, unsigned *shift)
{
    uint8_t open[UT_LDPC_COLS];
    unsigned nopen = 0, least = UINT8_MAX;
    for (unsigned r = 0; r < b->nrows; r++) {
        bool has = false;
        for (unsigned k = 0; k < b->col_len[col]; k++) has |= b->col[col][k].node == r;
        if (has || b->row_len[r] > least) continue;
        if (b->row_len[r] < least) nopen = 0;
        least = b->row_len[r];
        open[nopen++] = (uint8_t)r;
    }
    if (!nopen) return false;
    unsigned all = nopen * b->z;
    for (unsigned worst = 0; worst <= 2; worst++) { /* the least evil that can be had */
        unsigned at = below(b, all);
        for (unsigned tries = 0; tries < all; tries++, at = at + 1 < all ? at + 1 : 0) {
            unsigned r = open[at / b->z], x = at % b->z;
            if (b->mark[r * UT_LDPC_MAX_Z + x] > worst) continue;
            *row = r;
            *shift = x ? b->z - x : 0; /* joins check (r, x) to the column's lane 0 */
            return true;
        }
    }
    return false;
}

static bool grow(builder *b, const ut_ldpc_profile *p)
{
    unsigned z = b->z, q = b->nrows;
    for (unsigned j = 0; j < q; j++) {
        join(b, j, p->kcols + j, 0);
        join(b, j + 1 < q ? j + 1 : 0, p->kcols + j, j + 1 < q ? 0 : z - 1);
    }
    for (unsigned c = p->kcols; c-- > 0;) { /* the columns of low degree first, while there is room */
        unsigned degree = c < p->nhigh ? p->high : p->low;
        memset(b->mark, 0, (size_t)q * UT_LDPC_MAX_Z);
        for (unsigned k = 0; k < degree; k++) {
            unsigned row, shift;
            if (!find_place(b, c, &row, &shift) || b->row_len[row] >= UT_LDPC_MAX_ROW) return false;
            join(b, row, c, shift);
            spread(b, row, shift ? z - shift : 0, c, 2);
        }
    }
    return true;
}

/* Information edges by column, then the parity edges: of the row's own parity last, in row 0 that of the last column. */
static void list_edges(ut_ldpc *g, builder *b)
{
    uint16_t first[UT_LDPC_COLS];
    bool seen[UT_LDPC_COLS] = { false };
    unsigned n = 0;
    for (unsigned r = 0; r < g->nrows; r++) {
        g->row_at[r] = (uint16_t)n;
        for (unsigned i = b->row_len[r]; i-- > 2;) /* grown from the last column down */
            g->edge[n++] = (ut_ldpc_edge){ .shift = b->row[r][i].shift, .col = b->row[r][i].node };
        for (unsigned i = 0; i < 2; i++)
            g->edge[n++] = (ut_ldpc_edge){ .shift = b->row[r][i].shift, .col = b->row[r][i].node };
    }
    g->row_at[g->nrows] = (uint16_t)n;
    g->nedges = n;
    for (unsigned i = 0; i < n; i++) g->last_shift[g->edge[i].col] = g->edge[i].shift;
    memcpy(first, g->last_shift, sizeof first);
    for (unsigned i = 0; i < n; i++) {
        ut_ldpc_edge *d = &g->edge[i];
        unsigned before = seen[d->col] ? first[d->col] : g->last_shift[d->col];
        d->turn = (uint16_t)((d->shift + g->z - before) % g->z);
        first[d->col] = d->shift;
        seen[d->col] = true;
    }
}

ut_status ut_ldpc_init(ut_ldpc *g, unsigned rate, unsigned z, ut_err *e)
{
    const ut_ldpc_profile *p = ut_ldpc_profile_at(rate);
    *g = (ut_ldpc){ 0 };
    if (!p || z < UT_LDPC_MIN_Z || z > UT_LDPC_MAX_Z)
        return ut_fail(e, UT_E_USAGE, "no LDPC code of rate step %u and lifting size %u", rate, z);
    builder *b = ut_calloc(1, sizeof *b, e);
    if (!b) return UT_E_MEMORY;
    *g = (ut_ldpc){ .profile = p, .z = z, .kcols = p->kcols, .nrows = UT_LDPC_COLS - p->kcols };
    g->stride = (z + 31) / 32 * 32;
    b->z = z;
    b->nrows = g->nrows;
    b->random = 0x9e3779b9u ^ (rate << 16 | z);
    bool ok = grow(b, p);
    if (ok) list_edges(g, b);
    free(b);
    return ok ? UT_OK : ut_fail(e, UT_E_INTERNAL, "the LDPC code %s with lifting size %u cannot be built", p->name, z);
}
