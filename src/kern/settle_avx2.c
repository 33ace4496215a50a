#if defined(__x86_64__)
#include <immintrin.h>
#define W 8u
typedef __m256 V;
#define v_load _mm256_loadu_ps
#define v_store _mm256_storeu_ps
#define v_set _mm256_set1_ps
#define v_max _mm256_max_ps
#define v_pick(a, b, x, y) _mm256_blendv_ps(y, x, _mm256_cmp_ps(a, b, _CMP_GT_OQ))
#define SETTLE(n) avx2_##n
#include "kern/settle_impl.h"
extern const ut_settle ut_settle_avx2;
const ut_settle ut_settle_avx2 = SETTLE_TABLE("avx2");
#else
typedef int ut_settle_no_avx2; /* a translation unit must not be empty */
#endif
