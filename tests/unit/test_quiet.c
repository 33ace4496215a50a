/* The quiet header: what its place asks, that it comes back, in which table's cells, and that nothing else opens it. */
#include "check.h"
#include "media/image.h"
#include "pipeline/message.h"
#include "undertone.h"
#include <math.h>

static const uint8_t words[] = "quiet";
static const ut_key mine = { UT_KEY_FILE, (const uint8_t *)"undertone-key-1:00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff", 80 };
static const ut_key other = { UT_KEY_FILE, (const uint8_t *)"undertone-key-1:00112233445566778899aabbccddeeff00112233445566778899aabbccddee00", 80 };

static ut_blob photo(uint32_t side)
{
    ut_picture p;
    ut_buf file = { 0 };
    unsigned long long seed = 11;
    if (ut_picture_alloc(&p, side, side, false, NULL) != UT_OK) abort();
    for (uint32_t y = 0; y < side; y++)
        for (uint32_t x = 0; x < side; x++)
            for (unsigned c = 0; c < 3; c++) {
                double v = 120 + 50 * sin(x * .05 + c) * cos(y * .07) + 20 * sin(x * y * .002);
                p.rgb[3 * ((size_t)y * side + x) + c] = (uint8_t)(v + (check_rand(&seed) & 7));
            }
    if (ut_image_write_png(&p, &file, NULL) != UT_OK) abort();
    ut_picture_free(&p);
    return (ut_blob){ file.data, file.len };
}

/* A picture as it is received. */
typedef struct arrived {
    ut_picture picture;
    ut_jpeg_coefs jpeg;
    ut_view view;
} arrived;

static void arrive(arrived *a, ut_blob file)
{
    ut_image_info info;
    ut_err e = { 0 };
    CHECK(ut_image_read(file.data, file.nbytes, "a", &a->picture, &a->jpeg, &info, &e) == UT_OK, "%s", e.text);
    a->view = (ut_view){ .jpeg = &a->jpeg, .picture = &a->picture };
}

static void leave(arrived *a)
{
    ut_picture_free(&a->picture);
    ut_jpeg_coefs_free(&a->jpeg);
}

/* Hides words for a channel; what arrives through it, or as sent (through NULL). */
static void send(arrived *a, uint32_t side, const char *to, const char *through)
{
    ut_blob cover = photo(side), out, got = { 0 };
    ut_hide_options o;
    ut_hide_report r;
    char message[512];
    ut_hide_options_init(&o);
    o.codec = UT_CODEC_RAW;
    o.channels = &to;
    o.nchannels = 1;
    o.min_psnr_db = 30;
    o.nthreads = 1;
    o.key = mine;
    ut_status s = ut_hide(words, sizeof words, cover.data, cover.nbytes, &o, &out, &r);
    CHECK(s == UT_OK, "%s: %s", to, r.message);
    if (s != UT_OK) abort();
    if (through) CHECK(ut_channel_run(out.data, out.nbytes, through, NULL, &got, message) == UT_OK, "%s", message);
    arrive(a, through ? got : out);
    ut_hide_report_free(&r);
    ut_blob_free(&cover);
    ut_blob_free(&out);
    ut_blob_free(&got);
}

static ut_status look(const arrived *a, ut_key key, unsigned table, ut_found *f)
{
    ut_keyring ring = { .key = key };
    ut_status s = ut_message_find_quiet(&a->view, &ring, table, f, NULL);
    ut_keyring_wipe(&ring);
    return s;
}

static void expect(const arrived *a, unsigned table, unsigned fold, const char *what)
{
    ut_found f;
    CHECK(look(a, mine, 0, &f) == UT_OK && f.quiet == fold && f.header.table == table, "%s: %u carriers a bit, table %u", what, f.quiet, f.header.table);
    CHECK(f.header.mode == UT_MODE_LATTICE && f.header.scale == UT_LATTICE_UNIT && f.header.trellis && f.header.width == a->picture.width, "%s", what);
    CHECK(look(a, mine, table, &f) == UT_OK, "%s: its own table", what);
    CHECK(look(a, mine, table == 100 ? 99 : table + 1, &f) == UT_E_KEY, "%s: the next table", what);
    CHECK(look(a, other, 0, &f) == UT_E_KEY && look(a, other, table, &f) == UT_E_KEY, "%s: another key", what);
    CHECK(look(a, (ut_key){ 0 }, 0, &f) == UT_E_KEY, "%s: the public key", what);
}

static void comes_back(void)
{
    static const struct { const char *to, *through; unsigned table; bool many; } cases[] = {
        { "jpeg:75", "jpeg:75", 75, true }, { "jpeg:75", NULL, 75, true },       { "whatsapp", "whatsapp", UT_TABLE_WHATSAPP, true },
        { "jpeg:98", "jpeg:98", 98, true }, { "jpeg:70-90", "jpeg:84", 70, false },
    };
    const uint32_t side = 256;
    const ut_grid g = ut_grid_of(side, side);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        arrived a;
        send(&a, side, cases[i].to, cases[i].through);
        expect(&a, cases[i].table, ut_quiet_fold(g, cases[i].many), cases[i].to);
        leave(&a);
    }
}

