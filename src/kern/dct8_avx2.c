#if defined(__x86_64__)
#include "kern/dct8.h"
#define UT_DCT8(n) avx2_##n
#include "kern/dct8_impl.h"
extern const ut_dct8 ut_dct8_avx2;
const ut_dct8 ut_dct8_avx2 = { avx2_forward, avx2_inverse, "avx2" };
#else
typedef int ut_dct8_no_avx2; /* a translation unit must not be empty */
#endif
