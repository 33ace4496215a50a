#include "stage/hide/header.h"
#include "stage/hide/syndrome.h"
#include <string.h>

/* Luma table that WhatsApp's Android client was seen to use (2026), row by row. */
static const uint8_t whatsapp[64] = { 6,  6,  6,  7,  10, 15, 22, 34, 6,  7,  8,  11, 14, 16,  21,  30,
                                      6,  8,  10, 12, 17, 25, 36, 54, 7,  11, 12, 16, 21, 30,  42,  62,
                                      10, 14, 17, 21, 28, 38, 52, 76, 15, 16, 25, 30, 38, 50,  68,  95,
                                      22, 21, 36, 42, 52, 68, 90, 124, 34, 30, 54, 62, 76, 95, 124, 167 };

void ut_header_pack(const ut_header *h, uint8_t out[UT_HEADER_PLAIN_NBYTES])
{
    memset(out, 0, UT_HEADER_PLAIN_NBYTES);
    out[0] = UT_FORMAT_VERSION;
    out[1] = h->mode;
    out[2] = h->table;
    out[3] = h->scale;
    out[4] = h->fec_kind;
    out[5] = h->fec_rate;
    ut_put32(out + 8, h->code_nbits);
    if (h->latent) {
        out[0] = UT_FORMAT_LATENT;
        memcpy(out + 8, h->network, sizeof h->network);
    }
    ut_put32(out + 12, h->sealed_nbytes);
    ut_put16(out + 16, (uint16_t)(h->width - 1));
    ut_put16(out + 18, (uint16_t)(h->height - 1));
    out[20] = h->trellis;
    out[21] = h->reach;
    for (int i = 0; i < 8 && h->mode == UT_MODE_ROBUST; i++) out[20 + i / 2] |= (uint8_t)((h->trust[i] & 15) << (i % 2 * 4));
}

bool ut_header_unpack(const uint8_t in[UT_HEADER_PLAIN_NBYTES], ut_header *h)
{
    static const uint8_t zero[2];
    *h = (ut_header){ .mode = in[1], .table = in[2], .scale = in[3], .fec_kind = in[4], .fec_rate = in[5],
                      .code_nbits = ut_get32(in + 8), .sealed_nbytes = ut_get32(in + 12),
                      .width = ut_get16(in + 16) + 1u, .height = ut_get16(in + 18) + 1u,
                      .trellis = in[20], .reach = in[21] };
    h->latent = in[0] == UT_FORMAT_LATENT;
    if (h->latent) {
        if (h->mode != UT_MODE_ROBUST) return false;
        memcpy(h->network, in + 8, sizeof h->network);
        h->code_nbits = 0;
    }
    if ((in[0] != UT_FORMAT_VERSION && !h->latent) || memcmp(in + 6, zero, 2)) return false;
    if (h->mode == UT_MODE_ROBUST) { /* eight fours of bits where the others keep the trellis */
        h->trellis = h->reach = 0;
        for (int i = 0; i < 8; i++) h->trust[i] = in[20 + i / 2] >> (i % 2 * 4) & 15;
    } else if (memcmp(in + 22, zero, 2)) {
        return false;
    }
    if (h->mode < UT_MODE_LATTICE || h->mode > UT_MODE_ROBUST) return false;
    if (h->mode == UT_MODE_LATTICE && (!h->table || !h->scale)) return false;
    if (h->mode == UT_MODE_LSB && (h->table || h->scale || h->fec_kind || h->fec_rate || h->trellis)) return false;
    if (h->mode == UT_MODE_ROBUST && (!h->table || h->table > 63)) return false;
    if (!h->trellis != !h->reach) return false;
    if (h->trellis && h->reach < UT_REACH_UNIT) return false;
    if (h->trellis && (h->trellis < UT_SYNDROME_MIN_HEIGHT || h->trellis > UT_SYNDROME_MAX_HEIGHT)) return false;
    return (h->code_nbits || h->latent) && h->sealed_nbytes && h->sealed_nbytes <= (1u << 30);
}

void ut_header_pack_short(const ut_header *h, uint8_t out[UT_SHORT_HEADER_NBYTES])
{
    out[0] = UT_FORMAT_VERSION;
    out[1] = (uint8_t)(h->fec_kind << 5 | h->fec_rate);
    out[2] = h->trellis;
    out[3] = h->reach;
    ut_put32(out + 4, h->sealed_nbytes);
}

bool ut_header_unpack_short(const uint8_t in[UT_SHORT_HEADER_NBYTES], ut_header *h)
{
    *h = (ut_header){ .mode = UT_MODE_LATTICE, .fec_kind = in[1] >> 5, .fec_rate = in[1] & 31, .trellis = in[2], .reach = in[3],
                      .sealed_nbytes = ut_get32(in + 4) };
    return in[0] == UT_FORMAT_VERSION && h->trellis >= UT_SYNDROME_MIN_HEIGHT && h->trellis <= UT_SYNDROME_MAX_HEIGHT && h->reach >= UT_REACH_UNIT &&
           h->sealed_nbytes && h->sealed_nbytes <= 1u << 30;
}

bool ut_header_table(unsigned id, uint16_t quant[64])
{
    if (id >= 1 && id <= 100) {
        ut_ijg_table(id, false, quant);
        return true;
    }
    if (id != UT_TABLE_WHATSAPP) return false;
    for (int i = 0; i < 64; i++) quant[i] = whatsapp[i];
    return true;
}

unsigned ut_header_table_id(const uint16_t quant[64])
{
    uint16_t t[64];
    for (unsigned id = 1; id <= UT_TABLE_WHATSAPP; id++)
        if (ut_header_table(id, t) && memcmp(t + 1, quant + 1, 63 * sizeof *t) == 0) return id; /* DC carries nothing */
    return UT_TABLE_CUSTOM;
}

void ut_header_table_pack(const uint16_t quant[64], uint8_t out[64])
{
    for (int i = 0; i < 64; i++) out[i] = (uint8_t)(quant[i] > 255 ? 255 : quant[i] < 1 ? 1 : quant[i]);
}

void ut_header_table_unpack(const uint8_t in[64], uint16_t quant[64])
{
    for (int i = 0; i < 64; i++) quant[i] = in[i] ? in[i] : 1;
}
