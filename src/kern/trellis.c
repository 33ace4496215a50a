#include "kern/trellis.h"
#include <string.h>

static inline uint16_t add(uint16_t a, uint16_t b)
{
    unsigned v = (unsigned)a + b;
    return (uint16_t)(v > UT_TRELLIS_NEVER ? UT_TRELLIS_NEVER : v);
}

static void plain_column(uint16_t *state, unsigned height, unsigned column, uint16_t cost0, uint16_t cost1, uint32_t *taken)
{
    unsigned half = 1u << (height - 1);
    memset(taken, 0, half / 4);
    for (unsigned s = 0; s < half; s++) {
        uint16_t a = state[s], b = state[s ^ column];
        uint16_t a0 = add(a, cost0), b1 = add(b, cost1), b0 = add(b, cost0), a1 = add(a, cost1);
        state[s] = b1 < a0 ? b1 : a0;
        state[s ^ column] = a1 < b0 ? a1 : b0;
        taken[s / 32] |= (uint32_t)(b1 < a0) << (s % 32);
        taken[(s + half) / 32] |= (uint32_t)(a1 < b0) << (s % 32);
    }
}

static void plain_shift(uint16_t *state, unsigned height, unsigned bit)
{
    unsigned half = 1u << (height - 1);
    uint16_t least = UT_TRELLIS_NEVER;
    for (unsigned s = 0; s < half; s++) {
        state[s] = state[2 * s + bit];
        if (state[s] < least) least = state[s];
    }
    for (unsigned s = 0; s < half; s++)
        if (state[s] != UT_TRELLIS_NEVER) state[s] = (uint16_t)(state[s] - least);
    memset(state + half, 0xff, half * sizeof *state);
}

static const ut_trellis plain = { plain_column, plain_shift, "plain" };
const ut_trellis *ut_trellis_plain(void) { return &plain; }

#if defined(__x86_64__)
extern const ut_trellis ut_trellis_avx2, ut_trellis_avx512;
const ut_trellis *ut_trellis_get(void)
{
    if (__builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl")) return &ut_trellis_avx512;
    return __builtin_cpu_supports("avx2") ? &ut_trellis_avx2 : &plain;
}
#else
const ut_trellis *ut_trellis_get(void) { return &plain; }
#endif
