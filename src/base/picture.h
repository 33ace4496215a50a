/* Pictures as the stages see them: pixels, and what a JPEG file holds instead of pixels. */
#ifndef UT_BASE_PICTURE_H
#define UT_BASE_PICTURE_H
#include "base/buf.h"

#define UT_MAX_SIDE 65535u
#define UT_MAX_PIXELS 200000000u

typedef struct ut_picture {
    uint32_t width, height; /* pixels, 1..UT_MAX_SIDE each, product at most UT_MAX_PIXELS */
    uint8_t *rgb;           /* [height][width][3], owned */
    uint8_t *alpha;         /* [height][width] or NULL, owned; straight (not premultiplied) */
    bool grey;              /* the file was grey: R = G = B everywhere */
    ut_buf icc, exif;       /* metadata as found, EXIF from its "II"/"MM" TIFF header on, orientation already applied
                               and reset to 1; empty if none */
} ut_picture;

UT_MUST_CHECK ut_status ut_picture_alloc(ut_picture *p, uint32_t width, uint32_t height, bool alpha, ut_err *e);
UT_MUST_CHECK ut_status ut_picture_copy(ut_picture *to, const ut_picture *from, ut_err *e); /* to is overwritten, not freed */
void ut_picture_free(ut_picture *p); /* safe on a zeroed or freed picture */

/* Quantised DCT coefficients of one component of a JPEG file (ITU-T T.81). */
typedef struct ut_jpeg_plane {
    uint32_t blocks_w, blocks_h; /* whole blocks that the file holds, padding included */
    unsigned hsamp, vsamp;       /* sampling factors */
    uint16_t quant[64];          /* row by row (natural order, not zigzag) */
    int16_t *coef;               /* [blocks_h][blocks_w][64], row by row, owned; value/quantiser step */
} ut_jpeg_plane;

typedef struct ut_jpeg_coefs {
    uint32_t width, height; /* pixels */
    unsigned nplanes;       /* 0: not a JPEG */
    ut_jpeg_plane plane[4]; /* Y, Cb, Cr */
} ut_jpeg_coefs;
void ut_jpeg_coefs_free(ut_jpeg_coefs *c);
#endif
