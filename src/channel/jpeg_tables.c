#include "channel/codec.h"

/* ITU-T T.81 (1992), tables K.1 and K.2, row by row. */
static const uint8_t annex_k_luma[64] = {
    16, 11, 10, 16, 24,  40,  51,  61,  12, 12, 14, 19, 26,  58,  60,  55,  14, 13, 16, 24, 40,  57,
    69, 56, 14, 17, 22,  29,  51,  87,  80, 62, 18, 22, 37,  56,  68,  109, 103, 77, 24, 35, 55,  64,
    81, 104, 113, 92, 49, 64,  78,  87,  103, 121, 120, 101, 72, 92,  95,  98,  112, 100, 103, 99
};
static const uint8_t annex_k_chroma[64] = {
    17, 18, 24, 47, 99, 99, 99, 99, 18, 21, 26, 66, 99, 99, 99, 99, 24, 26, 56, 99, 99, 99,
    99, 99, 47, 66, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99,
    99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99
};

static uint16_t scaled(unsigned base, unsigned scale)
{
    unsigned v = (base * scale + 50) / 100;
    return (uint16_t)(v < 1 ? 1 : v > 255 ? 255 : v);
}

void ut_jpeg_quality(unsigned q, ut_channel_jpeg *t)
{
    if (q < 1) q = 1;
    if (q > 100) q = 100;
    unsigned scale = q < 50 ? 5000 / q : 200 - 2 * q;
    *t = (ut_channel_jpeg){ .hsamp = 2, .vsamp = 2 };
    for (int i = 0; i < 64; i++) {
        t->luma[i] = scaled(annex_k_luma[i], scale);
        t->chroma[i] = scaled(annex_k_chroma[i], scale);
    }
}
