#include "base/rng.h"
#include "check.h"
#include "stage/seal/seal.h"
#include <argon2.h>
#include <openssl/evp.h>

enum { FULL = UT_SEGMENT_NBYTES + UT_SEGMENT_TAG_NBYTES };

static size_t unhex(const char *text, uint8_t *out, size_t cap)
{
    size_t n = 0;
    unsigned v;
    if (strcmp(text, "-") == 0) return 0;
    for (; text[2 * n] && n < cap && sscanf(text + 2 * n, "%2x", &v) == 1; n++) out[n] = (uint8_t)v;
    CHECK(text[2 * n] == 0, "not hex: %s", text);
    return n;
}

static ut_key key_of(const char *kind, const char *hex, uint8_t *room, size_t cap)
{
    size_t n = unhex(hex, room, cap);
    return (ut_key){ strcmp(kind, "public") == 0 ? UT_KEY_PUBLIC : strcmp(kind, "file") == 0 ? UT_KEY_FILE
                                                                                             : UT_KEY_PASSPHRASE,
                     room, n };
}

static uint8_t *plain_of(size_t n)
{
    uint8_t *p = malloc(n + 1);
    CHECK(p != NULL);
    for (size_t i = 0; i < n; i++) p[i] = (uint8_t)(7 * i + i / 256);
    return p;
}

/* The ways to spoil a message that tools/gen_seal_vectors.py names. */
static void spoil(ut_buf *b, char *ops)
{
    uint8_t t[FULL];
    size_t i, j;
    for (char *op = strtok(ops, ","); op; op = strtok(NULL, ",")) {
        if (sscanf(op, "flip:%zu:%zu", &i, &j) == 2) b->data[i] ^= (uint8_t)(1u << j);
        else if (sscanf(op, "cut:%zu", &i) == 1) b->len -= i;
        else if (sscanf(op, "swap:%zu:%zu", &i, &j) == 2) {
            memcpy(t, b->data + i * FULL, FULL);
            memcpy(b->data + i * FULL, b->data + j * FULL, FULL);
            memcpy(b->data + j * FULL, t, FULL);
        } else if (sscanf(op, "copy:%zu:%zu", &i, &j) == 2) memcpy(b->data + j * FULL, b->data + i * FULL, FULL);
        else if (sscanf(op, "zero:%zu", &i) == 1) memset(b->data + i * FULL, 0, FULL);
        else if (strcmp(op, "droplast") == 0) b->len = (b->len - 1) / FULL * FULL;
        else CHECK(strcmp(op, "-") == 0, "unknown: %s", op);
    }
}

static void vector_unseal(const ut_seal_keys *k, size_t n, int status, size_t lost, char *ops)
{
    ut_err e = { 0 };
    ut_buf sealed = { 0 }, plain = { 0 };
    ut_unseal_result r;
    char name[256];
    uint8_t *want = plain_of(n);
    snprintf(name, sizeof name, "%zu bytes, %s", n, ops);
    CHECK(ut_seal(k, want, n, &sealed, &e) == UT_OK && sealed.len == ut_sealed_nbytes(n));
    spoil(&sealed, ops);
    ut_status s = ut_unseal(k, sealed.data, sealed.len, &plain, &r, &e);
    CHECK((int)s == status && r.nsegments_lost == lost, "%s: status %d, %zu lost", name, s, r.nsegments_lost);
    CHECK(s != UT_OK || (plain.len == n && (!n || memcmp(plain.data, want, n) == 0)), "%s", name);
    for (size_t i = 0; s == UT_E_DAMAGED && i < plain.len; i++) { /* what is called good is good, the rest is zero */
        uint8_t right = r.segment_ok[i / UT_SEGMENT_NBYTES] ? want[i] : 0;
        if (plain.data[i] != right) CHECK(false, "%s: byte %zu", name, i);
    }
    CHECK(s != UT_E_KEY || plain.len == 0);
    free(r.segment_ok);
    free(want);
    ut_buf_free(&sealed);
    ut_buf_free(&plain);
}

static void vector_seal(const ut_seal_keys *k, size_t n, const char *sha256)
{
    ut_buf sealed = { 0 };
    uint8_t want[32], got[32], *plain = plain_of(n);
    CHECK(unhex(sha256, want, 32) == 32);
    CHECK(ut_seal(k, plain, n, &sealed, NULL) == UT_OK);
    CHECK(EVP_Digest(sealed.data, sealed.len, got, NULL, EVP_sha256(), NULL) == 1);
    CHECK(memcmp(got, want, 32) == 0, "%zu bytes", n);
    ut_buf_free(&sealed);
    free(plain);
}

