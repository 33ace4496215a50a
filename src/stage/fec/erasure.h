/* An erasure code for albums: of up to 256 symbols any `ndata` give all data back (maximum distance separable).
 *
 * Systematic Reed-Solomon in Cauchy's form over GF(256), polynomial 0x11d (Blomer, Kalfane, Karp, Karpinski, Luby,
 * Zuckerman 1995).  Symbol j < ndata is piece j of the data; symbol s >= ndata is the sum over j of piece j divided by the
 * field element s xor j.  A symbol is symbol_nbytes long and the same is done to each of its bytes.  Symbols are lost
 * whole or in ranges of their bytes, never wrong: the seal has proven them.  repro: exact.
 */
#ifndef UT_STAGE_FEC_ERASURE_H
#define UT_STAGE_FEC_ERASURE_H
#include "base/buf.h"

#define UT_ERASURE_MAX_SYMBOLS 256u

/* Symbols first, first + 1, ... first + n - 1 of the data, one after another, to out: [n][symbol_nbytes].  data: [nbytes],
 * at most ndata * symbol_nbytes; what is missing of that counts as zeros. */
UT_MUST_CHECK ut_status ut_erasure_encode(unsigned ndata, size_t symbol_nbytes, const uint8_t *data, size_t nbytes, unsigned first,
                                          unsigned n, uint8_t *out, unsigned nthreads, ut_err *e);

/* Bytes [from, to) of every piece of the data, from those symbols that are there.  symbol: [nsymbols], NULL: it is not there.
 * data: [ndata][symbol_nbytes].  UT_E_DAMAGED: fewer than ndata are there; the pieces among them are copied all the same. */
UT_MUST_CHECK ut_status ut_erasure_decode(unsigned ndata, unsigned nsymbols, size_t symbol_nbytes, const uint8_t *const *symbol,
                                          size_t from, size_t to, uint8_t *data, unsigned nthreads, ut_err *e);
#endif
