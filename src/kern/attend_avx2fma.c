#if defined(__x86_64__)
#define ATTEND(name) avx2_##name
#include "kern/attend_impl.h"
extern const ut_attend ut_attend_avx2fma;
const ut_attend ut_attend_avx2fma = ATTEND_TABLE("avx2");
#else
typedef int ut_attend_no_avx2; /* a translation unit must not be empty */
#endif
