#include "stage/fec/erasure.h"
#include "base/parallel.h"
#include "stage/fec/gf.h"
#include <stdlib.h>
#include <string.h>

enum { MAX = UT_ERASURE_MAX_SYMBOLS, CHUNK = 1 << 14 };

/* Sums of multiples of symbols: row r of `weight` makes output r. */
typedef struct sums {
    ut_gf gf;
    unsigned nin;
    const uint8_t *in[MAX]; /* the same range of each */
    size_t nin_bytes[MAX];  /* of them; zeros follow */
    size_t nbytes;          /* of the range */
    uint8_t *out[MAX];
    uint8_t *weight;        /* [outputs][nin], owned */
} sums;

static void add_multiple(const ut_gf *f, unsigned by, const uint8_t *in, uint8_t *out, size_t n)
{
    uint8_t times[256];
    if (!by || !n) return;
    if (by == 1) {
        for (size_t i = 0; i < n; i++) out[i] ^= in[i];
        return;
    }
    for (unsigned x = 0; x < 256; x++) times[x] = (uint8_t)ut_gf_mul(f, by, x);
    for (size_t i = 0; i < n; i++) out[i] ^= times[in[i]];
}

static void add_up(void *arg, size_t r)
{
    sums *s = arg;
    memset(s->out[r], 0, s->nbytes);
    for (size_t at = 0; at < s->nbytes; at += CHUNK)
        for (unsigned i = 0; i < s->nin; i++) {
            size_t n = s->nin_bytes[i] < s->nbytes ? s->nin_bytes[i] : s->nbytes;
            if (at >= n) continue;
            add_multiple(&s->gf, s->weight[r * s->nin + i], s->in[i] + at, s->out[r] + at, n - at < CHUNK ? n - at : CHUNK);
        }
}

static unsigned cauchy(const ut_gf *f, unsigned symbol, unsigned piece) { return ut_gf_div(f, 1, symbol ^ piece); }

static ut_status begin(sums *s, size_t noutputs, ut_err *e)
{
    ut_status st = ut_gf_init(&s->gf, 8, e);
    if (st == UT_OK && !(s->weight = ut_calloc(noutputs * s->nin + 1, 1, e))) st = UT_E_MEMORY;
    return st;
}

static void end(sums *s)
{
    ut_gf_free(&s->gf);
    free(s->weight);
}

ut_status ut_erasure_encode(unsigned ndata, size_t symbol_nbytes, const uint8_t *data, size_t nbytes, unsigned first, unsigned n,
                            uint8_t *out, unsigned nthreads, ut_err *e)
{
    if (!ndata || ndata > MAX || first > MAX || n > MAX - first || nbytes > ndata * symbol_nbytes)
        return ut_fail(e, UT_E_INTERNAL, "no erasure code of %u pieces and %u symbols", ndata, first + n);
    sums *s = ut_calloc(1, sizeof *s, e);
    if (!s) return UT_E_MEMORY;
    s->nin = ndata;
    s->nbytes = symbol_nbytes;
    ut_status st = begin(s, n, e);
    for (unsigned j = 0; j < ndata; j++) {
        size_t at = j * symbol_nbytes < nbytes ? j * symbol_nbytes : nbytes;
        s->in[j] = data + at;
        s->nin_bytes[j] = nbytes - at;
    }
    for (unsigned r = 0; r < n && st == UT_OK; r++) {
        s->out[r] = out + r * symbol_nbytes;
        for (unsigned j = 0; j < ndata; j++)
            s->weight[r * ndata + j] = (uint8_t)(first + r < ndata ? j == first + r : cauchy(&s->gf, first + r, j));
    }
    if (st == UT_OK) ut_parallel(nthreads, n, add_up, s);
    end(s);
    free(s);
    return st;
}

