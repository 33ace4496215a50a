/* From what the user holds to four independent keys: Argon2id (RFC 9106) and HKDF-SHA-256 (RFC 5869).
 * Every parameter below is normative (spec/seal.md): changing one makes old pictures unreadable. */
#include "base/rng.h"
#include "stage/seal/seal.h"
#include <argon2.h>
#include <openssl/core_names.h>
#include <openssl/kdf.h>
#include <openssl/params.h>
#include <string.h>

enum { ARGON2_M_KIB = 64 * 1024, ARGON2_T = 3, ARGON2_P = 1 };

#define KEYFILE_MARK "undertone-key-1:"
enum { KEYFILE_MARK_NBYTES = sizeof KEYFILE_MARK - 1, KEYFILE_SECRET_NBYTES = 32 };

static const char public_secret[] = "undertone public key 1: hides, does not protect";

static ut_status hkdf(const uint8_t *secret, size_t nsecret, const uint8_t *salt, const char *info, uint8_t out[32],
                      ut_err *e)
{
    EVP_KDF *kdf = EVP_KDF_fetch(NULL, "HKDF", NULL);
    EVP_KDF_CTX *ctx = kdf ? EVP_KDF_CTX_new(kdf) : NULL;
    /* OpenSSL's parameters are not const, but it only reads them */
    OSSL_PARAM p[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, (char[]){ "SHA256" }, 0),
        OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_KEY, (void *)(uintptr_t)secret, nsecret),
        OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_SALT, (void *)(uintptr_t)salt, UT_SALT_NBYTES),
        OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_INFO, (void *)(uintptr_t)info, strlen(info)),
        OSSL_PARAM_construct_end(),
    };
    int ok = ctx && EVP_KDF_derive(ctx, out, 32, p) == 1;
    EVP_KDF_CTX_free(ctx);
    EVP_KDF_free(kdf);
    return ok ? UT_OK : ut_fail(e, UT_E_INTERNAL, "HKDF-SHA-256 is not available from OpenSSL");
}

static ut_status expand(const uint8_t *secret, size_t nsecret, const uint8_t *salt, ut_seal_keys *k, ut_err *e)
{
    const struct {
        const char *info;
        uint8_t *out;
    } want[] = { { "undertone 1 payload", k->payload },
                 { "undertone 1 header", k->header },
                 { "undertone 1 carrier", k->carrier },
                 { "undertone 1 dither", k->dither } };
    for (size_t i = 0; i < sizeof want / sizeof want[0]; i++) {
        ut_status s = hkdf(secret, nsecret, salt, want[i].info, want[i].out, e);
        if (s != UT_OK) return s;
    }
    return UT_OK;
}

static ut_status stretch(const ut_key *key, const uint8_t *salt, uint8_t secret[32], ut_err *e)
{
    if (!key->data || !key->nbytes) return ut_fail(e, UT_E_USAGE, "the passphrase is empty; give one of several words");
    if (key->nbytes > UT_KEYFILE_MAX_NBYTES)
        return ut_fail(e, UT_E_USAGE, "the passphrase is longer than %d bytes; use a key file instead",
                       UT_KEYFILE_MAX_NBYTES);
    int rc = argon2id_hash_raw(ARGON2_T, ARGON2_M_KIB, ARGON2_P, key->data, key->nbytes, salt, UT_SALT_NBYTES, secret,
                               32);
    if (rc == ARGON2_MEMORY_ALLOCATION_ERROR) return ut_fail_memory(e, (size_t)ARGON2_M_KIB * 1024);
    if (rc != ARGON2_OK) return ut_fail(e, UT_E_INTERNAL, "Argon2id failed: %s", argon2_error_message(rc));
    return UT_OK;
}

static int nibble(uint8_t c)
{
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

static ut_status parse_keyfile(const ut_key *key, uint8_t secret[KEYFILE_SECRET_NBYTES], ut_err *e)
{
    size_t n = key->data ? key->nbytes : 0;
    while (n && strchr(" \t\r\n", key->data[n - 1]) && key->data[n - 1]) n--;
    if (n <= UT_KEYFILE_MAX_NBYTES && n >= KEYFILE_MARK_NBYTES &&
        memcmp(key->data, KEYFILE_MARK, KEYFILE_MARK_NBYTES) != 0)
        return ut_fail(e, UT_E_KEY, "the key file does not begin with \"" KEYFILE_MARK "\"; make one with keygen");
    if (n != KEYFILE_MARK_NBYTES + 2 * KEYFILE_SECRET_NBYTES)
        return ut_fail(e, UT_E_KEY, "the key file is not one line of %d characters; it is cut short or no key file",
                       KEYFILE_MARK_NBYTES + 2 * KEYFILE_SECRET_NBYTES);
    const uint8_t *hex = key->data + KEYFILE_MARK_NBYTES;
    for (size_t i = 0; i < KEYFILE_SECRET_NBYTES; i++) {
        int hi = nibble(hex[2 * i]), lo = nibble(hex[2 * i + 1]);
        if (hi < 0 || lo < 0)
            return ut_fail(e, UT_E_KEY, "the key file holds a character that is no hexadecimal digit; get it again");
        secret[i] = (uint8_t)(hi << 4 | lo);
    }
    return UT_OK;
}

ut_status ut_seal_derive(const ut_key *key, const uint8_t salt[UT_SALT_NBYTES], ut_seal_keys *keys, ut_err *e)
{
    uint8_t secret[32] = { 0 };
    ut_status s;
    memset(keys, 0, sizeof *keys);
    switch (key->kind) {
    case UT_KEY_PUBLIC: s = expand((const uint8_t *)public_secret, sizeof public_secret - 1, salt, keys, e); break;
    case UT_KEY_PASSPHRASE:
        s = stretch(key, salt, secret, e);
        if (s == UT_OK) s = expand(secret, sizeof secret, salt, keys, e);
        break;
    case UT_KEY_FILE:
        s = parse_keyfile(key, secret, e);
        if (s == UT_OK) s = expand(secret, sizeof secret, salt, keys, e);
        break;
    default: s = ut_fail(e, UT_E_USAGE, "the kind of key, %d, is none of public, passphrase, key file", (int)key->kind);
    }
    ut_wipe(secret, sizeof secret);
    if (s != UT_OK) ut_seal_keys_wipe(keys);
    return s;
}

void ut_seal_keys_wipe(ut_seal_keys *keys)
{
    if (keys) ut_wipe(keys, sizeof *keys);
}

ut_status ut_seal_keygen(ut_buf *keyfile, ut_err *e)
{
    static const char digit[] = "0123456789abcdef";
    uint8_t secret[KEYFILE_SECRET_NBYTES], text[KEYFILE_MARK_NBYTES + 2 * KEYFILE_SECRET_NBYTES + 1];
    ut_status s = ut_random(secret, sizeof secret, e);
    keyfile->len = 0;
    if (s == UT_OK) {
        memcpy(text, KEYFILE_MARK, KEYFILE_MARK_NBYTES);
        for (size_t i = 0; i < sizeof secret; i++) {
            text[KEYFILE_MARK_NBYTES + 2 * i] = (uint8_t)digit[secret[i] >> 4];
            text[KEYFILE_MARK_NBYTES + 2 * i + 1] = (uint8_t)digit[secret[i] & 15];
        }
        text[sizeof text - 1] = '\n';
        s = ut_buf_append(keyfile, text, sizeof text, e);
    }
    ut_wipe(secret, sizeof secret);
    ut_wipe(text, sizeof text);
    return s;
}
