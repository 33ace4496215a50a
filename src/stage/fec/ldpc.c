#include "stage/fec/ldpc.h"
#include <string.h>

size_t ut_ldpc_encode_work_nbytes(const ut_ldpc *g) { return ((size_t)2 * g->kcols + 1) * g->z; }

void ut_ldpc_encode(const ut_ldpc *g, const uint8_t *info, size_t ninfo, uint8_t *parity, uint8_t *work)
{
    size_t z = g->z, q = g->nrows;
    uint8_t *sum = work + 2 * g->kcols * z; /* over all rows of a lane */
    memset(work, 0, ut_ldpc_encode_work_nbytes(g));
    for (size_t c = 0; c * z < ninfo; c++) { /* every column twice over, so that a shift needs no wrap */
        size_t n = ninfo - c * z < z ? ninfo - c * z : z;
        memcpy(work + 2 * c * z, info + c * z, n);
        memcpy(work + (2 * c + 1) * z, info + c * z, n);
    }
    memset(parity, 0, q * z);
    for (size_t r = 0; r < q; r++) {
        uint8_t *p = parity + r * z;
        for (size_t i = g->row_at[r]; i + 2 < g->row_at[r + 1]; i++) {
            const uint8_t *u = work + 2 * g->edge[i].col * z + g->edge[i].shift;
            for (size_t x = 0; x < z; x++) p[x] ^= u[x];
        }
        for (size_t x = 0; x < z; x++) sum[x] ^= p[x];
    }
    /* the accumulator enters lane x with what it left lane x - 1 with: the sum of all lanes before */
    uint8_t carry = 0;
    for (size_t x = 0; x < z; x++) {
        uint8_t lane = sum[x];
        sum[x] = carry;
        carry ^= lane;
    }
    for (size_t r = 0; r < q; r++)
        for (size_t x = 0; x < z; x++) parity[r * z + x] = sum[x] ^= parity[r * z + x];
}
