/* A sound file, 16 kHz mono 16 bit, written as its samples come: nothing is written over, so that it can go into a pipe. */
#ifndef UT_MEDIA_AUDIO_WRITER_H
#define UT_MEDIA_AUDIO_WRITER_H
#include "base/buf.h"

typedef ut_status (*ut_bytes_fn)(void *user, const void *data, size_t n, ut_err *e);
typedef struct ut_audio_writer ut_audio_writer;

/* nsamples: as many as will come.  FLAC's header then lacks the MD5 of the sound, which is known only at its end. */
UT_MUST_CHECK ut_status ut_audio_writer_new(ut_sound_format format, uint64_t nsamples, ut_bytes_fn put, void *user, ut_audio_writer **out, ut_err *e);
UT_MUST_CHECK ut_status ut_audio_writer_put(ut_audio_writer *w, const int16_t *sample, size_t n, ut_err *e);
UT_MUST_CHECK ut_status ut_audio_writer_finish(ut_audio_writer *w, ut_err *e);
void ut_audio_writer_free(ut_audio_writer *w); /* safe on NULL */
#endif
