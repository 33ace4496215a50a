/* Windows of a picture, whitened: what the search transforms and the fit correlates. */
#ifndef UT_STAGE_HIDE_SYNC_INTERNAL_H
#define UT_STAGE_HIDE_SYNC_INTERNAL_H
#include "stage/hide/sync.h"

enum { UT_SYNC_FFT = 1024, UT_SYNC_WINDOW = 768, UT_SYNC_MAX_WINDOWS = 6, UT_SYNC_LEAST = 100 };

typedef struct ut_sync_window {
    uint32_t x, y, w, h; /* place and size in the picture */
    float *a;            /* [h][w], owned: luma without its low frequencies, over its local strength */
} ut_sync_window;

typedef struct ut_sync_windows {
    ut_sync_window at[UT_SYNC_MAX_WINDOWS];
    size_t n;
} ut_sync_windows;

/* Up to six windows that reach into the picture's corners.  UT_E_CAPACITY: the picture is smaller than UT_SYNC_LEAST either way. */
UT_MUST_CHECK ut_status ut_sync_windows_init(ut_sync_windows *w, const ut_picture *p, unsigned nthreads, ut_err *e);
void ut_sync_windows_free(ut_sync_windows *w);

/* Mean over squares of side 2r + 1, cut at the edges; out may be in.  sums: (w + 1) doubles a row are kept inside. */
UT_MUST_CHECK ut_status ut_sync_blur(const float *in, uint32_t w, uint32_t h, unsigned r, float *out, ut_err *e);

/* Phase of wave l where pixels reach from i to i + 1. */
double ut_sync_phase(const ut_sync *s, unsigned l);
#endif
