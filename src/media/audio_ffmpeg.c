/* m4a, AAC, AMR, 3gp, webm and others by FFmpeg.  Only the demuxers and decoders named here may run, and
 * none may open anything else: some of FFmpeg's formats are lists of further files. */
#include "media/audio_internal.h"
#include <libavcodec/avcodec.h>
#include <libavformat/avformat.h>
#include <libavutil/opt.h>
#include <pthread.h>
#include <string.h>

static const char formats[] = "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,amr,aac,mp3,ogg,wav,aiff,flac,caf,asf,w64,au";
static const char codecs[] = "aac,aac_fixed,aac_latm,amrnb,amrwb,libopencore_amrnb,libopencore_amrwb,opus,libopus,"
                             "vorbis,libvorbis,mp3,mp3float,mp2,mp2float,flac,alac,ac3,eac3,wmav1,wmav2,gsm,gsm_ms,"
                             "adpcm_ima_wav,adpcm_ms,adpcm_ima_qt,pcm_u8,pcm_s8,pcm_s16le,pcm_s16be,pcm_s24le,"
                             "pcm_s24be,pcm_s32le,pcm_s32be,pcm_f32le,pcm_f32be,pcm_f64le,pcm_f64be,pcm_alaw,"
                             "pcm_mulaw";
enum { IO_NBYTES = 32768, MAX_BARREN_PACKETS = 100000 };

static int on_read(void *user, uint8_t *p, int count)
{
    ut_audio_file *f = user;
    int64_t n = ut_audio_file_read(f, p, count);
    return n > 0 ? (int)n : f->failed ? AVERROR(EIO) : AVERROR_EOF;
}

static int64_t on_seek(void *user, int64_t offset, int whence)
{
    ut_audio_file *f = user;
    whence &= ~AVSEEK_FORCE;
    if (whence == AVSEEK_SIZE) return (int64_t)f->src->nbytes;
    int64_t to = ut_audio_file_seek(f, offset, whence);
    return to < 0 ? AVERROR(EINVAL) : to;
}

static int refuse_open(AVFormatContext *s, AVIOContext **pb, const char *url, int flags, AVDictionary **options)
{
    (void)s, (void)url, (void)flags, (void)options;
    *pb = NULL;
    return AVERROR(EACCES);
}

/* FFmpeg logs to stderr through one level for the whole process: there is no other way to keep a library silent. */
static void silence(void) { av_log_set_level(AV_LOG_QUIET); }

typedef struct av_reader {
    AVIOContext *io;
    AVFormatContext *file;
    AVCodecContext *dec;
    AVPacket *packet;
    AVFrame *frame;
    int stream;
} av_reader;

static void close_reader(av_reader *r)
{
    av_frame_free(&r->frame);
    av_packet_free(&r->packet);
    avcodec_free_context(&r->dec);
    avformat_close_input(&r->file);
    if (r->io) av_freep(&r->io->buffer);
    avio_context_free(&r->io);
}

static ut_status open_file(av_reader *r, ut_audio_file *file, const char *name, ut_err *e)
{
    uint8_t *buffer = av_malloc(IO_NBYTES);
    if (buffer) r->io = avio_alloc_context(buffer, IO_NBYTES, 0, file, on_read, NULL, on_seek);
    if (!r->io) av_free(buffer);
    r->file = r->io ? avformat_alloc_context() : NULL;
    r->packet = av_packet_alloc();
    r->frame = av_frame_alloc();
    if (!r->file || !r->packet || !r->frame) return ut_fail_memory(e, IO_NBYTES);
    r->file->pb = r->io;
    r->file->flags |= AVFMT_FLAG_CUSTOM_IO;
    r->file->io_open = refuse_open;
    if (av_opt_set(r->file, "format_whitelist", formats, 0) < 0 || av_opt_set(r->file, "codec_whitelist", codecs, 0) < 0)
        return ut_fail(e, UT_E_INTERNAL, "FFmpeg does not take its white lists");
    if (avformat_open_input(&r->file, NULL, NULL, NULL) < 0 || avformat_find_stream_info(r->file, NULL) < 0)
        return ut_fail(e, UT_E_INPUT, "%s is corrupt, cut short or of a kind that cannot be read; convert it to WAV", name);
    return UT_OK;
}

static ut_status open_decoder(av_reader *r, const char *name, ut_err *e)
{
    const AVCodec *codec = NULL;
    r->stream = av_find_best_stream(r->file, AVMEDIA_TYPE_AUDIO, -1, -1, &codec, 0);
    if (r->stream < 0 || !codec)
        return ut_fail(e, r->stream == AVERROR_DECODER_NOT_FOUND ? UT_E_UNSUPPORTED : UT_E_INPUT,
                       "there is no sound in %s that can be read; convert it to WAV", name);
    for (unsigned i = 0; i < r->file->nb_streams; i++)
        if ((int)i != r->stream) r->file->streams[i]->discard = AVDISCARD_ALL;
    r->dec = avcodec_alloc_context3(codec);
    if (!r->dec) return ut_fail_memory(e, sizeof *r->dec);
    r->dec->thread_count = 1;
    r->dec->pkt_timebase = r->file->streams[r->stream]->time_base;
    if (avcodec_parameters_to_context(r->dec, r->file->streams[r->stream]->codecpar) < 0 ||
        av_opt_set(r->dec, "codec_whitelist", codecs, 0) < 0 || avcodec_open2(r->dec, codec, NULL) < 0)
        return ut_fail(e, UT_E_UNSUPPORTED, "the %s sound in %s cannot be decoded; convert it to WAV", codec->name, name);
    return UT_OK;
}

