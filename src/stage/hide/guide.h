/* The guide: a network that prices moves of a photo's coefficients by how much they will show (condition.h).  The sender's alone; a receiver needs nothing. */
#ifndef UT_STAGE_HIDE_GUIDE_H
#define UT_STAGE_HIDE_GUIDE_H
#include "base/picture.h"
#include "stage/hide/condition.h"

typedef struct ut_guide {
    ut_condition net;
} ut_guide;

/* From a safetensors file: tensors guide.*, metadata kind "guide", format "1", width and blocks.  name: for messages.  UT_E_INPUT: not such a file. */
UT_MUST_CHECK ut_status ut_guide_load(const uint8_t *data, size_t n, const char *name, ut_guide **out, ut_err *e);
void ut_guide_free(ut_guide *g); /* NULL: nothing */

/* What a squared move of each coefficient is to cost: weight = e^(3 tanh(network)), kept as its logarithm in steps of 6/255 (0: e^-3, 255: e^3).
 * log_weight: [nblocks][64].  About 0.1 s of two cores for 12 megapixels. */
#define UT_GUIDE_RANGE 3.0f
UT_MUST_CHECK ut_status ut_guide_weigh(const ut_guide *g, const ut_picture *cover, uint8_t *log_weight, unsigned nthreads, ut_err *e);
/* The weights that the 256 steps stand for. */
void ut_guide_weights(float weight[256]);
#endif
