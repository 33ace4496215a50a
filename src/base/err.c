#include "base/err.h"
#include <stdarg.h>
#include <stdio.h>

ut_status ut_fail(ut_err *e, ut_status s, const char *fmt, ...)
{
    if (e) {
        va_list ap;
        va_start(ap, fmt);
        e->status = s;
        vsnprintf(e->text, sizeof e->text, fmt, ap);
        va_end(ap);
    }
    return s;
}

ut_status ut_fail_memory(ut_err *e, size_t nbytes)
{
    return ut_fail(e, UT_E_MEMORY, "out of memory: %zu bytes could not be had; try a smaller photo or recording", nbytes);
}

const char *ut_status_text(ut_status s)
{
    switch (s) {
    case UT_OK: return "success";
    case UT_E_USAGE: return "wrong usage";
    case UT_E_INPUT: return "unreadable input";
    case UT_E_CAPACITY: return "does not fit";
    case UT_E_KEY: return "wrong key or nothing hidden";
    case UT_E_DAMAGED: return "damaged beyond repair";
    case UT_E_IO: return "input/output error";
    case UT_E_MEMORY: return "out of memory";
    case UT_E_CANCELLED: return "cancelled";
    case UT_E_UNSUPPORTED: return "not supported by this build";
    case UT_E_INTERNAL: return "internal error";
    }
    return "unknown status";
}

const char *ut_version(void) { return UT_VERSION; }
