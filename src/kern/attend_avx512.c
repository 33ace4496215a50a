#if defined(__x86_64__)
#define ATTEND(name) avx512_##name
#include "kern/attend_impl.h"
extern const ut_attend ut_attend_avx512;
const ut_attend ut_attend_avx512 = ATTEND_TABLE("avx512");
#else
typedef int ut_attend_no_avx512; /* a translation unit must not be empty */
#endif
