/* Opus in SILK-only mode: one 60 ms packet after another, each without its TOC byte (all are alike, so the segment
 * heads hold the bandwidth) and behind its length.  Layout: spec/payload.md.
 *
 * Why only SILK: its decoder is integer arithmetic (RFC 6716, section 4.2), so every build of libopus gives the same
 * samples; CELT's is not.  Why one fixed bandwidth: on a change the encoder adds a redundant CELT frame. */
#include "stage/payload/payload_internal.h"
#include <opus.h>
#include <string.h>

enum {
    FRAME = 960,            /* samples in 60 ms at 16 kHz */
    SKIP = 104,             /* samples of delay that the decoder drops: libopus's 6.5 ms */
    MAX_BODY = 1275,        /* RFC 6716, section 3.4: longest frame */
    ONE_BYTE_LENGTHS = 240, /* body lengths 0..239 take one byte */
    SET_FORCE_MODE = 11002, /* a private request of libopus, stable since 1.0; checked on every packet */
    MODE_SILK_ONLY = 1000
};

/* RFC 6716, table 2: configurations 3, 7, 11 = SILK, narrow, medium, wide band, 60 ms; mono; one frame. */
static uint8_t toc_byte(ut_bandwidth band) { return (uint8_t)((3 + 4 * (unsigned)band) << 3); }

/* What sounds best at a rate (libopus 1.3.1, WB-PESQ, mean of 12 LibriSpeech utterances; kbit/s are the payload's own):
 * narrow band 2.27 at 5.0, 2.57 at 5.7; medium 2.62 at 6.0, 3.03 at 7.0, 3.64 at 9.1; wide 1.43 at 5.5, 2.81 at 7.2,
 * 3.61 at 9.3, 3.94 at 10.7. */
static ut_bandwidth best_band(double kbps)
{
    return kbps < 7.25 ? UT_BAND_NARROW : kbps < 10.5 ? UT_BAND_MEDIUM : UT_BAND_WIDE;
}

static uint64_t packets_for(uint64_t nsamples) { return (nsamples + SKIP + FRAME - 1) / FRAME; }

static size_t put_length(uint8_t *out, size_t body)
{
    if (body < ONE_BYTE_LENGTHS) {
        out[0] = (uint8_t)body;
        return 1;
    }
    out[0] = (uint8_t)(ONE_BYTE_LENGTHS + ((body - ONE_BYTE_LENGTHS) >> 8));
    out[1] = (uint8_t)((body - ONE_BYTE_LENGTHS) & 255);
    return 2;
}

static OpusEncoder *new_encoder(double kbps, ut_bandwidth band, ut_err *e)
{
    static const int opus_band[] = { OPUS_BANDWIDTH_NARROWBAND, OPUS_BANDWIDTH_MEDIUMBAND, OPUS_BANDWIDTH_WIDEBAND };
    int err = OPUS_OK;
    OpusEncoder *enc = opus_encoder_create(UT_SPEECH_HZ, 1, OPUS_APPLICATION_VOIP, &err);
    if (!enc) {
        (void)ut_fail(e, err == OPUS_ALLOC_FAIL ? UT_E_MEMORY : UT_E_INTERNAL, "the Opus encoder cannot be had: %s",
                      opus_strerror(err));
        return NULL;
    }
    bool ok = opus_encoder_ctl(enc, SET_FORCE_MODE, (opus_int32)MODE_SILK_ONLY) == OPUS_OK &&
              opus_encoder_ctl(enc, OPUS_SET_BANDWIDTH(opus_band[band])) == OPUS_OK &&
              opus_encoder_ctl(enc, OPUS_SET_SIGNAL(OPUS_SIGNAL_VOICE)) == OPUS_OK &&
              opus_encoder_ctl(enc, OPUS_SET_VBR(1)) == OPUS_OK &&
              opus_encoder_ctl(enc, OPUS_SET_VBR_CONSTRAINT(0)) == OPUS_OK &&
              opus_encoder_ctl(enc, OPUS_SET_COMPLEXITY(10)) == OPUS_OK &&
              opus_encoder_ctl(enc, OPUS_SET_DTX(0)) == OPUS_OK &&
              opus_encoder_ctl(enc, OPUS_SET_INBAND_FEC(0)) == OPUS_OK &&
              opus_encoder_ctl(enc, OPUS_SET_BITRATE((opus_int32)(kbps * 1000 + 0.5))) == OPUS_OK;
    if (ok) return enc;
    opus_encoder_destroy(enc);
    (void)ut_fail(e, UT_E_UNSUPPORTED, "this libopus cannot be held to SILK; use libopus 1.1 or newer");
    return NULL;
}

