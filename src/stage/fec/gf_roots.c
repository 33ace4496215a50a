#include "stage/fec/gf.h"
#include <stdlib.h>
#include <string.h>

/* Level l evaluates on the span of b[0..m-l), the last of which is 1: point j has the sum of b[i] over the bits i of j.
 * Pairs (x, x + 1) share y = x^2 + x; the next level's points are y / c with c chosen so that its last one is 1. */
static void build(ut_gf_fft *t, const ut_gf *f)
{
    uint16_t b[UT_GF_MAX_M];
    unsigned m = f->m;
    uint32_t *tw = t->twiddle_log;
    size_t ncoef = (size_t)1 << t->levels;
    for (unsigned i = 0; i < m; i++) b[i] = (uint16_t)(i + 1 < m ? 2u << i : 1u);

    t->inverse[0] = 0;
    for (uint32_t j = 1; j <= f->n; j++) {
        unsigned x = 0;
        for (unsigned i = 0; i < m; i++) x ^= (j >> i & 1u) ? b[i] : 0u;
        t->inverse[j] = f->exp[f->n - f->log[x]];
    }
    for (unsigned l = 0; l < t->levels; l++) {
        uint32_t half = 1u << (m - 1 - l);
        uint16_t x[UT_GF_MAX_M];
        tw[0] = f->log[0];
        for (uint32_t j = 1; j < half; j++) {
            unsigned low = (unsigned)__builtin_ctz(j), v = b[low]; /* the rest without it is known already */
            if (j & (j - 1)) v ^= f->exp[tw[j & (j - 1)]];
            tw[j] = f->log[v];
        }
        tw += half;
        for (unsigned i = 0; i + 1 < m - l; i++) x[i] = (uint16_t)(ut_gf_mul(f, b[i], b[i]) ^ b[i]);
        unsigned c = m - l >= 2 ? x[m - l - 2] : 1;
        for (unsigned i = 0; i + 1 < m - l; i++) b[i] = ut_gf_div(f, x[i], c);
        uint16_t p = 1;
        for (size_t i = 0; i < ncoef; i++) {
            t->scale[l * ncoef + i] = p;
            p = ut_gf_mul(f, p, c);
        }
    }
}

ut_status ut_gf_fft_init(ut_gf_fft *t, const ut_gf *f, unsigned max_degree, ut_err *e)
{
    *t = (ut_gf_fft){ 0 };
    while (t->levels < f->m && (1u << t->levels) < max_degree) t->levels++;
    if (t->levels >= f->m || max_degree > UT_GF_MAX_DEGREE) return ut_fail(e, UT_E_INTERNAL, "a locator of degree %u is too long", max_degree);
    t->twiddle_log = ut_calloc((size_t)f->n + 1, sizeof *t->twiddle_log, e);
    t->inverse = ut_calloc((size_t)f->n + 1, sizeof *t->inverse, e);
    t->scale = ut_calloc(((size_t)t->levels + 1) << t->levels, sizeof *t->scale, e);
    if (!t->twiddle_log || !t->inverse || !t->scale) {
        ut_gf_fft_free(t);
        return UT_E_MEMORY;
    }
    build(t, f);
    return UT_OK;
}

void ut_gf_fft_free(ut_gf_fft *t)
{
    free(t->twiddle_log);
    free(t->inverse);
    free(t->scale);
    *t = (ut_gf_fft){ 0 };
}

/* a[0..n) in powers of x -> in (x^2 + x)^i (a[2i] + a[2i+1] x), in place. */
static void taylor(uint16_t *a, size_t n)
{
    for (; n > 2; n /= 2) { /* the upper half by recursion, the lower one by the loop */
        size_t q = n / 4;
        for (size_t i = 0; i < q; i++) {
            a[2 * q + i] ^= a[3 * q + i];
            a[q + i] ^= a[2 * q + i];
        }
        taylor(a + n / 2, n / 2);
    }
}

static void split(const ut_gf_fft *t, const ut_gf *f, uint16_t *a, unsigned level, size_t n)
{
    uint16_t odd[UT_GF_MAX_DEGREE / 2];
    const uint16_t *scale = t->scale + ((size_t)level << t->levels);
    if (n < 2) return;
    taylor(a, n);
    for (size_t i = 0; i < n / 2; i++) {
        odd[i] = ut_gf_mul(f, a[2 * i + 1], scale[i]);
        a[i] = ut_gf_mul(f, a[2 * i], scale[i]);
    }
    memcpy(a + n / 2, odd, n / 2 * sizeof *a);
    split(t, f, a, level + 1, n / 2);
    split(t, f, a + n / 2, level + 1, n / 2);
}

size_t ut_gf_roots(const ut_gf_fft *t, const ut_gf *f, const uint16_t *sigma, unsigned degree, uint16_t *work,
                   uint32_t *pos)
{
    unsigned k = 0, m = f->m;
    size_t all = (size_t)1 << m, found = 0;
    while ((1u << k) < degree) k++;
    if (k > t->levels || !degree) return 0;

    /* sigma(x) = 1 + x g(x), so its roots are where g(x) = 1/x; g has one coefficient less */
    size_t ncoef = (size_t)1 << k, leaf = all >> k;
    memset(work, 0, ncoef * sizeof *work);
    memcpy(work, sigma + 1, degree * sizeof *work);
    split(t, f, work, 0, ncoef);
    for (size_t i = ncoef; i-- > 0;)
        for (size_t j = leaf; j-- > 0;) work[i * leaf + j] = work[i];

    const uint32_t *tw = t->twiddle_log + (all - (all >> k)); /* levels 0..k-1 hold all/2 + all/4 + ... */
    for (unsigned l = k; l-- > 0;) {
        size_t half = all >> (l + 1);
        tw -= half;
        for (uint16_t *a = work; a < work + all; a += 2 * half)
            for (size_t j = 0; j < half; j++) {
                uint16_t v = a[half + j], w = (uint16_t)(a[j] ^ f->exp[f->log[v] + tw[j]]);
                a[j] = w;
                a[half + j] = w ^ v;
            }
    }
    for (size_t i = 1; i < all; i++)
        if (work[i] == t->inverse[i] && found < degree) pos[found++] = f->log[t->inverse[i]];
    return found;
}
