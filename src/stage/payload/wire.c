#include "stage/payload/wire.h"
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

ut_status ut_wire_put_varint(ut_buf *b, uint64_t v, ut_err *e)
{
    uint8_t out[10];
    size_t n = 0;
    do {
        out[n] = (uint8_t)((v & 127) | (v > 127 ? 128 : 0));
        v >>= 7;
        n++;
    } while (v);
    return ut_buf_append(b, out, n, e);
}

unsigned ut_wire_byte(ut_wire_reader *r)
{
    if (r->bad || r->p == r->end) {
        r->bad = true;
        return 0;
    }
    return *r->p++;
}

uint64_t ut_wire_varint(ut_wire_reader *r)
{
    uint64_t v = 0;
    for (unsigned shift = 0; shift < 63; shift += 7) {
        unsigned b = ut_wire_byte(r);
        if (r->bad) return 0;
        v |= (uint64_t)(b & 127) << shift;
        if (!(b & 128)) return v;
    }
    r->bad = true;
    return 0;
}

const uint8_t *ut_wire_bytes(ut_wire_reader *r, size_t n)
{
    if (r->bad || (size_t)(r->end - r->p) < n) {
        r->bad = true;
        return NULL;
    }
    r->p += n;
    return r->p - n;
}

size_t ut_wire_count(const ut_wire_segments *s) { return s->n / s->segment_nbytes + (s->n % s->segment_nbytes != 0); }

ut_wire_reader ut_wire_open(const ut_wire_segments *s, size_t i)
{
    size_t begin = i * s->segment_nbytes, end = begin + s->segment_nbytes;
    if (end > s->n) end = s->n;
    return (ut_wire_reader){ s->data + begin, s->data + end, false };
}

ut_status ut_wire_begin(ut_buf *b, ut_codec c, uint64_t count, bool with_sha, ut_err *e)
{
    static const uint8_t room[UT_WIRE_SHA_NBYTES];
    uint8_t first = ut_wire_first(c);
    ut_status s = ut_buf_append(b, &first, 1, e);
    if (s == UT_OK) s = ut_wire_put_varint(b, count, e);
    if (s == UT_OK && with_sha) s = ut_buf_append(b, room, sizeof room, e);
    return s;
}

bool ut_wire_begin_read(ut_wire_reader *r, ut_codec c, size_t segment, uint64_t *count, ut_wire_decoded *d)
{
    if (ut_wire_byte(r) != ut_wire_first(c)) return false;
    *count = ut_wire_varint(r);
    if (segment == 0) {
        const uint8_t *sha = ut_wire_bytes(r, UT_WIRE_SHA_NBYTES);
        if (sha) memcpy(d->sha, sha, UT_WIRE_SHA_NBYTES), d->sha_known = true;
    }
    return !r->bad;
}

void ut_sha256(const void *p, size_t n, uint8_t out[32])
{
    unsigned len = 32;
    if (EVP_Digest(p, n, out, &len, EVP_sha256(), NULL) != 1) abort(); /* OpenSSL without SHA-256 does not exist */
}

void ut_sha256_pcm(const ut_pcm *pcm, uint8_t out[32])
{
    EVP_MD_CTX *c = EVP_MD_CTX_new();
    if (!c || EVP_DigestInit_ex(c, EVP_sha256(), NULL) != 1) abort();
    uint8_t buf[4096];
    for (size_t i = 0; i < pcm->nsamples;) {
        size_t n = 0;
        for (; n < sizeof buf / 2 && i < pcm->nsamples; n++, i++) ut_put16(buf + 2 * n, (uint16_t)pcm->sample[i]);
        EVP_DigestUpdate(c, buf, 2 * n);
    }
    unsigned len = 32;
    EVP_DigestFinal_ex(c, out, &len);
    EVP_MD_CTX_free(c);
}

ut_status ut_wire_corrupt(ut_err *e)
{
    return ut_fail(e, UT_E_INPUT, "the hidden payload makes no sense; it was made by another version or on purpose");
}
