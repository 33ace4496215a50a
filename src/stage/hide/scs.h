/* The scalar Costa scheme (Eggers, Baeuml, Tzschoppe, Girod: "Scalar Costa scheme for information embedding", IEEE Trans.
 * Signal Processing 51(4), 2003): dithered lattices with distortion compensation, for channels that only add noise.
 *
 * A carrier's cells are `width` wide; cells of bit 0 and 1 alternate, shifted by a keyed dither.  Where c lies is its phase, 0..63 over
 * two cells: a cell of bit 0 has its centre between phases 63 and 0, one of bit 1 between 31 and 32.  The sender moves c only the share `alpha` of the way
 * to its bit's centre: what stays out is noise of its own, but the cells may be so much wider at the same distortion,
 * alpha^2 width^2 / 3.  The receiver reads log-likelihood ratios; most are doubtful, and a code of low rate puts them together.
 */
#ifndef UT_STAGE_HIDE_SCS_H
#define UT_STAGE_HIDE_SCS_H
#include "stage/hide/extract.h"

enum { UT_SCS_PHASES = 64, UT_SCS_LOST = 255 }; /* a phase of 255: the carrier did not arrive */
#define UT_SCS_WIDTH_UNIT 2                     /* widths travel in halves of a coefficient unit */

/* Carriers of one kind in a picture.  Owned: ut_scs_carriers_free. */
typedef struct ut_scs_carriers {
    ut_carriers at;
    uint8_t *dither;     /* [at.n], 0..63 */
    uint16_t *bit;       /* [at.n]: which code bit; or NULL: ut_scs_bit spreads them */
} ut_scs_carriers;
void ut_scs_carriers_free(ut_scs_carriers *c);
/* The code bit of carrier i: all are used about equally often where there are fewer bits than carriers, evenly many go without where there are more. */
static inline size_t ut_scs_bit(const ut_scs_carriers *c, size_t i, size_t nbits)
{
    return c->bit ? c->bit[i] : (size_t)((uint64_t)i * nbits / c->at.n);
}

/* What was read of them: phases, and how lively the block is, in eighths of the picture's blocks.  Owned: ut_scs_reading_free. */
#define UT_SCS_NCLASSES 8u
typedef struct ut_scs_reading {
    uint8_t *phase;      /* [at.n] */
    uint8_t *liveliness; /* [at.n], 0..UT_SCS_NCLASSES - 1 */
} ut_scs_reading;
void ut_scs_reading_free(ut_scs_reading *r);

/* Where to move the coefficient c, in coefficient units. */
float ut_scs_aim(float c, float width, unsigned dither, unsigned bit, float alpha);

/* Reads the carriers in a received picture. */
UT_MUST_CHECK ut_status ut_scs_read(const ut_view *v, const ut_scs_carriers *c, float width, ut_scs_reading *r, unsigned nthreads,
                                    ut_err *e);

/* LLRs of nbits code bits, what several carriers say of a bit summed; only ratios between magnitudes mean anything.  trust: the mean cosine
 * of the angle between phases and bits sent, in sixteenths, by liveliness, as the sender saw it come out of the worst channel.  How the frequencies
 * differ shows in the phases themselves (resultant length of the doubled angle: Mardia and Jupp 2000, 2.3.1); without trust (NULL) all does. */
UT_MUST_CHECK ut_status ut_scs_llrs(const ut_scs_carriers *c, const ut_scs_reading *r, const uint8_t trust[UT_SCS_NCLASSES], size_t nbits,
                                    int8_t *llr, ut_err *e);

/* Information that one carrier brings through Gaussian noise of rms sigma, in bits; and what it is by a count of phases relative to the
 * bits sent (count[63] and [0]: at the bit's centre). */
double ut_scs_information(double width, double alpha, double sigma);
double ut_scs_measured(const size_t count[UT_SCS_PHASES]);
#endif
