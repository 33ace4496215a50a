/* Geometry at the receiver: what a picture went through on its way is undone before its lattice is read. */
#ifndef UT_PIPELINE_GEOMETRY_H
#define UT_PIPELINE_GEOMETRY_H
#include "pipeline/message.h"
#include "pipeline/route.h"
#include "stage/hide/sync.h"

/* A received picture brought back onto the grid it was hidden in, or an attempt at it.  Stays where it is made: the view points into it. */
typedef struct ut_restored {
    ut_picture picture; /* owned; empty where only coefficients were turned */
    ut_jpeg_coefs jpeg; /* owned; luma, or empty */
    ut_view view;       /* of the two */
    char story[160];    /* "was turned by 90 degrees clockwise", for the diagnosis */
} ut_restored;
void ut_restored_free(ut_restored *r);

/* The picture as it stood before somebody turned it to orientation o (2..8): the coefficients alone where these can be turned exactly and no pixels are
 * asked for. */
UT_MUST_CHECK ut_status ut_restore_turned(const ut_picture *got, const ut_jpeg_coefs *jpeg, bool pixels, unsigned o, ut_restored *r, ut_err *e);

/* The picture at a size it may have had. */
UT_MUST_CHECK ut_status ut_restore_sized(const ut_picture *got, uint32_t width, uint32_t height, ut_restored *r, ut_err *e);

/* The synchronisation pattern of a key, by the locator's. */
UT_MUST_CHECK ut_status ut_sync_of(ut_keyring *ring, ut_sync *s, ut_err *e);

/* Where the pattern says that the picture belongs, best first: refined, and once more in whole pixels where that is as likely. */
#define UT_MAX_PLACES 4
typedef struct ut_places {
    ut_sync_fit at[UT_MAX_PLACES];
    size_t n;
} ut_places;
UT_MUST_CHECK ut_status ut_locate(const ut_sync *s, const ut_picture *got, unsigned nthreads, ut_places *p, ut_err *e);

/* Resampled onto the grid.  The view's size is what the picture covers, from the grid's origin modulo 256 on (so it may be less than the original's). */
UT_MUST_CHECK ut_status ut_restore_placed(const ut_picture *got, const ut_sync_fit *at, ut_restored *r, ut_err *e);

/* The sender's rehearsal: what arrives of `sent` after one variant of a channel.  Where it comes back at another size it is put back as a receiver does,
 * by nothing but the pattern (of the original's offset the pattern leaves multiples of 256 open: these the sender takes from the picture).
 * r keeps what the view borrows.  UT_E_CAPACITY: without a pattern (sync NULL) or where it is not found. */
UT_MUST_CHECK ut_status ut_arrive(const ut_variant *var, const ut_picture *sent, const ut_sync *sync, unsigned nthreads, ut_received *r,
                                  ut_view *v, ut_err *e);

/* A picture as it came, borrowed. */
typedef struct ut_arrival {
    const ut_picture *picture;
    const ut_jpeg_coefs *jpeg;
    bool lossless;                    /* the file's coding keeps pixels */
    uint32_t exif_width, exif_height; /* 0: unknown */
    const ut_reveal_options *opt;
} ut_arrival;

/* After ut_message_find has found nothing: all other geometries, the cheap ones first.  UT_OK: r->view is where f was found.
 * UT_E_KEY: nothing; r is empty. */
UT_MUST_CHECK ut_status ut_find_moved(const ut_arrival *a, ut_keyring *ring, ut_restored *r, ut_found *f, ut_err *e);
#endif
