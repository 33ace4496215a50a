/* The header: what the receiver must know to read the payload's bits.  spec/format.md, "Header". */
#ifndef UT_STAGE_HIDE_HEADER_H
#define UT_STAGE_HIDE_HEADER_H
#include "stage/hide/lattice.h"

#define UT_HEADER_PLAIN_NBYTES 24 /* = UT_HEADER_NBYTES of the seal stage */
#define UT_FORMAT_VERSION 1      /* a header's first byte */
#define UT_FORMAT_LATENT 2       /* the same where the robust form's payload lies in a network's latent (inn.h) */
#define UT_NETWORK_ID_NBYTES 4
enum { UT_MODE_LATTICE = 1, UT_MODE_LSB = 2, UT_MODE_ROBUST = 3 };
enum { UT_TABLE_WHATSAPP = 101, UT_TABLE_CUSTOM = 255 }; /* 1..100: Annex K.1 at that IJG quality */

#define UT_REACH_UNIT 8u

typedef struct ut_header {
    uint8_t mode;
    uint8_t table, scale;    /* lattice: widths = table * scale / 16; robust: number of frequencies, step of the cell width */
    uint8_t fec_kind, fec_rate;
    uint32_t code_nbits;     /* raw bits in the payload's carriers */
    uint32_t sealed_nbytes;
    uint32_t width, height;  /* of the picture as hidden, 1..65536 */
    uint8_t trellis;         /* lattice: height of the syndrome-trellis code, 0: every carrier is a code bit itself */
    uint8_t reach;           /* with a trellis: so many carriers a code bit at most, in 1/UT_REACH_UNIT; else 0 */
    bool latent;             /* robust: in a network's latent; the header then has no code_nbits, which follow from the code (unpack leaves 0) */
    uint8_t network[UT_NETWORK_ID_NBYTES]; /* latent: first bytes of the SHA-256 of the network's weight file */
    uint8_t trust[8];        /* robust: of carriers by their block's liveliness, 0..15 (scs.h) */
} ut_header;

void ut_header_pack(const ut_header *h, uint8_t out[UT_HEADER_PLAIN_NBYTES]);
bool ut_header_unpack(const uint8_t in[UT_HEADER_PLAIN_NBYTES], ut_header *h); /* false: not of this version, or absurd */

/* The quiet form's short header: what the place where it was found does not say.  Its table, scale, size and raw bits are the reader's to fill in. */
#define UT_SHORT_HEADER_NBYTES 8
void ut_header_pack_short(const ut_header *h, uint8_t out[UT_SHORT_HEADER_NBYTES]);
bool ut_header_unpack_short(const uint8_t in[UT_SHORT_HEADER_NBYTES], ut_header *h); /* false: not of this version, or absurd */

/* The luma table that a table id stands for; false for UT_TABLE_CUSTOM and unknown ids. */
bool ut_header_table(unsigned id, uint16_t quant[64]);
unsigned ut_header_table_id(const uint16_t quant[64]); /* UT_TABLE_CUSTOM if no other id stands for it */

/* A custom table travels as 64 bytes beside the header; steps above 255 do not exist in baseline JPEG and are cut. */
void ut_header_table_pack(const uint16_t quant[64], uint8_t out[64]);
void ut_header_table_unpack(const uint8_t in[64], uint16_t quant[64]);
#endif
