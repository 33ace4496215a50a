#if defined(__x86_64__)
#include "kern/trellis.h"
#include <immintrin.h>
#include <string.h>

/* Lanes i -> i ^ x of sixteen, x below 16: bytes within each half by a table, halves by a swap. */
static inline __m256i bytes_of(unsigned x)
{
    __m128i lane = _mm_set_epi16(0x0f0e, 0x0d0c, 0x0b0a, 0x0908, 0x0706, 0x0504, 0x0302, 0x0100);
    return _mm256_broadcastsi128_si256(_mm_xor_si128(lane, _mm_set1_epi8((char)(2 * (x & 7)))));
}

/* 16-bit truths of 32 lanes -> 32 bits in order */
static inline uint32_t bits(__m256i lo, __m256i hi)
{
    return (uint32_t)_mm256_movemask_epi8(_mm256_permute4x64_epi64(_mm256_packs_epi16(lo, hi), 0xd8));
}

static inline __m256i pair(__m256i *a, __m256i *b, __m256i bytes, int swap, __m256i c0, __m256i c1, __m256i *was)
{
    __m256i x = _mm256_loadu_si256(a), y = _mm256_shuffle_epi8(_mm256_loadu_si256(b), bytes);
    if (swap) y = _mm256_permute2x128_si256(y, y, 1);
    __m256i x0 = _mm256_adds_epu16(x, c0), y1 = _mm256_adds_epu16(y, c1), y0 = _mm256_adds_epu16(y, c0), x1 = _mm256_adds_epu16(x, c1);
    __m256i p = _mm256_min_epu16(x0, y1), q = _mm256_min_epu16(y0, x1);
    *was = _mm256_cmpeq_epi16(q, y0);
    __m256i r = _mm256_shuffle_epi8(q, bytes);
    if (swap) r = _mm256_permute2x128_si256(r, r, 1);
    _mm256_storeu_si256(a, p);
    _mm256_storeu_si256(b, r);
    return _mm256_cmpeq_epi16(p, x0);
}

static void avx2_column(uint16_t *state, unsigned height, unsigned column, uint16_t cost0, uint16_t cost1, uint32_t *taken)
{
    unsigned half = 1u << (height - 1);
    __m256i bytes = bytes_of(column), c0 = _mm256_set1_epi16((short)cost0), c1 = _mm256_set1_epi16((short)cost1);
    int swap = column >> 3 & 1;
    for (unsigned s = 0; s < half; s += 32) {
        unsigned t = (s ^ column) & ~15u, u = ((s + 16) ^ column) & ~15u;
        __m256i b0, b1;
        __m256i a0 = pair((__m256i *)(state + s), (__m256i *)(state + t), bytes, swap, c0, c1, &b0);
        __m256i a1 = pair((__m256i *)(state + s + 16), (__m256i *)(state + u), bytes, swap, c0, c1, &b1);
        taken[s / 32] = ~bits(a0, a1);
        taken[(s + half) / 32] = ~bits(b0, b1);
    }
}

static void avx2_shift(uint16_t *state, unsigned height, unsigned bit)
{
    unsigned half = 1u << (height - 1);
    __m256i low = _mm256_set1_epi32(0xffff), never = _mm256_set1_epi16(-1), least = never;
    for (unsigned s = 0; s < half; s += 16) {
        __m256i x = _mm256_loadu_si256((const __m256i *)(state + 2 * s)), y = _mm256_loadu_si256((const __m256i *)(state + 2 * s + 16));
        x = bit ? _mm256_srli_epi32(x, 16) : _mm256_and_si256(x, low);
        y = bit ? _mm256_srli_epi32(y, 16) : _mm256_and_si256(y, low);
        x = _mm256_permute4x64_epi64(_mm256_packus_epi32(x, y), 0xd8);
        least = _mm256_min_epu16(least, x);
        _mm256_storeu_si256((__m256i *)(state + s), x);
    }
    __m128i m = _mm_minpos_epu16(_mm_min_epu16(_mm256_castsi256_si128(least), _mm256_extracti128_si256(least, 1)));
    least = _mm256_broadcastw_epi16(m);
    for (unsigned s = 0; s < half; s += 16) {
        __m256i x = _mm256_loadu_si256((const __m256i *)(state + s)), is = _mm256_cmpeq_epi16(x, never);
        _mm256_storeu_si256((__m256i *)(state + s), _mm256_or_si256(_mm256_sub_epi16(x, least), is));
    }
    memset(state + half, 0xff, half * sizeof *state);
}

extern const ut_trellis ut_trellis_avx2;
const ut_trellis ut_trellis_avx2 = { avx2_column, avx2_shift, "avx2" };
#else
typedef int ut_trellis_no_avx2; /* a translation unit must not be empty */
#endif
