/* A fuzz target for safetensors files: the mutated header may grow or shrink, so its length is written anew half of the time. */
#ifndef UT_TESTS_FUZZ_WEIGHTS_H
#define UT_TESTS_FUZZ_WEIGHTS_H
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

static void check(const uint8_t *data, size_t n); /* the target's */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    check(data, n);
    if (n < 10) return 0;
    size_t end = n; /* the header ends with the last "}}" */
    while (end > 10 && !(data[end - 1] == '}' && data[end - 2] == '}')) end--;
    uint8_t *copy = malloc(n);
    if (!copy) return 0;
    memcpy(copy, data, n);
    for (int i = 0; i < 8; i++) copy[i] = (uint8_t)((uint64_t)(end - 8) >> 8 * i);
    check(copy, n);
    free(copy);
    return 0;
}
#endif
