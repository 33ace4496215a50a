#include "base/rng.h"
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <stdlib.h>
#include <string.h>

struct ut_stream {
    EVP_CIPHER_CTX *ctx;
    size_t at; /* bytes used of buf */
    uint8_t buf[4096];
};

ut_status ut_random(void *p, size_t n, ut_err *e)
{
    if (n > INT32_MAX || RAND_bytes(p, (int)n) != 1)
        return ut_fail(e, UT_E_INTERNAL, "the system's random number generator failed");
    return UT_OK;
}

ut_stream *ut_stream_new(const uint8_t key[32], uint32_t domain, ut_err *e)
{
    uint8_t iv[16] = { 0 };
    ut_stream *s = ut_calloc(1, sizeof *s, e);
    if (!s) return NULL;
    ut_put32(iv, domain);
    s->ctx = EVP_CIPHER_CTX_new();
    if (!s->ctx || EVP_EncryptInit_ex(s->ctx, EVP_aes_256_ctr(), NULL, key, iv) != 1) {
        (void)ut_fail(e, UT_E_INTERNAL, "AES-256-CTR is not available from OpenSSL");
        ut_stream_free(s);
        return NULL;
    }
    s->at = sizeof s->buf;
    return s;
}

void ut_stream_free(ut_stream *s)
{
    if (!s) return;
    EVP_CIPHER_CTX_free(s->ctx);
    ut_wipe(s, sizeof *s);
    free(s);
}

static void refill(ut_stream *s)
{
    int n = 0;
    memset(s->buf, 0, sizeof s->buf);
    /* CTR keeps no padding state: in-place encryption of zeros gives the key stream; it cannot fail after init */
    if (EVP_EncryptUpdate(s->ctx, s->buf, &n, s->buf, (int)sizeof s->buf) != 1 || n != (int)sizeof s->buf) abort();
    s->at = 0;
}

void ut_stream_bytes(ut_stream *s, void *out, size_t n)
{
    uint8_t *p = out;
    while (n) {
        if (s->at == sizeof s->buf) refill(s);
        size_t m = sizeof s->buf - s->at;
        if (m > n) m = n;
        memcpy(p, s->buf + s->at, m);
        s->at += m;
        p += m;
        n -= m;
    }
}

uint32_t ut_stream_u32(ut_stream *s)
{
    uint8_t b[4];
    if (sizeof s->buf - s->at >= 4) {
        uint32_t v = ut_get32(s->buf + s->at);
        s->at += 4;
        return v;
    }
    ut_stream_bytes(s, b, 4);
    return ut_get32(b);
}

uint32_t ut_stream_below(ut_stream *s, uint32_t bound)
{
    return (uint32_t)(((uint64_t)ut_stream_u32(s) * bound) >> 32);
}

void ut_stream_shuffle(ut_stream *s, uint32_t *a, size_t n)
{
    for (size_t i = n; i-- > 1;) {
        uint32_t j = ut_stream_below(s, (uint32_t)(i + 1)), t = a[i];
        a[i] = a[j];
        a[j] = t;
    }
}
