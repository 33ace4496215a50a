/* Binary fields GF(2^m), 3 <= m <= 16, and the root search that BCH and Reed-Solomon decoding share.
 *
 * Elements are polynomials over GF(2), bit i the coefficient of x^i; alpha = x (the number 2) is primitive.
 * Polynomials (bit i: x^i): m = 3: 0xb, 4: 0x13, 5: 0x25, 6: 0x43, 7: 0x83, 8: 0x11d, 9: 0x211, 10: 0x409, 11: 0x805,
 * 12: 0x1053, 13: 0x201b, 14: 0x402b, 15: 0x8003, 16: 0x1002d (14 and 16 are those of ETSI EN 302 307, table 6).
 * repro: exact.
 */
#ifndef UT_STAGE_FEC_GF_H
#define UT_STAGE_FEC_GF_H
#include "base/buf.h"

#define UT_GF_MAX_M 16u
#define UT_GF_MAX_DEGREE 256u /* of a locator */

typedef struct ut_gf {
    unsigned m;
    uint32_t n;    /* 2^m - 1 */
    uint16_t *exp; /* [4n + 1], owned: alpha^i for i < 2n, then zeros */
    uint32_t *log; /* [n + 1], owned; log[0] = 2n, so that exp[log[a] + log[b]] is the product for zeros too */
} ut_gf;

uint32_t ut_gf_poly(unsigned m); /* the field's polynomial, x^m included; 0 for m out of range */
UT_MUST_CHECK ut_status ut_gf_init(ut_gf *f, unsigned m, ut_err *e);
void ut_gf_free(ut_gf *f); /* safe on a zeroed field */

static inline uint16_t ut_gf_mul(const ut_gf *f, unsigned a, unsigned b) { return f->exp[f->log[a] + f->log[b]]; }
static inline uint16_t ut_gf_div(const ut_gf *f, unsigned a, unsigned b) /* b != 0 */
{
    return a ? f->exp[f->log[a] + f->n - f->log[b]] : (uint16_t)0;
}

/* Roots of a locator by the additive Fourier transform of Gao and Mateer ("Additive fast Fourier transforms over
 * finite fields", IEEE Trans. Inf. Theory 56(12), 2010): all 2^m values of a polynomial of degree < 2^k cost k 2^(m-1)
 * products, against deg 2^m for a Chien search. */
typedef struct ut_gf_fft {
    unsigned levels;         /* 2^levels coefficients */
    uint32_t *twiddle_log;   /* owned: level l holds 2^(m-1-l) logarithms of points, levels one after another */
    uint16_t *inverse;       /* [2^m], owned: 1/x of the point at each output index; 0 for x = 0 */
    uint16_t *scale;         /* [levels][2^levels], owned: powers of the level's twist */
} ut_gf_fft;

/* max_degree: the highest degree of a locator to be searched, 1..UT_GF_MAX_DEGREE. */
UT_MUST_CHECK ut_status ut_gf_fft_init(ut_gf_fft *t, const ut_gf *f, unsigned max_degree, ut_err *e);
void ut_gf_fft_free(ut_gf_fft *t);

/* sigma: [degree + 1], sigma[0] = 1.  Writes the p in [0, n) with sigma(alpha^-p) = 0 to pos[0..degree), in no order,
 * and returns how many there are (at most degree).  work: [2^m]. */
size_t ut_gf_roots(const ut_gf_fft *t, const ut_gf *f, const uint16_t *sigma, unsigned degree, uint16_t *work,
                   uint32_t *pos);
#endif
