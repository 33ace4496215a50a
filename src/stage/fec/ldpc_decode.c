#include "stage/fec/ldpc.h"
#include <string.h>

#define ALIGN 64u
#define KNOWN 16000 /* a bit left out by shortening: no message turns it */
#define MAX_EXTRA_ROUNDS 150u
#define CLOSE 12u       /* where fewer than 1/12 of the checks are broken in the end, further rounds are worth it */
/* A low factor finds more words, a high one finishes off the few bits that the low one leaves to stew. */
#define NEAR 32u
#define FINISH_KEEP 15u
#define LOOK_EVERY 4u

bool ut_ldpc_have_avx2(void)
{
#if defined(__x86_64__) || defined(__i386__)
    return __builtin_cpu_supports("avx2");
#else
    return false;
#endif
}

size_t ut_ldpc_work_nbytes(const ut_ldpc *g)
{
    size_t stride = g->stride, nsums = UT_LDPC_COLS * ut_ldpc_pitch(g) + (UT_LDPC_MAX_ROW + 2) * stride;
    return nsums * sizeof(int16_t) + (g->nedges + 3) * stride + ALIGN;
}

static void lay_out(const ut_ldpc *g, uint8_t *work, ut_ldpc_state *s)
{
    size_t stride = g->stride;
    s->app = (int16_t *)(void *)(work + (ALIGN - (uintptr_t)work % ALIGN) % ALIGN);
    s->q = s->app + UT_LDPC_COLS * ut_ldpc_pitch(g);
    s->open = s->q + (UT_LDPC_MAX_ROW + 1) * stride;
    s->msg = (int8_t *)(s->open + stride);
    s->m1 = s->msg + g->nedges * stride;
    s->m2 = s->m1 + stride;
    s->sign = s->m2 + stride;
}

/* Ratios brought to a common mean magnitude: min-sum does not care, 8-bit messages do. */
static void scale_table(const ut_ldpc *g, const int8_t *llr, size_t n, int8_t *table)
{
    uint64_t sum = 0, count = 0;
    for (size_t i = 0; i < n; i++) {
        unsigned v = (unsigned)(llr[i] < 0 ? -llr[i] : llr[i]);
        sum += v;
        count += v != 0;
    }
    for (uint64_t v = 0; v <= 128; v++) {
        uint64_t w = sum ? (v * g->profile->level * count + sum / 2) / sum : 0;
        w = w > 127 ? 127 : v && !w ? 1 : w;
        if (v < 128) table[128 + v] = (int8_t)w;
        if (v) table[128 - v] = (int8_t)-(int)w;
    }
}

/* Column c from the lane of its last shift on, repeated to the end of its pitch. */
static void load(const ut_ldpc *g, const ut_ldpc_state *s, const int8_t *llr, size_t ninfo)
{
    int8_t table[256];
    int16_t lanes[UT_LDPC_MAX_Z];
    size_t z = g->z, nparity = g->nrows * z, ncode = g->kcols * z;
    scale_table(g, llr, ninfo + nparity, table);
    for (size_t c = 0; c < UT_LDPC_COLS; c++) {
        int16_t *a = s->app + c * ut_ldpc_pitch(g);
        for (size_t v = 0; v < z; v++) {
            size_t i = c * z + v;
            lanes[v] = i >= ncode ? table[128 + llr[ninfo + i - ncode]] : i < ninfo ? table[128 + llr[i]] : KNOWN;
        }
        for (size_t x = 0, v = g->last_shift[c]; x < ut_ldpc_pitch(g); x++, v = v + 1 < z ? v + 1 : 0) a[x] = lanes[v];
    }
    memset(s->msg, 0, g->nedges * (size_t)g->stride);
    for (size_t x = 0; x < g->stride; x++) s->open[x] = x % z ? 0 : -1;
}

/* How many checks the present decisions break. */
static size_t broken(const ut_ldpc *g, const ut_ldpc_state *s)
{
    size_t z = g->z, count = 0;
    uint16_t parity[UT_LDPC_MAX_Z];
    for (size_t r = 0; r < g->nrows; r++) {
        memset(parity, 0, sizeof parity);
        for (size_t i = g->row_at[r]; i < g->row_at[r + 1]; i++) {
            const ut_ldpc_edge *d = &g->edge[i];
            size_t turn = (d->shift + z - g->last_shift[d->col]) % z;
            const int16_t *a = s->app + d->col * ut_ldpc_pitch(g) + turn;
            size_t x = r == 0 && i + 1 == g->row_at[1]; /* the missing lane */
            for (; x < z; x++) parity[x] ^= (uint16_t)a[x];
        }
        for (size_t x = 0; x < z; x++) count += parity[x] >> 15;
    }
    return count;
}

static void decide(const ut_ldpc *g, const ut_ldpc_state *s, size_t ninfo, uint8_t *bits)
{
    size_t z = g->z, ncode = g->kcols * z;
    for (size_t c = 0; c < UT_LDPC_COLS; c++) {
        const int16_t *a = s->app + c * ut_ldpc_pitch(g) + (z - g->last_shift[c]) % z;
        for (size_t v = 0; v < z; v++) {
            size_t i = c * z + v;
            if (i >= ncode) bits[ninfo + i - ncode] = a[v] < 0;
            else if (i < ninfo) bits[i] = a[v] < 0;
        }
    }
}

size_t ut_ldpc_decode(const ut_ldpc *g, const int8_t *llr, size_t ninfo, unsigned max_iters, uint8_t *bits,
                      void *work, unsigned *niters)
{
    bool (*round)(const ut_ldpc *, const ut_ldpc_state *, unsigned) =
        ut_ldpc_have_avx2() ? ut_ldpc_round_avx2 : ut_ldpc_round_plain;
    ut_ldpc_state s;
    lay_out(g, work, &s);
    load(g, &s, llr, ninfo);

    size_t left = broken(g, &s), nchecks = (size_t)g->nrows * g->z;
    unsigned n = 0, most = max_iters;
    while (left && n < most) {
        bool failed = round(g, &s, left * NEAR < nchecks ? FINISH_KEEP : g->profile->keep);
        n++;
        if (!failed || n % LOOK_EVERY == 0 || n == most) left = broken(g, &s);
        if (n == max_iters && n == most && left * CLOSE < nchecks) most += MAX_EXTRA_ROUNDS;
    }
    decide(g, &s, ninfo, bits);
    if (niters) *niters = n;
    return left;
}
