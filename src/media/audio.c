#include "media/audio.h"
#include "media/audio_internal.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool has(const uint8_t *d, size_t n, size_t at, const char *mark, size_t nmark)
{
    return n >= at + nmark && memcmp(d + at, mark, nmark) == 0;
}
#define HAS(at, mark) has(d, n, at, mark, sizeof mark - 1)

/* ISO/IEC 11172-3 frame header: layer II or III, or "layer 0", which is AAC in ADTS (ISO/IEC 13818-7). */
static bool is_mpeg_frame(const uint8_t *d, size_t n)
{
    if (n < 4 || d[0] != 0xff || (d[1] & 0xe0) != 0xe0) return false;
    unsigned layer = d[1] >> 1 & 3;
    if (layer == 0) return (d[1] & 0xf0) == 0xf0 && (d[2] >> 2 & 15) < 13;
    return layer != 3 && d[2] >> 4 != 15 && (d[2] >> 2 & 3) != 3;
}

/* libsndfile gets what it reads exactly.  MP3 and Ogg go to FFmpeg: libsndfile's MP3 decoder prints its worries to
 * stderr, and its Ogg reader leaks memory on corrupt files. */
ut_audio_guess ut_audio_guess_reader(const uint8_t *d, size_t n)
{
    if (HAS(4, "ftyp")) {
        static const char image[][5] = { "heic", "heix", "heim", "heis", "hevc", "hevx", "mif1", "msf1", "avif", "avis" };
        for (size_t i = 0; i < sizeof image / sizeof image[0]; i++)
            if (has(d, n, 8, image[i], 4)) return UT_AUDIO_NONE;
        return UT_AUDIO_FFMPEG;
    }
    if (HAS(8, "WAVEfmt ") && n > 21 && (d[20] == 0x50 || d[20] == 0x55) && !d[21]) return UT_AUDIO_FFMPEG; /* MPEG */
    if ((HAS(0, "RIFF") || HAS(0, "RIFX") || HAS(0, "RF64")) && HAS(8, "WAVE")) return UT_AUDIO_SNDFILE;
    if (HAS(0, "FORM") && (HAS(8, "AIFF") || HAS(8, "AIFC"))) return UT_AUDIO_SNDFILE;
    if (HAS(0, "fLaC") || HAS(0, ".snd") || HAS(0, "caff") || HAS(0, "riff"))
        return UT_AUDIO_SNDFILE;
    if (HAS(0, "OggS") || HAS(0, "ID3") || HAS(0, "#!AMR") || HAS(0, "\x1a\x45\xdf\xa3") ||
        HAS(0, "\x30\x26\xb2\x75\x8e\x66\xcf\x11"))
        return UT_AUDIO_FFMPEG;
    return is_mpeg_frame(d, n) ? UT_AUDIO_FFMPEG : UT_AUDIO_NONE;
}

bool ut_audio_sniff(const uint8_t *data, size_t n) { return ut_audio_guess_reader(data, n) != UT_AUDIO_NONE; }

int64_t ut_audio_file_read(ut_audio_file *f, void *to, int64_t n)
{
    int64_t have = (int64_t)f->src->nbytes - f->at, got = 0;
    if (n > have) n = have;
    while (got < n) {
        ptrdiff_t m = f->src->read(f->src->user, (uint64_t)(f->at + got), (uint8_t *)to + got, (size_t)(n - got));
        if (m < 0 || m > n - got) f->failed = true;
        if (m <= 0 || f->failed) break;
        got += m;
    }
    f->at += got;
    return got < 0 ? 0 : got;
}

int64_t ut_audio_file_seek(ut_audio_file *f, int64_t offset, int whence)
{
    int64_t base = whence == SEEK_SET ? 0 : whence == SEEK_CUR ? f->at : (int64_t)f->src->nbytes, to;
    if (__builtin_add_overflow(base, offset, &to) || to < 0) return -1;
    return f->at = to;
}

static ptrdiff_t read_memory(void *user, uint64_t at, void *to, size_t n)
{
    const ut_blob *b = user;
    if (at >= b->nbytes) return 0;
    if (n > b->nbytes - at) n = b->nbytes - at;
    memcpy(to, b->data + at, n);
    return (ptrdiff_t)n;
}

ut_source ut_source_of(const ut_blob *bytes) { return (ut_source){ bytes->nbytes, read_memory, (void *)(uintptr_t)bytes }; }

