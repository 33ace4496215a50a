/* Segment heads, and a stream of bytes cut into segments. */
#include "stage/payload/payload_internal.h"
#include <string.h>

size_t ut_varint_put(uint8_t out[UT_VARINT_MAX_NBYTES], uint64_t v)
{
    size_t n = 0;
    for (; v >= 0x80 && n + 1 < UT_VARINT_MAX_NBYTES; v >>= 7) out[n++] = (uint8_t)(v | 0x80);
    out[n++] = (uint8_t)(v & 0x7f);
    return n;
}

size_t ut_varint_get(const uint8_t *p, size_t n, uint64_t *v)
{
    *v = 0;
    for (size_t i = 0; i < n && i < UT_VARINT_MAX_NBYTES; i++) {
        *v |= (uint64_t)(p[i] & 0x7f) << (7 * i);
        if (p[i] & 0x80) continue;
        return i && !p[i] ? 0 : i + 1;
    }
    return 0;
}

/* h->sha256 is not written but left zero. */
size_t ut_payload_make_head(uint8_t out[UT_PAYLOAD_MAX_HEAD], const ut_payload_head *h, bool first)
{
    size_t n = 0;
    out[n++] = (uint8_t)(UT_PAYLOAD_VERSION << 5 | (unsigned)h->codec << 2 | (unsigned)h->band);
    n += ut_varint_put(out + n, h->total);
    if (first) {
        memset(out + n, 0, UT_SHA256_NBYTES);
        n += UT_SHA256_NBYTES;
    } else if (h->codec == UT_CODEC_OPUS) {
        n += ut_varint_put(out + n, h->next_packet);
        n += ut_varint_put(out + n, h->next_offset);
    }
    if (h->codec == UT_CODEC_SPECTRUM) {
        n += ut_varint_put(out + n, h->first_frame);
        n += ut_varint_put(out + n, h->nframes);
        out[n++] = h->quality;
    }
    return n;
}

/* Moves *at behind a number. */
static bool get_number(const uint8_t *p, size_t n, size_t *at, uint64_t *v)
{
    size_t m = ut_varint_get(p + *at, n - *at, v);
    *at += m;
    return m != 0;
}

static bool get_head(const uint8_t *p, size_t n, bool first, ut_payload_head *h)
{
    *h = (ut_payload_head){ 0 };
    if (!n || p[0] >> 5 != UT_PAYLOAD_VERSION) return false;
    h->codec = (ut_codec)(p[0] >> 2 & 7);
    h->band = (ut_bandwidth)(p[0] & 3);
    if (h->codec == UT_CODEC_OPUS ? h->band > UT_BAND_WIDE : h->band != 0) return false;
    if (h->codec < UT_CODEC_OPUS || h->codec > UT_CODEC_SPECTRUM) return false;
    size_t at = 1;
    if (!get_number(p, n, &at, &h->total)) return false;
    if (first) {
        if (n - at < UT_SHA256_NBYTES) return false;
        h->sha256 = p + at;
        at += UT_SHA256_NBYTES;
    } else if (h->codec == UT_CODEC_OPUS) {
        if (!get_number(p, n, &at, &h->next_packet) || !get_number(p, n, &at, &h->next_offset)) return false;
    }
    if (h->codec == UT_CODEC_SPECTRUM) {
        if (!get_number(p, n, &at, &h->first_frame) || !get_number(p, n, &at, &h->nframes) || at == n) return false;
        h->quality = p[at++];
    }
    h->nbytes = at;
    return true;
}

ut_status ut_payload_check_segment(size_t segment_nbytes, ut_err *e)
{
    if (segment_nbytes >= UT_PAYLOAD_MIN_SEGMENT) return UT_OK;
    return ut_fail(e, UT_E_USAGE, "a payload segment of %zu bytes is too short; the least is %d", segment_nbytes,
                   UT_PAYLOAD_MIN_SEGMENT);
}

ut_status ut_payload_check_audio(const ut_pcm *in, size_t segment_nbytes, ut_err *e)
{
    if (!in->nsamples) return ut_fail(e, UT_E_INPUT, "the recording is empty");
    if (in->rate_hz != UT_SPEECH_HZ)
        return ut_fail(e, UT_E_USAGE, "the recording has %u samples a second; %d are needed", in->rate_hz, UT_SPEECH_HZ);
    if (in->nsamples > UT_MAX_SAMPLES)
        return ut_fail(e, UT_E_INPUT, "the recording is longer than the limit, %d hours", UT_MAX_SECONDS / 3600);
    return ut_payload_check_segment(segment_nbytes, e);
}

