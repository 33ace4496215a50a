/* Stage protect / correct: forward error correction.
 *
 * A plan fixes everything that sender and receiver must agree on, from three numbers: the kind of code, the step on
 * its ladder of rates, and the payload's length.  Encoding turns payload bytes into code_nbits bits; decoding turns
 * log-likelihood ratios (hard decisions are their signs) back into bytes, block by block.  The hide stage scatters the
 * code bits over the whole picture with a keyed permutation, so errors reach the blocks independently.
 * repro: exact (all integer).
 */
#ifndef UT_STAGE_FEC_H
#define UT_STAGE_FEC_H
#include "base/buf.h"

#define UT_FEC_MAX_PAYLOAD ((size_t)1 << 30)

typedef struct ut_fec_plan {
    ut_fec_kind kind;       /* LDPC (with outer BCH), BCH, RS or HAMMING; never AUTO */
    unsigned rate;          /* step on the kind's ladder: 0 has the most redundancy */
    size_t payload_nbytes;
    size_t code_nbits;      /* what ut_fec_encode writes and ut_fec_decode reads */
    size_t nblocks;         /* blocks that succeed or fail on their own, at least 1 */
    size_t block_payload_nbytes; /* payload bytes per block; the last block may hold fewer */
    /* what the codes keep for themselves */
    unsigned z, outer_t;    /* LDPC: lifting size, errors that the outer BCH corrects (0: no outer code) */
    size_t block_nbits;     /* code bits per block where all are alike */
} ut_fec_plan;

unsigned ut_fec_nrates(ut_fec_kind kind);
double ut_fec_rate(ut_fec_kind kind, unsigned rate);           /* asymptotic payload bits / code bits */
const char *ut_fec_name(ut_fec_kind kind, unsigned rate);      /* "ldpc 3/4", "rs(255,223)"; static storage */

/* UT_E_USAGE for a kind, rate or length out of range (payload_nbytes 1..UT_FEC_MAX_PAYLOAD); safe on hostile values. */
UT_MUST_CHECK ut_status ut_fec_plan_init(ut_fec_plan *p, ut_fec_kind kind, unsigned rate, size_t payload_nbytes,
                                         ut_err *e);

/* bits: [code_nbits], each 0 or 1. */
UT_MUST_CHECK ut_status ut_fec_encode(const ut_fec_plan *p, const uint8_t *payload, uint8_t *bits, unsigned nthreads,
                                      ut_err *e);

typedef struct ut_fec_result {
    size_t nblocks_lost;
    size_t nbits_corrected; /* raw bits found wrong in the blocks that were recovered */
    size_t nbits_checked;   /* raw bits in those blocks; their ratio is the measured raw BER */
} ut_fec_result;

/* llr: [code_nbits], ln P(0)/P(1) in units of 1/8, 0 = erasure, clamped to +-127; a hard channel gives +-constant.
 * payload: [payload_nbytes]; bytes of lost blocks are zero.  block_ok: [nblocks], may be NULL.
 * UT_OK if every block was recovered, UT_E_DAMAGED otherwise (payload then holds what was). */
UT_MUST_CHECK ut_status ut_fec_decode(const ut_fec_plan *p, const int8_t *llr, uint8_t *payload, uint8_t *block_ok,
                                      ut_fec_result *r, unsigned nthreads, ut_err *e);

/* How little each of n words looks like one of an LDPC plan of one block: the share of its checks that are broken, by the signs alone.  Noise breaks
 * half of them, give or take 1/40 where there are 400.  Far cheaper than decoding n times.  llr: [n][code_nbits], share: [n]. */
UT_MUST_CHECK ut_status ut_fec_broken(const ut_fec_plan *p, const int8_t *llr, size_t n, float *share, ut_err *e);

/* Where a sender may begin its search: the step with the fewest code bits that is expected to survive a raw error rate of
 * raw_ber (hard decisions, errors independent) with at most 1 block in 10,000 lost.  kind: one family, or UT_FEC_AUTO for
 * the best of all.  Exact binomial tails for Hamming, BCH and RS; measured thresholds for LDPC (thresholds.inc, by
 * tools/gen_fec_thresholds.c), a forecast to be verified by decoding; soft values do better than forecast.
 * UT_E_USAGE: a value out of range; UT_E_CAPACITY: no step survives.  repro: not exact, and need not be. */
UT_MUST_CHECK ut_status ut_fec_pick(ut_fec_kind kind, double raw_ber, size_t payload_nbytes, ut_fec_kind *picked,
                                    unsigned *rate, ut_err *e);
#endif
