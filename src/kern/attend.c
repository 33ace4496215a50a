#define ATTEND(name) plain_##name
#include "kern/attend_impl.h"

static const ut_attend plain = ATTEND_TABLE("plain");

#if defined(__x86_64__)
extern const ut_attend ut_attend_avx2fma, ut_attend_avx512;
static int has_avx2(void) { return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"); }
static int has_avx512(void)
{
    return has_avx2() && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512bw") &&
           __builtin_cpu_supports("avx512vl");
}
const ut_attend *ut_attend_get(void) { return has_avx512() ? &ut_attend_avx512 : has_avx2() ? &ut_attend_avx2fma : &plain; }
const ut_attend *ut_attend_variant(unsigned i)
{
    return i == 0 ? &plain : i == 1 && has_avx2() ? &ut_attend_avx2fma : i == 2 && has_avx512() ? &ut_attend_avx512 : NULL;
}
#else
const ut_attend *ut_attend_get(void) { return &plain; }
const ut_attend *ut_attend_variant(unsigned i) { return i == 0 ? &plain : NULL; }
#endif