static ut_status encode_packets(OpusEncoder *enc, const ut_pcm *in, ut_payload_writer *w, ut_err *e)
{
    uint64_t npackets = packets_for(in->nsamples);
    for (uint64_t i = 0; i < npackets; i++) {
        opus_int16 frame[FRAME] = { 0 };
        uint8_t packet[1 + MAX_BODY], item[2 + MAX_BODY];
        size_t at = (size_t)i * FRAME, m = in->nsamples > at ? in->nsamples - at : 0;
        memcpy(frame, in->sample + (m ? at : 0), (m < FRAME ? m : FRAME) * sizeof *frame);
        opus_int32 n = opus_encode(enc, frame, FRAME, packet, sizeof packet);
        if (n < 1) return ut_fail(e, UT_E_INTERNAL, "the Opus encoder failed: %s", opus_strerror(n));
        if (packet[0] != toc_byte(w->head.band))
            return ut_fail(e, UT_E_INTERNAL, "the Opus encoder left SILK mode (TOC %u); this libopus does not fit",
                           packet[0]);
        size_t nitem = put_length(item, (size_t)n - 1);
        memcpy(item + nitem, packet + 1, (size_t)n - 1);
        ut_status s = ut_payload_put(w, item, nitem + (size_t)n - 1, e);
        if (s != UT_OK) return s;
    }
    return UT_OK;
}

ut_status ut_payload_encode_opus(const ut_pcm *in, double kbps, size_t segment_nbytes, ut_buf *payload,
                                 ut_pcm *preview, ut_payload_info *info, ut_err *e)
{
    ut_payload_writer w = { payload, segment_nbytes, { .codec = UT_CODEC_OPUS }, 0 };
    *preview = (ut_pcm){ 0 };
    *info = (ut_payload_info){ 0 };
    payload->len = 0;
    ut_status s = ut_payload_check_audio(in, segment_nbytes, e);
    if (s != UT_OK) return s;
    if (!(kbps >= 5 && kbps <= 40))
        return ut_fail(e, UT_E_USAGE, "an Opus rate of %g kbit/s is out of range; choose 5 to 40", kbps);
    w.head.total = in->nsamples;
    w.head.band = best_band(kbps);
    OpusEncoder *enc = new_encoder(kbps, w.head.band, e);
    if (!enc) return e ? e->status : UT_E_INTERNAL;
    s = encode_packets(enc, in, &w, e);
    opus_encoder_destroy(enc);
    if (s == UT_OK) s = ut_payload_finish(payload, segment_nbytes, preview, info, e);
    if (s != UT_OK) payload->len = 0;
    return s;
}

typedef struct opus_reader {
    OpusDecoder *dec;
    ut_payload_cursor c;
    uint64_t npackets, next; /* next: the packet that follows the last one decoded */
    uint64_t covered;        /* samples written */
    uint8_t toc;
} opus_reader;

static void place(opus_reader *r, ut_pcm *pcm, const opus_int16 *frame)
{
    uint64_t from = r->next * FRAME, to = from + FRAME; /* in decoder time, which starts SKIP samples early */
    if (to > pcm->nsamples + SKIP) to = pcm->nsamples + SKIP;
    uint64_t first = from < SKIP ? SKIP : from;
    if (first >= to) return;
    memcpy(pcm->sample + (first - SKIP), frame + (first - from), (size_t)(to - first) * sizeof *frame);
    r->covered += to - first;
}

