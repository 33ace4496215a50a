/* Turning and mirroring by EXIF's eight orientations (CIPA DC-008, 4.6.5): without loss, in pixels or in a JPEG's own coefficients. */
#ifndef UT_CHANNEL_TURN_H
#define UT_CHANNEL_TURN_H
#include "base/picture.h"

/* Turns pixels and alpha so that a picture of that orientation stands upright; 1 and what is beyond 8 leave it as it is. */
UT_MUST_CHECK ut_status ut_orient(ut_picture *pic, unsigned orientation, ut_err *e);

/* The same for a JPEG's luma: its blocks change places, their coefficients places and signs, the table goes with them.  to has this one plane.
 * to->nplanes is 0 where it cannot be done exactly: the side from which a mirrored axis counts does not end with a whole block. */
UT_MUST_CHECK ut_status ut_orient_luma(const ut_jpeg_coefs *from, unsigned orientation, ut_jpeg_coefs *to, ut_err *e);

/* "was turned by 90 degrees", what must have been done to an upright picture so that it has this orientation. */
const char *ut_orient_story(unsigned orientation);
#endif
