/* Opus, SILK only: RFC 6716.  The SILK decoder is specified in integers and gives the same samples everywhere; CELT and
 * hybrid do not, so that every packet whose TOC says otherwise is refused. */
#include "stage/payload/wire.h"
#include <opus/opus.h>
#include <stdlib.h>
#include <string.h>

#define SET_FORCE_MODE(x) 11002, (opus_int32)(x) /* OPUS_SET_FORCE_MODE_REQUEST of libopus's opus_private.h */
enum { MODE_SILK_ONLY = 1000, MAX_PACKET = 1275, LONG = 250, NEW_TOC = 255 };

/* One 60 ms mono frame of SILK: configurations 3, 7 and 11 (RFC 6716, table 2), one frame a packet. */
static bool silk_60ms(unsigned toc) { return toc == 3u << 3 || toc == 7u << 3 || toc == 11u << 3; }

static OpusEncoder *new_encoder(double kbps, ut_err *e)
{
    int err;
    OpusEncoder *enc = opus_encoder_create(UT_SPEECH_HZ, 1, OPUS_APPLICATION_VOIP, &err);
    if (!enc) {
        (void)ut_fail(e, UT_E_INTERNAL, "the Opus encoder could not be made: %s", opus_strerror(err));
        return NULL;
    }
    if (opus_encoder_ctl(enc, SET_FORCE_MODE(MODE_SILK_ONLY)) != OPUS_OK ||
        opus_encoder_ctl(enc, OPUS_SET_BITRATE((opus_int32)(kbps * 1000))) != OPUS_OK ||
        opus_encoder_ctl(enc, OPUS_SET_VBR(1)) != OPUS_OK || opus_encoder_ctl(enc, OPUS_SET_COMPLEXITY(10)) != OPUS_OK ||
        opus_encoder_ctl(enc, OPUS_SET_SIGNAL(OPUS_SIGNAL_VOICE)) != OPUS_OK ||
        opus_encoder_ctl(enc, OPUS_SET_EXPERT_FRAME_DURATION(OPUS_FRAMESIZE_60_MS)) != OPUS_OK) {
        opus_encoder_destroy(enc);
        (void)ut_fail(e, UT_E_UNSUPPORTED, "this libopus cannot be held to SILK");
        return NULL;
    }
    return enc;
}

/* Bytes of a packet's length code and its body. */
static size_t coded(size_t body) { return body + (body + 1 < LONG ? 1 : 2); }

static ut_status put_packet(ut_buf *b, const uint8_t *body, size_t n, ut_err *e)
{
    uint8_t code[2];
    size_t v = n + 1, ncode = 1;
    if (v < LONG) {
        code[0] = (uint8_t)v;
    } else {
        code[0] = (uint8_t)(LONG + (v - LONG) / 256);
        code[1] = (uint8_t)((v - LONG) % 256);
        ncode = 2;
    }
    ut_status s = ut_buf_append(b, code, ncode, e);
    return s == UT_OK ? ut_buf_append(b, body, n, e) : s;
}

/* Fills the segment at hand with zeros and begins the next. */
static ut_status next_segment(ut_buf *b, size_t segment_nbytes, const ut_pcm *in, unsigned skip, unsigned toc,
                              size_t packet, ut_err *e)
{
    uint8_t two[2] = { (uint8_t)skip, (uint8_t)toc };
    size_t whole = (b->len + segment_nbytes - 1) / segment_nbytes * segment_nbytes;
    ut_status s = ut_buf_resize(b, whole, e);
    if (s == UT_OK) s = ut_wire_begin(b, UT_CODEC_OPUS, in->nsamples, b->len == 0, e);
    if (s == UT_OK) s = ut_buf_append(b, two, 2, e);
    if (s == UT_OK) s = ut_wire_put_varint(b, packet, e);
    return s;
}

