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

/* A place in a source, for the libraries' own callbacks. */
typedef struct ut_audio_file {
    const ut_source *src;
    int64_t at;
    bool failed; /* the source did; a library may have taken that for the end */
} ut_audio_file;
int64_t ut_audio_file_read(ut_audio_file *f, void *to, int64_t n); /* how many; 0 at the end and on failure */
int64_t ut_audio_file_seek(ut_audio_file *f, int64_t offset, int whence); /* the new place; -1: there is none such */

/* Takes interleaved samples at any rate, gives 16 kHz mono 16 bit; needs a few tens of kilobytes.
 *   mono  = mean of the channels, in double precision; NaN and infinity count as 0, beyond +-4 is clipped
 *   rate  = soxr, "high quality" (20 bit); not touched where the file has 16 kHz
 *   16 bit = round to nearest, ties to even, clipped; no dither: speech carries its own noise, and 16-bit samples must
 *           come through unchanged */
typedef struct ut_audio_sink {
    const char *name;
    ut_audio_take take;
    void *user;
    uint64_t nsamples;     /* given */
    unsigned rate_hz, channels;
    soxr_t soxr;           /* NULL at 16 kHz */
    uint64_t frames;       /* taken */
    float mono[UT_AUDIO_CHUNK], made[UT_AUDIO_CHUNK];
    int16_t rounded[UT_AUDIO_CHUNK];
} ut_audio_sink;

/* Sets or changes the form of what follows. */
UT_MUST_CHECK ut_status ut_audio_sink_form(ut_audio_sink *k, long long rate_hz, long long channels, ut_err *e);
/* frames: [n][channels] */
UT_MUST_CHECK ut_status ut_audio_sink_put(ut_audio_sink *k, const float *frames, size_t n, ut_err *e);
UT_MUST_CHECK ut_status ut_audio_sink_end(ut_audio_sink *k, ut_err *e);
void ut_audio_sink_free(ut_audio_sink *k);

typedef enum ut_audio_guess { UT_AUDIO_NONE, UT_AUDIO_SNDFILE, UT_AUDIO_FFMPEG } ut_audio_guess;
ut_audio_guess ut_audio_guess_reader(const uint8_t *data, size_t n); /* data: the file's beginning; a few dozen bytes do */

/* UT_E_UNSUPPORTED from the first: not a file for it, nothing was put, try the second; other errors are final. */
UT_MUST_CHECK ut_status ut_audio_read_sndfile(const ut_source *src, ut_audio_sink *k, ut_err *e);
UT_MUST_CHECK ut_status ut_audio_read_ffmpeg(const ut_source *src, ut_audio_sink *k, ut_err *e);

/* STOI of two recordings of n samples at 16 kHz; NaN where the speech is too short to say (under 0.4 s). */
UT_MUST_CHECK ut_status ut_stoi(const int16_t *ref, const int16_t *deg, size_t n, double *stoi, ut_err *e);
#endif
