#if defined(__x86_64__)
#include "kern/trellis.h"
#include <immintrin.h>
#include <string.h>

static void avx512_column(uint16_t *state, unsigned height, unsigned column, uint16_t cost0, uint16_t cost1, uint32_t *taken)
{
    unsigned half = 1u << (height - 1), words = half / 32;
    __m512i lane = _mm512_set_epi16(31, 30, 29, 28, 27, 26, 25, 24, 23, 22, 21, 20, 19, 18, 17, 16, 15, 14, 13, 12, 11, 10, 9, 8,
                                    7, 6, 5, 4, 3, 2, 1, 0);
    lane = _mm512_xor_si512(lane, _mm512_set1_epi16((short)(column & 31)));
    __m512i c0 = _mm512_set1_epi16((short)cost0), c1 = _mm512_set1_epi16((short)cost1);
    for (unsigned s = 0; s < half; s += 32) {
        uint16_t *a = state + s, *b = state + ((s ^ column) & ~31u);
        __m512i x = _mm512_loadu_si512(a), y = _mm512_permutexvar_epi16(lane, _mm512_loadu_si512(b));
        __m512i x0 = _mm512_adds_epu16(x, c0), y1 = _mm512_adds_epu16(y, c1), y0 = _mm512_adds_epu16(y, c0), x1 = _mm512_adds_epu16(x, c1);
        taken[s / 32] = _mm512_cmplt_epu16_mask(y1, x0);
        taken[s / 32 + words] = _mm512_cmplt_epu16_mask(x1, y0);
        _mm512_storeu_si512(a, _mm512_min_epu16(x0, y1));
        _mm512_storeu_si512(b, _mm512_permutexvar_epi16(lane, _mm512_min_epu16(y0, x1)));
    }
}

static void avx512_shift(uint16_t *state, unsigned height, unsigned bit)
{
    unsigned half = 1u << (height - 1);
    __m512i never = _mm512_set1_epi16(-1), least = never;
    for (unsigned s = 0; s < half; s += 32) {
        __m512i x = _mm512_loadu_si512(state + 2 * s), y = _mm512_loadu_si512(state + 2 * s + 32);
        if (bit) x = _mm512_srli_epi32(x, 16), y = _mm512_srli_epi32(y, 16);
        x = _mm512_inserti64x4(_mm512_castsi256_si512(_mm512_cvtepi32_epi16(x)), _mm512_cvtepi32_epi16(y), 1);
        least = _mm512_min_epu16(least, x);
        _mm512_storeu_si512(state + s, x);
    }
    __m256i h = _mm256_min_epu16(_mm512_castsi512_si256(least), _mm512_extracti64x4_epi64(least, 1));
    __m128i m = _mm_minpos_epu16(_mm_min_epu16(_mm256_castsi256_si128(h), _mm256_extracti128_si256(h, 1)));
    least = _mm512_broadcastw_epi16(m);
    for (unsigned s = 0; s < half; s += 32) {
        __m512i x = _mm512_loadu_si512(state + s);
        _mm512_storeu_si512(state + s, _mm512_mask_sub_epi16(x, _mm512_cmpneq_epu16_mask(x, never), x, least));
    }
    memset(state + half, 0xff, half * sizeof *state);
}

extern const ut_trellis ut_trellis_avx512;
const ut_trellis ut_trellis_avx512 = { avx512_column, avx512_shift, "avx512" };
#else
typedef int ut_trellis_no_avx512; /* a translation unit must not be empty */
#endif
