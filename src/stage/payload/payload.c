#include "stage/payload/payload.h"
#include "stage/payload/wire.h"
#include <stdlib.h>
#include <string.h>

void ut_pcm_free(ut_pcm *p)
{
    if (!p) return;
    if (p->sample) ut_wipe(p->sample, p->nsamples * sizeof *p->sample);
    free(p->sample);
    *p = (ut_pcm){ 0 };
}

void ut_payload_out_free(ut_payload_out *o)
{
    if (!o) return;
    ut_pcm_free(&o->pcm);
    ut_buf_free(&o->raw);
    *o = (ut_payload_out){ 0 };
}

ut_status ut_payload_encode_raw(const uint8_t *data, size_t n, size_t segment_nbytes, ut_buf *payload,
                                ut_payload_info *info, ut_err *e)
{
    (void)segment_nbytes; /* bytes need no more framing than their place */
    *info = (ut_payload_info){ .codec = UT_CODEC_RAW };
    ut_sha256(data, n, info->sha256);
    payload->len = 0;
    ut_status s = ut_wire_begin(payload, UT_CODEC_RAW, n, true, e);
    if (s == UT_OK) memcpy(payload->data + payload->len - UT_WIRE_SHA_NBYTES, info->sha256, UT_WIRE_SHA_NBYTES);
    if (s == UT_OK) s = ut_buf_append(payload, data, n, e);
    return s;
}

/* The bytes sit behind a start whose length follows from the payload's own. */
static ut_status decode_raw(const ut_wire_segments *s, ut_buf *raw, ut_wire_decoded *d, ut_err *e)
{
    uint64_t count = 0, head = 1 + UT_WIRE_SHA_NBYTES + 1;
    for (uint64_t v = 128; s->n >= head && s->n - head >= v; v <<= 7) head++;
    if (s->n < head) return ut_wire_corrupt(e);
    if (ut_wire_has(s, 0)) {
        ut_wire_reader r = { s->data, s->data + s->n, false };
        if (!ut_wire_begin_read(&r, UT_CODEC_RAW, 0, &count, d)) return ut_wire_corrupt(e);
        head = (uint64_t)(r.p - s->data);
        if (count != s->n - head) return ut_wire_corrupt(e);
    }
    ut_status st = ut_buf_append(raw, s->data + head, s->n - head, e);
    for (size_t i = 0; st == UT_OK && i < ut_wire_count(s); i++) {
        if (ut_wire_has(s, i)) continue;
        size_t begin = i * s->segment_nbytes, end = begin + s->segment_nbytes;
        if (end > s->n) end = s->n;
        if (begin < head) begin = head;
        if (begin < end) memset(raw->data + begin - head, 0, end - begin);
        d->nlost += end > begin ? end - begin : 0;
    }
    return st;
}

static unsigned first_byte(const ut_wire_segments *s)
{
    for (size_t i = 0; i < ut_wire_count(s); i++)
        if (ut_wire_has(s, i)) return s->data[i * s->segment_nbytes];
    return 0;
}

ut_status ut_payload_decode(const uint8_t *payload, size_t n, size_t segment_nbytes, const uint8_t *segment_ok,
                            ut_payload_out *out, ut_err *e)
{
    ut_wire_segments s = { payload, n, segment_nbytes, segment_ok };
    ut_wire_decoded d = { .nlost = 0 };
    uint8_t sha[32];
    *out = (ut_payload_out){ 0 };
    if (!n || segment_nbytes < 64) return ut_wire_corrupt(e);
    unsigned first = first_byte(&s);
    ut_status st;
    if (first == ut_wire_first(UT_CODEC_OPUS)) {
        out->info.codec = UT_CODEC_OPUS;
        st = ut_opus_decode_segments(&s, &out->pcm, &d, e);
    } else if (first == ut_wire_first(UT_CODEC_FLAC)) {
        out->info.codec = UT_CODEC_FLAC;
        st = ut_flac_decode_segments(&s, &out->pcm, &d, e);
    } else if (first == ut_wire_first(UT_CODEC_RAW) || !ut_wire_has(&s, 0)) {
        out->info.codec = UT_CODEC_RAW; /* raw segments after the first look like anything */
        st = decode_raw(&s, &out->raw, &d, e);
    } else {
        st = ut_wire_corrupt(e);
    }
    if (st != UT_OK) {
        ut_payload_out_free(out);
        return st;
    }
    if (out->info.codec == UT_CODEC_RAW) {
        ut_sha256(out->raw.data, out->raw.len, sha);
    } else {
        ut_sha256_pcm(&out->pcm, sha);
        out->info.nsamples = out->pcm.nsamples;
        out->info.kbps = 8.0 * (double)n / ((double)out->pcm.nsamples / UT_SPEECH_HZ) / 1000;
        out->lost_s = (double)d.nlost / UT_SPEECH_HZ;
    }
    memcpy(out->info.sha256, sha, sizeof sha);
    out->exact = d.sha_known && memcmp(sha, d.sha, sizeof sha) == 0;
    if (out->exact) return UT_OK;
    return ut_fail(e, UT_E_DAMAGED, "what came back is not what was sent: its SHA-256 differs");
}
