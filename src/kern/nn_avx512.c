#if defined(__x86_64__)
#include <immintrin.h>
#define W 16u
typedef __m512 V;
#define v_load _mm512_loadu_ps
#define v_store _mm512_storeu_ps
#define v_set _mm512_set1_ps
#define v_fma _mm512_fmadd_ps
#define v_prelu(v, slope) _mm512_mask_mov_ps(_mm512_mul_ps(v, slope), _mm512_cmp_ps_mask(v, _mm512_setzero_ps(), _CMP_GT_OQ), v)
#define NN_OUT 8
#define NN_VECS 3
#define NN(name) avx512_##name
#include "kern/nn_impl.h"
extern const ut_nn ut_nn_avx512;
const ut_nn ut_nn_avx512 = NN_TABLE("avx512");
#else
typedef int ut_nn_no_avx512; /* a translation unit must not be empty */
#endif
