/* Errors: a status and one line in a person's terms, carried up by the caller's ut_err. */
#ifndef UT_BASE_ERR_H
#define UT_BASE_ERR_H
#include "undertone.h"

typedef struct ut_err {
    ut_status status;
    char text[512];
} ut_err;

/* Records status and message (printf style) and returns the status, so that `return ut_fail(e, ...)` reads as one
 * step.  e may be NULL.  Say what happened, to which input, and what to do. */
ut_status ut_fail(ut_err *e, ut_status s, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
ut_status ut_fail_memory(ut_err *e, size_t nbytes);
#endif
