#include "stage/fec/rs.h"
#include "stage/fec/bits.h"
#include "stage/fec/divide.h"
#include <stdlib.h>

static void build_remainders(ut_rs *r)
{
    const ut_gf *f = &r->gf;
    uint8_t g[UT_RS_MAX_ROOTS + 1] = { 1 }; /* highest power first, monic */
    for (unsigned j = 0; j < r->nroots; j++)
        for (unsigned d = j + 1; d > 0; d--) g[d] ^= (uint8_t)ut_gf_mul(f, g[d - 1], f->exp[j]);
    for (unsigned x = 0; x < 256; x++)
        for (unsigned d = 0; d < r->nroots; d++)
            r->rem[x * r->nwords + d / 8] |= (uint64_t)ut_gf_mul(f, x, g[d + 1]) << (56 - 8 * (d % 8));
    for (unsigned j = 0; j < r->nroots; j++)
        for (unsigned x = 0; x < 256; x++) r->times[j * 256 + x] = (uint8_t)ut_gf_mul(f, x, f->exp[j]);
}

ut_status ut_rs_init(ut_rs *r, unsigned nroots, ut_err *e)
{
    *r = (ut_rs){ .nroots = nroots, .nwords = nroots / 8 };
    if (!nroots || nroots % 8 || nroots > UT_RS_MAX_ROOTS)
        return ut_fail(e, UT_E_INTERNAL, "no Reed-Solomon code with %u parity bytes", nroots);
    ut_status s = ut_gf_init(&r->gf, 8, e);
    if (s == UT_OK) s = ut_gf_fft_init(&r->fft, &r->gf, 128, e); /* deeper would leave no room for butterflies */
    if (s == UT_OK) {
        r->rem = ut_calloc(256 * r->nwords, sizeof *r->rem, e);
        r->times = ut_calloc(256 * (size_t)nroots, 1, e);
        if (!r->rem || !r->times) s = UT_E_MEMORY;
    }
    if (s != UT_OK) {
        ut_rs_free(r);
        return s;
    }
    build_remainders(r);
    return UT_OK;
}

void ut_rs_free(ut_rs *r)
{
    free(r->rem);
    free(r->times);
    ut_gf_free(&r->gf);
    ut_gf_fft_free(&r->fft);
    *r = (ut_rs){ 0 };
}

void ut_rs_encode(const ut_rs *r, const uint8_t *data, size_t nbytes, uint8_t *parity)
{
    uint64_t reg[UT_DIVIDE_MAX_WORDS] = { 0 };
    ut_divide(r->rem, r->nwords, reg, data, nbytes);
    for (size_t i = 0; i < r->nroots; i++) parity[i] = ut_divide_byte(reg, i);
}

void ut_rs_encode_bits(const ut_rs *r, const uint8_t *data, size_t nbytes, uint8_t *bits)
{
    uint8_t parity[UT_RS_MAX_ROOTS];
    ut_rs_encode(r, data, nbytes, parity);
    ut_bits_spread(data, 8 * nbytes, bits);
    ut_bits_spread(parity, 8 * (size_t)r->nroots, bits + 8 * nbytes);
}
