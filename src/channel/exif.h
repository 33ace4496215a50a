/* The few EXIF fields that matter here (CIPA DC-008 / TIFF 6.0): orientation and the recorded size.  The bytes are
 * hostile: whatever is out of bounds or oddly typed is taken as absent. */
#ifndef UT_CHANNEL_EXIF_H
#define UT_CHANNEL_EXIF_H
#include "base/picture.h"

typedef struct ut_exif {
    unsigned orientation;   /* tag 0x0112, 1..8; 1 if absent or senseless */
    uint32_t width, height; /* PixelXDimension 0xa002, PixelYDimension 0xa003; 0: absent */
} ut_exif;

/* tiff: from "II" or "MM" on, may be NULL if n is 0.  The orientation tag of IFD0 is set to 1
 * in place; that of the thumbnail (IFD1) stays, for the thumbnail is not turned. */
ut_exif ut_exif_normalise(uint8_t *tiff, size_t n);
#endif
