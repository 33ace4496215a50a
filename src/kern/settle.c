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
static inline V v_pick(V a, V b, V x, V y)
{
    for (unsigned i = 0; i < W; i++) x[i] = a[i] > b[i] ? x[i] : y[i];
    return x;
}
#define v_max(a, b) v_pick(a, b, a, b)
#define SETTLE(n) plain_##n
#include "kern/settle_impl.h"

static const ut_settle plain = SETTLE_TABLE("plain");
const ut_settle *ut_settle_plain(void) { return &plain; }

#if defined(__x86_64__)
extern const ut_settle ut_settle_avx2;
const ut_settle *ut_settle_get(void) { return __builtin_cpu_supports("avx2") ? &ut_settle_avx2 : &plain; }
#else
const ut_settle *ut_settle_get(void) { return &plain; }
#endif
