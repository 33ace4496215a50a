/* Quasi-cyclic IRA LDPC codes with an outer BCH code: the LDPC family of fec.h, which dispatches here.  spec/fec.md is
 * normative.
 *
 * Twenty rates, 1/10 to 35/36; blocks of up to 64800 code bits; a payload of any length gets blocks of equal size.
 * Rounding costs less than ninfo (18 to 175) bits that are not sent.  At full length one block in a hundred or fewer is
 * lost in white noise this far above the Shannon limit of binary input: 0.5 dB from rate 3/4 on, 0.7 dB at 1/2, 1.1 dB at
 * 1/6, 1.4 dB at 1/10; 2.5 dB for 32 bytes at 1/4.  Only the ratios between the magnitudes of an input block matter,
 * not their level.
 * Short blocks have no outer code, and may rarely be decoded to a wrong codeword: what is above must notice. */
#ifndef UT_STAGE_FEC_LDPC_H
#define UT_STAGE_FEC_LDPC_H
#include "stage/fec/fec.h"

unsigned ut_ldpc_nrates(void);
double ut_ldpc_rate(unsigned rate);      /* outer code included, full block */
const char *ut_ldpc_name(unsigned rate); /* "ldpc 3/4" */
/* payload_nbytes and rate are in range; fills every field of *p. */
UT_MUST_CHECK ut_status ut_ldpc_plan(ut_fec_plan *p, unsigned rate, size_t payload_nbytes, ut_err *e);
UT_MUST_CHECK ut_status ut_ldpc_encode(const ut_fec_plan *p, const uint8_t *payload, uint8_t *bits, unsigned nthreads,
                                       ut_err *e);
/* See ut_fec_broken. */
UT_MUST_CHECK ut_status ut_ldpc_broken_shares(const ut_fec_plan *p, const int8_t *llr, size_t n, float *share, ut_err *e);
UT_MUST_CHECK ut_status ut_ldpc_decode(const ut_fec_plan *p, const int8_t *llr, uint8_t *payload, uint8_t *block_ok,
                                       ut_fec_result *r, unsigned nthreads, ut_err *e);
#endif
