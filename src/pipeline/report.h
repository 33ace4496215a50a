/* What hide and reveal tell their callers. */
#ifndef UT_PIPELINE_REPORT_H
#define UT_PIPELINE_REPORT_H
#include "base/err.h"

double ut_now(void); /* seconds, monotonic */
/* Appends a step that began at t0; detail printf style. */
void ut_step_add(ut_step *steps, size_t *n, const char *name, double t0, const char *fmt, ...)
    __attribute__((format(printf, 5, 6)));
void ut_hex(const uint8_t *bytes, size_t n, char *hex); /* 2n + 1 characters */
#endif
