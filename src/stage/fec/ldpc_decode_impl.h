/* One pass of layered decoding, for vectors of W bytes (`vec`) and of W / 2 values of 16 bits (`wide`).  The including
 * file defines the types, W, the function's name UT_LDPC_PASS, and:
 * load, store; v_set(int); v_addu, v_subu (unsigned, saturating); v_minu, v_maxu; v_sub (wrapping); v_half (unsigned);
 * v_neg (-1 where negative); v_or, v_xor, v_and; v_any_neg; w_load, w_store, w_add, w_sub (wrapping);
 * v_pack (two wides, saturating, in any order of lanes), v_low, v_high (its opposite, sign-extending). */
#include "stage/fec/ldpc_decode.h"
#include <string.h>

typedef struct layer {
    unsigned degree;
    const int16_t *from[UT_LDPC_MAX_DEGREE];
    int16_t *to[UT_LDPC_MAX_DEGREE];
    int8_t *message;
    unsigned offset[UT_LDPC_MAX_DEGREE];
} layer;

/* ln(1 + exp(-x)) by a line, in eighths. */
static inline vec correction(vec x)
{
    return v_subu(v_set(5), v_half(v_half(x)));
}

/* Magnitude of the box-plus of two magnitudes. */
static inline vec box(vec a, vec b)
{
    vec lo = v_minu(a, b), hi = v_maxu(a, b);
    vec up = correction(v_addu(lo, hi)), down = correction(v_subu(hi, lo));
    return v_subu(v_addu(lo, up), down);
}

static inline vec magnitude(vec a)
{
    vec s = v_neg(a);
    return v_minu(v_sub(v_xor(a, s), s), v_set(127));
}

/* The checks of one row, lanes i .. i + W - 1.  The result's bytes are negative where a check failed on the values as
 * they were, or a value changed its sign. */
static inline vec chunk(const layer *l, unsigned i, unsigned z, size_t nlanes)
{
    vec old[UT_LDPC_MAX_DEGREE], in[UT_LDPC_MAX_DEGREE], forward[UT_LDPC_MAX_DEGREE];
    wide low[UT_LDPC_MAX_DEGREE], high[UT_LDPC_MAX_DEGREE];
    unsigned n = l->degree;
    vec sign = v_set(0), bad = v_set(0), most = v_set(127), back = most, sum = most;
    for (unsigned k = 0; k < n; k++) {
        unsigned at = i + l->offset[k];
        const int16_t *from = l->from[k] + (at >= z ? at - z : at);
        vec last = load(l->message + k * nlanes + i);
        low[k] = w_load(from);
        high[k] = w_load(from + W / 2);
        old[k] = v_pack(low[k], high[k]);
        low[k] = w_sub(low[k], v_low(last));
        high[k] = w_sub(high[k], v_high(last));
        in[k] = v_pack(low[k], high[k]);
        bad = v_xor(bad, old[k]);
        sign = v_xor(sign, in[k]);
        forward[k] = sum; /* of those before k */
        sum = k ? box(sum, magnitude(in[k])) : magnitude(in[k]);
    }
    for (unsigned k = n; k-- > 0;) {
        vec mag = k == n - 1 ? forward[k] : k ? box(forward[k], back) : back;
        vec s = v_neg(v_xor(sign, in[k])), out = v_sub(v_xor(mag, s), s);
        store(l->message + k * nlanes + i, out);
        low[k] = w_add(low[k], v_low(out));
        high[k] = w_add(high[k], v_high(out));
        w_store(l->to[k] + i, low[k]);
        w_store(l->to[k] + i + W / 2, high[k]);
        bad = v_or(bad, v_xor(v_pack(low[k], high[k]), old[k]));
        back = k == n - 1 ? magnitude(in[k]) : box(back, magnitude(in[k]));
    }
    return bad;
}

static inline bool row_pass(const layer *l, unsigned z, size_t nlanes)
{
    vec bad = v_set(0);
    unsigned i = 0;
    for (; i + W <= z; i += W) bad = v_or(bad, chunk(l, i, z, nlanes));
    if (i < z) { /* the lanes beyond z hold copies and do not count */
        int16_t mask[W];
        for (unsigned k = 0; k < W; k++) mask[k] = i + k < z ? -1 : 0;
        bad = v_or(bad, v_and(v_pack(w_load(mask), w_load(mask + W / 2)), chunk(l, i, z, nlanes)));
    }
    return !v_any_neg(bad);
}

bool UT_LDPC_PASS(ut_ldpc_decoder *d)
{
    bool good = true;
    for (unsigned r = 0; r < d->code->nrows; r++) {
        layer l;
        uint16_t column[UT_LDPC_MAX_DEGREE];
        ut_ldpc_row_begin(d, r, &l.degree, column, l.offset, &l.message);
        for (unsigned k = 0; k < l.degree; k++) {
            l.from[k] = d->value[column[k]].now;
            l.to[k] = d->value[column[k]].next;
        }
        good &= row_pass(&l, d->code->z, d->nlanes);
        ut_ldpc_row_end(d, r, l.degree, column);
    }
    return good;
}
