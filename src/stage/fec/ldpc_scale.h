/* Brings a block's log-likelihood ratios to the level that the decoder wants.
 *
 * The magnitudes are multiplied by the gain at which they would just carry the code: the mean of 1 - h(1/(1 + e^m))
 * over the block equals the code's rate plus a margin (h: binary entropy).  So only ratios between magnitudes count,
 * and a hard channel, where all are alike, gets the magnitude of a binary symmetric channel near the code's limit.
 * repro: exact. */
#ifndef UT_STAGE_FEC_LDPC_SCALE_H
#define UT_STAGE_FEC_LDPC_SCALE_H
#include <stddef.h>
#include <stdint.h>

/* info: what a bit must carry, of 65536.  out: in units of 1/8. */
void ut_ldpc_scale(const int8_t *llr, size_t n, unsigned info, int8_t *out);
#endif
