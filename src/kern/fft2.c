#include "kern/fft2.h"
#include <math.h>

enum { STRIP = 32 }; /* columns at once: they stay in the cache through all steps */

void ut_fft2_init(ut_fft2 *f, unsigned n)
{
    f->n = n;
    for (unsigned k = 0; k < n / 2; k++) {
        f->cosine[k] = (float)cos(2 * 3.14159265358979323846 * k / n);
        f->sine[k] = (float)sin(2 * 3.14159265358979323846 * k / n);
    }
    for (unsigned k = 0; k < n; k++) {
        unsigned r = 0;
        for (unsigned bit = 1, top = n / 2; bit < n; bit *= 2, top /= 2)
            if (k & bit) r |= top;
        f->reversed[k] = (uint16_t)r;
    }
}

static void swap_rows(float *a, float *b, unsigned width)
{
    for (unsigned i = 0; i < width; i++) {
        float t = a[i];
        a[i] = b[i];
        b[i] = t;
    }
}

static void butterfly(float *ar, float *ai, float *br, float *bi, float c, float s, unsigned width)
{
    for (unsigned i = 0; i < width; i++) {
        float x = c * br[i] + s * bi[i], y = c * bi[i] - s * br[i];
        br[i] = ar[i] - x;
        bi[i] = ai[i] - y;
        ar[i] += x;
        ai[i] += y;
    }
}

static void columns(const ut_fft2 *f, float *re, float *im)
{
    unsigned n = f->n, width = n < STRIP ? n : STRIP;
    for (unsigned x = 0; x < n; x += width) {
        for (unsigned k = 0; k < n; k++) {
            unsigned r = f->reversed[k];
            if (r <= k) continue;
            swap_rows(re + (size_t)k * n + x, re + (size_t)r * n + x, width);
            swap_rows(im + (size_t)k * n + x, im + (size_t)r * n + x, width);
        }
        for (unsigned half = 1; half < n; half *= 2)
            for (unsigned a = 0; a < n; a += 2 * half)
                for (unsigned k = 0; k < half; k++) {
                    size_t p = (size_t)(a + k) * n + x, q = p + (size_t)half * n;
                    unsigned w = k * (n / 2 / half);
                    butterfly(re + p, im + p, re + q, im + q, f->cosine[w], f->sine[w], width);
                }
    }
}

static void transpose(float *a, unsigned n)
{
    enum { TILE = 8 };
    for (unsigned y = 0; y < n; y += TILE)
        for (unsigned x = y; x < n; x += TILE)
            for (unsigned i = 0; i < TILE; i++)
                for (unsigned j = x == y ? i + 1 : 0; j < TILE; j++) {
                    float *p = a + (size_t)(y + i) * n + x + j, *q = a + (size_t)(x + j) * n + y + i, t = *p;
                    *p = *q;
                    *q = t;
                }
}

void ut_fft2_run(const ut_fft2 *f, float *re, float *im)
{
    columns(f, re, im);
    transpose(re, f->n);
    transpose(im, f->n);
    columns(f, re, im);
}
