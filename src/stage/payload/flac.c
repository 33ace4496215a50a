/* FLAC (RFC 9639): true lossless PCM for roomy channels.  Frames only; the STREAMINFO block that decoders want says
 * nothing new and is made up again by the receiver. */
#include "stage/payload/wire.h"
#include <FLAC/stream_decoder.h>
#include <FLAC/stream_encoder.h>
#include <stdlib.h>
#include <string.h>

enum { BLOCK = 4096 };

typedef struct sink {
    ut_buf *payload;
    const ut_pcm *in;
    size_t segment_nbytes;
    ut_status status;
    ut_err *e;
} sink;

/* Frame bytes, cut where segments end; each segment has its start. */
static ut_status put(sink *k, const uint8_t *p, size_t n)
{
    while (n) {
        ut_status s = UT_OK;
        if (k->payload->len % k->segment_nbytes == 0)
            s = ut_wire_begin(k->payload, UT_CODEC_FLAC, k->in->nsamples, k->payload->len == 0, k->e);
        size_t m = k->segment_nbytes - k->payload->len % k->segment_nbytes;
        if (m > n) m = n;
        if (s == UT_OK) s = ut_buf_append(k->payload, p, m, k->e);
        if (s != UT_OK) return s;
        p += m;
        n -= m;
    }
    return UT_OK;
}

static FLAC__StreamEncoderWriteStatus on_frame(const FLAC__StreamEncoder *enc, const FLAC__byte buffer[], size_t n,
                                               uint32_t samples, uint32_t frame, void *user)
{
    sink *k = user;
    (void)enc;
    (void)frame;
    if (samples) k->status = put(k, buffer, n); /* 0 samples: metadata */
    return k->status == UT_OK ? FLAC__STREAM_ENCODER_WRITE_STATUS_OK : FLAC__STREAM_ENCODER_WRITE_STATUS_FATAL_ERROR;
}

static ut_status encode(FLAC__StreamEncoder *enc, const ut_pcm *in, sink *k)
{
    FLAC__stream_encoder_set_channels(enc, 1);
    FLAC__stream_encoder_set_bits_per_sample(enc, 16);
    FLAC__stream_encoder_set_sample_rate(enc, UT_SPEECH_HZ);
    FLAC__stream_encoder_set_compression_level(enc, 8);
    FLAC__stream_encoder_set_blocksize(enc, BLOCK);
    if (FLAC__stream_encoder_init_stream(enc, on_frame, NULL, NULL, NULL, k) != FLAC__STREAM_ENCODER_INIT_STATUS_OK)
        return ut_fail(k->e, UT_E_INTERNAL, "the FLAC encoder could not be started");
    for (size_t i = 0; i < in->nsamples && k->status == UT_OK;) {
        FLAC__int32 x[BLOCK];
        uint32_t n = 0;
        while (n < BLOCK && i < in->nsamples) x[n++] = in->sample[i++];
        if (!FLAC__stream_encoder_process_interleaved(enc, x, n)) break;
    }
    bool done = FLAC__stream_encoder_finish(enc);
    if (k->status != UT_OK) return k->status;
    return done ? UT_OK : ut_fail(k->e, UT_E_INTERNAL, "FLAC could not encode");
}

ut_status ut_payload_encode_flac(const ut_pcm *in, size_t segment_nbytes, ut_buf *payload, ut_pcm *preview,
                                 ut_payload_info *info, ut_err *e)
{
    if (!in->nsamples || in->rate_hz != UT_SPEECH_HZ || in->nsamples > (size_t)UT_MAX_SECONDS * UT_SPEECH_HZ)
        return ut_fail(e, UT_E_USAGE, "FLAC wants 1 sample to 24 hours at 16 kHz");
    sink k = { payload, in, segment_nbytes, UT_OK, e };
    FLAC__StreamEncoder *enc = FLAC__stream_encoder_new();
    if (!enc) return ut_fail_memory(e, 0);
    payload->len = 0;
    ut_status s = encode(enc, in, &k);
    FLAC__stream_encoder_delete(enc);
    if (s != UT_OK) return s;
    ut_wire_segments all = { payload->data, payload->len, segment_nbytes, NULL };
    ut_wire_decoded d = { .nlost = 0 };
    s = ut_flac_decode_segments(&all, preview, &d, e);
    if (s != UT_OK) return s;
    if (preview->nsamples != in->nsamples || memcmp(preview->sample, in->sample, in->nsamples * sizeof *in->sample))
        return ut_fail(e, UT_E_INTERNAL, "FLAC did not give the samples back");
    *info = (ut_payload_info){ .codec = UT_CODEC_FLAC, .nsamples = in->nsamples };
    info->kbps = 8.0 * (double)payload->len / ((double)in->nsamples / UT_SPEECH_HZ) / 1000;
    ut_sha256_pcm(preview, info->sha256);
    ut_wire_reader r = ut_wire_open(&all, 0);
    (void)ut_wire_byte(&r);
    (void)ut_wire_varint(&r);
    memcpy(payload->data + (r.p - payload->data), info->sha256, UT_WIRE_SHA_NBYTES);
    return UT_OK;
}

