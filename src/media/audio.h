/* Audio files in and out.  Every reader treats its input as hostile. */
#ifndef UT_MEDIA_AUDIO_H
#define UT_MEDIA_AUDIO_H
#include "stage/payload/payload.h"

/* WAV, AIFF, FLAC (libsndfile) and Ogg, Opus, MP3, m4a/AAC, AMR, 3gp, webm (FFmpeg), by content; any rate from 1 to
 * 768 kHz, up to 64 channels: the channels' mean, resampled to 16 kHz (soxr), rounded to 16 bit without dither (16-bit
 * 16 kHz mono comes through unchanged, speech carries its own noise, and equal inputs give equal results).  NaN and
 * infinite samples become 0.  Memory: the result and a few MB.  UT_E_INPUT: empty, truncated, corrupt, no sound in it,
 * longer than UT_MAX_SECONDS; UT_E_UNSUPPORTED: no decoder for the sound in it.
 * FFmpeg's log level, one for the whole process, is set to quiet on first use: there is no other way to keep it silent. */
UT_MUST_CHECK ut_status ut_audio_read(const uint8_t *data, size_t n, const char *name, ut_pcm *out, ut_err *e);
/* The same samples, some thousands at a time, in order; memory does not grow with the recording.  What `take` returns other than
 * UT_OK ends it and is returned.  UT_E_IO: src could not be read. */
typedef ut_status (*ut_audio_take)(void *user, const int16_t *sample, size_t n, ut_err *e);
UT_MUST_CHECK ut_status ut_audio_stream(const ut_source *src, const char *name, ut_audio_take take, void *user, ut_err *e);
ut_source ut_source_of(const ut_blob *bytes); /* borrows both */
/* RIFF WAV, PCM 16 bit mono, the plain 44-byte header: equal samples make equal files. */
#define UT_WAV_HEADER_NBYTES 44
UT_MUST_CHECK ut_status ut_audio_wav_header(uint64_t nsamples, unsigned rate_hz, uint8_t h[UT_WAV_HEADER_NBYTES], ut_err *e);
UT_MUST_CHECK ut_status ut_audio_write_wav(const ut_pcm *pcm, ut_buf *file, ut_err *e);
bool ut_audio_sniff(const uint8_t *data, size_t n); /* looks like an audio file that ut_audio_read might take */

/* SI-SDR in dB (Le Roux et al. 2019) and STOI (Taal et al. 2011, at 10 kHz).  Lengths must agree, else UT_E_USAGE. */
UT_MUST_CHECK ut_status ut_audio_compare(const ut_pcm *ref, const ut_pcm *deg, double *si_sdr_db, double *stoi,
                                         ut_err *e);
#endif