static void vector_wrongkey(const ut_seal_keys *right, const ut_seal_keys *wrong, size_t n)
{
    ut_buf sealed = { 0 }, plain = { 0 };
    ut_unseal_result r;
    uint8_t *data = plain_of(n);
    CHECK(ut_seal(right, data, n, &sealed, NULL) == UT_OK);
    CHECK(ut_unseal(wrong, sealed.data, sealed.len, &plain, &r, NULL) == UT_E_KEY && plain.len == 0);
    CHECK(r.nsegments == 3 && r.nsegments_lost == 3);
    for (size_t i = 0; plain.data && i < n; i++) CHECK(plain.data[i] == 0);
    free(r.segment_ok);
    ut_buf_free(&sealed);
    ut_buf_free(&plain);
    free(data);
}

static void vector_header(const ut_seal_keys *k, const char *plain_hex, const char *sealed_hex)
{
    uint8_t plain[24], sealed[32], want[24] = { 0 }, made[32];
    bool bad = strcmp(plain_hex, "bad") == 0;
    CHECK(unhex(sealed_hex, sealed, 32) == 32);
    if (!bad) {
        CHECK(unhex(plain_hex, want, 24) == 24);
        CHECK(ut_seal_header(k, want, made, NULL) == UT_OK && memcmp(made, sealed, 32) == 0);
    }
    memset(plain, 1, sizeof plain);
    CHECK(ut_unseal_header(k, sealed, plain) == !bad && memcmp(plain, want, 24) == 0);
}

static void vector_keys(const char *kind, const char *key_hex, const char *salt_hex, char hex[4][80])
{
    static uint8_t room[8192];
    uint8_t salt[16], want[128];
    ut_seal_keys k;
    ut_err e = { 0 };
    ut_key key = key_of(kind, key_hex, room, sizeof room);
    CHECK(unhex(salt_hex, salt, 16) == 16);
    for (int i = 0; i < 4; i++) CHECK(unhex(hex[i], want + 32 * i, 32) == 32);
    CHECK(ut_seal_derive(&key, salt, &k, &e) == UT_OK, "%s", e.text);
    CHECK(memcmp(k.payload, want, 32) == 0 && memcmp(k.header, want + 32, 32) == 0 &&
          memcmp(k.carrier, want + 64, 32) == 0 && memcmp(k.dither, want + 96, 32) == 0, "%s %s", kind, key_hex);
}

static void vector_badkey(const char *kind, const char *key_hex, int status)
{
    static uint8_t room[8192];
    static const uint8_t salt[16], zero[sizeof(ut_seal_keys)];
    ut_seal_keys k;
    ut_err e = { 0 };
    ut_key key = key_of(kind, key_hex, room, sizeof room);
    memset(&k, 1, sizeof k);
    ut_status s = ut_seal_derive(&key, salt, &k, &e);
    CHECK((int)s == status && e.status == s && e.text[0], "%s %.60s: %d", kind, key_hex, s);
    CHECK(memcmp(&k, zero, sizeof k) == 0);
}

static void vectors(void)
{
    static char line[20000], a[20000], b[200], c[200], ops[200], hex[4][80];
    size_t n, lost, rows = 0;
    int status;
    char path[512];
    ut_seal_keys k = { 0 }, wrong = { 0 };
    snprintf(path, sizeof path, "%s/vectors/seal/seal.txt", UT_TEST_DIR);
    FILE *f = fopen(path, "r");
    CHECK(f != NULL, "%s", path);
    while (f && fgets(line, sizeof line, f)) {
        rows++;
        if (sscanf(line, "keys %199s %19999s %199s %79s %79s %79s %79s", b, a, c, hex[0], hex[1], hex[2], hex[3]) == 7)
            vector_keys(b, a, c, hex);
        else if (sscanf(line, "badkey %199s %19999s %d", b, a, &status) == 3) vector_badkey(b, a, status);
        else if (sscanf(line, "seal %199s %zu %199s", b, &n, c) == 3 && unhex(b, k.payload, 32) == 32)
            vector_seal(&k, n, c);
        else if (sscanf(line, "unseal %199s %zu %d %zu %199s", b, &n, &status, &lost, ops) == 5 &&
                 unhex(b, k.payload, 32) == 32)
            vector_unseal(&k, n, status, lost, ops);
        else if (sscanf(line, "wrongkey %199s %199s %zu", b, c, &n) == 3 && unhex(b, k.payload, 32) == 32 &&
                 unhex(c, wrong.payload, 32) == 32)
            vector_wrongkey(&k, &wrong, n);
        else if (sscanf(line, "header %199s %199s %199s", b, a, c) == 3 && unhex(b, k.header, 32) == 32)
            vector_header(&k, a, c);
        else CHECK(false, "a line that is not understood: %s", line);
    }
    CHECK(rows == 71, "%zu vectors", rows);
    if (f) fclose(f);
}

