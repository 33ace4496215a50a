/* Discrete Fourier transform of square complex pictures (Cooley and Tukey, 1965), single precision. */
#ifndef UT_KERN_FFT2_H
#define UT_KERN_FFT2_H
#include "base/err.h"

#define UT_FFT2_MAX 1024

typedef struct ut_fft2 {
    unsigned n;
    float cosine[UT_FFT2_MAX / 2], sine[UT_FFT2_MAX / 2]; /* of 2 pi k / n */
    uint16_t reversed[UT_FFT2_MAX];
} ut_fft2;

/* n: power of two, 8..UT_FFT2_MAX. */
void ut_fft2_init(ut_fft2 *f, unsigned n);

/* In place: in[y * n + x] becomes out[u * n + v] = sum of in e^(-2 pi i (u x + v y) / n); note that the result lies
 * transposed: u belongs to x.  re, im: [n][n]. */
void ut_fft2_run(const ut_fft2 *f, float *re, float *im);
#endif
