/* One round of layered min-sum, written once for vectors of any width: ROUND is the function's name.  See ldpc.h.
 *
 * Columns lie in memory turned to the shift of the row that touched them last and repeated, so that the next row reads
 * them with plain unaligned loads, starting `turn` lanes further on.  Lanes beyond Z are copies of lanes mod Z and stay so. */
#include "stage/fec/ldpc.h"
#include <string.h>

#if defined(__AVX2__)
#include <immintrin.h>
#define W 32
typedef int8_t vec __attribute__((vector_size(32)));
typedef uint8_t uvec __attribute__((vector_size(32)));
#define SUBS(a, b) ((vec)_mm256_subs_epi8((__m256i)(a), (__m256i)(b)))
#define ADDS(a, b) ((vec)_mm256_adds_epi8((__m256i)(a), (__m256i)(b)))
#define MINU(a, b) ((vec)_mm256_min_epu8((__m256i)(a), (__m256i)(b)))
#define MAXU(a, b) ((vec)_mm256_max_epu8((__m256i)(a), (__m256i)(b)))
#elif defined(__SSE2__)
#include <emmintrin.h>
#define W 16
typedef int8_t vec __attribute__((vector_size(16)));
typedef uint8_t uvec __attribute__((vector_size(16)));
#define SUBS(a, b) ((vec)_mm_subs_epi8((__m128i)(a), (__m128i)(b)))
#define ADDS(a, b) ((vec)_mm_adds_epi8((__m128i)(a), (__m128i)(b)))
#define MINU(a, b) ((vec)_mm_min_epu8((__m128i)(a), (__m128i)(b)))
#define MAXU(a, b) ((vec)_mm_max_epu8((__m128i)(a), (__m128i)(b)))
#else
#define W 16
typedef int8_t vec __attribute__((vector_size(16)));
typedef uint8_t uvec __attribute__((vector_size(16)));
static inline vec saturate(vec wrapped, vec a, vec overflow)
{
    vec m = overflow < 0;
    return (wrapped & ~m) | (((a < 0) ^ 127) & m);
}
static inline vec SUBS(vec a, vec b)
{
    vec d = (vec)((uvec)a - (uvec)b);
    return saturate(d, a, (a ^ b) & (a ^ d));
}
static inline vec ADDS(vec a, vec b)
{
    vec d = (vec)((uvec)a + (uvec)b);
    return saturate(d, a, ~(a ^ b) & (a ^ d));
}
static inline vec MINU(vec a, vec b) { vec m = (vec)((uvec)a < (uvec)b); return (a & m) | (b & ~m); }
static inline vec MAXU(vec a, vec b) { vec m = (vec)((uvec)a < (uvec)b); return (b & m) | (a & ~m); }
#endif

#define LOAD(v, p) memcpy(&(v), (p), sizeof(vec))
#define STORE(p, v) memcpy((p), &(v), sizeof(vec))

/* -128 would have no magnitude: make it -127. */
#define TAME(v) ((v) - (vec)((v) == -128))
#define NEGATIVE(v) ((vec)((v) < 0))

/* keep/16 of a magnitude, rounded to nearest: 13/16 = 1 - 1/8 - 1/16 and so on, each term rounded down. */
static inline vec scaled(vec v, unsigned cut)
{
    uvec u = (uvec)v, d = u ^ u;
    if (cut & 8) d += u >> 1;
    if (cut & 4) d += u >> 2;
    if (cut & 2) d += u >> 3;
    if (cut & 1) d += u >> 4;
    return (vec)(u - d);
}

typedef struct row_view {
    const int8_t *from[UT_LDPC_MAX_ROW];
    int8_t *to[UT_LDPC_MAX_ROW], *msg;
    unsigned n;
    bool first; /* row 0: its last edge lacks lane 0 */
} row_view;

/* Removes the old messages, keeps what is left in q, finds the two least magnitudes and the sign of each check. */
static bool gather(const ut_ldpc *g, const ut_ldpc_state *s, const row_view *v)
{
    size_t stride = g->stride;
    unsigned cut = 16u - g->profile->keep;
    uint8_t bad[W];
    vec failed = { 0 };
    for (size_t x = 0; x < stride; x += W) {
        vec m1 = { 0 }, m2, parity = m1, sign = m1, a, r;
        m1 = m2 = m1 + 127;
        for (unsigned i = 0; i < v->n; i++) {
            LOAD(a, v->from[i] + x);
            if (v->first && i + 1 == v->n) {
                vec open;
                LOAD(open, s->open + x);
                STORE(s->q + (size_t)v->n * stride + x, a);
                a = (a & ~open) | (open & 127);
            }
            LOAD(r, v->msg + i * stride + x);
            parity ^= a;
            vec q = SUBS(a, r);
            q = TAME(q);
            STORE(s->q + i * stride + x, q);
            sign ^= q;
            vec neg = NEGATIVE(q), mag = (q ^ neg) - neg, hi = MAXU(m1, mag);
            m2 = MINU(m2, hi);
            m1 = MINU(m1, mag);
        }
        failed |= parity;
        STORE(s->sign + x, sign);
        STORE(s->m1 + x, m1);
        m2 = scaled(m2, cut);
        STORE(s->m2 + x, m2);
    }
    STORE(bad, failed);
    unsigned any = 0;
    for (unsigned i = 0; i < W; i++) any |= bad[i];
    return any >> 7 & 1u;
}

static void scatter(const ut_ldpc *g, const ut_ldpc_state *s, const row_view *v)
{
    size_t stride = g->stride;
    unsigned cut = 16u - g->profile->keep;
    for (size_t x = 0; x < stride; x += W) {
        vec m1, m2, sign, q;
        LOAD(m1, s->m1 + x);
        LOAD(m2, s->m2 + x);
        LOAD(sign, s->sign + x);
        vec n1 = scaled(m1, cut);
        for (unsigned i = 0; i < v->n; i++) {
            LOAD(q, s->q + i * stride + x);
            vec neg = NEGATIVE(q), mag = (q ^ neg) - neg;
            vec least = (vec)(mag == m1), r = (m2 & least) | (n1 & ~least);
            neg = NEGATIVE(sign ^ q);
            r = (r ^ neg) - neg;
            vec a = ADDS(q, r);
            a = TAME(a);
            if (v->first && i + 1 == v->n) {
                vec open, old;
                LOAD(open, s->open + x);
                LOAD(old, s->q + (size_t)v->n * stride + x);
                a = (a & ~open) | (old & open);
                r &= ~open;
            }
            STORE(v->msg + i * stride + x, r);
            STORE(v->to[i] + x, a);
        }
    }
    for (unsigned i = 0; i < v->n; i++) /* repeat the column behind itself */
        for (size_t x = 0; x < stride; x += W) {
            vec a;
            LOAD(a, v->to[i] + x);
            STORE(v->to[i] + g->z + x, a);
        }
}

bool ROUND(const ut_ldpc *g, const ut_ldpc_state *s)
{
    row_view v;
    bool failed = false;
    for (unsigned r = 0; r < g->nrows; r++) {
        v.n = (unsigned)(g->row_at[r + 1] - g->row_at[r]);
        v.first = r == 0;
        v.msg = s->msg + (size_t)g->row_at[r] * g->stride;
        for (unsigned i = 0; i < v.n; i++) {
            const ut_ldpc_edge *d = &g->edge[g->row_at[r] + i];
            v.to[i] = s->app + d->col * ut_ldpc_pitch(g);
            v.from[i] = v.to[i] + d->turn;
        }
        failed |= gather(g, s, &v);
        scatter(g, s, &v);
    }
    return failed;
}
