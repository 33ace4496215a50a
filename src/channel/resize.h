/* Geometry on pixels.  repro: exact (fixed-point taps, integer sums). */
#ifndef UT_CHANNEL_RESIZE_H
#define UT_CHANNEL_RESIZE_H
#include "base/picture.h"

/* Separable Lanczos-3 in gamma space, the kernel widened when shrinking, edges renormalised (as Pillow's LANCZOS does);
 * rows first, rounded to 8 bit between the passes.  Alpha alike; metadata and the grey flag are copied. */
UT_MUST_CHECK ut_status ut_resize(const ut_picture *in, uint32_t width, uint32_t height, ut_picture *out, ut_err *e);

/* One axis of a resampled picture: the middle of sample i lies at first + step (i + 1/2) of the old one's samples, each of which reaches
 * from k to k + 1. */
typedef struct ut_axis {
    uint32_t n;
    double first, step; /* 0 < step < 64 */
} ut_axis;
/* The same kernel on any straight line; outside, the edge goes on.  No alpha, no metadata. */
UT_MUST_CHECK ut_status ut_resample(const ut_picture *in, ut_axis x, ut_axis y, ut_picture *out, ut_err *e);

/* The rectangle of width x height whose upper left corner is (x, y), inside the picture; metadata are copied. */
UT_MUST_CHECK ut_status ut_crop(const ut_picture *in, uint32_t x, uint32_t y, uint32_t width, uint32_t height,
                                ut_picture *out, ut_err *e);

/* Centred on a black width x height; alpha is dropped. */
UT_MUST_CHECK ut_status ut_pad(const ut_picture *in, uint32_t width, uint32_t height, ut_picture *out, ut_err *e);

/* Unsharp mask: p + amount/256 * (p - blur(p)), blur the 3x3 binomial (1 2 1), edges repeated. */
UT_MUST_CHECK ut_status ut_sharpen(const ut_picture *in, unsigned amount_256, ut_picture *out, ut_err *e);
#endif
