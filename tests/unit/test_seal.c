#include "base/rng.h"
#include "check.h"
#include "stage/seal/seal.h"

static void round_trip(const ut_seal_keys *k, size_t n)
{
    ut_err e = { 0 };
    ut_buf sealed = { 0 }, plain = { 0 };
    ut_unseal_result r;
    uint8_t *data = malloc(n + 1);
    unsigned long long seed = 1 + n;
    CHECK(data != NULL);
    for (size_t i = 0; i < n; i++) data[i] = (uint8_t)check_rand(&seed);
    CHECK(ut_seal(k, data, n, &sealed, &e) == UT_OK);
    CHECK(sealed.len == ut_sealed_nbytes(n) && ut_unsealed_nbytes(sealed.len) == n);
    CHECK(ut_unseal(k, sealed.data, sealed.len, &plain, &r, &e) == UT_OK);
    CHECK(plain.len == n && (!n || memcmp(plain.data, data, n) == 0) && r.nsegments_lost == 0);
    free(r.segment_ok);
    ut_buf_free(&sealed);
    ut_buf_free(&plain);
    free(data);
}

int main(void)
{
    ut_err e = { 0 };
    uint8_t salt[16] = { 1, 2, 3 };
    ut_seal_keys k;
    ut_key key = { UT_KEY_PUBLIC, NULL, 0 };
    CHECK(ut_seal_derive(&key, salt, &k, &e) == UT_OK);
    static const size_t len[] = { 0, 1, 2047, 2048, 2049, 4096, 100000 };
    for (size_t i = 0; i < sizeof len / sizeof len[0]; i++) round_trip(&k, len[i]);
    return check_end();
}
