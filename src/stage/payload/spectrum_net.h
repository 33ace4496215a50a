/* Integer arithmetic under the spectrum codec's model; see spectrum.h. */
#ifndef UT_STAGE_PAYLOAD_SPECTRUM_NET_H
#define UT_STAGE_PAYLOAD_SPECTRUM_NET_H
#include "stage/payload/spectrum_tables.h"

enum { UT_NET_MAX = 8191 }; /* inputs and activations lie within +-8191, Q8 */

/* Two hidden layers with ReLU.  in: [nin], logit: [nout], Q8 natural log odds. */
void ut_spectrum_net(const ut_net *n, const int16_t *in, int32_t *logit);
/* 65536 / (1 + exp(-x)), x in Q8: within 24..65512, never falling. */
uint32_t ut_spectrum_squash(int32_t x);
/* 256 log2(v), to about 1; v = 0 counts as 1. */
int32_t ut_spectrum_log2(uint32_t v);
/* 2^(x / 256) for x in Q8; 1 below 0, 2^24 - 1 above 24. */
uint32_t ut_spectrum_exp2(int32_t x);
#endif
