/* WAV, AIFF, FLAC, Ogg, Opus, MP3 and others by libsndfile. */
#include "media/audio_internal.h"
#include <sndfile.h>
#include <stdlib.h>
#include <string.h>

static sf_count_t vio_length(void *user) { return (sf_count_t)((ut_audio_file *)user)->src->nbytes; }
static sf_count_t vio_tell(void *user) { return ((ut_audio_file *)user)->at; }
static sf_count_t vio_seek(sf_count_t offset, int whence, void *user) { return ut_audio_file_seek(user, offset, whence); }
static sf_count_t vio_read(void *p, sf_count_t count, void *user) { return ut_audio_file_read(user, p, count); }

static sf_count_t vio_write(const void *p, sf_count_t count, void *user)
{
    (void)p, (void)count, (void)user;
    return 0;
}

/* libsndfile takes a WAV whose data chunk is cut short for a shorter one.  (Lengths near 2^31 and 2^32 are what
 * programs write that cannot know the length: not a lie but a gap.) */
static bool wav_is_cut(const ut_source *src)
{
    uint8_t h[12];
    ut_audio_file f = { .src = src };
    if (ut_audio_file_read(&f, h, 12) < 12 || memcmp(h, "RIFF", 4) != 0 || memcmp(h + 8, "WAVE", 4) != 0) return false;
    while (ut_audio_file_read(&f, h, 8) == 8) {
        uint32_t size = ut_get32(h + 4);
        uint64_t rest = src->nbytes - (uint64_t)f.at;
        if (memcmp(h, "data", 4) == 0) return size > rest && size < 0x7ffff000u;
        if (size >= rest) return false;
        f.at += (int64_t)size + (size & 1);
        if ((uint64_t)f.at > src->nbytes) return false;
    }
    return false;
}

static ut_status pump(SNDFILE *f, const SF_INFO *info, ut_audio_sink *k, ut_err *e)
{
    size_t chunk = 65536 / (size_t)info->channels;
    float *buf = ut_calloc(chunk * (size_t)info->channels, sizeof *buf, e);
    ut_status s = buf ? UT_OK : UT_E_MEMORY;
    for (sf_count_t m = 1; s == UT_OK && m > 0;) {
        m = sf_readf_float(f, buf, (sf_count_t)chunk);
        if (m > 0) s = ut_audio_sink_put(k, buf, (size_t)m, e);
    }
    if (buf) ut_wipe(buf, chunk * (size_t)info->channels * sizeof *buf);
    free(buf);
    if (s != UT_OK) return s;
    if (sf_error(f) != SF_ERR_NO_ERROR)
        return ut_fail(e, UT_E_INPUT, "%s is corrupt: %s", k->name, sf_strerror(f));
    /* a FLAC file says how long it is */
    if ((info->format & SF_FORMAT_TYPEMASK) == SF_FORMAT_FLAC && info->frames < SF_COUNT_MAX &&
        k->frames < (uint64_t)info->frames)
        return ut_fail(e, UT_E_INPUT, "%s is cut short: %llu of its %lld samples are there; get it again", k->name,
                       (unsigned long long)k->frames, (long long)info->frames);
    return UT_OK;
}

ut_status ut_audio_read_sndfile(const ut_source *src, ut_audio_sink *k, ut_err *e)
{
    SF_VIRTUAL_IO io = { vio_length, vio_seek, vio_read, vio_write, vio_tell };
    ut_audio_file file = { .src = src };
    SF_INFO info = { 0 };
    SNDFILE *f = sf_open_virtual(&io, SFM_READ, &info, &file);
    if (file.failed) {
        sf_close(f);
        return ut_fail(e, UT_E_IO, "%s could not be read", k->name);
    }
    if (!f)
        return ut_fail(e, UT_E_UNSUPPORTED, "%s cannot be read as audio: %s", k->name, sf_strerror(NULL));
    ut_status s = ut_audio_sink_form(k, info.samplerate, info.channels, e);
    if (s == UT_OK && wav_is_cut(src))
        s = ut_fail(e, UT_E_INPUT, "%s is cut short: its data is longer than the file; get it again", k->name);
    if (s == UT_OK) s = pump(f, &info, k, e);
    if (file.failed) s = ut_fail(e, UT_E_IO, "%s could not be read", k->name);
    sf_close(f);
    return s;
}
