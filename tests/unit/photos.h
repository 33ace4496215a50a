/* Pictures for tests that hide in them. */
#ifndef UT_TEST_PHOTOS_H
#define UT_TEST_PHOTOS_H
#include "media/image.h"
#include <math.h>
#include <stdlib.h>

/* A PNG file of waves and grain; the seed makes them different. */
static inline ut_blob test_photo(uint32_t w, uint32_t h, unsigned seed)
{
    ut_picture p;
    ut_buf file = { 0 };
    unsigned long long r = seed + 7;
    if (ut_picture_alloc(&p, w, h, false, NULL) != UT_OK) abort();
    for (uint32_t y = 0; y < h; y++)
        for (uint32_t x = 0; x < w; x++)
            for (unsigned c = 0; c < 3; c++) {
                double v = 120 + 50 * sin(x * (.04 + .01 * (seed % 3)) + c) * cos(y * .07) + 20 * sin(x * y * .002);
                r = r * 6364136223846793005ull + 1442695040888963407ull;
                p.rgb[3 * ((size_t)y * w + x) + c] = (uint8_t)(v + (unsigned)(r >> 61));
            }
    if (ut_image_write_png(&p, &file, NULL) != UT_OK) abort();
    ut_picture_free(&p);
    return (ut_blob){ file.data, file.len };
}
#endif