static ut_status encode_packets(OpusEncoder *enc, const ut_pcm *in, size_t segment_nbytes, ut_buf *payload, ut_err *e)
{
    opus_int32 skip = 0;
    if (opus_encoder_ctl(enc, OPUS_GET_LOOKAHEAD(&skip)) != OPUS_OK || skip < 0 || skip > 255)
        return ut_fail(e, UT_E_INTERNAL, "libopus reports a lookahead of %d samples", (int)skip);
    size_t npackets = (in->nsamples + (size_t)skip + UT_OPUS_FRAME - 1) / UT_OPUS_FRAME, left = 0;
    unsigned toc = 0;
    for (size_t p = 0; p < npackets; p++) {
        int16_t frame[UT_OPUS_FRAME] = { 0 };
        uint8_t packet[MAX_PACKET];
        size_t at = p * UT_OPUS_FRAME, n = at < in->nsamples ? in->nsamples - at : 0;
        memcpy(frame, in->sample + (n ? at : 0), (n < UT_OPUS_FRAME ? n : UT_OPUS_FRAME) * sizeof *frame);
        int len = opus_encode(enc, frame, UT_OPUS_FRAME, packet, sizeof packet);
        if (len < 1) return ut_fail(e, UT_E_INTERNAL, "Opus could not encode: %s", opus_strerror(len));
        if (!silk_60ms(packet[0])) return ut_fail(e, UT_E_INTERNAL, "Opus left SILK mode (TOC %u)", packet[0]);
        size_t need = coded((size_t)len - 1) + (packet[0] != toc ? 2 : 0);
        ut_status s = UT_OK;
        if (need > left) {
            s = next_segment(payload, segment_nbytes, in, (unsigned)skip, packet[0], p, e);
            toc = packet[0];
            left = segment_nbytes - payload->len % segment_nbytes;
            if (s == UT_OK && coded((size_t)len - 1) > left) return ut_fail(e, UT_E_USAGE, "segments of %zu bytes are too short", segment_nbytes);
        } else if (packet[0] != toc) {
            uint8_t change[2] = { NEW_TOC, packet[0] };
            s = ut_buf_append(payload, change, 2, e);
            toc = packet[0];
            left -= 2;
        }
        if (s == UT_OK) s = put_packet(payload, packet + 1, (size_t)len - 1, e);
        if (s != UT_OK) return s;
        left -= coded((size_t)len - 1);
    }
    return UT_OK;
}

ut_status ut_payload_encode_opus(const ut_pcm *in, double kbps, size_t segment_nbytes, ut_buf *payload, ut_pcm *preview,
                                 ut_payload_info *info, ut_err *e)
{
    if (!in->nsamples || in->rate_hz != UT_SPEECH_HZ || in->nsamples > (size_t)UT_MAX_SECONDS * UT_SPEECH_HZ)
        return ut_fail(e, UT_E_USAGE, "Opus wants 1 sample to 24 hours at 16 kHz");
    if (!(kbps >= 5 && kbps <= 64)) return ut_fail(e, UT_E_USAGE, "a bit rate of %g kbit/s is out of range: 5 to 64", kbps);
    OpusEncoder *enc = new_encoder(kbps, e);
    if (!enc) return UT_E_INTERNAL;
    payload->len = 0;
    ut_status s = encode_packets(enc, in, segment_nbytes, payload, e);
    opus_encoder_destroy(enc);
    if (s != UT_OK) return s;
    ut_wire_segments all = { payload->data, payload->len, segment_nbytes, NULL };
    ut_wire_decoded d = { .nlost = 0 };
    s = ut_opus_decode_segments(&all, preview, &d, e);
    if (s != UT_OK) return s;
    *info = (ut_payload_info){ .codec = UT_CODEC_OPUS, .nsamples = in->nsamples };
    info->kbps = 8.0 * (double)payload->len / ((double)in->nsamples / UT_SPEECH_HZ) / 1000;
    ut_sha256_pcm(preview, info->sha256);
    ut_wire_reader r = ut_wire_open(&all, 0);
    (void)ut_wire_byte(&r);
    (void)ut_wire_varint(&r);
    memcpy(payload->data + (r.p - payload->data), info->sha256, UT_WIRE_SHA_NBYTES);
    return UT_OK;
}

typedef struct opus_reader {
    OpusDecoder *dec;
    ut_pcm *pcm;
    uint64_t count;    /* samples, as every segment says */
    bool count_known;
    size_t next;       /* packet that the decoder's state is ready for */
    size_t ndecoded;
} opus_reader;

static size_t body_length(ut_wire_reader *r, unsigned code)
{
    size_t v = code;
    if (code >= LONG) v = LONG + (code - LONG) * 256u + ut_wire_byte(r);
    return v - 1;
}

