/* Any bytes as they are. */
#include "stage/payload/payload_internal.h"

ut_status ut_payload_encode_raw(const uint8_t *data, size_t n, size_t segment_nbytes, ut_buf *payload,
                                ut_payload_info *info, ut_err *e)
{
    ut_payload_writer w = { payload, segment_nbytes, { .codec = UT_CODEC_RAW, .total = n }, 0 };
    *info = (ut_payload_info){ .codec = UT_CODEC_RAW };
    payload->len = 0;
    ut_status s = ut_payload_check_segment(segment_nbytes, e);
    if (s != UT_OK) return s;
    if ((uint64_t)n > (uint64_t)1 << 30) return ut_fail(e, UT_E_INPUT, "%zu bytes are more than the limit, 1 GiB", n);
    s = n ? ut_payload_put(&w, data, n, e) : ut_payload_put_head(&w, e);
    if (s == UT_OK) s = ut_sha256_bytes(data, n, info->sha256, e);
    if (s == UT_OK) ut_payload_set_sha256(payload, info->sha256);
    if (s != UT_OK) payload->len = 0;
    return s;
}

/* Bytes of the file in segment i, which may be lost: all heads but the first are alike. */
static size_t raw_nbytes(const ut_payload_view *v, size_t i)
{
    size_t at = i * v->segment_nbytes, all = v->n - at < v->segment_nbytes ? v->n - at : v->segment_nbytes;
    size_t head = ut_payload_head_nbytes(&v->head, i == 0);
    return all < head ? 0 : all - head;
}

ut_status ut_payload_decode_raw(const ut_payload_view *v, ut_payload_out *out, ut_err *e)
{
    size_t at = 0;
    if (v->head.total > v->n) return ut_fail(e, UT_E_INPUT, "the message claims more bytes than it has; it is corrupt");
    ut_status s = ut_buf_resize(&out->raw, (size_t)v->head.total, e);
    if (s != UT_OK) return s;
    for (size_t i = 0; i < v->nsegments; i++) {
        size_t room = raw_nbytes(v, i);
        if (room > out->raw.len - at) return ut_fail(e, UT_E_INPUT, "the message has more bytes than it claims");
        if (room && ut_payload_has(v, i)) {
            ut_payload_cursor c;
            ut_payload_cursor_init(&c, v, i);
            if (ut_payload_read(&c, out->raw.data + at, room) != room) return ut_fail(e, UT_E_INTERNAL, "short segment");
        }
        at += room;
    }
    if (at != out->raw.len) return ut_fail(e, UT_E_INPUT, "the message is truncated");
    return UT_OK;
}
