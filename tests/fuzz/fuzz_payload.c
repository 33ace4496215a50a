/* A payload of foreign bytes.  Byte 0 chooses the segment length, byte 1 which segments are lost; the rest is the
 * payload. */
#include "stage/payload/payload.h"
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    ut_err e = { 0 };
    ut_payload_out out;
    if (n < 2) return 0;
    size_t segment = 60 + (size_t)data[0] * 9, count = (n - 2) / segment + 1;
    uint8_t *ok = malloc(count), *exact_size = malloc(n - 2 ? n - 2 : 1);
    if (!ok || !exact_size) abort();
    for (size_t i = 0; i < count; i++) ok[i] = !(data[1] >> (i % 8) & 1);
    memcpy(exact_size, data + 2, n - 2);
    ut_status s = ut_payload_decode(exact_size, n - 2, segment, data[1] ? ok : NULL, &out, &e);
    if ((s == UT_OK) != out.exact) abort();
    if (s != UT_OK && s != UT_E_DAMAGED && (out.pcm.sample || out.raw.data)) abort();
    if (s == UT_OK && data[1] == 0 && out.lost_s > 0) abort();
    ut_payload_out_free(&out);
    free(exact_size);
    free(ok);
    return 0;
}