static bool decode_packet(opus_reader *o, unsigned toc, const uint8_t *body, size_t n, size_t index, unsigned skip)
{
    uint8_t packet[MAX_PACKET + 1];
    int16_t out[UT_OPUS_FRAME];
    if (n + 1 > MAX_PACKET) return false;
    packet[0] = (uint8_t)toc;
    memcpy(packet + 1, body, n);
    if (index != o->next) opus_decoder_ctl(o->dec, OPUS_RESET_STATE);
    if (opus_decode(o->dec, packet, (opus_int32)(n + 1), out, UT_OPUS_FRAME, 0) != UT_OPUS_FRAME) return false;
    o->next = index + 1;
    uint64_t begin = (uint64_t)index * UT_OPUS_FRAME;
    for (unsigned i = 0; i < UT_OPUS_FRAME; i++) {
        uint64_t at = begin + i;
        if (at < skip || at - skip >= o->count) continue;
        o->pcm->sample[at - skip] = out[i];
        o->ndecoded++;
    }
    return true;
}

static bool decode_segment(opus_reader *o, const ut_wire_segments *s, size_t i, ut_wire_decoded *d, size_t *last)
{
    ut_wire_reader r = ut_wire_open(s, i);
    uint64_t count;
    if (!ut_wire_begin_read(&r, UT_CODEC_OPUS, i, &count, d) || count != o->count) return false;
    unsigned skip = ut_wire_byte(&r), toc = ut_wire_byte(&r);
    uint64_t index = ut_wire_varint(&r), end = (o->count + skip + UT_OPUS_FRAME - 1) / UT_OPUS_FRAME;
    if (r.bad || !silk_60ms(toc) || index < *last) return false;
    while (r.p < r.end) {
        unsigned code = ut_wire_byte(&r);
        if (code == 0) break;
        if (code == NEW_TOC) {
            toc = ut_wire_byte(&r);
            if (!silk_60ms(toc)) return false;
            continue;
        }
        size_t n = body_length(&r, code);
        const uint8_t *body = ut_wire_bytes(&r, n);
        if (!body || index >= end || !decode_packet(o, toc, body, n, (size_t)index, skip)) return false;
        index++;
    }
    *last = (size_t)index;
    return !r.bad;
}

ut_status ut_opus_decode_segments(const ut_wire_segments *s, ut_pcm *pcm, ut_wire_decoded *d, ut_err *e)
{
    opus_reader o = { .pcm = pcm };
    size_t last = 0, segments = ut_wire_count(s);
    *pcm = (ut_pcm){ .rate_hz = UT_SPEECH_HZ };
    for (size_t i = 0; i < segments && !o.count_known; i++) {
        if (!ut_wire_has(s, i)) continue;
        ut_wire_reader r = ut_wire_open(s, i);
        o.count_known = ut_wire_begin_read(&r, UT_CODEC_OPUS, i, &o.count, d);
    }
    /* a packet has at least its length code: what a hostile count may make us allocate is bounded by the payload */
    if (!o.count_known || !o.count || o.count > (uint64_t)UT_MAX_SECONDS * UT_SPEECH_HZ ||
        o.count > ((uint64_t)s->n / 4 + 2) * UT_OPUS_FRAME)
        return ut_wire_corrupt(e);
    pcm->sample = ut_calloc((size_t)o.count, sizeof *pcm->sample, e);
    if (!pcm->sample) return UT_E_MEMORY;
    pcm->nsamples = (size_t)o.count;
    int err;
    o.dec = opus_decoder_create(UT_SPEECH_HZ, 1, &err);
    ut_status st = o.dec ? UT_OK : ut_fail(e, UT_E_INTERNAL, "the Opus decoder could not be made: %s", opus_strerror(err));
    for (size_t i = 0; i < segments && st == UT_OK; i++)
        if (ut_wire_has(s, i) && !decode_segment(&o, s, i, d, &last)) st = ut_wire_corrupt(e);
    if (o.dec) opus_decoder_destroy(o.dec);
    if (st != UT_OK) {
        ut_pcm_free(pcm);
        return st;
    }
    d->nlost = o.ndecoded < pcm->nsamples ? pcm->nsamples - o.ndecoded : 0;
    return UT_OK;
}
