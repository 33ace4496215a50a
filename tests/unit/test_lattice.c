/* Carriers, tables, headers, low bits: the parts of the hide stage that must agree to the bit on both sides. */
#include "check.h"
#include "stage/hide/header.h"
#include "stage/hide/lsb.h"
#include "stage/hide/preamble.h"
#include "stage/hide/syndrome.h"

static const uint8_t key[32] = { 1, 2, 3 };

static void carriers(void)
{
    ut_err e = { 0 };
    ut_grid g = ut_grid_of(200, 120);
    uint16_t q[64];
    ut_lattice l;
    ut_ijg_table(75, false, q);
    CHECK(q[0] == 8 && q[1] == 6 && q[63] == 50, "%u %u %u", q[0], q[1], q[63]);
    ut_lattice_init(&l, q, 16);
    for (int i = 1; i < 63; i++) CHECK(l.width[l.order[i - 1]] <= l.width[l.order[i]]);
    uint8_t *taken = ut_taken_new(g, &e), *seen = calloc(ut_grid_nblocks(g), 64);
    ut_carriers salt, head, fill;
    CHECK(ut_preamble_salt_carriers(&salt, g, taken, &e) == UT_OK && salt.n == 128);
    CHECK(ut_preamble_carriers(&head, g, key, UT_DOMAIN_HEADER, 1100, taken, &e) == UT_OK && head.n == 1100);
    unsigned used;
    for (size_t n = 1; n < 8000; n += 1777) {
        ut_stream *s = ut_stream_new(key, UT_DOMAIN_PAYLOAD, &e);
        memset(seen, 0, ut_grid_nblocks(g) * 64);
        CHECK(ut_carriers_fill(&fill, g, l.order, n, s, taken, &used, &e) == UT_OK && fill.n == n);
        for (size_t i = 0; i < salt.n; i++) seen[salt.pos[i]]++;
        for (size_t i = 0; i < head.n; i++) seen[head.pos[i]]++;
        for (size_t i = 0; i < fill.n; i++) seen[fill.pos[i]]++;
        for (size_t i = 0; i < ut_grid_nblocks(g) * 64; i++) CHECK(seen[i] <= 1 && (i % 64 || !seen[i]));
        for (size_t i = 0; i < fill.n; i++) {
            unsigned f = 0;
            while (l.order[f] != fill.pos[i] % 64) f++;
            CHECK(f < used);
        }
        ut_carriers_free(&fill);
        ut_stream_free(s);
    }
    ut_stream *s = ut_stream_new(key, UT_DOMAIN_PAYLOAD, &e);
    CHECK(ut_carriers_fill(&fill, g, l.order, ut_grid_nblocks(g) * 63, s, taken, &used, &e) == UT_E_CAPACITY);
    ut_stream_free(s);
    ut_carriers_free(&salt);
    ut_carriers_free(&head);
    memset(taken, 0, 8);
    CHECK(ut_preamble_salt_carriers(&salt, ut_grid_of(8, 8), taken, &e) == UT_E_CAPACITY);
    CHECK(ut_preamble_salt_carriers(&salt, ut_grid_of(7, 900), taken, &e) == UT_E_CAPACITY);
    free(taken);
    free(seen);
}