typedef struct source {
    const ut_wire_segments *s;
    size_t segment;
    ut_wire_reader r;
    bool open;
    ut_wire_decoded *d;
    ut_pcm *pcm;
    size_t nstart; /* bytes given of the made-up start */
    size_t ndecoded;
} source;

/* "fLaC" and STREAMINFO: RFC 9639, 8.2; block sizes fixed, frame sizes, total and MD5 unknown. */
static const uint8_t start_bytes[42] = { 'f',  'L',  'a',  'C',  0x80, 0x00, 0x00, 0x22, 0x10, 0x00, 0x10, 0x00, 0, 0, 0, 0, 0, 0,
                                         0x03, 0xe8, 0x00, 0xf0, 0, 0, 0, 0 };

static FLAC__StreamDecoderReadStatus on_read(const FLAC__StreamDecoder *dec, FLAC__byte buffer[], size_t *bytes, void *user)
{
    source *k = user;
    (void)dec;
    if (k->nstart < sizeof start_bytes) {
        size_t n = sizeof start_bytes - k->nstart;
        if (n > *bytes) n = *bytes;
        memcpy(buffer, start_bytes + k->nstart, n);
        k->nstart += n;
        *bytes = n;
        return FLAC__STREAM_DECODER_READ_STATUS_CONTINUE;
    }
    while (!k->open || k->r.p == k->r.end) {
        uint64_t count;
        if (k->segment == ut_wire_count(k->s)) {
            *bytes = 0;
            return FLAC__STREAM_DECODER_READ_STATUS_END_OF_STREAM;
        }
        size_t i = k->segment++;
        if (!ut_wire_has(k->s, i)) continue;
        k->r = ut_wire_open(k->s, i);
        k->open = ut_wire_begin_read(&k->r, UT_CODEC_FLAC, i, &count, k->d) && count == k->pcm->nsamples;
        if (!k->open) k->r.p = k->r.end;
    }
    size_t n = (size_t)(k->r.end - k->r.p);
    if (n > *bytes) n = *bytes;
    memcpy(buffer, k->r.p, n);
    k->r.p += n;
    *bytes = n;
    return FLAC__STREAM_DECODER_READ_STATUS_CONTINUE;
}

static FLAC__StreamDecoderWriteStatus on_write(const FLAC__StreamDecoder *dec, const FLAC__Frame *f,
                                               const FLAC__int32 *const x[], void *user)
{
    source *k = user;
    (void)dec;
    uint64_t at = f->header.number_type == FLAC__FRAME_NUMBER_TYPE_SAMPLE_NUMBER
                      ? f->header.number.sample_number
                      : (uint64_t)f->header.number.frame_number * BLOCK;
    for (uint32_t i = 0; i < f->header.blocksize; i++, at++) {
        if (at >= k->pcm->nsamples) break;
        FLAC__int32 v = x[0][i];
        k->pcm->sample[at] = (int16_t)(v < -32768 ? -32768 : v > 32767 ? 32767 : v);
        k->ndecoded++;
    }
    return FLAC__STREAM_DECODER_WRITE_STATUS_CONTINUE;
}

static void on_error(const FLAC__StreamDecoder *dec, FLAC__StreamDecoderErrorStatus status, void *user)
{
    (void)dec;
    (void)status;
    (void)user; /* what is missing shows in the count and in the hash */
}

ut_status ut_flac_decode_segments(const ut_wire_segments *s, ut_pcm *pcm, ut_wire_decoded *d, ut_err *e)
{
    uint64_t count = 0;
    bool known = false;
    *pcm = (ut_pcm){ .rate_hz = UT_SPEECH_HZ };
    for (size_t i = 0; i < ut_wire_count(s) && !known; i++) {
        if (!ut_wire_has(s, i)) continue;
        ut_wire_reader r = ut_wire_open(s, i);
        known = ut_wire_begin_read(&r, UT_CODEC_FLAC, i, &count, d);
    }
    /* a frame of 4,096 constant samples takes at least 8 bytes */
    if (!known || !count || count > (uint64_t)UT_MAX_SECONDS * UT_SPEECH_HZ || count > ((uint64_t)s->n / 8 + 1) * BLOCK)
        return ut_wire_corrupt(e);
    pcm->sample = ut_calloc((size_t)count, sizeof *pcm->sample, e);
    FLAC__StreamDecoder *dec = FLAC__stream_decoder_new();
    ut_status st = pcm->sample && dec ? UT_OK : UT_E_MEMORY;
    pcm->nsamples = (size_t)count;
    source k = { .s = s, .d = d, .pcm = pcm };
    if (st == UT_OK && FLAC__stream_decoder_init_stream(dec, on_read, NULL, NULL, NULL, NULL, on_write, NULL, on_error, &k) !=
                           FLAC__STREAM_DECODER_INIT_STATUS_OK)
        st = ut_fail(e, UT_E_INTERNAL, "the FLAC decoder could not be started");
    if (st == UT_OK) (void)FLAC__stream_decoder_process_until_end_of_stream(dec);
    if (dec) FLAC__stream_decoder_delete(dec);
    if (st != UT_OK) {
        if (!pcm->sample) pcm->nsamples = 0;
        ut_pcm_free(pcm);
        return st;
    }
    d->nlost = k.ndecoded < count ? (size_t)count - k.ndecoded : 0;
    return UT_OK;
}