/* m: [n][n] becomes its inverse in inv (Gauss and Jordan).  Cauchy matrices have one. */
static void invert(const ut_gf *f, unsigned n, uint8_t *m, uint8_t *inv)
{
    for (unsigned i = 0; i < n; i++) inv[i * n + i] = 1;
    for (unsigned c = 0; c < n; c++) {
        unsigned p = c;
        while (p + 1 < n && !m[p * n + c]) p++;
        unsigned scale = ut_gf_div(f, 1, m[p * n + c]);
        for (unsigned k = 0; k < n; k++) { /* row p to place c, its leading element 1 */
            uint8_t a = m[p * n + k], b = inv[p * n + k];
            m[p * n + k] = m[c * n + k], inv[p * n + k] = inv[c * n + k];
            m[c * n + k] = (uint8_t)ut_gf_mul(f, a, scale), inv[c * n + k] = (uint8_t)ut_gf_mul(f, b, scale);
        }
        for (unsigned r = 0; r < n; r++) {
            unsigned by = m[r * n + c];
            if (r == c || !by) continue;
            add_multiple(f, by, m + c * n, m + r * n, n);
            add_multiple(f, by, inv + c * n, inv + r * n, n);
        }
    }
}

/* Pieces lost[0..n) out of the known pieces and as many further symbols: their weights.  in: pieces that are there, then further ones. */
static ut_status solve(sums *s, const unsigned *lost, unsigned n, const unsigned *in, unsigned nknown, ut_err *e)
{
    uint8_t *m = ut_calloc((size_t)n * n + 1, 1, e), *inv = ut_calloc((size_t)n * n + 1, 1, e);
    ut_status st = m && inv ? UT_OK : UT_E_MEMORY;
    if (st == UT_OK) {
        for (unsigned r = 0; r < n; r++)
            for (unsigned c = 0; c < n; c++) m[r * n + c] = (uint8_t)cauchy(&s->gf, in[nknown + r], lost[c]);
        invert(&s->gf, n, m, inv);
        for (unsigned c = 0; c < n; c++) {
            uint8_t *w = s->weight + (size_t)c * s->nin;
            for (unsigned r = 0; r < n; r++) {
                w[nknown + r] = inv[c * n + r];
                for (unsigned i = 0; i < nknown; i++) w[i] ^= (uint8_t)ut_gf_mul(&s->gf, inv[c * n + r], cauchy(&s->gf, in[nknown + r], in[i]));
            }
        }
    }
    free(m);
    free(inv);
    return st;
}

ut_status ut_erasure_decode(unsigned ndata, unsigned nsymbols, size_t symbol_nbytes, const uint8_t *const *symbol, size_t from,
                            size_t to, uint8_t *data, unsigned nthreads, ut_err *e)
{
    unsigned lost[MAX], in[MAX], nlost = 0, nin = 0;
    if (!ndata || ndata > MAX || nsymbols > MAX || ndata > nsymbols || from > to || to > symbol_nbytes)
        return ut_fail(e, UT_E_INTERNAL, "no erasure code of %u pieces and %u symbols", ndata, nsymbols);
    for (unsigned j = 0; j < ndata; j++) {
        if (!symbol[j]) {
            lost[nlost++] = j;
            continue;
        }
        memcpy(data + j * symbol_nbytes + from, symbol[j] + from, to - from);
        in[nin++] = j;
    }
    unsigned nknown = nin;
    for (unsigned i = ndata; i < nsymbols && nin < ndata; i++)
        if (symbol[i]) in[nin++] = i;
    if (nin < ndata) return ut_fail(e, UT_E_DAMAGED, "%u of %u symbols are there", nin, ndata);
    if (!nlost || from == to) return UT_OK;
    sums *s = ut_calloc(1, sizeof *s, e);
    if (!s) return UT_E_MEMORY;
    s->nin = nin;
    s->nbytes = to - from;
    for (unsigned i = 0; i < nin; i++) s->in[i] = symbol[in[i]] + from, s->nin_bytes[i] = s->nbytes;
    for (unsigned c = 0; c < nlost; c++) s->out[c] = data + lost[c] * symbol_nbytes + from;
    ut_status st = begin(s, nlost, e);
    if (st == UT_OK) st = solve(s, lost, nlost, in, nknown, e);
    if (st == UT_OK) ut_parallel(nthreads, nlost, add_up, s);
    end(s);
    free(s);
    return st;
}
