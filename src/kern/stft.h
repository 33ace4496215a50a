/* Short-time Fourier transform as train/undertone_train/stft.py has it: the signal is padded with n_fft/2 zeros in front, and enough behind, so that
 * frame t is centred on sample t*hop; Hann window (periodic, centred in n_fft); synthesis by overlap-add divided by the sum of squared windows.
 * n_fft is a power of two.  Computed in double precision: spectra of pure tones are compressed afterwards, which would lift single precision's noise.
 */
#ifndef UT_KERN_STFT_H
#define UT_KERN_STFT_H
#include "base/err.h"
#include <stdbool.h>

#define UT_STFT_MAX 8192 /* greatest n_fft */
#define UT_STFT_LANES 8  /* frames transformed at once */

typedef struct ut_stft {
    size_t n_fft, win_length, hop;
    double *window;        /* [n_fft], owned, as what follows is within it */
    double *cosine, *sine; /* [n_fft/2]: angles 2 pi k / n_fft */
    double *steady;        /* [hop]: 1 over the sum of squared windows, away from the ends */
    uint16_t *reversed;    /* [n_fft/2]: bit-reversed indices, owned */
} ut_stft;

/* Frames first, first + step, ... : count of them, in columns 0, 1, ... of [n_fft/2 + 1][row_stride] arrays. */
typedef struct ut_stft_frames {
    float *re, *im;
    size_t row_stride, first, step, count;
} ut_stft_frames;

/* n_fft: power of two, 8..UT_STFT_MAX; 0 < hop <= win_length/2; win_length <= n_fft.  UT_E_INPUT otherwise. */
UT_MUST_CHECK ut_status ut_stft_init(ut_stft *s, size_t n_fft, size_t win_length, size_t hop, ut_err *e);
void ut_stft_free(ut_stft *s);
size_t ut_stft_count(const ut_stft *s, size_t nsamples);      /* frames of a signal: ceil(nsamples/hop) + 1 */
size_t ut_stft_scratch(const ut_stft *s);                     /* doubles that the calls below need at scratch */
void ut_stft_forward(const ut_stft *s, const float *wave, size_t nsamples, const ut_stft_frames *f, double *scratch);
/* Adds the frames, windowed, to wave, which starts as zeros; when all are in, ut_stft_finish divides. */
void ut_stft_inverse(const ut_stft *s, const ut_stft_frames *f, float *wave, size_t nsamples, double *scratch);
void ut_stft_finish(const ut_stft *s, float *wave, size_t nsamples);
#endif