static void headers(void)
{
    ut_header h = { .mode = UT_MODE_LATTICE, .table = 75, .scale = 16, .fec_kind = 1, .fec_rate = 5, .code_nbits = 123456, .sealed_nbytes = 7890, .width = 65536, .height = 1 }, g;
    uint8_t b[UT_HEADER_PLAIN_NBYTES];
    uint16_t q[64], t[64];
    ut_header latent = { .mode = UT_MODE_ROBUST, .table = 15, .scale = 99, .fec_kind = 1, .code_nbits = 77, .sealed_nbytes = 90, .width = 512, .height = 384,
                         .latent = true, .network = { 1, 2, 3, 250 }, .trust = { 1, 15, 3 } };
    ut_header_pack(&latent, b);
    CHECK(b[0] == UT_FORMAT_LATENT && ut_header_unpack(b, &g) && g.latent && !memcmp(g.network, latent.network, 4) && !g.code_nbits && g.trust[1] == 15);
    for (uint8_t mode = 0; mode < 6; mode++) {
        b[1] = mode;
        CHECK(ut_header_unpack(b, &g) == (mode == UT_MODE_ROBUST)); /* no other mode has a latent */
    }
    b[0] = 3, b[1] = UT_MODE_ROBUST;
    CHECK(!ut_header_unpack(b, &g));
    ut_header_pack(&h, b);
    CHECK(ut_header_unpack(b, &g) && !g.latent && g.width == 65536 && g.height == 1 && g.code_nbits == 123456 && g.sealed_nbytes == 7890);
    for (int i = 0; i < UT_HEADER_PLAIN_NBYTES; i++) {
        if (i != 0 && i != 6 && i != 7 && i < 20) continue;
        b[i] ^= 1;
        CHECK(!ut_header_unpack(b, &g), "byte %d", i);
        b[i] ^= 1;
    }
    for (unsigned height = 0; height < 16; height++)
        for (unsigned r = 0; r < 256; r += r < 20 ? 1 : 5) { /* a trellis code has a height that there is and a reach of a carrier a bit, or neither */
            b[20] = (uint8_t)height, b[21] = (uint8_t)r;
            bool good = height ? height >= UT_SYNDROME_MIN_HEIGHT && height <= UT_SYNDROME_MAX_HEIGHT && r >= UT_REACH_UNIT : !r;
            CHECK(ut_header_unpack(b, &g) == good && (!good || (g.trellis == height && g.reach == r)), "%u %u", height, r);
        }
    b[1] = UT_MODE_LSB, b[2] = b[3] = b[4] = b[5] = 0, b[20] = 10, b[21] = 1;
    CHECK(!ut_header_unpack(b, &g));
    b[20] = b[21] = 0;
    CHECK(ut_header_unpack(b, &g));
    h.sealed_nbytes = (1u << 30) + 1;
    ut_header_pack(&h, b);
    CHECK(!ut_header_unpack(b, &g));
    for (unsigned id = 1; id <= 101; id++) {
        CHECK(ut_header_table(id, q));
        unsigned back = ut_header_table_id(q);
        CHECK(back <= id && ut_header_table(back, t) && !memcmp(q + 1, t + 1, 126), "%u %u", id, back);
    }
    CHECK(!ut_header_table(0, q) && !ut_header_table(102, q) && !ut_header_table(255, q));
    q[5] = 99;
    CHECK(ut_header_table_id(q) == UT_TABLE_CUSTOM);
    uint8_t pack[64];
    ut_header_table_pack(q, pack);
    ut_header_table_unpack(pack, t);
    CHECK(!memcmp(q, t, sizeof q));
}

static void low_bits(void)
{
    ut_err e = { 0 };
    unsigned long long seed = 11;
    ut_picture p, was;
    CHECK(ut_picture_alloc(&p, 61, 47, false, &e) == UT_OK);
    size_t n = 61 * 47 * 3, cap = ut_lsb_capacity(61, 47, 128);
    CHECK(cap == 2 * (n - 128));
    for (size_t i = 0; i < n; i++) p.rgb[i] = (uint8_t)(i % 7 == 0 ? 255 : i % 11 == 0 ? 0 : check_rand(&seed));
    CHECK(ut_picture_copy(&was, &p, &e) == UT_OK);
    uint32_t salt[128];
    CHECK(ut_lsb_salt_places(salt, 61, 47, &e) == UT_OK);
    uint8_t *bits = malloc(cap), *got = malloc(cap), sb[128], sg[128];
    for (size_t m = 1; m <= cap; m = m * 5 / 2 > cap && m < cap ? cap : m * 5 / 2 + 1) {
        ut_stream *a = ut_stream_new(key, 2, &e), *b = ut_stream_new(key, 2, &e), *c = ut_stream_new(key, 6, &e);
        memcpy(p.rgb, was.rgb, n);
        for (size_t i = 0; i < m; i++) bits[i] = check_rand(&seed) & 1;
        for (size_t i = 0; i < 128; i++) sb[i] = check_rand(&seed) & 1;
        ut_lsb_write(&p, salt, sb, 128, c);
        CHECK(ut_lsb_forward(&p, bits, m, salt, 128, a, c, &e) == UT_OK);
        CHECK(ut_lsb_reverse(&p, got, m, salt, 128, b, &e) == UT_OK && !memcmp(bits, got, m), "%zu bits", m);
        ut_lsb_read(&p, salt, sg, 128);
        CHECK(!memcmp(sb, sg, 128));
        for (size_t i = 0; i < n; i++) CHECK(abs(p.rgb[i] - was.rgb[i]) <= (m + 128 <= n ? 1 : 3), "%d", p.rgb[i] - was.rgb[i]);
        ut_stream_free(a);
        ut_stream_free(b);
        ut_stream_free(c);
    }
    ut_stream *a = ut_stream_new(key, 2, &e);
    CHECK(ut_lsb_reverse(&p, got, cap + 1, salt, 128, a, &e) == UT_E_CAPACITY);
    ut_stream_free(a);
    CHECK(ut_lsb_salt_places(salt, 3, 3, &e) == UT_E_CAPACITY);
    free(bits);
    free(got);
    ut_picture_free(&p);
    ut_picture_free(&was);
}

int main(void)
{
    carriers();
    headers();
    low_bits();
    return check_end();
}
