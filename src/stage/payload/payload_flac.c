/* FLAC (RFC 9639) of the PCM: bare frames, without "fLaC" and metadata, which say nothing that the decoder does not
 * know.  Frames find themselves again after a gap by sync code, frame number and CRC.  Layout: spec/payload.md. */
#include "stage/payload/payload_internal.h"
#include <FLAC/stream_decoder.h>
#include <FLAC/stream_encoder.h>
#include <string.h>

enum {
    BLOCK = 1024,              /* samples in every frame but the last */
    MIN_FRAME_NBYTES = 10,     /* a constant subframe: header 6, subframe 3, CRC 2, less one for safety */
    FIXED_HEADER_NBYTES = 42   /* "fLaC" and STREAMINFO */
};

typedef struct flac_writer {
    ut_payload_writer w;
    ut_status s;
    ut_err *e;
} flac_writer;

static FLAC__StreamEncoderWriteStatus on_coded(const FLAC__StreamEncoder *enc, const FLAC__byte *p, size_t n,
                                               uint32_t samples, uint32_t frame, void *user)
{
    flac_writer *f = user;
    (void)enc, (void)frame;
    if (samples && f->s == UT_OK) f->s = ut_payload_put(&f->w, p, n, f->e); /* 0 samples: metadata */
    return f->s == UT_OK ? FLAC__STREAM_ENCODER_WRITE_STATUS_OK : FLAC__STREAM_ENCODER_WRITE_STATUS_FATAL_ERROR;
}

static ut_status encode_frames(flac_writer *f, const ut_pcm *in, ut_err *e)
{
    FLAC__StreamEncoder *enc = FLAC__stream_encoder_new();
    FLAC__int32 block[BLOCK];
    if (!enc) return ut_fail_memory(e, sizeof block);
    bool ok = FLAC__stream_encoder_set_channels(enc, 1) && FLAC__stream_encoder_set_bits_per_sample(enc, 16) &&
              FLAC__stream_encoder_set_sample_rate(enc, UT_SPEECH_HZ) &&
              FLAC__stream_encoder_set_compression_level(enc, 8) && FLAC__stream_encoder_set_blocksize(enc, BLOCK) &&
              FLAC__stream_encoder_set_max_lpc_order(enc, 12) &&
              FLAC__stream_encoder_init_stream(enc, on_coded, NULL, NULL, NULL, f) ==
                  FLAC__STREAM_ENCODER_INIT_STATUS_OK;
    for (size_t at = 0; ok && at < in->nsamples; at += BLOCK) {
        size_t m = in->nsamples - at < BLOCK ? in->nsamples - at : BLOCK;
        for (size_t i = 0; i < m; i++) block[i] = in->sample[at + i];
        ok = FLAC__stream_encoder_process_interleaved(enc, block, (uint32_t)m);
    }
    ok = FLAC__stream_encoder_finish(enc) && ok;
    FLAC__stream_encoder_delete(enc);
    ut_wipe(block, sizeof block);
    if (f->s != UT_OK) return f->s;
    return ok ? UT_OK : ut_fail(e, UT_E_INTERNAL, "the FLAC encoder failed");
}

ut_status ut_payload_encode_flac(const ut_pcm *in, size_t segment_nbytes, ut_buf *payload, ut_pcm *preview,
                                 ut_payload_info *info, ut_err *e)
{
    flac_writer f = { { payload, segment_nbytes, { .codec = UT_CODEC_FLAC, .total = in->nsamples }, 0 }, UT_OK, e };
    *preview = (ut_pcm){ 0 };
    *info = (ut_payload_info){ 0 };
    payload->len = 0;
    ut_status s = ut_payload_check_audio(in, segment_nbytes, e);
    if (s == UT_OK) s = encode_frames(&f, in, e);
    if (s == UT_OK) s = ut_payload_finish(payload, segment_nbytes, preview, info, e);
    if (s == UT_OK && memcmp(preview->sample, in->sample, in->nsamples * sizeof *in->sample) != 0) {
        ut_pcm_free(preview);
        s = ut_fail(e, UT_E_INTERNAL, "FLAC did not give the recording back");
    }
    if (s != UT_OK) payload->len = 0;
    return s;
}

typedef struct flac_reader {
    ut_payload_cursor c;
    uint8_t header[FIXED_HEADER_NBYTES];
    size_t header_at;
    ut_pcm *pcm;
    uint64_t next;    /* sample behind the last one written */
    uint64_t covered; /* samples written */
    bool bad;         /* a frame that this format does not have */
    size_t errors;    /* places where the decoder lost its way */
} flac_reader;

