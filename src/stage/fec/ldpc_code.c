#include "stage/fec/ldpc_code.h"
#include <stdlib.h>
#include <string.h>

#define MAX_COLUMN_DEGREE 64u
#define MAX_FRONTIER 64u /* a wider front of the search is not followed further */

/* Nor is a deeper one: on the bare accumulator the farthest check is always half way round, which gives columns that
 * differ in nothing but their place. */
#define MAX_DEPTH 8u
#define UNREACHED (MAX_DEPTH + 1)

typedef struct column {
    unsigned degree;
    ut_ldpc_edge row[MAX_COLUMN_DEGREE]; /* .column is a row here */
} column;

typedef struct row {
    unsigned degree;
    ut_ldpc_edge col[UT_LDPC_MAX_DEGREE];
} row;

typedef struct graph {
    unsigned ninfo, nrows, z;
    uint32_t random;
    column column[UT_LDPC_COLUMNS];
    row row[UT_LDPC_MAX_ROWS];
    uint8_t depth[UT_LDPC_MAX_ROWS * UT_LDPC_MAX_Z]; /* of check (r, i) at r z + i; 0: not reached */
    uint32_t queue[UT_LDPC_MAX_ROWS * UT_LDPC_MAX_Z];
} graph;

static unsigned below(graph *g, unsigned n)
{
    g->random = g->random * 1664525u + 1013904223u;
    return (g->random >> 16) * n >> 16;
}

static void connect(graph *g, unsigned c, unsigned r, unsigned shift)
{
    column *col = &g->column[c];
    row *rw = &g->row[r];
    col->row[col->degree++] = (ut_ldpc_edge){ (uint16_t)r, (uint16_t)shift };
    rw->col[rw->degree++] = (ut_ldpc_edge){ (uint16_t)c, (uint16_t)shift };
}

/* Depths of the checks around bit (c, 0): 1 for its own, one more for each bit in between. */
static void search(graph *g, unsigned c)
{
    unsigned z = g->z;
    size_t head = 0, tail = 0;
    memset(g->depth, 0, (size_t)g->nrows * z);
    for (unsigned k = 0; k < g->column[c].degree; k++) {
        ut_ldpc_edge e = g->column[c].row[k];
        uint32_t at = e.column * z + (e.shift ? z - e.shift : 0);
        g->depth[at] = 1;
        g->queue[tail++] = at;
    }
    for (unsigned depth = 2; depth <= MAX_DEPTH && tail > head && tail - head <= MAX_FRONTIER; depth++) {
        size_t end = tail;
        for (; head < end; head++) {
            const row *r = &g->row[g->queue[head] / z];
            unsigned lane = g->queue[head] % z;
            for (unsigned k = 0; k < r->degree; k++) {
                const column *col = &g->column[r->col[k].column];
                unsigned bit = lane + r->col[k].shift;
                if (bit >= z) bit -= z;
                for (unsigned j = 0; j < col->degree; j++) {
                    unsigned s = col->row[j].shift;
                    uint32_t at = col->row[j].column * z + (bit >= s ? bit - s : bit + z - s);
                    if (g->depth[at]) continue;
                    g->depth[at] = (uint8_t)depth;
                    g->queue[tail++] = at;
                }
            }
        }
    }
}

/* Rows of least degree among those that column c does not touch yet. */
static unsigned candidates(const graph *g, unsigned c, uint16_t *list)
{
    bool used[UT_LDPC_MAX_ROWS] = { false };
    unsigned n = 0, least = UINT32_MAX;
    for (unsigned k = 0; k < g->column[c].degree; k++) used[g->column[c].row[k].column] = true;
    for (unsigned r = 0; r < g->nrows; r++) {
        if (used[r] || g->row[r].degree > least) continue;
        if (g->row[r].degree < least) n = 0;
        least = g->row[r].degree;
        list[n++] = (uint16_t)r;
    }
    return n;
}

