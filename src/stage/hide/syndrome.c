#include "stage/hide/syndrome.h"
#include "base/parallel.h"
#include "kern/trellis.h"
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

bool ut_syndrome_valid(const ut_syndrome *c)
{
    return c->height >= UT_SYNDROME_MIN_HEIGHT && c->height <= UT_SYNDROME_MAX_HEIGHT && c->nbits && c->nbits <= c->ncarriers &&
           c->ncarriers <= UINT32_MAX;
}

static size_t nsegments(const ut_syndrome *c) { return (c->ncarriers - 1) / UT_SYNDROME_SEGMENT + 1; }

typedef struct segment {
    size_t first, n;   /* carriers */
    size_t first_bit, m;
} segment;

/* Where the s-th of S parts of n begins. */
static size_t part(size_t n, size_t s, size_t S) { return (size_t)((uint64_t)n * s / S); }

static segment segment_at(const ut_syndrome *c, size_t s)
{
    size_t S = nsegments(c);
    segment g = { .first = part(c->ncarriers, s, S), .first_bit = part(c->nbits, s, S) };
    g.n = part(c->ncarriers, s + 1, S) - g.first;
    g.m = part(c->nbits, s + 1, S) - g.first_bit;
    return g;
}

/* Of the carriers that begin at bit i the first: the least k with floor(k m / n) = i. */
static size_t first_of(const segment *g, size_t i) { return (size_t)(((uint64_t)i * g->n + g->m - 1) / g->m); }

/* The columns are the same in every segment: the high bits of a linear congruential sequence. */
static uint16_t *columns(const ut_syndrome *c, ut_err *e)
{
    size_t n = c->ncarriers < UT_SYNDROME_SEGMENT ? c->ncarriers : UT_SYNDROME_SEGMENT;
    uint16_t *col = ut_calloc(n, sizeof *col, e);
    uint32_t x = 1;
    for (size_t j = 0; col && j < n; j++) {
        x = 1664525u * x + 1013904223u;
        col[j] = (uint16_t)(x >> (32 - c->height) | 1 | 1u << (c->height - 1));
    }
    return col;
}

typedef struct job {
    const ut_syndrome *code;
    const uint16_t *column;
    const uint8_t *bits;
    const int16_t *cost;
    uint8_t *parity;
    const int8_t *carrier;
    int8_t *bit;
    atomic_uint_least64_t total;
    atomic_int failed;
} job;

/* Back from the cheapest end. */
static void trace(const job *j, const segment *g, const uint32_t *taken, unsigned t)
{
    unsigned height = j->code->height, words = (1u << height) / 32;
    size_t k = g->n;
    for (size_t i = g->m; i-- > 0;) {
        t = t << 1 | j->bits[g->first_bit + i];
        for (size_t end = first_of(g, i); k > end;) {
            k--;
            int x = ut_trellis_taken(taken + k * words, height, j->column[k], t);
            j->parity[g->first + k] = (uint8_t)x;
            if (x) t ^= j->column[k];
        }
    }
}

static uint64_t paid(const job *j, const segment *g)
{
    uint64_t sum = 0;
    for (size_t k = g->first; k < g->first + g->n; k++) {
        int c = j->cost[k];
        if (j->parity[k] ? c > 0 : c < 0) sum += (uint64_t)abs(c);
    }
    return sum;
}

static void forward(void *arg, size_t s)
{
    job *j = arg;
    const ut_trellis *kern = ut_trellis_get();
    segment g = segment_at(j->code, s);
    unsigned height = j->code->height, words = (1u << height) / 32;
    uint16_t state[1u << UT_SYNDROME_MAX_HEIGHT];
    if (!g.m) { /* nothing to carry: leave all as is */
        for (size_t k = g.first; k < g.first + g.n; k++) j->parity[k] = j->cost[k] < 0;
        return;
    }
    uint32_t *taken = malloc(g.n * words * sizeof *taken);
    if (!taken) {
        atomic_store(&j->failed, UT_E_MEMORY);
        return;
    }
    memset(state, 0xff, sizeof state);
    state[0] = 0;
    for (size_t i = 0, k = 0; i < g.m; i++) {
        for (size_t end = first_of(&g, i + 1); k < end; k++) {
            int c = j->cost[g.first + k];
            kern->column(state, height, j->column[k], (uint16_t)(c < 0 ? -c : 0), (uint16_t)(c > 0 ? c : 0), taken + k * words);
        }
        kern->shift(state, height, j->bits[g.first_bit + i]);
    }
    unsigned best = 0;
    for (unsigned t = 1; t < 1u << height; t++)
        if (state[t] < state[best]) best = t;
    if (state[best] == UT_TRELLIS_NEVER) atomic_store(&j->failed, UT_E_INTERNAL);
    else trace(j, &g, taken, best), atomic_fetch_add(&j->total, paid(j, &g));
    free(taken);
}

