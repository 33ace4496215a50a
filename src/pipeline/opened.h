/* A message out of its picture and opened: what reveal has before it decodes. */
#ifndef UT_PIPELINE_OPENED_H
#define UT_PIPELINE_OPENED_H
#include "base/buf.h"

typedef struct ut_opened {
    ut_buf plain;
    uint8_t *segment_ok;           /* [nsegments] of UT_SEGMENT_NBYTES each, owned */
    size_t nsegments, nsegments_lost;
} ut_opened;
void ut_opened_free(ut_opened *o);

/* open -> find -> read -> correct -> unseal.  UT_OK: every segment is authentic; UT_E_DAMAGED: *o holds what is, or nothing.  rep: steps, diagnosis. */
UT_MUST_CHECK ut_status ut_reveal_open(const uint8_t *image, size_t n, const ut_reveal_options *opt, ut_reveal_report *rep, ut_opened *o,
                                       ut_err *e);
/* decode: a whole payload, or with opt->partial what there is of it.  UT_E_DAMAGED with bytes in *result: not exact. */
UT_MUST_CHECK ut_status ut_reveal_decode(const ut_opened *o, const ut_reveal_options *opt, ut_reveal_report *rep, ut_buf *result, ut_err *e);
/* Result and message to the caller. */
ut_status ut_reveal_finish(ut_status s, ut_buf *result, const ut_reveal_options *opt, ut_blob *out, ut_reveal_report *rep, const ut_err *e);
#endif
