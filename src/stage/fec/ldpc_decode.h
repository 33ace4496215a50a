/* Layered belief propagation on one block (Mansour and Shanbhag 2003; Hocevar 2004): rows of the base graph one after
 * another, the z checks of a row at once.  Messages are int8, a bit's sum int16: in 8 bits a sum that was cut off
 * drifts away as its parts change.  Checks combine messages by the box-plus of Hagenauer, Offer and Papke (1996), its
 * logarithms replaced by straight lines.  repro: exact, also between instruction sets.
 *
 * A column's values are kept turned as its last row wanted them, followed by a copy of their beginning: a turned read
 * is then a plain unaligned one.  Each column has two buffers, since a row reads while it writes.
 */
#ifndef UT_STAGE_FEC_LDPC_DECODE_H
#define UT_STAGE_FEC_LDPC_DECODE_H
#include "stage/fec/ldpc_code.h"

#define UT_LDPC_LANES 32u /* lanes are padded to a multiple of this */

typedef struct ut_ldpc_value {
    int16_t *now, *next; /* [stride] */
    unsigned turn;      /* now[i] belongs to lane (i + turn) mod z */
} ut_ldpc_value;

typedef struct ut_ldpc_decoder {
    const ut_ldpc_code *code;
    size_t stride, nlanes;  /* values per buffer; z padded */
    ut_ldpc_value value[UT_LDPC_COLUMNS];
    int8_t *message;        /* [nedges + 2 nrows][nlanes], check to bit; a row's own edges, then its two parity bits;
                               owned */
    int16_t held;           /* see row 0 in ldpc_decode.c */
    int16_t *values;        /* [columns][2][stride], owned */
} ut_ldpc_decoder;

/* One pass over all rows.  True if the signs of all values satisfy every check. */
typedef bool (*ut_ldpc_pass_fn)(ut_ldpc_decoder *d);
/* Around a row within a pass.  Begin: its columns, where their lane 0 lies in `now`, its messages [degree][nlanes].
 * End: `next` becomes `now`. */
void ut_ldpc_row_begin(ut_ldpc_decoder *d, unsigned r, unsigned *degree, uint16_t *column, unsigned *offset,
                       int8_t **message);
void ut_ldpc_row_end(ut_ldpc_decoder *d, unsigned r, unsigned degree, const uint16_t *column);

bool ut_ldpc_pass_plain(ut_ldpc_decoder *d);
bool ut_ldpc_pass_avx2(ut_ldpc_decoder *d); /* x86-64 only */
ut_ldpc_pass_fn ut_ldpc_pass_get(void); /* the fastest that this processor runs */

UT_MUST_CHECK ut_status ut_ldpc_decoder_init(ut_ldpc_decoder *d, const ut_ldpc_code *c, ut_err *e);
void ut_ldpc_decoder_free(ut_ldpc_decoder *d);

/* How many of the checks whose bits are all known (not 0) are broken. */
size_t ut_ldpc_broken(const ut_ldpc_code *c, const int8_t *llr, size_t *nknown);

/* Half of the checks broken, less one standard deviation or more: nothing but noise, of a rate of 1/4 or higher, not worth any passes.  Five of six
 * blocks of noise are seen to be it; of words at the end of what rate 1/4 corrects (20 % wrong) one in a thousand is taken for it. */
bool ut_ldpc_hopeless(const ut_ldpc_code *c, const int8_t *llr);

/* llr: [UT_LDPC_COLUMNS][z], positive for 0.  bits: the same shape, one a byte.  Runs until every check is satisfied
 * (true) or max_passes are over (false).  Values are in units of 1/8.*/
bool ut_ldpc_decode_block(ut_ldpc_decoder *d, ut_ldpc_pass_fn pass, unsigned max_passes, const int8_t *llr,
                          uint8_t *bits);
#endif