/* RFC 9106, section 5.3 */
static void rfc9106(void)
{
    static const uint8_t want[32] = { 0x0d, 0x64, 0x0d, 0xf5, 0x8d, 0x78, 0x76, 0x6c, 0x08, 0xc0, 0x37,
                                      0xa3, 0x4a, 0x8b, 0x53, 0xc9, 0xd0, 0x1e, 0xf0, 0x45, 0x2d, 0x75,
                                      0xb6, 0x5e, 0xb5, 0x25, 0x20, 0xe9, 0x6b, 0x01, 0xe6, 0x59 };
    uint8_t out[32], pwd[32], salt[16], secret[8], ad[12];
    memset(pwd, 1, sizeof pwd);
    memset(salt, 2, sizeof salt);
    memset(secret, 3, sizeof secret);
    memset(ad, 4, sizeof ad);
    argon2_context c = { .out = out, .outlen = 32, .pwd = pwd, .pwdlen = 32, .salt = salt, .saltlen = 16,
                         .secret = secret, .secretlen = 8, .ad = ad, .adlen = 12, .t_cost = 3, .m_cost = 32,
                         .lanes = 4, .threads = 1, .version = ARGON2_VERSION_13 };
    CHECK(argon2id_ctx(&c) == ARGON2_OK && memcmp(out, want, 32) == 0);
}

static void keygen(void)
{
    ut_buf a = { 0 }, b = { 0 };
    ut_seal_keys ka, kb;
    static const uint8_t salt[16];
    CHECK(ut_seal_keygen(&a, NULL) == UT_OK && ut_seal_keygen(&b, NULL) == UT_OK);
    CHECK(a.len == 81 && b.len == 81 && memcmp(a.data, b.data, 81) != 0 && a.data[80] == '\n');
    ut_key x = { UT_KEY_FILE, a.data, a.len }, y = { UT_KEY_FILE, b.data, b.len };
    CHECK(ut_seal_derive(&x, salt, &ka, NULL) == UT_OK && ut_seal_derive(&y, salt, &kb, NULL) == UT_OK);
    CHECK(memcmp(ka.payload, kb.payload, 32) != 0);
    CHECK(memcmp(ka.payload, ka.header, 32) != 0 && memcmp(ka.carrier, ka.dither, 32) != 0);
    x.kind = (ut_key_kind)7;
    CHECK(ut_seal_derive(&x, salt, &ka, NULL) == UT_E_USAGE);
    ut_buf_free(&a);
    ut_buf_free(&b);
}

static void lengths(void)
{
    CHECK(ut_sealed_nbytes(0) == 16 && ut_sealed_nbytes(1) == 17 && ut_sealed_nbytes(2048) == 2064 &&
          ut_sealed_nbytes(2049) == 2081);
    CHECK(ut_sealed_nbytes(SIZE_MAX) == SIZE_MAX && ut_sealed_nbytes(SIZE_MAX - 100) == SIZE_MAX);
    CHECK(ut_unsealed_nbytes(15) == SIZE_MAX && ut_unsealed_nbytes(16) == 0 && ut_unsealed_nbytes(2064 + 16) == 2048);
    size_t plain = 0; /* the largest plain length that fits, by its definition */
    for (size_t sealed = 16; sealed < 7000; sealed++) {
        while (ut_sealed_nbytes(plain + 1) <= sealed) plain++;
        CHECK(ut_unsealed_nbytes(sealed) == plain, "%zu", sealed);
    }
    CHECK(ut_sealed_nbytes((size_t)5 << 30) == ((size_t)5 << 30) + ((size_t)5 << 19) * 16);
    CHECK(ut_unsealed_nbytes(ut_sealed_nbytes(((size_t)5 << 30) + 77)) == ((size_t)5 << 30) + 77);
    ut_buf b = { 0 };
    ut_unseal_result r;
    ut_seal_keys k = { 0 };
    uint8_t few[15] = { 0 };
    ut_err e = { 0 };
    CHECK(ut_unseal(&k, few, 15, &b, &r, &e) == UT_E_INPUT && !r.segment_ok && r.nsegments == 0);
    CHECK(ut_seal(&k, few, SIZE_MAX, &b, &e) == UT_E_USAGE);
    ut_buf_free(&b);
}

int main(void)
{
    vectors();
    rfc9106();
    keygen();
    lengths();
    return check_end();
}
