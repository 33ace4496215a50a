/* One round of layered min-sum, written once for vectors of any width: ROUND is the function's name.  See ldpc.h.
 *
 * Columns lie in memory turned to the shift of the row that touched them last and repeated, so that the next row reads
 * them with plain unaligned loads, starting `turn` lanes further on.  Lanes beyond Z are copies of lanes mod Z and stay so. */
#include "stage/fec/ldpc.h"
#include <string.h>

/* vec: W messages of 8 bits.  wide: half as many sums of 16 bits. */
#if defined(__AVX2__)
#include <immintrin.h>
#define W 32
typedef int8_t vec __attribute__((vector_size(32)));
typedef uint8_t uvec __attribute__((vector_size(32)));
typedef int16_t wide __attribute__((vector_size(32)));
#define MINU(a, b) ((vec)_mm256_min_epu8((__m256i)(a), (__m256i)(b)))
#define MAXU(a, b) ((vec)_mm256_max_epu8((__m256i)(a), (__m256i)(b)))
#define LOW(v) ((wide)_mm256_cvtepi8_epi16(_mm256_castsi256_si128((__m256i)(v))))
#define HIGH(v) ((wide)_mm256_cvtepi8_epi16(_mm256_extracti128_si256((__m256i)(v), 1)))
#define NARROW(a, b) ((vec)_mm256_permute4x64_epi64(_mm256_packs_epi16((__m256i)(a), (__m256i)(b)), 0xd8))
#elif defined(__SSE2__)
#include <emmintrin.h>
#define W 16
typedef int8_t vec __attribute__((vector_size(16)));
typedef uint8_t uvec __attribute__((vector_size(16)));
typedef int16_t wide __attribute__((vector_size(16)));
#define MINU(a, b) ((vec)_mm_min_epu8((__m128i)(a), (__m128i)(b)))
#define MAXU(a, b) ((vec)_mm_max_epu8((__m128i)(a), (__m128i)(b)))
#define LOW(v) ((wide)_mm_unpacklo_epi8((__m128i)(v), (__m128i)((v) < 0)))
#define HIGH(v) ((wide)_mm_unpackhi_epi8((__m128i)(v), (__m128i)((v) < 0)))
#define NARROW(a, b) ((vec)_mm_packs_epi16((__m128i)(a), (__m128i)(b)))
#else
#define W 16
typedef int8_t vec __attribute__((vector_size(16)));
typedef uint8_t uvec __attribute__((vector_size(16)));
typedef int16_t wide __attribute__((vector_size(16)));
static inline vec MINU(vec a, vec b) { vec m = (vec)((uvec)a < (uvec)b); return (a & m) | (b & ~m); }
static inline vec MAXU(vec a, vec b) { vec m = (vec)((uvec)a < (uvec)b); return (b & m) | (a & ~m); }
static inline wide part(vec v, int from)
{
    wide w = { 0 };
    for (int i = 0; i < W / 2; i++) w[i] = v[from + i];
    return w;
}
#define LOW(v) part((v), 0)
#define HIGH(v) part((v), W / 2)
static inline vec NARROW(wide a, wide b)
{
    vec v = { 0 };
    for (int i = 0; i < W / 2; i++) {
        v[i] = (int8_t)(a[i] > 127 ? 127 : a[i] < -128 ? -128 : a[i]);
        v[W / 2 + i] = (int8_t)(b[i] > 127 ? 127 : b[i] < -128 ? -128 : b[i]);
    }
    return v;
}
#endif
#define HALF (W / 2)

#define LOAD(v, p) memcpy(&(v), (p), sizeof(v))
#define STORE(p, v) memcpy((p), &(v), sizeof(v))

/* -128 would have no magnitude: make it -127. */
#define TAME(v) ((v) - (vec)((v) == -128))
#define NEGATIVE(v) ((vec)((v) < 0))

/* keep/16 of a magnitude, cut = 16 - keep in binary: halves, quarters, eighths, sixteenths, each rounded down. */
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
    const int16_t *from[UT_LDPC_MAX_ROW];
    int16_t *to[UT_LDPC_MAX_ROW];
    int8_t *msg;
    unsigned n;
    bool first; /* row 0: its last edge lacks lane 0 */
} row_view;

