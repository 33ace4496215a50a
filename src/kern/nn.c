/* Plain C: four floats in a row, which compilers turn into whatever vectors the machine has (SSE, NEON). */
#define W 4u
typedef float V __attribute__((vector_size(16)));
static inline V v_load(const float *p)
{
    V v;
    __builtin_memcpy(&v, p, sizeof v);
    return v;
}
static inline void v_store(float *p, V v) { __builtin_memcpy(p, &v, sizeof v); }
#define v_set(x) ((V){ 0 } + (x))
#define v_fma(a, b, c) ((a) * (b) + (c))
static inline V v_prelu(V v, V slope)
{
    V scaled = v * slope;
    for (unsigned i = 0; i < W; i++) scaled[i] = v[i] > 0 ? v[i] : scaled[i];
    return scaled;
}
#define NN_OUT 4
#define NN_VECS 2
#define NN(name) plain_##name
#include "kern/nn_impl.h"

static const ut_nn plain = NN_TABLE("plain");

#if defined(__x86_64__)
extern const ut_nn ut_nn_avx2fma, ut_nn_avx512;
static int has_avx2(void) { return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"); }
static int has_avx512(void)
{
    return has_avx2() && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512bw") &&
           __builtin_cpu_supports("avx512vl");
}
const ut_nn *ut_nn_get(void) { return has_avx512() ? &ut_nn_avx512 : has_avx2() ? &ut_nn_avx2fma : &plain; }
const ut_nn *ut_nn_variant(unsigned i)
{
    return i == 0 ? &plain : i == 1 && has_avx2() ? &ut_nn_avx2fma : i == 2 && has_avx512() ? &ut_nn_avx512 : NULL;
}
#else
const ut_nn *ut_nn_get(void) { return &plain; }
const ut_nn *ut_nn_variant(unsigned i) { return i == 0 ? &plain : NULL; }
#endif
