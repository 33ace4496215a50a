#include "stage/fec/ldpc_decode.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Portable vectors (an extension that gcc and clang share). */
typedef uint8_t vec __attribute__((vector_size(16)));
typedef int8_t svec __attribute__((vector_size(16)));
typedef int16_t wide __attribute__((vector_size(16)));
#define W 16u

static inline vec load(const int8_t *p)
{
    vec v;
    memcpy(&v, p, sizeof v);
    return v;
}

static inline void store(int8_t *p, vec v) { memcpy(p, &v, sizeof v); }
static inline vec v_set(int x) { return (vec){ 0 } + (uint8_t)x; }
static inline vec v_neg(vec a) { return (vec)((svec)a < 0); }
static inline vec v_pick(vec mask, vec a, vec b) { return (a & mask) | (b & ~mask); }
static inline vec v_addu(vec a, vec b)
{
    vec t = a + b;
    return t | (vec)(t < a);
}
static inline vec v_subu(vec a, vec b) { return (a - b) & (vec)(a > b); }
static inline vec v_minu(vec a, vec b) { return v_pick((vec)(a < b), a, b); }
static inline vec v_maxu(vec a, vec b) { return v_pick((vec)(a < b), b, a); }
static inline vec v_or(vec a, vec b) { return a | b; }
static inline vec v_xor(vec a, vec b) { return a ^ b; }
static inline vec v_and(vec a, vec b) { return a & b; }
static inline vec v_sub(vec a, vec b) { return a - b; }
static inline vec v_half(vec a) { return a >> 1; }
static inline bool v_any_neg(vec a)
{
    uint8_t any = 0;
    for (unsigned i = 0; i < W; i++) any |= a[i];
    return any >> 7;
}
static inline wide w_load(const int16_t *p)
{
    wide v;
    memcpy(&v, p, sizeof v);
    return v;
}
static inline void w_store(int16_t *p, wide v) { memcpy(p, &v, sizeof v); }
static inline wide w_add(wide a, wide b) { return a + b; }
static inline wide w_sub(wide a, wide b) { return a - b; }
static inline vec v_pack(wide a, wide b)
{
    vec v = { 0 };
    for (unsigned i = 0; i < W; i++) {
        int x = i < W / 2 ? a[i] : b[i - W / 2];
        v[i] = (uint8_t)(x > 127 ? 127 : x < -128 ? -128 : x);
    }
    return v;
}
static inline wide v_low(vec a)
{
    wide v = { 0 };
    for (unsigned i = 0; i < W / 2; i++) v[i] = (int8_t)a[i];
    return v;
}
static inline wide v_high(vec a)
{
    wide v = { 0 };
    for (unsigned i = 0; i < W / 2; i++) v[i] = (int8_t)a[i + W / 2];
    return v;
}
#define UT_LDPC_PASS ut_ldpc_pass_plain
#include "stage/fec/ldpc_decode_impl.h"

ut_ldpc_pass_fn ut_ldpc_pass_get(void)
{
#if defined(__x86_64__)
    if (__builtin_cpu_supports("avx2")) return ut_ldpc_pass_avx2;
#endif
    return ut_ldpc_pass_plain;
}

ut_status ut_ldpc_decoder_init(ut_ldpc_decoder *d, const ut_ldpc_code *c, ut_err *e)
{
    size_t nlanes = (c->z + UT_LDPC_LANES - 1) / UT_LDPC_LANES * UT_LDPC_LANES;
    *d = (ut_ldpc_decoder){ .code = c, .nlanes = nlanes, .stride = nlanes + 2 * UT_LDPC_LANES };
    size_t nmessages = c->nedges + 2 * c->nrows;
    d->values = ut_calloc(2 * UT_LDPC_COLUMNS * d->stride, sizeof *d->values, e);
    d->message = ut_calloc(nmessages, nlanes, e);
    if (!d->values || !d->message) {
        ut_ldpc_decoder_free(d);
        return UT_E_MEMORY;
    }
    int16_t *p = d->values;
    for (unsigned i = 0; i < UT_LDPC_COLUMNS; i++, p += 2 * d->stride)
        d->value[i] = (ut_ldpc_value){ .now = p, .next = p + d->stride };
    return UT_OK;
}

void ut_ldpc_decoder_free(ut_ldpc_decoder *d)
{
    free(d->values);
    free(d->message);
    *d = (ut_ldpc_decoder){ 0 };
}

/* The copy of the beginning behind the z lanes, which repeats where z is short. */
static void extend(int16_t *v, size_t z)
{
    if (z >= UT_LDPC_LANES)
        memcpy(v + z, v, UT_LDPC_LANES * sizeof *v);
    else
        for (size_t i = 0; i < UT_LDPC_LANES; i++) v[z + i] = v[i];
}

