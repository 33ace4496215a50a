#include "stage/fec/gf.h"
#include <stdlib.h>

uint32_t ut_gf_poly(unsigned m)
{
    static const uint32_t poly[UT_GF_MAX_M + 1] = { 0,     0,     0,     0xb,    0x13,   0x25,   0x43,   0x83,   0x11d,
                                                    0x211, 0x409, 0x805, 0x1053, 0x201b, 0x402b, 0x8003, 0x1002d };
    return m <= UT_GF_MAX_M ? poly[m] : 0;
}

ut_status ut_gf_init(ut_gf *f, unsigned m, ut_err *e)
{
    uint32_t poly = ut_gf_poly(m), x = 1;
    *f = (ut_gf){ 0 };
    if (!poly) return ut_fail(e, UT_E_INTERNAL, "no field of 2^%u elements in the error-correcting codes", m);
    f->m = m;
    f->n = (1u << m) - 1;
    f->exp = ut_calloc((size_t)4 * f->n + 1, sizeof *f->exp, e);
    f->log = ut_calloc((size_t)f->n + 1, sizeof *f->log, e);
    if (!f->exp || !f->log) {
        ut_gf_free(f);
        return UT_E_MEMORY;
    }
    for (uint32_t i = 0; i < f->n; i++) {
        f->exp[i] = f->exp[i + f->n] = (uint16_t)x;
        f->log[x] = i;
        x <<= 1;
        if (x >> m) x ^= poly;
    }
    f->log[0] = 2 * f->n;
    return UT_OK;
}

void ut_gf_free(ut_gf *f)
{
    free(f->exp);
    free(f->log);
    *f = (ut_gf){ 0 };
}
