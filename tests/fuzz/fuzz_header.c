/* Header values of whoever has the key: what ut_header_unpack lets through is read from a small picture, as lattice, as
 * low bits and in the robust form, and what was read is opened as a payload.  Input: 24 header bytes, one of keys, one of table; the rest is the payload's
 * plain bytes.  Nothing may crash, and nothing much may be allocated for so small a picture. */
#include "pipeline/message.h"
#include "stage/payload/payload.h"
#include <stdlib.h>
#include <string.h>

enum { WIDTH = 120, HEIGHT = 104, ROBUST_SIDE = 256 /* the least it takes */ };

static void read_message(const ut_header *h, uint8_t seed, uint8_t table)
{
    static uint8_t rgb[ROBUST_SIDE * ROBUST_SIDE * 3];
    bool robust = h->mode == UT_MODE_ROBUST;
    ut_picture p = { .width = robust ? ROBUST_SIDE : WIDTH, .height = robust ? ROBUST_SIDE : HEIGHT, .rgb = rgb };
    ut_view v = { .picture = &p };
    ut_found f = { .header = *h };
    ut_raw r = { 0 };
    ut_err e = { 0 };
    if (!rgb[1])
        for (size_t i = 0; i < sizeof rgb; i++) rgb[i] = (uint8_t)(17 * i + i * i / 97);
    if (h->width != p.width || h->height != p.height) return; /* ut_message_find sees to that */
    memset(&f.keys, seed, sizeof f.keys);
    f.locator = f.keys;
    f.tier = seed % UT_PREAMBLE_NTIERS;
    f.folded = seed & 4;
    f.quiet = h->trellis && seed & 8 ? ut_quiet_fold(ut_grid_of(WIDTH, HEIGHT), seed & 16) : 0;
    if (h->mode == UT_MODE_LATTICE && !ut_header_table(h->table, f.quant)) {
        uint8_t t[64];
        memset(t, table, sizeof t);
        if (h->table != UT_TABLE_CUSTOM) return;
        ut_header_table_unpack(t, f.quant);
    }
    ut_fec_plan plan;
    if (h->latent && ut_fec_plan_init(&plan, (ut_fec_kind)h->fec_kind, h->fec_rate, h->sealed_nbytes, NULL) == UT_OK)
        f.header.code_nbits = (uint32_t)plan.code_nbits; /* as ut_message_accept_header does */
    ut_status s = ut_message_read(&v, &f, 1, &r, &e);
    if (s == UT_OK) s = ut_message_decode(&r, 1, &e);
    if (s == UT_OK || s == UT_E_DAMAGED) {
        ut_buf plain = { 0 };
        ut_unseal_result u;
        if (r.sealed.len != h->sealed_nbytes) abort();
        if (ut_unseal(&f.keys, r.sealed.data, r.sealed.len, &plain, &u, &e) != UT_E_KEY) abort(); /* nothing authentic there */
        free(u.segment_ok);
        ut_buf_free(&plain);
    } else if (s == UT_E_INTERNAL || s == UT_E_CAPACITY || s == UT_E_MEMORY || s == UT_E_USAGE || !e.text[0]) {
        abort();
    }
    ut_raw_free(&r);
}

static void read_payload(const uint8_t *p, size_t n, uint8_t lost)
{
    uint8_t ok[64];
    ut_payload_out o;
    ut_err e = { 0 };
    const size_t segment = 64; /* the least: many heads in few bytes */
    if (!n || n > sizeof ok * segment) return;
    for (size_t i = 0; i < sizeof ok; i++) ok[i] = (uint8_t)((lost >> (i % 8) & 1) == 0);
    /* a day of silence is a legal claim, and slow */
    uint64_t total = 0;
    for (size_t i = 1; i < n && i < 6; i++) {
        total |= (uint64_t)(p[i] & 0x7f) << (7 * (i - 1));
        if (!(p[i] & 0x80)) break;
    }
    if (total > 1 << 20) return;
    ut_status s = ut_payload_decode(p, n, segment, lost ? ok : NULL, &o, &e);
    if ((s == UT_OK) != (o.exact)) abort();
    if (s == UT_E_INTERNAL || (s != UT_OK && !e.text[0])) abort();
    if (s != UT_OK && s != UT_E_DAMAGED && (o.pcm.sample || o.raw.data)) abort();
    ut_payload_out_free(&o);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    ut_header h;
    uint8_t in[UT_HEADER_PLAIN_NBYTES], again[UT_HEADER_PLAIN_NBYTES];
    if (n < sizeof in + 2) return 0;
    memcpy(in, data, sizeof in);
    if (ut_header_unpack(in, &h)) {
        ut_header_pack(&h, again);
        if (memcmp(in, again, sizeof in)) abort();
        read_message(&h, data[24], data[25]);
    }
    ut_header s;
    if (ut_header_unpack_short(in, &s)) {
        ut_header_pack_short(&s, again);
        if (memcmp(in, again, UT_SHORT_HEADER_NBYTES)) abort();
    }
    /* the same, past the checks that chance hardly passes */
    in[0] = 1;
    in[6] = in[7] = 0;
    in[1] = (uint8_t)(1 + in[1] % 3);
    if (in[1] == 3) {
        in[2] = (uint8_t)(1 + in[2] % 63);
    } else {
        in[22] = in[23] = 0;
        in[20] = data[24] & 2 ? (uint8_t)(6 + in[20] % 7) : 0;
        if (!in[20] != !in[21]) in[21] = in[20] ? 1 : 0;
    }
    if (in[1] == 2) memset(in + 2, 0, 4), in[20] = in[21] = 0;
    if (in[1] == 2 && in[2] == 0 && data[24] & 1) ut_put32(in + 8, 8 * ut_get32(in + 12));
    if (in[1] != 2 && data[24] & 1) {
        ut_fec_plan plan;
        in[4] = (uint8_t)(1 + in[4] % 4);
        if (in[14] | in[15]) in[14] &= 3, in[15] = 0;
        if (ut_fec_plan_init(&plan, (ut_fec_kind)in[4], in[5], ut_get32(in + 12), NULL) == UT_OK)
            ut_put32(in + 8, (uint32_t)plan.code_nbits);
    }
    ut_put16(in + 16, in[1] == 3 ? ROBUST_SIDE - 1 : WIDTH - 1);
    ut_put16(in + 18, in[1] == 3 ? ROBUST_SIDE - 1 : HEIGHT - 1);
    if (ut_header_unpack(in, &h)) read_message(&h, data[24], data[25]);
    read_payload(data + 26, n - 26, data[25]);
    return 0;
}
