/* What a listener would notice of the coding: for the encoder's decisions only; floating point. */
#ifndef UT_STAGE_PAYLOAD_SPECTRUM_HEARING_H
#define UT_STAGE_PAYLOAD_SPECTRUM_HEARING_H
#include "stage/payload/spectrum.h"

typedef struct ut_spectrum_hearing ut_spectrum_hearing;
/* Analyses the original; NULL: out of memory.  sample is not kept. */
ut_spectrum_hearing *ut_spectrum_hearing_new(const int16_t *sample, size_t nsamples, size_t nframes);
void ut_spectrum_hearing_free(ut_spectrum_hearing *h);
/* disturbance: [nframes], how much is heard around each frame, about 0 to 3.  false: out of memory. */
bool ut_spectrum_hear(const ut_spectrum_hearing *h, const int16_t *decoded, size_t nsamples, float *disturbance);
#endif
