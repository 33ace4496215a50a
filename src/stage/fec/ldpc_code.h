/* Quasi-cyclic irregular repeat-accumulate codes (Jin, Khandekar, McEliece 2000; degree profiles and staircase as in
 * ETSI EN 302 307), built by progressive edge growth (Hu, Eleftheriou, Arnold 2005).  spec/fec.md is normative.
 *
 * A code is a base graph of ninfo + nrows columns, lifted by z.  Bit (c, b), lane b of info column c, takes part in
 * check (r, b - shift mod z) for every edge (c, shift) of row r.  Parity bit (r, i) takes part in check (r, i) and in
 * the next one, in the order (0, 0) (1, 0) ... (nrows - 1, 0) (0, 1) ...: an accumulator.  repro: exact.
 */
#ifndef UT_STAGE_FEC_LDPC_CODE_H
#define UT_STAGE_FEC_LDPC_CODE_H
#include "base/buf.h"

#define UT_LDPC_COLUMNS 180u
#define UT_LDPC_MAX_Z 360u
#define UT_LDPC_MAX_ROWS 162u
#define UT_LDPC_MAX_DEGREE 128u /* edges of a row, parity included */

typedef struct ut_ldpc_profile {
    const char *name;               /* "ldpc 3/4" */
    uint8_t nhigh, high;            /* the first nhigh info columns have degree `high`, the rest degree `low` */
    uint8_t ninfo, low;
} ut_ldpc_profile;

typedef struct ut_ldpc_edge {
    uint16_t column, shift;
} ut_ldpc_edge;

typedef struct ut_ldpc_code {
    unsigned ninfo, nrows, z;
    size_t nedges;                              /* of the info columns */
    uint16_t start[UT_LDPC_MAX_ROWS + 1];       /* row r: edge[start[r]] .. edge[start[r + 1] - 1] */
    ut_ldpc_edge *edge;                         /* owned */
} ut_ldpc_code;

/* z: 1..UT_LDPC_MAX_Z. */
UT_MUST_CHECK ut_status ut_ldpc_code_init(ut_ldpc_code *c, const ut_ldpc_profile *p, unsigned z, ut_err *e);
void ut_ldpc_code_free(ut_ldpc_code *c); /* safe on a zeroed code */

/* info: [ninfo][z], parity: [nrows][z], one bit a byte. */
void ut_ldpc_code_parity(const ut_ldpc_code *c, const uint8_t *info, uint8_t *parity);
#endif