ut_status ut_audio_stream(const ut_source *src, const char *name, ut_audio_take take, void *user, ut_err *e)
{
    uint8_t head[64];
    ut_audio_file f = { .src = src };
    if (!name) name = "the recording";
    if (!src->nbytes) return ut_fail(e, UT_E_INPUT, "%s is empty", name);
    if (src->nbytes > INT64_MAX / 2) return ut_fail(e, UT_E_USAGE, "%s cannot be that large", name);
    ut_audio_guess guess = ut_audio_guess_reader(head, (size_t)ut_audio_file_read(&f, head, sizeof head));
    if (f.failed) return ut_fail(e, UT_E_IO, "%s could not be read", name);
    if (guess == UT_AUDIO_NONE)
        return ut_fail(e, UT_E_INPUT, "%s is not an audio file that can be read (WAV, FLAC, Ogg, Opus, MP3, m4a, AAC, "
                                      "AMR, 3gp, webm); convert it to WAV", name);
    ut_audio_sink *k = ut_calloc(1, sizeof *k, e);
    if (!k) return UT_E_MEMORY;
    k->name = name;
    k->take = take;
    k->user = user;
    ut_status s = guess == UT_AUDIO_SNDFILE ? ut_audio_read_sndfile(src, k, e) : UT_E_UNSUPPORTED;
    if (s == UT_E_UNSUPPORTED && !k->nsamples) s = ut_audio_read_ffmpeg(src, k, e);
    if (s == UT_OK) s = ut_audio_sink_end(k, e);
    if (s == UT_OK && !k->nsamples) s = ut_fail(e, UT_E_INPUT, "%s: there is no sound in it", name);
    ut_audio_sink_free(k);
    free(k);
    return s;
}

typedef struct collector {
    ut_pcm *out;
    size_t cap;
} collector;

static ut_status collect(void *user, const int16_t *sample, size_t n, ut_err *e)
{
    collector *c = user;
    size_t need = c->out->nsamples + n;
    if (need > c->cap) {
        size_t cap = c->cap + c->cap / 4 + 65536;
        if (cap < need) cap = need;
        /* realloc, because it moves large blocks without a second copy in memory */
        int16_t *p = realloc(c->out->sample, cap * sizeof *p);
        if (!p) return ut_fail_memory(e, cap * sizeof *p);
        c->out->sample = p;
        c->cap = cap;
    }
    memcpy(c->out->sample + c->out->nsamples, sample, n * sizeof *sample);
    c->out->nsamples = need;
    return UT_OK;
}

ut_status ut_audio_read(const uint8_t *data, size_t n, const char *name, ut_pcm *out, ut_err *e)
{
    ut_blob bytes = { (uint8_t *)(uintptr_t)data, n };
    ut_source src = ut_source_of(&bytes);
    collector c = { .out = out };
    *out = (ut_pcm){ .rate_hz = UT_SPEECH_HZ };
    ut_status s = ut_audio_stream(&src, name, collect, &c, e);
    if (s != UT_OK) {
        ut_pcm_free(out);
        return s;
    }
    int16_t *fit = realloc(out->sample, out->nsamples * sizeof *fit);
    if (fit) out->sample = fit;
    return UT_OK;
}

ut_status ut_audio_wav_header(uint64_t nsamples, unsigned rate_hz, uint8_t h[UT_WAV_HEADER_NBYTES], ut_err *e)
{
    if (nsamples > (UINT32_MAX - UT_WAV_HEADER_NBYTES) / 2) return ut_fail(e, UT_E_INPUT, "the recording is too long for a WAV file (4 GiB)");
    memcpy(h, "RIFF....WAVEfmt ", 16);
    ut_put32(h + 4, (uint32_t)(nsamples * 2) + 36);
    ut_put32(h + 16, 16);          /* length of "fmt " */
    ut_put16(h + 20, 1);           /* PCM */
    ut_put16(h + 22, 1);           /* channels */
    ut_put32(h + 24, rate_hz);
    ut_put32(h + 28, rate_hz * 2); /* bytes a second */
    ut_put16(h + 32, 2);           /* bytes a frame */
    ut_put16(h + 34, 16);          /* bits a sample */
    memcpy(h + 36, "data", 4);
    ut_put32(h + 40, (uint32_t)(nsamples * 2));
    return UT_OK;
}

ut_status ut_audio_write_wav(const ut_pcm *pcm, ut_buf *file, ut_err *e)
{
    uint8_t h[UT_WAV_HEADER_NBYTES];
    ut_status s = ut_audio_wav_header(pcm->nsamples, pcm->rate_hz, h, e);
    file->len = 0;
    if (s == UT_OK) s = ut_buf_resize(file, sizeof h + pcm->nsamples * 2, e);
    if (s != UT_OK) return s;
    memcpy(file->data, h, sizeof h);
    for (size_t i = 0; i < pcm->nsamples; i++) ut_put16(file->data + sizeof h + 2 * i, (uint16_t)pcm->sample[i]);
    return UT_OK;
}