static float sample_at(const AVFrame *f, int channel, int i)
{
    enum AVSampleFormat kind = f->format;
    bool planar = av_sample_fmt_is_planar(kind);
    const uint8_t *p = f->extended_data[planar ? channel : 0];
    size_t k = planar ? (size_t)i : (size_t)i * (size_t)f->ch_layout.nb_channels + (size_t)channel;
    switch (av_get_packed_sample_fmt(kind)) {
    case AV_SAMPLE_FMT_U8: return (float)(p[k] - 128) / 128.0f;
    case AV_SAMPLE_FMT_S16: return (float)((const int16_t *)(const void *)p)[k] / 32768.0f;
    case AV_SAMPLE_FMT_S32: return (float)((const int32_t *)(const void *)p)[k] / 2147483648.0f;
    case AV_SAMPLE_FMT_S64: return (float)((const int64_t *)(const void *)p)[k] / 9223372036854775808.0f;
    case AV_SAMPLE_FMT_FLT: return ((const float *)(const void *)p)[k];
    case AV_SAMPLE_FMT_DBL: {
        double v = ((const double *)(const void *)p)[k];
        return v > -1e9 && v < 1e9 ? (float)v : 0.0f;
    }
    default: return 0.0f;
    }
}

static ut_status put_frame(const AVFrame *f, ut_audio_sink *k, ut_err *e)
{
    float buf[4096];
    ut_status s = ut_audio_sink_form(k, f->sample_rate, f->ch_layout.nb_channels, e);
    int channels = f->ch_layout.nb_channels, chunk = s == UT_OK ? (int)(sizeof buf / sizeof *buf) / channels : 1;
    for (int at = 0; s == UT_OK && at < f->nb_samples; at += chunk) {
        int m = f->nb_samples - at < chunk ? f->nb_samples - at : chunk;
        for (int i = 0; i < m; i++)
            for (int c = 0; c < channels; c++) buf[i * channels + c] = sample_at(f, c, at + i);
        s = ut_audio_sink_put(k, buf, (size_t)m, e);
    }
    return s;
}

/* Takes all that the decoder has ready; *n: how many frames that was. */
static ut_status drain(av_reader *r, ut_audio_sink *k, unsigned *n, ut_err *e)
{
    for (*n = 0;; ++*n) {
        int rc = avcodec_receive_frame(r->dec, r->frame);
        if (rc == AVERROR(EAGAIN) || rc == AVERROR_EOF) return UT_OK;
        if (rc < 0) return ut_fail(e, rc == AVERROR(ENOMEM) ? UT_E_MEMORY : UT_E_INPUT, "%s is corrupt", k->name);
        ut_status s = put_frame(r->frame, k, e);
        av_frame_unref(r->frame);
        if (s != UT_OK) return s;
    }
}

static ut_status pump(av_reader *r, ut_audio_sink *k, ut_err *e)
{
    unsigned got = 0, barren = 0;
    int rc;
    while ((rc = av_read_frame(r->file, r->packet)) >= 0) {
        bool ours = r->packet->stream_index == r->stream;
        rc = ours ? avcodec_send_packet(r->dec, r->packet) : 0;
        av_packet_unref(r->packet);
        if (rc < 0) return ut_fail(e, rc == AVERROR(ENOMEM) ? UT_E_MEMORY : UT_E_INPUT, "%s is corrupt", k->name);
        ut_status s = drain(r, k, &got, e);
        if (s != UT_OK) return s;
        barren = got ? 0 : barren + 1;
        if (barren > MAX_BARREN_PACKETS) return ut_fail(e, UT_E_INPUT, "%s is corrupt: packets without sound", k->name);
    }
    if (rc != AVERROR_EOF) return ut_fail(e, UT_E_INPUT, "%s is corrupt or cut short", k->name);
    if (avcodec_send_packet(r->dec, NULL) < 0) return UT_OK;
    return drain(r, k, &got, e);
}

ut_status ut_audio_read_ffmpeg(const ut_source *src, ut_audio_sink *k, ut_err *e)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    ut_audio_file file = { .src = src };
    av_reader r = { 0 };
    pthread_once(&once, silence);
    ut_status s = open_file(&r, &file, k->name, e);
    if (s == UT_OK) s = open_decoder(&r, k->name, e);
    if (s == UT_OK) s = pump(&r, k, e);
    if (s == UT_OK) {
        const AVStream *st = r.file->streams[r.stream];
        double said = st->duration > 0 ? (double)st->duration * av_q2d(st->time_base) : 0;
        double have = k->rate_hz ? (double)k->frames / k->rate_hz : 0;
        if (strstr(r.file->iformat->name, "mp4") && have > 0 && said > have + 0.5)
            s = ut_fail(e, UT_E_INPUT, "%s is cut short: %.1f of its %.1f seconds are there; get it again", k->name, have,
                        said);
    }
    if (file.failed) s = ut_fail(e, UT_E_IO, "%s could not be read", k->name);
    close_reader(&r);
    return s;
}
