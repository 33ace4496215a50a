/* enhance, as hide and the call of its own share it: find a model, listen, clean or leave alone, say what was done. */
#ifndef UT_PIPELINE_CLEAN_H
#define UT_PIPELINE_CLEAN_H
#include "pipeline/model.h"

typedef struct ut_cleaning {
    ut_enhance_mode mode;
    double strength;
    const char *model_name; /* borrowed */
    unsigned nthreads;
    ut_enhance_model *model; /* owned; NULL: none is needed or there is none */
    ut_heard heard;
    bool leave_alone;
    ut_enhancement *told;
} ut_cleaning;

/* Opens the model where one is needed.  *idle: nothing is to be done at all, and why is in c->told. */
UT_MUST_CHECK ut_status ut_cleaning_open(ut_cleaning *c, bool *idle, ut_err *e);
/* After the first pass: c->heard is known. */
void ut_cleaning_decide(ut_cleaning *c);
UT_MUST_CHECK ut_status ut_cleaning_start(const ut_cleaning *c, ut_enhance_sink sink, void *user, ut_enhancer **h, ut_err *e);
void ut_cleaning_tell(const ut_cleaning *c, const ut_enhancer_report *r);
void ut_cleaning_free(ut_cleaning *c);
#endif