ut_status ut_syndrome_forward(const ut_syndrome *c, const uint8_t *bits, const int16_t *cost, uint8_t *parity, uint64_t *total,
                              unsigned nthreads, ut_err *e)
{
    if (!ut_syndrome_valid(c)) return ut_fail(e, UT_E_USAGE, "no syndrome code of height %u carries %zu bits in %zu carriers",
                                              c->height, c->nbits, c->ncarriers);
    uint16_t *col = columns(c, e);
    if (!col) return UT_E_MEMORY;
    job j = { .code = c, .column = col, .bits = bits, .cost = cost, .parity = parity };
    ut_parallel(nthreads, nsegments(c), forward, &j);
    free(col);
    if (total) *total = atomic_load(&j.total);
    switch (atomic_load(&j.failed)) {
    case 0: return UT_OK;
    case UT_E_MEMORY: return ut_fail(e, UT_E_MEMORY, "out of memory for the syndrome code");
    default: return ut_fail(e, UT_E_INTERNAL, "the syndrome code found no way through its trellis");
    }
}

/* All carriers equally sure, at `size`: parities alone count, in a register of the open bits. */
static void reverse_hard(const job *j, const segment *g, int size)
{
    unsigned open = 0;
    size_t k = 0;
    for (size_t i = 0; i < g->m; i++, open >>= 1) {
        for (size_t end = first_of(g, i + 1); k < end; k++) open ^= j->column[k] & (0u - (unsigned)(j->carrier[g->first + k] < 0));
        j->bit[g->first_bit + i] = (int8_t)(open & 1 ? -size : size);
    }
}

static bool equally_sure(const int8_t *x, size_t n)
{
    int size = n ? abs(x[0]) : 0, other = size > 127;
    for (size_t i = 0; i < n; i++) other |= (x[i] != size) & (x[i] != -size);
    return !other && size;
}

static void reverse(void *arg, size_t s)
{
    job *j = arg;
    segment g = segment_at(j->code, s);
    unsigned height = j->code->height;
    int8_t *out = j->bit + g.first_bit;
    if (equally_sure(j->carrier + g.first, g.n)) {
        reverse_hard(j, &g, abs(j->carrier[g.first]));
        return;
    }
    memset(out, 127, g.m);
    for (size_t i = 0, k = 0; i < g.m; i++)
        for (size_t end = first_of(&g, i + 1); k < end; k++) {
            int x = j->carrier[g.first + k], sign = x < 0, size = sign ? -x : x;
            unsigned col = j->column[k];
            for (unsigned b = 0; b < height && i + b < g.m; b++) {
                if (!(col >> b & 1)) continue;
                int v = out[i + b], a = v < 0 ? -v : v;
                if (size < a) a = size;
                /* nothing known of a member: nothing known of the bit, whatever the others say */
                out[i + b] = (int8_t)((v < 0) != sign ? -a : a);
            }
        }
}

ut_status ut_syndrome_reverse(const ut_syndrome *c, const int8_t *carrier, int8_t *bit, unsigned nthreads, ut_err *e)
{
    if (!ut_syndrome_valid(c)) return ut_fail(e, UT_E_USAGE, "no syndrome code of height %u carries %zu bits in %zu carriers",
                                              c->height, c->nbits, c->ncarriers);
    uint16_t *col = columns(c, e);
    if (!col) return UT_E_MEMORY;
    job j = { .code = c, .column = col, .carrier = carrier, .bit = bit };
    ut_parallel(nthreads, nsegments(c), reverse, &j);
    free(col);
    return UT_OK;
}