/* Grey patches over whole blocks, a few and many. */
static void damaged(void)
{
    static const struct { unsigned blocks; ut_status want; } cases[] = { { 2, UT_OK }, { 700, UT_E_KEY } };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        arrived a;
        ut_found f;
        send(&a, 256, "jpeg:75", NULL);
        for (unsigned b = 0; b < cases[i].blocks; b++)
            for (unsigned y = 0; y < 8; y++) memset(a.picture.rgb + 3 * ((size_t)(b / 32 * 8 + y) * 256 + b % 32 * 8), 128, 24);
        ut_status s = look(&a, mine, 0, &f);
        CHECK(s == cases[i].want, "%u blocks: %d", cases[i].blocks, s);
        leave(&a);
    }
}

static void not_there(void)
{
    ut_blob cover = photo(256);
    arrived a;
    ut_found f;
    arrive(&a, cover);
    CHECK(look(&a, mine, 0, &f) == UT_E_KEY, "a photo");
    CHECK(look(&a, mine, UT_TABLE_CUSTOM, &f) == UT_E_KEY, "no such table");
    leave(&a);
    ut_blob_free(&cover);
    send(&a, 160, "jpeg:85+jpeg:75", "jpeg:85+jpeg:75"); /* not for the trellis code: the preamble has it */
    ut_keyring ring = { .key = mine };
    CHECK(look(&a, mine, 0, &f) == UT_E_KEY, "a chain");
    CHECK(ut_message_find(&a.view, &ring, false, &f, NULL) == UT_OK && !f.quiet, "a chain's preamble");
    ut_keyring_wipe(&ring);
    leave(&a);
}

static void room(void)
{
    size_t m = ut_quiet_nbits();
    for (uint32_t side = 8; side <= 1024; side += 8) {
        ut_grid g = ut_grid_of(side, side);
        unsigned many = ut_quiet_fold(g, true), few = ut_quiet_fold(g, false);
        CHECK(many >= few && !many == !few && many <= 4, "%u: %u, %u", side, many, few);
        CHECK(many * m <= 7 * ut_grid_nblocks(g), "%u: no more than 7 carriers a block", side);
        ut_syndrome c = ut_quiet_code(many);
        CHECK(!many || (ut_syndrome_valid(&c) && c.ncarriers == many * m && c.nbits == m));
    }
    CHECK(ut_quiet_fold(ut_grid_of(256, 256), true) == 4 && ut_quiet_fold(ut_grid_of(96, 96), true) == 0);
}

static void short_header(void)
{
    const ut_header h = { .mode = UT_MODE_LATTICE, .fec_kind = 4, .fec_rate = 19, .trellis = 12, .reach = 255, .sealed_nbytes = 1u << 30 };
    uint8_t in[UT_SHORT_HEADER_NBYTES], again[UT_SHORT_HEADER_NBYTES];
    ut_header got;
    ut_header_pack_short(&h, in);
    CHECK(ut_header_unpack_short(in, &got) && !memcmp(&h, &got, sizeof h));
    for (unsigned at = 0; at < sizeof in; at++)
        for (unsigned v = 0; v < 256; v++) {
            uint8_t bad[UT_SHORT_HEADER_NBYTES];
            memcpy(bad, in, sizeof in);
            bad[at] = (uint8_t)v;
            bool ok = ut_header_unpack_short(bad, &got);
            if (ok) ut_header_pack_short(&got, again);
            CHECK(!ok || !memcmp(bad, again, sizeof bad), "byte %u = %u", at, v);
            if (at == 0) CHECK(ok == (v == 1), "version %u", v);
            if (at == 2) CHECK(ok == (v >= 6 && v <= 12), "height %u", v);
            if (at == 3) CHECK(ok == (v >= 8), "reach %u", v);
            if (at == 7) CHECK(ok == (v && v <= 64), "%u * 2^24 bytes", v);
        }
}

static void sealed_for_a_table(void)
{
    ut_seal_keys k;
    uint8_t salt[UT_SALT_NBYTES] = { 3 }, plain[UT_SHORT_HEADER_NBYTES] = { 1, 2, 3 }, sealed[sizeof plain + UT_HEADER_TAG_NBYTES], got[sizeof plain];
    CHECK(ut_seal_derive(&mine, salt, &k, NULL) == UT_OK && ut_seal_head(&k, 75, plain, sizeof plain, sealed, NULL) == UT_OK);
    for (unsigned t = 0; t < 256; t++) CHECK(ut_unseal_head(&k, (uint8_t)t, sealed, sizeof plain, got) == (t == 75), "place %u", t);
    CHECK(ut_unseal_head(&k, 75, sealed, sizeof plain, got) && !memcmp(got, plain, sizeof plain));
    sealed[0] ^= 1;
    CHECK(!ut_unseal_head(&k, 75, sealed, sizeof plain, got));
    ut_seal_keys_wipe(&k);
}

int main(void)
{
    room();
    short_header();
    sealed_for_a_table();
    comes_back();
    damaged();
    not_there();
    return check_end();
}