/* One more edge for column c, to a check as far from its bit as can be. */
static void grow(graph *g, unsigned c)
{
    uint16_t list[UT_LDPC_MAX_ROWS];
    unsigned n = candidates(g, c, list), first = below(g, n), lane0 = below(g, g->z), best = 0, at_row = 0, at_lane = 0;
    if (g->column[c].degree == 0) { /* turning a whole column changes nothing */
        connect(g, c, list[first], 0);
        return;
    }
    search(g, c);
    for (unsigned k = 0; k < n && best < UNREACHED; k++) {
        unsigned r = list[(first + k) % n];
        for (unsigned j = 0, i = lane0; j < g->z && best < UNREACHED; j++, i = i + 1 < g->z ? i + 1 : 0) {
            unsigned d = g->depth[r * g->z + i];
            if (d == 0) d = UNREACHED;
            if (d <= best) continue;
            best = d;
            at_row = r;
            at_lane = i;
        }
    }
    connect(g, c, at_row, at_lane ? g->z - at_lane : 0);
}

static ut_status collect(ut_ldpc_code *c, const graph *g, ut_err *e)
{
    size_t n = 0;
    c->edge = ut_calloc(c->nedges, sizeof *c->edge, e);
    if (!c->edge) return UT_E_MEMORY;
    for (unsigned r = 0; r < c->nrows; r++) {
        c->start[r] = (uint16_t)n;
        for (unsigned k = 0; k < g->row[r].degree; k++)
            if (g->row[r].col[k].column < c->ninfo) c->edge[n++] = g->row[r].col[k];
    }
    c->start[c->nrows] = (uint16_t)n;
    return UT_OK;
}

ut_status ut_ldpc_code_init(ut_ldpc_code *c, const ut_ldpc_profile *p, unsigned z, ut_err *e)
{
    *c = (ut_ldpc_code){ .ninfo = p->ninfo, .nrows = UT_LDPC_COLUMNS - p->ninfo, .z = z };
    graph *g = ut_calloc(1, sizeof *g, e);
    if (!g) return UT_E_MEMORY;
    g->ninfo = c->ninfo;
    g->nrows = c->nrows;
    g->z = z;
    g->random = c->ninfo * 1000 + z;
    for (unsigned r = 0; r < g->nrows; r++) {
        connect(g, g->ninfo + r, r, 0);
        connect(g, g->ninfo + r, r + 1 < g->nrows ? r + 1 : 0, r + 1 < g->nrows ? 0 : z - 1);
    }
    for (unsigned i = 0; i < p->ninfo; i++) { /* light columns first: they suffer most from short cycles */
        unsigned col = i < (unsigned)(p->ninfo - p->nhigh) ? p->nhigh + i : p->ninfo - 1 - i;
        unsigned degree = col < p->nhigh ? p->high : p->low;
        for (unsigned k = 0; k < degree; k++) grow(g, col);
        c->nedges += degree;
    }
    ut_status s = collect(c, g, e);
    free(g);
    return s;
}

void ut_ldpc_code_free(ut_ldpc_code *c)
{
    free(c->edge);
    *c = (ut_ldpc_code){ 0 };
}

static void xor_bytes(uint8_t *restrict to, const uint8_t *restrict from, size_t n)
{
    for (size_t i = 0; i < n; i++) to[i] ^= from[i];
}

void ut_ldpc_code_parity(const ut_ldpc_code *c, const uint8_t *info, uint8_t *parity)
{
    size_t z = c->z;
    memset(parity, 0, c->nrows * z);
    for (size_t r = 0; r < c->nrows; r++)
        for (size_t k = c->start[r]; k < c->start[r + 1]; k++) {
            const uint8_t *col = info + c->edge[k].column * z;
            size_t s = c->edge[k].shift;
            xor_bytes(parity + r * z, col + s, z - s);
            xor_bytes(parity + r * z + (z - s), col, s);
        }
    uint8_t sum = 0;
    for (size_t i = 0; i < z; i++)
        for (size_t r = 0; r < c->nrows; r++) parity[r * z + i] = sum ^= parity[r * z + i];
}
