/* AES-256-GCM in segments (STREAM) and the short header.  Layout: spec/seal.md. */
#include "stage/seal/seal.h"
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

enum { NONCE_NBYTES = 12, SEALED_SEGMENT_NBYTES = UT_SEGMENT_NBYTES + UT_SEGMENT_TAG_NBYTES };
#define MAX_SEGMENTS ((uint64_t)1 << 32) /* the counter in the nonce has 32 bits */

/* One cipher context, keyed once, takes a new nonce for every segment. */
static EVP_CIPHER_CTX *gcm_new(const uint8_t key[32], int encrypt, ut_err *e)
{
    EVP_CIPHER_CTX *c = EVP_CIPHER_CTX_new();
    if (c && EVP_CipherInit_ex(c, EVP_aes_256_gcm(), NULL, key, NULL, encrypt) == 1) return c;
    EVP_CIPHER_CTX_free(c);
    (void)ut_fail(e, UT_E_INTERNAL, "AES-256-GCM is not available from OpenSSL");
    return NULL;
}

/* out: n bytes, then ntag bytes */
static bool gcm_seal(EVP_CIPHER_CTX *c, const uint8_t nonce[NONCE_NBYTES], const uint8_t *in, size_t n, uint8_t *out,
                     size_t ntag)
{
    int m = 0, rest = 0;
    return EVP_EncryptInit_ex(c, NULL, NULL, NULL, nonce) == 1 &&
           (!n || EVP_EncryptUpdate(c, out, &m, in, (int)n) == 1) && m == (int)n &&
           EVP_EncryptFinal_ex(c, out + n, &rest) == 1 && rest == 0 &&
           EVP_CIPHER_CTX_ctrl(c, EVP_CTRL_AEAD_GET_TAG, (int)ntag, out + n) == 1;
}

/* in: n bytes, then ntag bytes.  out is zero where the tag does not agree. */
static bool gcm_open(EVP_CIPHER_CTX *c, const uint8_t nonce[NONCE_NBYTES], const uint8_t *in, size_t n, uint8_t *out,
                     size_t ntag)
{
    uint8_t tag[UT_SEGMENT_TAG_NBYTES], none[16];
    int m = 0, rest = 0;
    memcpy(tag, in + n, ntag);
    bool ok = EVP_DecryptInit_ex(c, NULL, NULL, NULL, nonce) == 1 &&
              EVP_CIPHER_CTX_ctrl(c, EVP_CTRL_AEAD_SET_TAG, (int)ntag, tag) == 1 &&
              (!n || EVP_DecryptUpdate(c, out, &m, in, (int)n) == 1) && m == (int)n &&
              EVP_DecryptFinal_ex(c, none, &rest) == 1;
    if (!ok) ut_wipe(out, n);
    return ok;
}

static void segment_nonce(uint8_t nonce[NONCE_NBYTES], size_t i, bool last)
{
    memset(nonce, 0, NONCE_NBYTES);
    for (int k = 0; k < 4; k++) nonce[7 + k] = (uint8_t)(i >> (24 - 8 * k));
    nonce[11] = last;
}

size_t ut_sealed_nbytes(size_t plain_nbytes)
{
    size_t segments = plain_nbytes ? (plain_nbytes - 1) / UT_SEGMENT_NBYTES + 1 : 1;
    size_t tags, all;
    if (!ut_mul(segments, UT_SEGMENT_TAG_NBYTES, &tags) || !ut_add(plain_nbytes, tags, &all)) return SIZE_MAX;
    return all;
}

size_t ut_unsealed_nbytes(size_t sealed_nbytes)
{
    size_t full = sealed_nbytes / SEALED_SEGMENT_NBYTES, rest = sealed_nbytes % SEALED_SEGMENT_NBYTES;
    if (sealed_nbytes < UT_SEGMENT_TAG_NBYTES) return SIZE_MAX;
    return full * UT_SEGMENT_NBYTES + (rest > UT_SEGMENT_TAG_NBYTES ? rest - UT_SEGMENT_TAG_NBYTES : 0);
}

ut_status ut_seal(const ut_seal_keys *k, const uint8_t *plain, size_t n, ut_buf *sealed, ut_err *e)
{
    size_t total = ut_sealed_nbytes(n), segments = n ? (n - 1) / UT_SEGMENT_NBYTES + 1 : 1;
    sealed->len = 0;
    if (total == SIZE_MAX || segments > MAX_SEGMENTS)
        return ut_fail(e, UT_E_USAGE, "%zu bytes are too many to seal in one message", n);
    ut_status s = ut_buf_resize(sealed, total, e);
    if (s != UT_OK) return s;
    EVP_CIPHER_CTX *c = gcm_new(k->payload, 1, e);
    if (!c) {
        sealed->len = 0;
        return UT_E_INTERNAL;
    }
    for (size_t i = 0; i < segments && s == UT_OK; i++) {
        uint8_t nonce[NONCE_NBYTES];
        size_t at = i * UT_SEGMENT_NBYTES, m = n - at < UT_SEGMENT_NBYTES ? n - at : UT_SEGMENT_NBYTES;
        segment_nonce(nonce, i, i + 1 == segments);
        if (!gcm_seal(c, nonce, m ? plain + at : NULL, m, sealed->data + i * SEALED_SEGMENT_NBYTES,
                      UT_SEGMENT_TAG_NBYTES))
            s = ut_fail(e, UT_E_INTERNAL, "AES-256-GCM failed in OpenSSL");
    }
    EVP_CIPHER_CTX_free(c);
    if (s != UT_OK) sealed->len = 0;
    return s;
}