void ut_ldpc_row_begin(ut_ldpc_decoder *d, unsigned r, unsigned *degree, uint16_t *column, unsigned *offset,
                       int8_t **message)
{
    const ut_ldpc_code *c = d->code;
    unsigned n = 0;
    for (size_t k = c->start[r]; k < c->start[r + 1]; k++, n++) {
        ut_ldpc_value *v = &d->value[c->edge[k].column];
        column[n] = c->edge[k].column;
        offset[n] = c->edge[k].shift >= v->turn ? c->edge[k].shift - v->turn : c->edge[k].shift + c->z - v->turn;
        v->turn = c->edge[k].shift;
    }
    for (unsigned back = 0; back < 2; back++, n++) { /* this row's parity bit, then the accumulator's one before */
        unsigned shift = back > r ? c->z - 1 : 0;
        column[n] = (uint16_t)(c->ninfo + (back > r ? c->nrows - 1 : r - back));
        ut_ldpc_value *v = &d->value[column[n]];
        offset[n] = shift >= v->turn ? shift - v->turn : shift + c->z - v->turn;
        v->turn = shift;
    }
    *degree = n;
    *message = d->message + (c->start[r] + 2 * r) * d->nlanes;
    if (r == 0) { /* check (0, 0) starts the accumulator: in place of the last bit of all it sees a sure zero */
        int16_t *last = d->value[column[n - 1]].now + offset[n - 1];
        d->held = *last;
        *last = INT16_MAX / 2;
    }
}

void ut_ldpc_row_end(ut_ldpc_decoder *d, unsigned r, unsigned degree, const uint16_t *column)
{
    if (r == 0) {
        d->value[column[degree - 1]].next[0] = d->held;
        d->message[(d->code->start[0] + degree - 1) * d->nlanes] = 0;
    }
    for (unsigned k = 0; k < degree; k++) {
        ut_ldpc_value *v = &d->value[column[k]];
        int16_t *t = v->now;
        v->now = v->next;
        v->next = t;
        extend(v->now, d->code->z);
    }
}

enum { FEW_CHECKS = 200 };

size_t ut_ldpc_broken(const ut_ldpc_code *c, const int8_t *llr, size_t *nknown)
{
    size_t z = c->z, broken = 0, all = 0;
    const int8_t *parity = llr + (size_t)c->ninfo * z;
    for (unsigned r = 0; r < c->nrows; r++)
        for (size_t i = 0; i < z; i++) {
            size_t before = r ? (r - 1) * z + i : i ? (c->nrows - 1) * z + i - 1 : 0; /* the accumulator's bit before */
            int p = parity[r * z + i], q = r || i ? parity[before] : 1;
            bool odd = (p < 0) != (q < 0), known = p && q;
            for (size_t k = c->start[r]; k < c->start[r + 1]; k++) {
                size_t lane = i + c->edge[k].shift;
                int x = llr[c->edge[k].column * z + (lane < z ? lane : lane - z)];
                odd ^= x < 0;
                known = known && x;
            }
            broken += odd && known;
            all += known; /* a check with an erased bit says nothing */
        }
    *nknown = all;
    return broken;
}

bool ut_ldpc_hopeless(const ut_ldpc_code *c, const int8_t *llr)
{
    size_t all;
    if (c->nrows > 3 * c->ninfo) return false;
    size_t broken = ut_ldpc_broken(c, llr, &all);
    if (all < FEW_CHECKS) return false; /* a single error breaks most of so few */
    return (double)broken > .5 * (double)all - .5 * sqrt((double)all);
}

bool ut_ldpc_decode_block(ut_ldpc_decoder *d, ut_ldpc_pass_fn pass, unsigned max_passes, const int8_t *llr,
                          uint8_t *bits)
{
    size_t z = d->code->z;
    memset(d->message, 0, (d->code->nedges + 2 * d->code->nrows) * d->nlanes);
    for (size_t c = 0; c < UT_LDPC_COLUMNS; c++) {
        d->value[c].turn = 0;
        for (size_t i = 0; i < z; i++) d->value[c].now[i] = llr[c * z + i];
        extend(d->value[c].now, z);
    }
    bool good = false;
    for (unsigned i = 0; i < max_passes && !good; i++) good = pass(d);
    for (size_t c = 0; c < UT_LDPC_COLUMNS; c++)
        for (size_t i = 0, lane = d->value[c].turn; i < z; i++, lane = lane + 1 < z ? lane + 1 : 0)
            bits[c * z + lane] = d->value[c].now[i] < 0;
    return good;
}
