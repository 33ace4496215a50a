/* hide for channels that keep every pixel: the LSB mode. */
#include "pipeline/job.h"
#include "stage/hide/lsb.h"
#include <stdlib.h>

enum { RESERVED = UT_SALT_NBITS + UT_SEALED_HEADER_NBYTES * 8 };

size_t ut_lsb_job_capacity(uint32_t width, uint32_t height) { return ut_lsb_capacity(width, height, RESERVED); }

static uint8_t *bits_of(const uint8_t *bytes, size_t n, ut_err *e)
{
    uint8_t *b = ut_calloc(n * 8, 1, e);
    for (size_t i = 0; b && i < n * 8; i++) b[i] = bytes[i / 8] >> (i % 8) & 1;
    return b;
}

static ut_status write_all(ut_job *j, const ut_seal_keys *k, const uint8_t salt[UT_SALT_NBYTES], const ut_buf *sealed)
{
    ut_picture *p = &j->lossless;
    uint32_t place[RESERVED];
    uint8_t plain[UT_HEADER_NBYTES], box[UT_SEALED_HEADER_NBYTES], coin[32];
    ut_header h = { .mode = UT_MODE_LSB, .code_nbits = (uint32_t)(sealed->len * 8), .sealed_nbytes = (uint32_t)sealed->len,
                    .width = p->width, .height = p->height };
    ut_status s = ut_random(coin, sizeof coin, j->err);
    if (s != UT_OK) return s;
    ut_stream *header = ut_stream_new(k->carrier, UT_DOMAIN_HEADER, j->err);
    ut_stream *payload = ut_stream_new(k->carrier, UT_DOMAIN_PAYLOAD, j->err);
    ut_stream *signs = ut_stream_new(coin, UT_DOMAIN_SIGNS, j->err);
    ut_header_pack(&h, plain);
    s = ut_seal_header(k, plain, box, j->err);
    uint8_t *sb = bits_of(salt, UT_SALT_NBYTES, j->err), *hb = bits_of(box, sizeof box, j->err),
            *pb = bits_of(sealed->data, sealed->len, j->err);
    if (!header || !payload || !signs || !sb || !hb || !pb) s = s == UT_OK ? UT_E_MEMORY : s;
    if (s == UT_OK) s = ut_lsb_salt_places(place, p->width, p->height, j->err);
    if (s == UT_OK)
        s = ut_lsb_draw(place + UT_SALT_NBITS, RESERVED - UT_SALT_NBITS, p->width, p->height, header, place, UT_SALT_NBITS, j->err);
    if (s == UT_OK) {
        ut_lsb_write(p, place, sb, UT_SALT_NBITS, signs);
        ut_lsb_write(p, place + UT_SALT_NBITS, hb, RESERVED - UT_SALT_NBITS, signs);
        s = ut_lsb_forward(p, pb, sealed->len * 8, place, RESERVED, payload, signs, j->err);
    }
    free(sb);
    free(hb);
    free(pb);
    ut_stream_free(header);
    ut_stream_free(payload);
    ut_stream_free(signs);
    return s;
}

ut_status ut_hide_lsb(ut_job *j)
{
    const ut_seal_keys *k;
    uint8_t salt[UT_SALT_NBYTES];
    ut_buf sealed = { 0 };
    size_t room = ut_lsb_job_capacity(j->cover.width, j->cover.height), need = ut_sealed_nbytes(j->payload.len);
    if (need > room / 8)
        return ut_fail(j->err, UT_E_CAPACITY, "it does not fit: %zu bytes sealed, the photo takes %zu; use a larger photo",
                       need, room / 8);
    ut_status s = ut_random(salt, sizeof salt, j->err);
    if (s == UT_OK) s = ut_keyring_get(&j->ring, salt, &k, j->err);
    if (s == UT_OK) s = ut_seal(k, j->payload.data, j->payload.len, &sealed, j->err);
    ut_picture_free(&j->lossless);
    if (s == UT_OK) s = ut_picture_copy(&j->lossless, &j->cover, j->err);
    j->lossless.grey = false; /* the channels' low bits go different ways */
    if (s == UT_OK) s = write_all(j, k, salt, &sealed);
    j->rep->sealed_nbytes = sealed.len;
    j->rep->code_nbits = sealed.len * 8;
    j->rep->code_rate = 1;
    ut_buf_free(&sealed);
    return s;
}
