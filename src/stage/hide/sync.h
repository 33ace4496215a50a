/* Synchronisation: a weak keyed pattern that tells a receiver how a picture was turned, scaled and cropped.
 *
 * The pattern is a sum of UT_SYNC_NLINES plane waves, keyed in frequency and phase, which repeats every 256 pixels both ways from the top left corner.
 * Their frequencies, 24 to 52 periods in 256 pixels, are those that a photo, a resize to one half and a JPEG encoder leave best (measured).
 * It is added to the photo before anything is hidden in it; where a lattice then moves the same coefficients, it moves them about
 * where the pattern has put them.  Nothing but where to look depends on it: repro: tolerance, all in floating point.
 */
#ifndef UT_STAGE_HIDE_SYNC_H
#define UT_STAGE_HIDE_SYNC_H
#include "base/picture.h"

#define UT_SYNC_PERIOD 256
#define UT_SYNC_NLINES 128
#define UT_SYNC_MSE 0.3       /* squared error per sample that the pattern costs: 53.4 dB by itself */
#define UT_SYNC_MOST_MSE 1.2  /* where a busy photo hides it: 47.3 dB */
#define UT_SYNC_CLEAR 15      /* score, refined, at which whole pixels can be told apart before anything is embedded */

/* Wave l is cos(2 pi (u x + v y) / 256 + phase) at pixel (x, y). */
typedef struct ut_sync {
    int16_t u[UT_SYNC_NLINES], v[UT_SYNC_NLINES];
    float phase[UT_SYNC_NLINES];
} ut_sync;

/* key: the locator's carrier key. */
UT_MUST_CHECK ut_status ut_sync_init(ut_sync *s, const uint8_t key[32], ut_err *e);

/* Adds the pattern, stronger where the photo is busy, at that mean squared error over R, G and B. */
UT_MUST_CHECK ut_status ut_sync_add(const ut_sync *s, ut_picture *p, double mse, unsigned nthreads, ut_err *e);

/* How a received picture lies on the original's grid.  Upright is the received picture after its turning (EXIF's numbers, 1 = none).  Both count
 * from the corner of the first pixel, so pixel i reaches from i to i + 1:
 *   original x = x0 + scale_x * upright x, modulo 256; the same for y. */
typedef struct ut_sync_fit {
    unsigned turn;
    double scale_x, x0, scale_y, y0;
    double anchor_x, anchor_y; /* upright: where a hit of the search is exact to half a pixel */
    double score;  /* strength in standard deviations of what chance would give; chance alone gets to about 6, refined to 9 */
    double sigma;  /* pixels by which the corners may be off, standard deviation */
} ut_sync_fit;

/* Looks for the pattern at any scale from 0.45 to 2.6 original pixels per received one, alone or different in x and y, at any
 * offset, in all eight orientations.  The best up to max, best first; n is 0 if there is none. */
UT_MUST_CHECK ut_status ut_sync_search(const ut_sync *s, const ut_picture *got, unsigned nthreads, ut_sync_fit *hit, size_t max, size_t *n,
                                       ut_err *e);
/* Makes a hit exact, given the picture already upright. */
UT_MUST_CHECK ut_status ut_sync_refine(const ut_sync *s, const ut_picture *upright, unsigned nthreads, ut_sync_fit *hit, ut_err *e);
#endif
