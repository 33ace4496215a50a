#include "pipeline/report.h"
#include <stdarg.h>
#include <stdio.h>
#include <time.h>

double ut_now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

void ut_step_add(ut_step *steps, size_t *n, const char *name, double t0, const char *fmt, ...)
{
    if (*n >= 16) return;
    ut_step *s = &steps[(*n)++];
    va_list ap;
    va_start(ap, fmt);
    snprintf(s->name, sizeof s->name, "%s", name);
    vsnprintf(s->detail, sizeof s->detail, fmt, ap);
    va_end(ap);
    s->seconds = ut_now() - t0;
}

void ut_hex(const uint8_t *bytes, size_t n, char *hex)
{
    for (size_t i = 0; i < n; i++) snprintf(hex + 2 * i, 3, "%02x", bytes[i]);
    hex[2 * n] = 0;
}
