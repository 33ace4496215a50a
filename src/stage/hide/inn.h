/* The invertible network of the learned hider: photo's luma coefficients <-> latent, and how far a receiver may trust each carrier.
 *
 * Couplings k = 0, 1, ... in turn transform the carriers of one colour of a chequerboard, ((row + column of the frequency + bx + by + k) & 1) == 0, by
 *     g(x) = x + a tau x / (tau + |x|) + t,    a = e^(A tanh(o_scale)) - 1,  t = T tanh(o_shift),    A = 1.4, T = 2, tau = 32
 * where o is what the coupling's network (condition.h) says of all other coefficients as they then are, the transformed ones counting as zero.  Only carriers of
 * the payload are transformed; everything else passes through.  g has a closed inverse, so the whole has: the same networks, last coupling first.
 * An affine coupling (x e^s + t) would let an error in s, which a lossy channel makes, grow with x; here its effect stays below tau.  A, T and tau bound what any
 * weights can do: a coupling moves a carrier by less than 100 units, so no weight file can make a picture overflow.
 * repro: soft information only; about 1e-5 of the greatest value.
 */
#ifndef UT_STAGE_HIDE_INN_H
#define UT_STAGE_HIDE_INN_H
#include "stage/hide/condition.h"
#include "stage/hide/lattice.h"

#define UT_INN_COUPLINGS 4 /* at most */
#define UT_INN_CLASSES 8u  /* of trust */

typedef struct ut_inn {
    ut_condition coupling[UT_INN_COUPLINGS], trust;
    size_t ncouplings;
    uint8_t id[4]; /* first bytes of the file's SHA-256, set by whoever opened it */
} ut_inn;

/* From a safetensors file: tensors couplings.K.* and trust.*, metadata kind "inn", format "1", couplings, width and blocks.  UT_E_INPUT: not such a file. */
UT_MUST_CHECK ut_status ut_inn_load(const uint8_t *data, size_t n, const char *name, ut_inn **out, ut_err *e);
void ut_inn_free(ut_inn *m); /* NULL: nothing */

/* A picture at work: x[nblocks][64], transformed in place; carriers: bitmap over positions (as ut_taken_new's) of those that are. */
typedef struct ut_inn_planes {
    ut_grid grid;
    float *x;
    const uint8_t *carriers;
} ut_inn_planes;
UT_MUST_CHECK ut_status ut_inn_forward(const ut_inn *m, const ut_inn_planes *p, unsigned nthreads, ut_err *e);
UT_MUST_CHECK ut_status ut_inn_inverse(const ut_inn *m, const ut_inn_planes *p, unsigned nthreads, ut_err *e);
/* class[nblocks][64], 0..UT_INN_CLASSES - 1, from the coefficients as received, not transformed. */
UT_MUST_CHECK ut_status ut_inn_trust(const ut_inn *m, const ut_inn_planes *p, uint8_t *class, unsigned nthreads, ut_err *e);
#endif