/* Opens what is there; a tail too short for a segment counts as a lost one. */
static ut_status open_segments(const ut_seal_keys *k, const uint8_t *sealed, size_t n, uint8_t *plain,
                               ut_unseal_result *r, ut_err *e)
{
    EVP_CIPHER_CTX *c = gcm_new(k->payload, 0, e);
    if (!c) return UT_E_INTERNAL;
    for (size_t i = 0; i < r->nsegments; i++) {
        uint8_t nonce[NONCE_NBYTES];
        bool last = i + 1 == r->nsegments;
        size_t at = i * SEALED_SEGMENT_NBYTES, m = last ? n - at : SEALED_SEGMENT_NBYTES;
        segment_nonce(nonce, i, last);
        if (m >= UT_SEGMENT_TAG_NBYTES && gcm_open(c, nonce, sealed + at, m - UT_SEGMENT_TAG_NBYTES,
                                                   plain + i * UT_SEGMENT_NBYTES, UT_SEGMENT_TAG_NBYTES))
            r->segment_ok[i] = 1;
        else
            r->nsegments_lost++;
    }
    EVP_CIPHER_CTX_free(c);
    return UT_OK;
}

ut_status ut_unseal(const ut_seal_keys *k, const uint8_t *sealed, size_t n, ut_buf *plain, ut_unseal_result *r,
                    ut_err *e)
{
    *r = (ut_unseal_result){ 0 };
    plain->len = 0;
    if (n < UT_SEGMENT_TAG_NBYTES) return ut_fail(e, UT_E_INPUT, "%zu bytes are too few for a sealed message", n);
    size_t segments = (n - 1) / SEALED_SEGMENT_NBYTES + 1;
    if (segments > MAX_SEGMENTS) return ut_fail(e, UT_E_INPUT, "%zu bytes are too many for a sealed message", n);
    ut_status s = ut_buf_reserve(plain, ut_unsealed_nbytes(n) + 1, e); /* an empty message has an address, too */
    if (s == UT_OK) s = ut_buf_resize(plain, ut_unsealed_nbytes(n), e);
    if (s != UT_OK) return s;
    r->nsegments = segments;
    r->segment_ok = ut_calloc(segments, 1, e);
    s = r->segment_ok ? open_segments(k, sealed, n, plain->data, r, e) : UT_E_MEMORY;
    if (s == UT_OK && r->nsegments_lost == segments)
        s = ut_fail(e, UT_E_KEY, "the message cannot be opened: the key is wrong, or nothing of the message survived");
    else if (s == UT_OK && r->nsegments_lost)
        return ut_fail(e, UT_E_DAMAGED, "%zu of the message's %zu segments are damaged", r->nsegments_lost, segments);
    if (s != UT_OK) plain->len = 0;
    return s;
}

/* All zero but for its first byte. */
ut_status ut_seal_head(const ut_seal_keys *k, uint8_t place, const uint8_t *plain, size_t n, uint8_t *sealed, ut_err *e)
{
    const uint8_t nonce[NONCE_NBYTES] = { place };
    EVP_CIPHER_CTX *c = gcm_new(k->header, 1, e);
    if (!c) return UT_E_INTERNAL;
    bool ok = gcm_seal(c, nonce, plain, n, sealed, UT_HEADER_TAG_NBYTES);
    EVP_CIPHER_CTX_free(c);
    return ok ? UT_OK : ut_fail(e, UT_E_INTERNAL, "AES-256-GCM failed in OpenSSL");
}

bool ut_unseal_head(const ut_seal_keys *k, uint8_t place, const uint8_t *sealed, size_t n, uint8_t *plain)
{
    const uint8_t nonce[NONCE_NBYTES] = { place };
    EVP_CIPHER_CTX *c = gcm_new(k->header, 0, NULL);
    ut_wipe(plain, n);
    bool ok = c && gcm_open(c, nonce, sealed, n, plain, UT_HEADER_TAG_NBYTES);
    EVP_CIPHER_CTX_free(c);
    return ok;
}

ut_status ut_seal_header(const ut_seal_keys *k, const uint8_t plain[UT_HEADER_NBYTES],
                         uint8_t sealed[UT_HEADER_NBYTES + UT_HEADER_TAG_NBYTES], ut_err *e)
{
    return ut_seal_head(k, 0, plain, UT_HEADER_NBYTES, sealed, e);
}

bool ut_unseal_header(const ut_seal_keys *k, const uint8_t sealed[UT_HEADER_NBYTES + UT_HEADER_TAG_NBYTES],
                      uint8_t plain[UT_HEADER_NBYTES])
{
    return ut_unseal_head(k, 0, sealed, UT_HEADER_NBYTES, plain);
}