size_t ut_payload_head_nbytes(const ut_payload_head *h, bool first)
{
    uint8_t head[UT_PAYLOAD_MAX_HEAD];
    return ut_payload_make_head(head, h, first);
}

ut_status ut_payload_put_head(ut_payload_writer *w, ut_err *e)
{
    uint8_t head[UT_PAYLOAD_MAX_HEAD];
    return ut_buf_append(w->out, head, ut_payload_make_head(head, &w->head, !w->out->len), e);
}

ut_status ut_payload_put(ut_payload_writer *w, const uint8_t *p, size_t n, ut_err *e)
{
    bool inside = false;
    while (n) {
        size_t used = w->out->len % w->segment_nbytes;
        if (!used) {
            w->head.next_packet = w->item + inside;
            w->head.next_offset = inside ? n : 0;
            ut_status s = ut_payload_put_head(w, e);
            if (s != UT_OK) return s;
            used = w->out->len % w->segment_nbytes;
        }
        inside = true;
        size_t m = w->segment_nbytes - used < n ? w->segment_nbytes - used : n;
        ut_status s = ut_buf_append(w->out, p, m, e);
        if (s != UT_OK) return s;
        p += m;
        n -= m;
    }
    w->item++;
    return UT_OK;
}

void ut_payload_set_sha256(ut_buf *payload, const uint8_t sha256[UT_SHA256_NBYTES])
{
    ut_payload_head h;
    if (!get_head(payload->data, payload->len, true, &h)) return;
    memcpy(payload->data + (h.sha256 - payload->data), sha256, UT_SHA256_NBYTES);
}

bool ut_payload_has(const ut_payload_view *v, size_t segment)
{
    return segment < v->nsegments && (!v->ok || v->ok[segment]);
}

static size_t segment_length(const ut_payload_view *v, size_t i)
{
    size_t rest = v->n - i * v->segment_nbytes;
    return rest < v->segment_nbytes ? rest : v->segment_nbytes;
}

ut_status ut_payload_view_init(ut_payload_view *v, const uint8_t *data, size_t n, size_t segment_nbytes,
                               const uint8_t *ok, ut_err *e)
{
    bool known = false;
    *v = (ut_payload_view){ .data = data, .n = n, .segment_nbytes = segment_nbytes, .ok = ok };
    if (!n) return ut_fail(e, UT_E_INPUT, "the message is empty");
    v->nsegments = (n - 1) / segment_nbytes + 1;
    for (size_t i = 0; i < v->nsegments; i++) {
        ut_payload_head h;
        if (!ut_payload_has(v, i)) {
            v->nlost++;
            continue;
        }
        if (!get_head(data + i * segment_nbytes, segment_length(v, i), i == 0, &h))
            return ut_fail(e, UT_E_INPUT,
                           "the message is none that this version understands (segment %zu); try a newer one", i);
        if (known && (h.codec != v->head.codec || h.band != v->head.band || h.total != v->head.total))
            return ut_fail(e, UT_E_INPUT, "the message contradicts itself in segment %zu; ask for it again", i);
        if (!known) v->head = h;
        known = true;
    }
    if (!known) return ut_fail(e, UT_E_INPUT, "no part of the message survived");
    return UT_OK;
}

void ut_payload_cursor_init(ut_payload_cursor *c, const ut_payload_view *v, size_t segment)
{
    const uint8_t *p = v->data + segment * v->segment_nbytes;
    *c = (ut_payload_cursor){ .v = v, .segment = segment, .end = p + segment_length(v, segment) };
    (void)get_head(p, segment_length(v, segment), segment == 0, &c->head); /* ut_payload_view_init checked it */
    c->at = p + c->head.nbytes;
}

size_t ut_payload_read(ut_payload_cursor *c, uint8_t *out, size_t n)
{
    size_t done = 0;
    while (done < n) {
        size_t m = (size_t)(c->end - c->at);
        if (!m) {
            if (!ut_payload_has(c->v, c->segment + 1)) break;
            ut_payload_cursor_init(c, c->v, c->segment + 1);
            continue;
        }
        if (m > n - done) m = n - done;
        if (out) memcpy(out + done, c->at, m);
        c->at += m;
        done += m;
    }
    return done;
}
