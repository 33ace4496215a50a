/* Speech or something else, on one block of a few seconds: eight figures and a logistic regression over them.
 *
 * What tells speech is its syllables: bands that swell and fade together some two to eight times a second, voiced stretches whose pitch
 * glides, a spectrum that changes its shape within 60 ms and does not hold its partials for 200 ms.  Music holds them, noise has no pitch.
 * Only 200 to 3400 Hz is looked at, so that telephone recordings count alike.  No figure depends on level.
 */
#ifndef UT_STAGE_ENHANCE_SPEECH_H
#define UT_STAGE_ENHANCE_SPEECH_H
#include "stage/enhance/enhance.h"

enum {
    UT_SPEECH_SHORT = 512, /* window for bands: 32 ms */
    UT_SPEECH_LONG = 1024, /* window for pitch and partials: resolves those of a voice at 70 Hz */
    UT_SPEECH_HOP = 256, /* 16 ms */
    UT_SPEECH_BLOCK = 4 * UT_ENHANCE_HZ,
    UT_SPEECH_LEAST = UT_ENHANCE_HZ, /* shorter blocks say nothing */
    UT_SPEECH_FRAMES = (UT_SPEECH_BLOCK - UT_SPEECH_LONG) / UT_SPEECH_HOP + 1,
    UT_SPEECH_BANDS = 13,
    UT_SPEECH_NFEATURES = 8
};

typedef struct ut_speech ut_speech; /* tables and scratch, about 2 MB */
UT_MUST_CHECK ut_status ut_speech_new(ut_speech **out, ut_err *e);
void ut_speech_free(ut_speech *s);

/* n samples, UT_SPEECH_LEAST..UT_SPEECH_BLOCK.  In order: */
enum {
    UT_SPEECH_SYLLABLES,  /* ln of the bands' mean modulation energy at 2 to 8 Hz */
    UT_SPEECH_FLUTTER,    /* the same at 10 to 25 Hz */
    UT_SPEECH_TOGETHER,   /* correlation of neighbouring bands' modulation at 2 to 8 Hz */
    UT_SPEECH_CHANGE,     /* how much the spectrum's shape differs 64 ms later: 1 - Bhattacharyya coefficient */
    UT_SPEECH_GLIDE,      /* share of neighbouring voiced frames whose pitch moves by 0.15 to 1.5 semitones */
    UT_SPEECH_VOICING,    /* standard deviation of the pitch's strength */
    UT_SPEECH_HELD,       /* correlation of the spectrum's fine structure with itself 192 ms later */
    UT_SPEECH_DYNAMICS    /* standard deviation of the frames' level, dB */
};
void ut_speech_features(ut_speech *s, const int16_t *sample, size_t n, double feature[UT_SPEECH_NFEATURES]);

/* Probability, from the weights in speech_weights.inc, which tools/fit_speech.py makes. */
double ut_speech_probability(const double feature[UT_SPEECH_NFEATURES]);
#endif
