/* Stage seal / unseal: authenticated encryption.
 *
 * Salt (16 random bytes, sent in the clear) and key give a master secret: Argon2id (RFC 9106) for a passphrase, HKDF
 * (RFC 5869) for a key file or the public key; HKDF expands it into independent keys.  The payload is sealed in
 * segments by AES-256-GCM (NIST SP 800-38D) in the STREAM construction (Hoang, Reyhanitabar, Rogaway, Vizar 2015):
 * nonce = counter and last-segment flag, so that segments authenticate one by one and cannot be reordered, dropped at
 * the end or repeated.  What comes out is indistinguishable from random bytes without the key.
 */
#ifndef UT_STAGE_SEAL_H
#define UT_STAGE_SEAL_H
#include "base/buf.h"

#define UT_SALT_NBYTES 16
#define UT_SEGMENT_NBYTES 2048      /* plain bytes in a full segment */
#define UT_SEGMENT_TAG_NBYTES 16
#define UT_HEADER_NBYTES 24         /* plain bytes of the hide stage's header */
#define UT_HEADER_TAG_NBYTES 8
#define UT_KEYFILE_MAX_NBYTES 4096

typedef struct ut_seal_keys {
    uint8_t payload[32], header[32], carrier[32], dither[32]; /* wipe after use: ut_seal_keys_wipe */
} ut_seal_keys;

/* UT_E_USAGE: empty passphrase; UT_E_KEY: what is given as key file is not one. */
UT_MUST_CHECK ut_status ut_seal_derive(const ut_key *key, const uint8_t salt[UT_SALT_NBYTES], ut_seal_keys *keys,
                                       ut_err *e);
void ut_seal_keys_wipe(ut_seal_keys *keys);

size_t ut_sealed_nbytes(size_t plain_nbytes); /* what ut_seal makes of it; 0 bytes still make one segment */
/* Largest plain length whose sealed length is at most sealed_nbytes; SIZE_MAX if none. */
size_t ut_unsealed_nbytes(size_t sealed_nbytes);

UT_MUST_CHECK ut_status ut_seal(const ut_seal_keys *k, const uint8_t *plain, size_t n, ut_buf *sealed, ut_err *e);

typedef struct ut_unseal_result {
    size_t nsegments, nsegments_lost;
    uint8_t *segment_ok; /* [nsegments], owned by the caller: free() */
} ut_unseal_result;
/* plain: segments that fail are zero-filled.  UT_OK: all authentic; UT_E_DAMAGED: some; UT_E_KEY: none. */
UT_MUST_CHECK ut_status ut_unseal(const ut_seal_keys *k, const uint8_t *sealed, size_t n, ut_buf *plain,
                                  ut_unseal_result *r, ut_err *e);

/* The hide stage's header, one per message: AES-256-GCM, all-zero nonce under its own key, tag cut to 8 bytes. */
UT_MUST_CHECK ut_status ut_seal_header(const ut_seal_keys *k, const uint8_t plain[UT_HEADER_NBYTES],
                                       uint8_t sealed[UT_HEADER_NBYTES + UT_HEADER_TAG_NBYTES], ut_err *e);
bool ut_unseal_header(const ut_seal_keys *k, const uint8_t sealed[UT_HEADER_NBYTES + UT_HEADER_TAG_NBYTES],
                      uint8_t plain[UT_HEADER_NBYTES]);
/* The same of n plain bytes that open only by the `place` (the nonce's first byte, 0 above) that they were sealed for; sealed: [n + UT_HEADER_TAG_NBYTES]. */
UT_MUST_CHECK ut_status ut_seal_head(const ut_seal_keys *k, uint8_t place, const uint8_t *plain, size_t n, uint8_t *sealed, ut_err *e);
bool ut_unseal_head(const ut_seal_keys *k, uint8_t place, const uint8_t *sealed, size_t n, uint8_t *plain);

UT_MUST_CHECK ut_status ut_seal_keygen(ut_buf *keyfile, ut_err *e);
#endif
