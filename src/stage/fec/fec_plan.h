/* What a plan's fields mean to the codes other than LDPC, which has its own; shared by fec_plan.c and fec.c. */
#ifndef UT_STAGE_FEC_FEC_PLAN_H
#define UT_STAGE_FEC_FEC_PLAN_H
#include "stage/fec/fec.h"

#define UT_FEC_BCH_M 13u

typedef struct ut_fec_step {
    const char *name;
    unsigned a, b; /* BCH: t; RS: nroots; Hamming: parity bits (without the overall one) and data bits */
    bool overall;  /* Hamming */
    unsigned block_nbytes; /* most payload bytes of a block; BCH: 0, computed */
} ut_fec_step;

const ut_fec_step *ut_fec_step_at(ut_fec_kind kind, unsigned rate); /* NULL if out of range; not for LDPC */

/* Code bits of a block with so many payload bytes, 1..block_payload_nbytes. */
size_t ut_fec_block_nbits(const ut_fec_plan *p, size_t nbytes);

static inline size_t ut_fec_block_nbytes(const ut_fec_plan *p, size_t block) /* payload bytes of a block */
{
    return block + 1 < p->nblocks ? p->block_payload_nbytes
                                  : p->payload_nbytes - (p->nblocks - 1) * p->block_payload_nbytes;
}
#endif
