#include "kern/dct8.h"
#define UT_DCT8(n) plain_##n
#include "kern/dct8_impl.h"

static const ut_dct8 plain = { plain_forward, plain_inverse, "plain" };
const ut_dct8 *ut_dct8_plain(void) { return &plain; }

#if defined(__x86_64__)
extern const ut_dct8 ut_dct8_avx2;
const ut_dct8 *ut_dct8_get(void) { return __builtin_cpu_supports("avx2") ? &ut_dct8_avx2 : &plain; }
#else
const ut_dct8 *ut_dct8_get(void) { return &plain; }
#endif
