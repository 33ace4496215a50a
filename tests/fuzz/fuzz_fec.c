/* Error correction fed with arbitrary plans and ratios: byte 0 the kind, 1 the step, 2 and 3 the length, then ratios,
 * repeated to the length that the plan wants. */
#include "stage/fec/fec.h"
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    ut_fec_plan p;
    ut_fec_result r;
    ut_err e;
    if (size < 5) return 0;
    ut_fec_kind kind = (ut_fec_kind)(data[0] % 8);
    size_t nbytes = ut_get16(data + 2) % 3000;
    if (ut_fec_plan_init(&p, kind, data[1] % 32, nbytes, &e) != UT_OK) return 0;
    int8_t *llr = malloc(p.code_nbits);
    uint8_t *out = malloc(nbytes), *ok = malloc(p.nblocks), *bits = malloc(p.code_nbits);
    if (llr && out && ok && bits) {
        for (size_t i = 0; i < p.code_nbits; i++) llr[i] = (int8_t)data[4 + i % (size - 4)];
        ut_status s = ut_fec_decode(&p, llr, out, ok, &r, 1, &e);
        size_t lost = 0;
        for (size_t b = 0; b < p.nblocks; b++) lost += !ok[b];
        if ((s != UT_OK && s != UT_E_DAMAGED && s != UT_E_MEMORY) || (s == UT_OK) != (lost == 0)) abort();
        /* what was decoded can be encoded */
        if (s == UT_OK && ut_fec_encode(&p, out, bits, 1, &e) != UT_OK) abort();
    }
    free(llr);
    free(out);
    free(ok);
    free(bits);
    return 0;
}
