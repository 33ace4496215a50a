/* From a frame's contents to coefficients to samples.  Integers only, every rounding said. */
#include "stage/payload/spectrum.h"

/* v / 2^shift, rounded to nearest, halves away from zero */
static int64_t scale_down(int64_t v, int shift)
{
    int64_t half = (int64_t)1 << (shift - 1);
    return v < 0 ? -((half - v) >> shift) : (v + half) >> shift;
}

void ut_spectrum_dequantise(ut_spectrum_code *f, uint64_t number)
{
    uint32_t random = (uint32_t)number * 2654435761u + 1;
    for (int band = 0; band < UT_SPECTRUM_BANDS; band++)
        for (int k = ut_spectrum_band_start[band]; k < ut_spectrum_band_start[band + 1]; k++) {
            int64_t v = (int64_t)f->q[k] * f->step[k];
            random = random * 1664525u + 1013904223u;
            if (!f->q[k]) v = random >> 31 ? ut_spectrum_noise(f, band, k) : -ut_spectrum_noise(f, band, k);
            f->x[k] = (int32_t)(v > UT_SPECTRUM_MAX_AMP ? UT_SPECTRUM_MAX_AMP : v < -UT_SPECTRUM_MAX_AMP ? -UT_SPECTRUM_MAX_AMP : v);
        }
}

void ut_spectrum_inverse(const int32_t x[UT_SPECTRUM_HOP], int64_t overlap[UT_SPECTRUM_HOP], int16_t out[UT_SPECTRUM_HOP])
{
    enum { N = UT_SPECTRUM_HOP };
    int64_t u[N];
    /* u[n] = sum over k of x[k] cos(pi / N (n + 1/2) (k + 1/2)), the DCT-IV, Q4; the sum stays below 2^56 */
    for (uint32_t n = 0; n < N; n++) {
        int64_t sum = 0;
        for (uint32_t k = 0; k < N; k++) sum += (int64_t)x[k] * ut_spectrum_cos[(2 * n + 1) * (2 * k + 1) % (8 * N)];
        u[n] = scale_down(sum, 24);
    }
    for (int n = 0; n < N; n++) {
        /* unfolded to 2 N: u[N/2..N), -u[N-1..0], -u[0..N/2); the window holds the MDCT's factor sqrt(2 / N) too */
        int64_t first = n < N / 2 ? u[n + N / 2] : -u[3 * N / 2 - 1 - n];
        int64_t second = n < N / 2 ? -u[N / 2 - 1 - n] : -u[n - N / 2];
        int64_t v = scale_down(overlap[n] + first * ut_spectrum_window[n], 4 + 18);
        out[n] = (int16_t)(v > 32767 ? 32767 : v < -32768 ? -32768 : v);
        overlap[n] = second * ut_spectrum_window[N - 1 - n];
    }
}

size_t ut_spectrum_nframes(uint64_t nsamples) { return (size_t)((nsamples + UT_SPECTRUM_HOP - 1) / UT_SPECTRUM_HOP + 1); }