/* Puts an edge that is not there out of the way of lane 0 and keeps what the bit had. */
static void hide_open(const ut_ldpc_state *s, size_t x, int16_t *keep, wide *a)
{
    wide open;
    LOAD(open, s->open + x);
    STORE(keep, *a);
    *a = (*a & ~open) | (open & 127);
}

/* Removes the old messages, keeps what is left in q, finds the two least magnitudes and the sign of each check. */
static bool gather(const ut_ldpc *g, const ut_ldpc_state *s, const row_view *v, unsigned cut)
{
    size_t stride = g->stride;
    int16_t bad[HALF];
    wide failed = { 0 };
    for (size_t x = 0; x < stride; x += W) {
        vec m1 = { 0 }, m2, sign = m1, r;
        wide a, b, parity_a = { 0 }, parity_b = parity_a;
        m1 = m2 = m1 + 127;
        for (unsigned i = 0; i < v->n; i++) {
            int16_t *q16 = s->q + i * stride + x;
            LOAD(a, v->from[i] + x);
            LOAD(b, v->from[i] + x + HALF);
            if (v->first && i + 1 == v->n) {
                hide_open(s, x, q16 + stride, &a);
                hide_open(s, x + HALF, q16 + stride + HALF, &b);
            }
            LOAD(r, v->msg + i * stride + x);
            parity_a ^= a;
            parity_b ^= b;
            a -= LOW(r);
            b -= HIGH(r);
            STORE(q16, a);
            STORE(q16 + HALF, b);
            vec q = NARROW(a, b);
            q = TAME(q);
            sign ^= q;
            vec neg = NEGATIVE(q), mag = (q ^ neg) - neg, hi = MAXU(m1, mag);
            m2 = MINU(m2, hi);
            m1 = MINU(m1, mag);
        }
        failed |= parity_a | parity_b;
        STORE(s->sign + x, sign);
        STORE(s->m1 + x, m1);
        m2 = scaled(m2, cut);
        STORE(s->m2 + x, m2);
    }
    STORE(bad, failed);
    bool any = false;
    for (unsigned i = 0; i < HALF; i++) any |= bad[i] < 0;
    return any;
}

static void show_open(const ut_ldpc_state *s, size_t x, const int16_t *keep, wide *a)
{
    wide open, old;
    LOAD(open, s->open + x);
    LOAD(old, keep);
    *a = (*a & ~open) | (old & open);
}

static void scatter(const ut_ldpc *g, const ut_ldpc_state *s, const row_view *v, unsigned cut)
{
    size_t stride = g->stride;
    for (size_t x = 0; x < stride; x += W) {
        vec m1, m2, sign;
        wide a, b;
        LOAD(m1, s->m1 + x);
        LOAD(m2, s->m2 + x);
        LOAD(sign, s->sign + x);
        vec n1 = scaled(m1, cut);
        for (unsigned i = 0; i < v->n; i++) {
            const int16_t *q16 = s->q + i * stride + x;
            LOAD(a, q16);
            LOAD(b, q16 + HALF);
            vec q = NARROW(a, b);
            q = TAME(q);
            vec neg = NEGATIVE(q), mag = (q ^ neg) - neg;
            vec least = (vec)(mag == m1), r = (m2 & least) | (n1 & ~least);
            neg = NEGATIVE(sign ^ q);
            r = (r ^ neg) - neg;
            a += LOW(r);
            b += HIGH(r);
            if (v->first && i + 1 == v->n) {
                wide lo, hi;
                LOAD(lo, s->open + x);
                LOAD(hi, s->open + x + HALF);
                r &= ~NARROW(lo, hi);
                show_open(s, x, q16 + stride, &a);
                show_open(s, x + HALF, q16 + stride + HALF, &b);
            }
            STORE(v->msg + i * stride + x, r);
            STORE(v->to[i] + x, a);
            STORE(v->to[i] + x + HALF, b);
        }
    }
    for (unsigned i = 0; i < v->n; i++) /* repeat the column behind itself */
        for (size_t x = 0; x < stride; x += HALF) {
            wide a;
            LOAD(a, v->to[i] + x);
            STORE(v->to[i] + g->z + x, a);
        }
}

bool ROUND(const ut_ldpc *g, const ut_ldpc_state *s, unsigned keep)
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
        failed |= gather(g, s, &v, 16u - keep);
        scatter(g, s, &v, 16u - keep);
    }
    return failed;
}
