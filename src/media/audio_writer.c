#include "media/audio_writer.h"
#include "media/audio.h"
#include <FLAC/stream_encoder.h>
#include <stdlib.h>

enum { PIECE = 4096 };

struct ut_audio_writer {
    ut_bytes_fn put;
    void *user;
    FLAC__StreamEncoder *flac; /* NULL: WAV */
    ut_err err;                /* of put, inside the encoder's callback */
    union {
        uint8_t bytes[2 * PIECE];
        FLAC__int32 wide[PIECE];
    } buf;
};

static FLAC__StreamEncoderWriteStatus on_coded(const FLAC__StreamEncoder *enc, const FLAC__byte *p, size_t n, uint32_t samples, uint32_t frame, void *user)
{
    ut_audio_writer *w = user;
    (void)enc, (void)samples, (void)frame;
    if (w->err.status == UT_OK && w->put(w->user, p, n, &w->err) == UT_OK) return FLAC__STREAM_ENCODER_WRITE_STATUS_OK;
    return FLAC__STREAM_ENCODER_WRITE_STATUS_FATAL_ERROR;
}

static ut_status flac_failed(const ut_audio_writer *w, ut_err *e)
{
    if (w->err.status != UT_OK) return ut_fail(e, w->err.status, "%s", w->err.text);
    return ut_fail(e, UT_E_INTERNAL, "the FLAC encoder failed");
}

static ut_status start_flac(ut_audio_writer *w, uint64_t nsamples, ut_err *e)
{
    w->flac = FLAC__stream_encoder_new();
    if (!w->flac) return ut_fail_memory(e, PIECE);
    if (FLAC__stream_encoder_set_channels(w->flac, 1) && FLAC__stream_encoder_set_bits_per_sample(w->flac, 16) &&
        FLAC__stream_encoder_set_sample_rate(w->flac, UT_SPEECH_HZ) && FLAC__stream_encoder_set_compression_level(w->flac, 5) &&
        FLAC__stream_encoder_set_total_samples_estimate(w->flac, nsamples) &&
        FLAC__stream_encoder_init_stream(w->flac, on_coded, NULL, NULL, NULL, w) == FLAC__STREAM_ENCODER_INIT_STATUS_OK)
        return UT_OK;
    return flac_failed(w, e);
}

ut_status ut_audio_writer_new(ut_sound_format format, uint64_t nsamples, ut_bytes_fn put, void *user, ut_audio_writer **out, ut_err *e)
{
    uint8_t head[UT_WAV_HEADER_NBYTES];
    ut_status s;
    *out = NULL;
    ut_audio_writer *w = ut_calloc(1, sizeof *w, e);
    if (!w) return UT_E_MEMORY;
    w->put = put;
    w->user = user;
    if (format == UT_SOUND_FLAC) {
        s = start_flac(w, nsamples, e);
    } else {
        s = ut_audio_wav_header(nsamples, UT_SPEECH_HZ, head, e);
        if (s == UT_OK) s = put(user, head, sizeof head, e);
    }
    if (s == UT_OK) *out = w;
    else ut_audio_writer_free(w);
    return s;
}

ut_status ut_audio_writer_put(ut_audio_writer *w, const int16_t *sample, size_t n, ut_err *e)
{
    ut_status s = UT_OK;
    for (size_t m; s == UT_OK && n; sample += m, n -= m) {
        m = n < PIECE ? n : PIECE;
        if (w->flac) {
            for (size_t i = 0; i < m; i++) w->buf.wide[i] = sample[i];
            if (!FLAC__stream_encoder_process_interleaved(w->flac, w->buf.wide, (uint32_t)m)) s = flac_failed(w, e);
        } else {
            for (size_t i = 0; i < m; i++) ut_put16(w->buf.bytes + 2 * i, (uint16_t)sample[i]);
            s = w->put(w->user, w->buf.bytes, 2 * m, e);
        }
    }
    return s;
}

ut_status ut_audio_writer_finish(ut_audio_writer *w, ut_err *e)
{
    return !w->flac || FLAC__stream_encoder_finish(w->flac) ? UT_OK : flac_failed(w, e);
}

void ut_audio_writer_free(ut_audio_writer *w)
{
    if (!w) return;
    if (w->flac) {
        w->err.status = UT_E_CANCELLED; /* what the encoder still holds goes nowhere */
        FLAC__stream_encoder_delete(w->flac);
    }
    ut_wipe(w, sizeof *w);
    free(w);
}
