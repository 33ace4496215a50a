/* Binary range coder without carries: the interval [low, high] of 32-bit numbers; bytes leave when both ends agree. */
#include "stage/payload/spectrum.h"

void ut_range_encode_init(ut_range *r, ut_buf *out)
{
    *r = (ut_range){ .high = UINT32_MAX, .out = out };
}

static uint32_t next_byte(ut_range *r) { return r->at < r->end ? *r->at++ : 0; }

void ut_range_decode_init(ut_range *r, const uint8_t *p, size_t n)
{
    *r = (ut_range){ .high = UINT32_MAX, .at = p, .end = p + n, .decode = true };
    for (int i = 0; i < 4; i++) r->code = r->code << 8 | next_byte(r);
}

static void put(ut_range *r, uint32_t value)
{
    uint8_t byte = (uint8_t)value;
    if (ut_buf_append(r->out, &byte, 1, NULL) != UT_OK) r->failed = true;
}

int ut_range_bit(ut_range *r, int bit, uint32_t p1)
{
    uint32_t middle = r->low + (uint32_t)((uint64_t)(r->high - r->low) * p1 >> 16);
    if (r->decode) bit = r->code <= middle;
    if (bit) r->high = middle;
    else r->low = middle + 1;
    while ((r->low ^ r->high) >> 24 == 0) {
        if (r->decode) r->code = r->code << 8 | next_byte(r);
        else put(r, r->high >> 24);
        r->low <<= 8;
        r->high = r->high << 8 | 255;
    }
    return bit;
}

/* The fewest bytes that, followed by zeros, lie within [low, high]. */
static size_t shortest(const ut_range *r, uint32_t *value)
{
    *value = 0;
    if (r->low == 0) return 0;
    for (size_t n = 1; n < 4; n++) {
        uint32_t mask = UINT32_MAX >> (8 * n);
        *value = (r->low | mask) + 1; /* wraps to 0 where no such number exists: then it is not above low */
        if (*value > r->low && *value <= r->high) return n;
    }
    *value = r->low;
    return 4;
}

size_t ut_range_flush_nbytes(const ut_range *r)
{
    uint32_t value;
    return shortest(r, &value);
}

void ut_range_flush(ut_range *r)
{
    uint32_t value;
    size_t n = shortest(r, &value);
    for (size_t i = 0; i < n; i++) put(r, value >> (24 - 8 * i));
}
