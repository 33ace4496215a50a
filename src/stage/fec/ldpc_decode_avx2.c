#if defined(__x86_64__)
#include <immintrin.h>
#include <stdint.h>

typedef __m256i vec, wide;
#define W 32u
#define load(p) _mm256_loadu_si256((const __m256i *)(const void *)(p))
#define store(p, v) _mm256_storeu_si256((__m256i *)(void *)(p), v)
#define v_set(x) _mm256_set1_epi8(x)
#define v_addu _mm256_adds_epu8
#define v_subu _mm256_subs_epu8
#define v_minu _mm256_min_epu8
#define v_maxu _mm256_max_epu8
#define v_neg(a) _mm256_cmpgt_epi8(_mm256_setzero_si256(), a)
#define v_or _mm256_or_si256
#define v_xor _mm256_xor_si256
#define v_and _mm256_and_si256
#define v_sub _mm256_sub_epi8
#define v_half(a) _mm256_and_si256(_mm256_srli_epi16(a, 1), _mm256_set1_epi8(0x7f))
#define v_any_neg(a) (_mm256_movemask_epi8(a) != 0)
#define w_load load
#define w_store store
#define w_add _mm256_add_epi16
#define w_sub _mm256_sub_epi16
#define v_pack _mm256_packs_epi16 /* works within halves, as do its opposites */
#define v_low(a) _mm256_unpacklo_epi8(a, v_neg(a))
#define v_high(a) _mm256_unpackhi_epi8(a, v_neg(a))
#define UT_LDPC_PASS ut_ldpc_pass_avx2
#include "stage/fec/ldpc_decode_impl.h"
#else
typedef int ut_ldpc_no_avx2; /* a translation unit must not be empty */
#endif
