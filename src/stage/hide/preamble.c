#include "stage/hide/preamble.h"
#include <string.h>

void ut_preamble_lattice(unsigned tier, ut_lattice *l)
{
    static const uint8_t scale[UT_PREAMBLE_NTIERS] = { 8, 16, 28, 48, 80 };
    uint16_t q[64];
    ut_ijg_table(50, false, q);
    ut_lattice_init(l, q, scale[tier < UT_PREAMBLE_NTIERS ? tier : UT_PREAMBLE_NTIERS - 1]);
}

ut_status ut_preamble_salt_carriers(ut_carriers *c, ut_grid g, uint8_t *taken, ut_err *e)
{
    static const uint8_t public_key[32] = "undertone format 1, salt's place";
    ut_stream *s = ut_stream_new(public_key, 0, e);
    if (!s) return UT_E_MEMORY;
    ut_status st = ut_carriers_draw(c, g, ut_preamble_order(), UT_PREAMBLE_NFREQ, UT_SALT_NBITS, s, taken, e);
    ut_stream_free(s);
    return st;
}

ut_status ut_preamble_carriers(ut_carriers *c, ut_grid g, const uint8_t carrier_key[32], uint32_t domain, size_t nbits,
                               uint8_t *taken, ut_err *e)
{
    ut_stream *s = ut_stream_new(carrier_key, domain, e);
    if (!s) return UT_E_MEMORY;
    ut_status st = ut_carriers_draw(c, g, ut_preamble_order(), UT_PREAMBLE_NFREQ, nbits, s, taken, e);
    ut_stream_free(s);
    return st;
}

ut_status ut_mask_bits(uint8_t *bits, size_t n, const uint8_t key[32], uint32_t domain, ut_err *e)
{
    ut_stream *s = ut_stream_new(key, domain, e);
    if (!s) return UT_E_MEMORY;
    for (size_t i = 0; i < n; i += 32) {
        uint32_t r = ut_stream_u32(s);
        for (size_t k = i; k < n && k < i + 32; k++) bits[k] ^= (uint8_t)(r >> (k - i) & 1);
    }
    ut_stream_free(s);
    return UT_OK;
}

ut_status ut_mask_llrs(int8_t *llr, size_t n, const uint8_t key[32], uint32_t domain, ut_err *e)
{
    ut_stream *s = ut_stream_new(key, domain, e);
    if (!s) return UT_E_MEMORY;
    for (size_t i = 0; i < n; i += 32) {
        uint32_t r = ut_stream_u32(s);
        for (size_t k = i; k < n && k < i + 32; k++)
            if (r >> (k - i) & 1) llr[k] = (int8_t)-llr[k];
    }
    ut_stream_free(s);
    return UT_OK;
}
