/* Any bytes as a key file, and as what a key file must never become: keys that differ from one call to the next. */
#include "stage/seal/seal.h"
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    static const uint8_t salt[UT_SALT_NBYTES] = { 1 }, zero[sizeof(ut_seal_keys)];
    static const char mark[] = "undertone-key-1:";
    uint8_t *copy = malloc(n + 128);
    if (!copy) return 0;
    for (int marked = 0; marked < 2; marked++) { /* also behind the mark, which chance hardly finds */
        size_t at = marked ? sizeof mark - 1 : 0;
        memcpy(copy, mark, at);
        if (n) memcpy(copy + at, data, n);
        uint8_t *exact = malloc(at + n ? at + n : 1); /* no byte to spare: a sanitizer sees the first one too many */
        if (!exact) break;
        memcpy(exact, copy, at + n);
        ut_key key = { UT_KEY_FILE, exact, at + n };
        ut_seal_keys k, again;
        ut_err e = { 0 };
        ut_status s = ut_seal_derive(&key, salt, &k, &e);
        if (s == UT_OK) {
            if (at + n < 80 || memcmp(exact, mark, sizeof mark - 1) || !memcmp(&k, zero, sizeof k)) abort();
            if (ut_seal_derive(&key, salt, &again, &e) != UT_OK || memcmp(&k, &again, sizeof k)) abort();
        } else if (s != UT_E_KEY || !e.text[0] || memcmp(&k, zero, sizeof k)) {
            abort();
        }
        free(exact);
    }
    free(copy);
    return 0;
}
