/* Quasi-cyclic irregular repeat-accumulate codes: a base graph of 180 columns with the degree profiles of ETSI EN 302 307
 * (DVB-S2) and, between and beyond them, our own; lifted by Z (Jin, Khandekar, McEliece 2000; Tanner et al. 2004).
 *
 * Variable (column c, lane v) and check (row r, lane x), 0 <= v, x < Z: an edge of the base graph with shift s joins check
 * (r, x) to variable (c, (x + s) mod Z).  Columns 0..kcols-1 hold information bits (bit i: column i / Z, lane i mod Z), column
 * kcols + j holds parity j: edges (j, 0) and (j + 1, 0); the last one (nrows - 1, 0) and (0, Z - 1), the latter without lane
 * 0, so that parity is an accumulator over all nrows Z checks in the order lane by lane, row by row.
 * Rows and shifts of the information edges come from the integer search in ldpc_graph.c, which is normative (spec/fec.md).
 * repro: exact.
 */
#ifndef UT_STAGE_FEC_LDPC_H
#define UT_STAGE_FEC_LDPC_H
#include "base/buf.h"

#define UT_LDPC_COLS 180u
#define UT_LDPC_MAX_Z 360u
#define UT_LDPC_MIN_Z 4u
#define UT_LDPC_MAX_EDGES 1024u
#define UT_LDPC_MAX_ROW 112u /* edges of one row */

typedef struct ut_ldpc_profile {
    uint8_t kcols;            /* information columns; 180 - kcols rows */
    uint8_t nhigh, high;      /* the first nhigh of them have this degree, */
    uint8_t low;              /* the others this one */
    uint8_t keep;             /* min-sum messages are scaled by keep/16 */
    uint8_t level;            /* mean magnitude that a block's input is scaled to */
    char name[12];
} ut_ldpc_profile;

unsigned ut_ldpc_nprofiles(void);
const ut_ldpc_profile *ut_ldpc_profile_at(unsigned rate); /* NULL if out of range; 0 has the most redundancy */

typedef struct ut_ldpc_edge {
    uint16_t shift;
    uint16_t turn; /* shift less that of the column's previous edge in row order (cyclically), mod Z */
    uint8_t col;
} ut_ldpc_edge;

/* Edges by row, within a row by column, the two parity edges last; the one without lane 0 is the last of row 0. */
typedef struct ut_ldpc {
    const ut_ldpc_profile *profile;
    unsigned z, nrows, kcols, nedges;
    unsigned stride;                     /* lanes rounded up to a multiple of 32 */
    uint16_t row_at[UT_LDPC_COLS + 1];
    uint16_t last_shift[UT_LDPC_COLS];   /* shift of the column's last edge in row order */
    ut_ldpc_edge edge[UT_LDPC_MAX_EDGES];
} ut_ldpc;

/* UT_E_USAGE if rate or z is out of range.  About 1 to 3 ms at Z = 360. */
UT_MUST_CHECK ut_status ut_ldpc_init(ut_ldpc *g, unsigned rate, unsigned z, ut_err *e);

/* info: [ninfo] bits, one a byte; the other kcols Z - ninfo are zero.  parity: [nrows Z], column by column.
 * work: [ut_ldpc_encode_work_nbytes]. */
void ut_ldpc_encode(const ut_ldpc *g, const uint8_t *info, size_t ninfo, uint8_t *parity, uint8_t *work);
size_t ut_ldpc_encode_work_nbytes(const ut_ldpc *g);

/* Layered normalised min-sum (Hocevar 2004; Chen, Fossorier 2002) on 8-bit messages and 16-bit sums, at most max_iters rounds, more
 * if close to a word.  llr: [ninfo + nrows Z], information then parity; bits: the decisions, likewise.  Returns the number of
 * checks that do not hold in the end: 0 means a word was found. */
size_t ut_ldpc_decode(const ut_ldpc *g, const int8_t *llr, size_t ninfo, unsigned max_iters, uint8_t *bits,
                      void *work, unsigned *niters);
size_t ut_ldpc_work_nbytes(const ut_ldpc *g);

/* One round over all rows, for each instruction set; equal results.  Returns whether some check failed on the way. */
typedef struct ut_ldpc_state {
    int16_t *app; /* [180][ut_ldpc_pitch]: column c begins at its last edge's shift and goes round, twice */
    int16_t *q;   /* [UT_LDPC_MAX_ROW + 1][stride] */
    int16_t *open; /* [stride]: -1 where the lane is 0 mod Z */
    int8_t *msg;  /* [nedges][stride] */
    int8_t *m1, *m2, *sign; /* [stride] */
} ut_ldpc_state;
static inline size_t ut_ldpc_pitch(const ut_ldpc *g) { return 2 * (size_t)g->stride + 64; }
bool ut_ldpc_round_plain(const ut_ldpc *g, const ut_ldpc_state *s, unsigned keep);
bool ut_ldpc_round_avx2(const ut_ldpc *g, const ut_ldpc_state *s, unsigned keep);
bool ut_ldpc_have_avx2(void);
#endif