/* RFC 9639, section 8.2: what the sender's encoder would have written */
static void make_header(flac_reader *r)
{
    static const uint8_t start[] = { 'f', 'L', 'a', 'C', 0x80, 0, 0, 34, BLOCK >> 8, BLOCK & 255, BLOCK >> 8,
                                     BLOCK & 255, 0, 0, 0, 0, 0, 0,
                                     UT_SPEECH_HZ >> 12, UT_SPEECH_HZ >> 4 & 255, (UT_SPEECH_HZ & 15) << 4 | 0 << 1,
                                     0xf0 }; /* 20 bits rate, 3 channels - 1, 5 bits - 1; then sample count and MD5: 0 */
    memset(r->header, 0, sizeof r->header);
    memcpy(r->header, start, sizeof start);
    r->header_at = 0;
}

static FLAC__StreamDecoderReadStatus on_read(const FLAC__StreamDecoder *dec, FLAC__byte *out, size_t *n, void *user)
{
    flac_reader *r = user;
    (void)dec;
    if (r->header_at < FIXED_HEADER_NBYTES) {
        size_t m = FIXED_HEADER_NBYTES - r->header_at;
        if (m > *n) m = *n;
        memcpy(out, r->header + r->header_at, m);
        r->header_at += m;
        *n = m;
    } else {
        *n = ut_payload_read(&r->c, out, *n);
    }
    return *n ? FLAC__STREAM_DECODER_READ_STATUS_CONTINUE : FLAC__STREAM_DECODER_READ_STATUS_END_OF_STREAM;
}

static FLAC__StreamDecoderWriteStatus on_decoded(const FLAC__StreamDecoder *dec, const FLAC__Frame *frame,
                                                 const FLAC__int32 *const sample[], void *user)
{
    flac_reader *r = user;
    const FLAC__FrameHeader *h = &frame->header;
    uint64_t at = h->number.sample_number;
    (void)dec;
    if (h->number_type != FLAC__FRAME_NUMBER_TYPE_SAMPLE_NUMBER || h->channels != 1 || h->bits_per_sample != 16 ||
        at < r->next || at > r->pcm->nsamples || h->blocksize > r->pcm->nsamples - at) {
        r->bad = true;
        return FLAC__STREAM_DECODER_WRITE_STATUS_ABORT;
    }
    for (uint32_t i = 0; i < h->blocksize; i++) r->pcm->sample[at + i] = (int16_t)sample[0][i];
    r->covered += h->blocksize;
    r->next = at + h->blocksize;
    return FLAC__STREAM_DECODER_WRITE_STATUS_CONTINUE;
}

static void on_error(const FLAC__StreamDecoder *dec, FLAC__StreamDecoderErrorStatus status, void *user)
{
    (void)dec, (void)status;
    ((flac_reader *)user)->errors++;
}

static ut_status decode_run(flac_reader *r, const ut_payload_view *v, size_t segment, size_t *after, ut_err *e)
{
    FLAC__StreamDecoder *dec = FLAC__stream_decoder_new();
    if (!dec) return ut_fail_memory(e, 65536);
    make_header(r);
    ut_payload_cursor_init(&r->c, v, segment);
    bool ok = FLAC__stream_decoder_init_stream(dec, on_read, NULL, NULL, NULL, NULL, on_decoded, NULL, on_error, r) ==
              FLAC__STREAM_DECODER_INIT_STATUS_OK;
    if (ok && !FLAC__stream_decoder_process_until_end_of_stream(dec)) r->errors++; /* it ends within a frame, say */
    ok = ok && FLAC__stream_decoder_get_state(dec) != FLAC__STREAM_DECODER_MEMORY_ALLOCATION_ERROR;
    (void)FLAC__stream_decoder_finish(dec);
    FLAC__stream_decoder_delete(dec);
    *after = r->c.segment + 1;
    if (r->bad) return ut_fail(e, UT_E_INPUT, "the message holds a FLAC frame that does not belong; it is corrupt");
    return ok ? UT_OK : ut_fail(e, UT_E_MEMORY, "the FLAC decoder failed; out of memory");
}

ut_status ut_payload_decode_flac(const ut_payload_view *v, ut_payload_out *out, ut_err *e)
{
    flac_reader r = { .pcm = &out->pcm };
    uint64_t nblocks = (v->head.total + BLOCK - 1) / BLOCK;
    if (v->head.total < 1 || v->head.total > UT_MAX_SAMPLES || nblocks > v->n / MIN_FRAME_NBYTES)
        return ut_fail(e, UT_E_INPUT, "the message claims a recording of %llu samples, which it cannot hold",
                       (unsigned long long)v->head.total);
    ut_status s = ut_pcm_alloc(&out->pcm, v->head.total, e);
    for (size_t i = 0; i < v->nsegments && s == UT_OK;) {
        if (ut_payload_has(v, i)) s = decode_run(&r, v, i, &i, e);
        else i++;
    }
    if (s == UT_OK && !v->nlost && (r.errors || r.covered != v->head.total))
        s = ut_fail(e, UT_E_INPUT, "the message's FLAC frames are corrupt or truncated");
    out->lost_s = (double)(v->head.total - r.covered) / UT_SPEECH_HZ;
    return s;
}
