/* What the enhancer's files share. */
#ifndef UT_STAGE_ENHANCER_INTERNAL_H
#define UT_STAGE_ENHANCER_INTERNAL_H
#include "stage/enhance/enhance.h"

/* Chunk i answers for [i HOP, (i+1) HOP + FADE); over its first FADE samples it takes over from the one before.  The network hears CONTEXT
 * samples more on both sides.  The last chunk takes all that is left, up to its full width.  HOP and CONTEXT are multiples of 25600, and so of the
 * hop of every model's transform (128, 256, 100): a grid of frames that shifts from chunk to chunk costs 5 to 20 dB.  Measured: docs/ENHANCER.md. */
enum {
    UT_CHUNK_HOP = 128000, /* 8 s */
    UT_CHUNK_FADE = UT_ENHANCE_HZ / 4,
    UT_CHUNK_CONTEXT = 51200,                                           /* 3.2 s */
    UT_CHUNK_MOST = UT_CHUNK_HOP + UT_CHUNK_FADE + 2 * UT_CHUNK_CONTEXT, /* samples that the network gets at a time */
    UT_FRAME = UT_ENHANCE_HZ / 50,                                       /* 20 ms, for levels */
};

/* The network; another one in tests. */
typedef ut_status (*ut_network_fn)(const void *model, const float *in, float *out, size_t nsamples, ut_err *e);
UT_MUST_CHECK ut_status ut_enhancer_new_with(ut_network_fn network, const void *model, const ut_enhancer_options *o, ut_enhance_sink sink, void *user,
                                             ut_enhancer **out, ut_err *e);

/* Mean power about the frame's mean, full scale 1: recorders' offsets are no sound.  Pieces shorter than a frame: about zero. */
double ut_frame_power(const int16_t *sample, size_t n);

/* Active RMS of whole frames, full scale 1, as active_rms in train/undertone_train/data.py but for offsets; 0 for silence. */
double ut_active_rms(const int16_t *sample, size_t n);

/* What the network is to multiply its input by: to the level of its training, no more than 40 dB up, and within 12 dB of what suits the whole
 * recording, so that a long pause is not brought up to the level of talk.  whole_db: active level of the whole, NaN: unknown. */
double ut_level_gain(double active_rms, double whole_db);

/* Sets out to 0 where in has been 0 for 20 ms, with 5 ms of transition inside the zeros. */
void ut_keep_silence(const int16_t *in, float *out, size_t n);

/* The report's figures, from 20 ms frames sorted by the energy of the network's output: constant memory. */
enum { UT_PAUSE_BINS = 128 };
typedef struct ut_pauses {
    struct {
        double dry, out; /* energy, full scale 1 per sample */
        uint64_t n;
    } bin[UT_PAUSE_BINS]; /* bin i: wet level -120 + i dB to 1 dB more */
    double kept, removed;
} ut_pauses;
/* Whole frames of one stretch; wet: the network's output at the recording's level, out: what the sink gets. */
void ut_pauses_add(ut_pauses *p, const int16_t *dry, const float *wet, const int16_t *out, size_t n);
void ut_pauses_report(const ut_pauses *p, ut_enhancer_report *r);
#endif
