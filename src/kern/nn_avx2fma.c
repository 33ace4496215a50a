#if defined(__x86_64__)
#include <immintrin.h>
#define W 8u
typedef __m256 V;
#define v_load _mm256_loadu_ps
#define v_store _mm256_storeu_ps
#define v_set _mm256_set1_ps
#define v_fma _mm256_fmadd_ps
#define v_prelu(v, slope) _mm256_blendv_ps(_mm256_mul_ps(v, slope), v, _mm256_cmp_ps(v, _mm256_setzero_ps(), _CMP_GT_OQ))
#define NN_OUT 4
#define NN_VECS 3
#define NN(name) avx2_##name
#include "kern/nn_impl.h"
extern const ut_nn ut_nn_avx2fma;
const ut_nn ut_nn_avx2fma = NN_TABLE("avx2");
#else
typedef int ut_nn_no_avx2; /* a translation unit must not be empty */
#endif
