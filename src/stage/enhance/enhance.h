/* Stage enhance, Model 1: removes noise and other voices from a recording (DCCRN, Hu et al., Interspeech 2020, and our offline variant of it;
 * docs/TRAINING.md).  Runs on the sender's side only: its floating-point output is rounded to 16-bit samples here and decides nothing at a receiver.
 *
 * A model is read-only once loaded and may be shared by threads.  An enhancer belongs to one thread at a time.  Results do not depend on nthreads.
 */
#ifndef UT_STAGE_ENHANCE_H
#define UT_STAGE_ENHANCE_H
#include "base/err.h"
#include <stdbool.h>

#define UT_ENHANCE_HZ 16000

typedef struct ut_enhance_model ut_enhance_model;

/* A safetensors file as train/undertone_train/export.py writes it (F32 or F16 tensors).  data is hostile: every length, shape and configuration value
 * is checked; it may be freed afterwards.  name: for messages.  UT_E_INPUT: not such a file, truncated, a tensor missing, superfluous, misshapen or not
 * finite. */
UT_MUST_CHECK ut_status ut_enhance_model_load(const uint8_t *data, size_t n, const char *name, ut_enhance_model **out, ut_err *e);
void ut_enhance_model_free(ut_enhance_model *m); /* safe on NULL */

/* The network itself on one stretch, as PyTorch's Dccrn.forward: in, out [nsamples], full scale 1, may be the same; at most 2^20 samples.  No chunks, no level.
 * UT_E_INPUT: a sample is not a finite number, or the output would not be.
 * repro: waveform SNR to PyTorch with the same weights >= 90 dB. */
UT_MUST_CHECK ut_status ut_enhance_network(const ut_enhance_model *m, const float *in, float *out, size_t nsamples, ut_err *e);

/* What a first pass over the whole recording learns (listen.c; docs/ENHANCER.md says how): is it speech, and how loud?  Constant memory. */
typedef struct ut_heard {
    uint64_t nsamples;
    double level_db;     /* active level, dB below full scale: RMS of the 20 ms frames within 40 dB of the loudest; -inf for silence */
    double sounding_s;   /* seconds that are not silent */
    double speech_share; /* 0..1: how much of them was judged speech */
    bool speech;         /* the verdict on the whole; silence counts as speech: there is nothing to spoil */
} ut_heard;
typedef struct ut_listener ut_listener;
UT_MUST_CHECK ut_status ut_listener_new(ut_listener **out, ut_err *e);
void ut_listener_push(ut_listener *l, const int16_t *sample, size_t n); /* 16 kHz mono */
void ut_listener_finish(ut_listener *l, ut_heard *heard);
void ut_listener_free(ut_listener *l); /* safe on NULL */

typedef struct ut_enhancer_options {
    float strength;        /* 0: the input as it is, 1: the network's output; between: both mixed */
    unsigned nthreads;     /* 0: as many as the machine has */
    bool leave_alone;      /* pass everything through */
    const ut_heard *heard; /* of a first pass; NULL: none was made, each chunk's level stands for itself */
} ut_enhancer_options;

typedef struct ut_enhancer_report {
    uint64_t nsamples;
    double noise_removed_db; /* by how much the energy of pauses fell; 0 if nothing was removed, NaN if there were none */
    double snr_in_db;        /* estimate: energy kept over energy removed; NaN if the network did not run */
} ut_enhancer_report;

/* Samples in, samples out, in order and in number the same, 16 kHz mono.  Works on chunks of 15 s that overlap and cross-fade; each is brought
 * to the level that the network was trained at, and back.  What is given does not depend on nthreads nor on how the input was cut into pushes.
 * Memory does not grow with the recording: 2 MB and what the network needs for 15 s (60 MB), for each of at most 8 threads.  Digital silence (20 ms of zeros or more)
 * stays silence.  m may be NULL where strength is 0 or leave_alone is set. */
typedef struct ut_enhancer ut_enhancer;
typedef ut_status (*ut_enhance_sink)(void *user, const int16_t *sample, size_t n, ut_err *e);

UT_MUST_CHECK ut_status ut_enhancer_new(const ut_enhance_model *m, const ut_enhancer_options *o, ut_enhance_sink sink, void *user, ut_enhancer **out,
                                        ut_err *e);
/* Failure is final: of memory, of the sink (its status), of the network (UT_E_INPUT: its output is not finite). */
UT_MUST_CHECK ut_status ut_enhancer_push(ut_enhancer *h, const int16_t *sample, size_t n, ut_err *e);
UT_MUST_CHECK ut_status ut_enhancer_finish(ut_enhancer *h, ut_enhancer_report *report, ut_err *e); /* gives the sink what is left */
void ut_enhancer_free(ut_enhancer *h);                                                             /* safe on NULL */
#endif
