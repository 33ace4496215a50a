/* What the readers of audio files share. */
#ifndef UT_MEDIA_AUDIO_INTERNAL_H
#define UT_MEDIA_AUDIO_INTERNAL_H
#include "media/audio.h"
#include <soxr.h>

enum {
    UT_AUDIO_MIN_HZ = 1000,
    UT_AUDIO_MAX_HZ = 768000,
    UT_AUDIO_MAX_CHANNELS = 64,
    UT_AUDIO_CHUNK = 4096 /* frames that a sink takes at a time */
};

/* Takes interleaved samples at any rate, gives 16 kHz mono 16 bit; needs a few tens of kilobytes besides the result.
 *   mono  = mean of the channels, in double precision; NaN and infinity count as 0, beyond +-4 is clipped
 *   rate  = soxr, "high quality" (20 bit); not touched where the file has 16 kHz
 *   16 bit = round to nearest, ties to even, clipped; no dither: speech carries its own noise, and 16-bit samples must
 *           come through unchanged */
typedef struct ut_audio_sink {
    const char *name;
    ut_pcm *out;
    size_t cap;            /* samples that out has room for */
    unsigned rate_hz, channels;
    soxr_t soxr;           /* NULL at 16 kHz */
    uint64_t frames;       /* taken */
    float mono[UT_AUDIO_CHUNK], made[UT_AUDIO_CHUNK];
} ut_audio_sink;

/* Sets or changes the form of what follows. */
UT_MUST_CHECK ut_status ut_audio_sink_form(ut_audio_sink *k, long long rate_hz, long long channels, ut_err *e);
/* frames: [n][channels] */
UT_MUST_CHECK ut_status ut_audio_sink_put(ut_audio_sink *k, const float *frames, size_t n, ut_err *e);
UT_MUST_CHECK ut_status ut_audio_sink_end(ut_audio_sink *k, ut_err *e);
void ut_audio_sink_free(ut_audio_sink *k); /* the result in out stays */

typedef enum ut_audio_guess { UT_AUDIO_NONE, UT_AUDIO_SNDFILE, UT_AUDIO_FFMPEG } ut_audio_guess;
ut_audio_guess ut_audio_guess_reader(const uint8_t *data, size_t n);

/* UT_E_UNSUPPORTED from the first: not a file for it, nothing was put, try the second; other errors are final. */
UT_MUST_CHECK ut_status ut_audio_read_sndfile(const uint8_t *data, size_t n, ut_audio_sink *k, ut_err *e);
UT_MUST_CHECK ut_status ut_audio_read_ffmpeg(const uint8_t *data, size_t n, ut_audio_sink *k, ut_err *e);

/* STOI of two recordings of n samples at 16 kHz; NaN where the speech is too short to say (under 0.4 s). */
UT_MUST_CHECK ut_status ut_stoi(const int16_t *ref, const int16_t *deg, size_t n, double *stoi, ut_err *e);
#endif
