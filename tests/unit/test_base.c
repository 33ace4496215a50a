#include "base/parallel.h"
#include "base/picture.h"
#include "base/rng.h"
#include "check.h"

static void square(void *a, size_t i) { ((size_t *)a)[i] = i * i; }

int main(void)
{
    ut_err e = { 0 };
    ut_buf b = { 0 };
    for (int i = 0; i < 1000; i++) CHECK(ut_buf_append(&b, "0123456789", 10, &e) == UT_OK);
    CHECK(b.len == 10000 && b.data[9999] == 57);
    CHECK(ut_buf_resize(&b, 20000, &e) == UT_OK && b.data[19999] == 0);
    ut_buf_free(&b);
    ut_buf_free(&b);
    size_t v, sq[1000];
    CHECK(!ut_mul(SIZE_MAX, 2, &v) && !ut_add(SIZE_MAX, 1, &v) && ut_mul(3, 4, &v) && v == 12);
    ut_parallel(4, 1000, square, sq);
    for (size_t i = 0; i < 1000; i++) CHECK(sq[i] == i * i);
    ut_picture p;
    CHECK(ut_picture_alloc(&p, 60000, 60000, false, &e) == UT_E_INPUT);
    CHECK(ut_picture_alloc(&p, 0, 5, false, &e) == UT_E_INPUT);

    /* the key stream is AES-256-CTR: NIST CAVP AESECB zero-plaintext, all-zero key */
    static const uint8_t zero[32], want[16] = { 0xdc, 0x95, 0xc0, 0x78, 0xa2, 0x40, 0x89, 0x89,
                                                0xad, 0x48, 0xa2, 0x14, 0x92, 0x84, 0x20, 0x87 };
    uint8_t got[16];
    ut_stream *s = ut_stream_new(zero, 0, &e);
    CHECK(s != NULL);
    ut_stream_bytes(s, got, 16);
    CHECK(memcmp(got, want, 16) == 0);
    uint32_t a[500], seen[500] = { 0 };
    for (uint32_t i = 0; i < 500; i++) a[i] = i;
    ut_stream_shuffle(s, a, 500);
    for (uint32_t i = 0; i < 500; i++) seen[a[i]]++;
    for (uint32_t i = 0; i < 500; i++) CHECK(seen[i] == 1);
    ut_stream_free(s);
    return check_end();
}
