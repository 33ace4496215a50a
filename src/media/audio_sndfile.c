/* WAV, AIFF, FLAC, Ogg, Opus, MP3 and others by libsndfile, from memory. */
#include "media/audio_internal.h"
#include <sndfile.h>
#include <stdlib.h>
#include <string.h>

typedef struct memory_file {
    const uint8_t *data;
    sf_count_t n, at;
} memory_file;

static sf_count_t vio_length(void *user) { return ((memory_file *)user)->n; }
static sf_count_t vio_tell(void *user) { return ((memory_file *)user)->at; }

static sf_count_t vio_seek(sf_count_t offset, int whence, void *user)
{
    memory_file *f = user;
    sf_count_t base = whence == SEEK_SET ? 0 : whence == SEEK_CUR ? f->at : f->n, to;
    if (__builtin_add_overflow(base, offset, &to) || to < 0) return -1;
    f->at = to;
    return to;
}

static sf_count_t vio_read(void *p, sf_count_t count, void *user)
{
    memory_file *f = user;
    if (count <= 0 || f->at >= f->n) return 0;
    if (count > f->n - f->at) count = f->n - f->at;
    memcpy(p, f->data + f->at, (size_t)count);
    f->at += count;
    return count;
}

static sf_count_t vio_write(const void *p, sf_count_t count, void *user)
{
    (void)p, (void)count, (void)user;
    return 0;
}

/* libsndfile takes a WAV whose data chunk is cut short for a shorter one.  (Lengths near 2^31 and 2^32 are what
 * programs write that cannot know the length: not a lie but a gap.) */
static bool wav_is_cut(const uint8_t *d, size_t n)
{
    if (n < 12 || memcmp(d, "RIFF", 4) != 0 || memcmp(d + 8, "WAVE", 4) != 0) return false;
    for (size_t at = 12; n - at >= 8;) {
        uint32_t size = ut_get32(d + at + 4);
        size_t rest = n - at - 8;
        if (memcmp(d + at, "data", 4) == 0) return size > rest && size < 0x7ffff000u;
        if (size >= rest) return false;
        at += 8 + size + (size & 1);
        if (at > n) return false;
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

ut_status ut_audio_read_sndfile(const uint8_t *data, size_t n, ut_audio_sink *k, ut_err *e)
{
    SF_VIRTUAL_IO io = { vio_length, vio_seek, vio_read, vio_write, vio_tell };
    memory_file mem = { data, (sf_count_t)n, 0 };
    SF_INFO info = { 0 };
    SNDFILE *f = sf_open_virtual(&io, SFM_READ, &info, &mem);
    if (!f)
        return ut_fail(e, UT_E_UNSUPPORTED, "%s cannot be read as audio: %s", k->name, sf_strerror(NULL));
    ut_status s = ut_audio_sink_form(k, info.samplerate, info.channels, e);
    if (s == UT_OK && wav_is_cut(data, n))
        s = ut_fail(e, UT_E_INPUT, "%s is cut short: its data is longer than the file; get it again", k->name);
    if (s == UT_OK) s = pump(f, &info, k, e);
    sf_close(f);
    return s;
}