/* 1: a packet was decoded, 0: the run of segments is over, -1: it cannot be decoded (e tells why) */
static int next_packet(opus_reader *r, ut_pcm *pcm, ut_err *e)
{
    uint8_t packet[1 + MAX_BODY + 256], byte[2] = { 0 };
    opus_int16 frame[FRAME];
    if (!ut_payload_read(&r->c, byte, 1)) return 0;
    size_t body = byte[0];
    if (body >= ONE_BYTE_LENGTHS) {
        if (!ut_payload_read(&r->c, byte + 1, 1)) return 0;
        body = ONE_BYTE_LENGTHS + ((size_t)(byte[0] - ONE_BYTE_LENGTHS) << 8) + byte[1];
    }
    if (body > MAX_BODY || r->next >= r->npackets) {
        (void)ut_fail(e, UT_E_INPUT, "the message's packet %llu is too long or one too many; the message is corrupt",
                      (unsigned long long)r->next);
        return -1;
    }
    packet[0] = r->toc;
    if (ut_payload_read(&r->c, packet + 1, body) != body) return 0;
    if (opus_decode(r->dec, packet, (opus_int32)(1 + body), frame, FRAME, 0) != FRAME) {
        (void)ut_fail(e, UT_E_INPUT, "the message's packet %llu is not Opus; the message is corrupt",
                      (unsigned long long)r->next);
        return -1;
    }
    place(r, pcm, frame);
    r->next++;
    return 1;
}

/* Decodes the run of segments that begins at `segment`; *after: the segment behind it. */
static ut_status decode_run(opus_reader *r, const ut_payload_view *v, size_t segment, size_t *after, ut_pcm *pcm,
                            ut_err *e)
{
    ut_payload_cursor_init(&r->c, v, segment);
    const ut_payload_head *h = &r->c.head;
    if (h->next_packet < r->next || h->next_packet > r->npackets || h->next_offset > MAX_BODY + 2)
        return ut_fail(e, UT_E_INPUT, "the message contradicts itself in segment %zu; it is corrupt", segment);
    if (segment) {
        r->next = h->next_packet;
        (void)opus_decoder_ctl(r->dec, OPUS_RESET_STATE); /* what came before is lost: start from silence */
    }
    int more = 1;
    if (ut_payload_read(&r->c, NULL, (size_t)h->next_offset) == h->next_offset)
        while ((more = next_packet(r, pcm, e)) == 1) {}
    *after = r->c.segment + 1;
    return more < 0 ? UT_E_INPUT : UT_OK;
}

ut_status ut_payload_decode_opus(const ut_payload_view *v, ut_payload_out *out, ut_err *e)
{
    opus_reader r = { .toc = toc_byte(v->head.band), .npackets = packets_for(v->head.total) };
    if (v->head.total < 1 || v->head.total > UT_MAX_SAMPLES || r.npackets > v->n) /* a packet takes a byte or more */
        return ut_fail(e, UT_E_INPUT, "the message claims a recording of %llu samples, which it cannot hold",
                       (unsigned long long)v->head.total);
    ut_status s = ut_pcm_alloc(&out->pcm, v->head.total, e);
    if (s != UT_OK) return s;
    r.dec = opus_decoder_create(UT_SPEECH_HZ, 1, NULL);
    if (!r.dec) return ut_fail_memory(e, (size_t)opus_decoder_get_size(1));
    /* 0 keeps newer libraries' neural enhancement out, which is float; older ones do not know the request */
    (void)opus_decoder_ctl(r.dec, OPUS_SET_COMPLEXITY(0));
    for (size_t i = 0; i < v->nsegments && s == UT_OK;) {
        if (ut_payload_has(v, i)) s = decode_run(&r, v, i, &i, &out->pcm, e);
        else i++;
    }
    opus_decoder_destroy(r.dec);
    if (s == UT_OK && !v->nlost && r.next != r.npackets) s = ut_fail(e, UT_E_INPUT, "the message is truncated");
    out->lost_s = (double)(v->head.total - r.covered) / UT_SPEECH_HZ;
    return s;
}
