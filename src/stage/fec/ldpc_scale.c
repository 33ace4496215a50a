#include "stage/fec/ldpc_scale.h"
#include <stdbool.h>

#define UNITY 256u /* of the gain */
#define MAX_GAIN (127u * UNITY)

/* [k]: 65536 (1 - h(1/(1 + e^(k/8)))), rounded */
static const uint16_t carried[128] = {
    0, 184, 733, 1633, 2865, 4401, 6208, 8251, 10490, 12885, 15397, 17987, 20621, 23265, 25891, 28475, 30994,
    33433, 35778, 38018, 40146, 42159, 44054, 45831, 47490, 49035, 50469, 51797, 53023, 54153, 55191, 56145,
    57018, 57816, 58546, 59211, 59817, 60368, 60869, 61324, 61737, 62111, 62450, 62757, 63034, 63284, 63511,
    63715, 63899, 64065, 64215, 64350, 64471, 64581, 64679, 64767, 64847, 64918, 64982, 65040, 65092, 65138,
    65180, 65217, 65251, 65281, 65308, 65332, 65353, 65373, 65390, 65405, 65419, 65432, 65443, 65453, 65462,
    65470, 65477, 65483, 65489, 65494, 65498, 65502, 65506, 65509, 65512, 65515, 65517, 65519, 65521, 65523,
    65524, 65525, 65526, 65528, 65528, 65529, 65530, 65531, 65531, 65532, 65532, 65533, 65533, 65533, 65534,
    65534, 65534, 65534, 65535, 65535, 65535, 65535, 65535, 65535, 65535, 65535, 65535, 65535, 65535, 65535,
    65535, 65535, 65535, 65535, 65535, 65535,
};

static inline unsigned scaled(unsigned m, unsigned gain)
{
    unsigned v = (m * gain + UNITY / 2) / UNITY;
    return v < 127 ? v : 127;
}

static bool carries(const size_t *count, size_t n, unsigned gain, unsigned info)
{
    uint64_t sum = 0;
    for (unsigned m = 1; m < 128; m++) sum += (uint64_t)count[m] * carried[scaled(m, gain)];
    return sum >= (uint64_t)n * info;
}

void ut_ldpc_scale(const int8_t *llr, size_t n, unsigned info, int8_t *out)
{
    size_t count[129] = { 0 };
    for (size_t i = 0; i < n; i++) count[llr[i] < 0 ? -llr[i] : llr[i]]++;
    count[127] += count[128];
    unsigned lo = 0, hi = MAX_GAIN; /* the least gain that carries it is in (lo, hi], if any does */
    while (hi - lo > 1) {
        unsigned mid = (lo + hi) / 2;
        if (carries(count, n, mid, info))
            hi = mid;
        else
            lo = mid;
    }
    int8_t map[129];
    for (unsigned m = 0; m <= 128; m++) {
        unsigned v = scaled(m, hi);
        map[m] = (int8_t)(m && !v ? 1 : v);
    }
    for (size_t i = 0; i < n; i++) out[i] = (int8_t)(llr[i] < 0 ? -map[-llr[i]] : map[llr[i]]);
}
