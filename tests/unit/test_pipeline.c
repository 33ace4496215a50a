/* The library as its users call it: hide, send, reveal; defaults, cancelling, sizes, kinds of pictures, damage. */
#include "check.h"
#include "media/audio.h"
#include "media/image.h"
#include "pipeline/message.h"
#include "undertone.h"
#include <math.h>

enum { GREY = 1, ALPHA = 2 };
static const uint8_t words[] = "what is hidden here must come back bit for bit; and so it does";

static ut_blob photo(uint32_t w, uint32_t h, int how)
{
    ut_picture p;
    ut_buf file = { 0 };
    unsigned long long seed = 7;
    if (ut_picture_alloc(&p, w, h, how == ALPHA, NULL) != UT_OK) abort();
    p.grey = how == GREY;
    for (uint32_t y = 0; y < h; y++)
        for (uint32_t x = 0; x < w; x++)
            for (unsigned c = 0; c < 3; c++) {
                double v = 120 + 50 * sin(x * .05 + c) * cos(y * .07) + 20 * sin(x * y * .002);
                uint8_t *to = &p.rgb[3 * ((size_t)y * w + x) + c];
                *to = (uint8_t)(v + (check_rand(&seed) & 7));
                if (how == GREY && c) *to = to[-(int)c];
                if (how == ALPHA) p.alpha[(size_t)y * w + x] = (uint8_t)(x + 3 * y);
            }
    if (ut_image_write_png(&p, &file, NULL) != UT_OK) abort();
    ut_picture_free(&p);
    return (ut_blob){ file.data, file.len };
}

static ut_blob voice(size_t nsamples)
{
    ut_pcm p = { malloc(nsamples * sizeof(int16_t)), nsamples, UT_SPEECH_HZ };
    ut_buf file = { 0 };
    if (!p.sample) abort();
    for (size_t i = 0; i < nsamples; i++) {
        double t = (double)i / UT_SPEECH_HZ;
        p.sample[i] = (int16_t)(6000 * sin(900 * t + 3 * sin(11 * t)) * (1 + sin(25 * t)) * .5);
    }
    if (ut_audio_write_wav(&p, &file, NULL) != UT_OK) abort();
    ut_pcm_free(&p);
    return (ut_blob){ file.data, file.len };
}

static int same(ut_blob a, const void *b, size_t n) { return a.nbytes == n && (!n || !memcmp(a.data, b, n)); }

/* Reveals with the public key and checks that exactly `want` comes back. */
static void comes_back(ut_blob image, const void *want, size_t n, unsigned nthreads, const char *what)
{
    ut_reveal_options o;
    ut_reveal_report r;
    ut_blob out;
    ut_reveal_options_init(&o);
    o.nthreads = nthreads;
    ut_status s = ut_reveal(image.data, image.nbytes, &o, &out, &r);
    CHECK(s == UT_OK && r.exact && same(out, want, n), "%s: %d, %s", what, s, r.message);
    ut_blob_free(&out);
}

static ut_hide_options raw_options(const char *const *channels, size_t n)
{
    ut_hide_options o;
    ut_hide_options_init(&o);
    o.codec = UT_CODEC_RAW;
    o.channels = channels;
    o.nchannels = n;
    o.min_psnr_db = 30;
    o.nthreads = 1;
    return o;
}

/* Hides data, sends it through each channel and by itself; returns the picture. */
static ut_blob trip(ut_blob cover, const void *data, size_t n, const ut_hide_options *o, const char *what)
{
    ut_hide_report r;
    ut_blob out;
    char message[512];
    ut_status s = ut_hide(data, n, cover.data, cover.nbytes, o, &out, &r);
    CHECK(s == UT_OK && out.data && !r.message[0], "%s: %d, %s", what, s, r.message);
    if (s == UT_OK) {
        CHECK(r.psnr_db > 30 && r.nverified >= 1 && r.nsteps > 2, "%s: %.1f dB", what, r.psnr_db);
        comes_back(out, data, n, 1, what);
    }
    for (size_t i = 0; s == UT_OK && i < o->nchannels; i++) {
        ut_blob got;
        CHECK(ut_channel_run(out.data, out.nbytes, o->channels[i], NULL, &got, message) == UT_OK, "%s", message);
        comes_back(got, data, n, 2, what);
        ut_blob_free(&got);
    }
    ut_hide_report_free(&r);
    return out;
}

static void defaults(void)
{
    ut_blob cover = photo(256, 256, 0), v = voice(9600), out;
    ut_hide_report r;
    ut_status s = ut_hide(v.data, v.nbytes, cover.data, cover.nbytes, NULL, &out, &r);
    CHECK(s == UT_OK, "%s", r.message);
    if (s == UT_OK) {
        ut_reveal_report got;
        ut_blob heard;
        CHECK(r.nverified > 2 && r.preview.nbytes == v.nbytes && strlen(r.sha256_hex) == 64 && fabs(r.audio_s - .6) < 1e-9);
        CHECK(r.psnr_db >= 38, "%.2f", r.psnr_db);
        s = ut_reveal(out.data, out.nbytes, NULL, &heard, &got);
        CHECK(s == UT_OK && got.exact && got.is_audio, "%s", got.message);
        CHECK(same(heard, r.preview.data, r.preview.nbytes) && !strcmp(got.sha256_hex, r.sha256_hex));
        ut_blob_free(&heard);
    }
    ut_hide_report_free(&r);
    ut_blob_free(&out);
    ut_blob_free(&v);
    ut_blob_free(&cover);
}

static void kinds_of_pictures(void)
{
    const char *q80[] = { "jpeg:80" }, *png[] = { "png" };
    const struct { uint32_t w, h; int how; } cases[] = { { 256, 256, GREY }, { 256, 256, ALPHA }, { 333, 251, 0 }, { 257, 264, 0 }, { 4000, 9, 0 } };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        for (int lossless = 0; lossless < 2; lossless++) {
            ut_blob cover = photo(cases[i].w, cases[i].h, cases[i].how);
            ut_hide_options o = raw_options(lossless ? png : q80, 1);
            ut_blob out = trip(cover, words, sizeof words, &o, lossless ? "png" : "jpeg:80");
            ut_picture a, b;
            ut_image_info info;
            if (out.data && ut_image_read(cover.data, cover.nbytes, "a", &a, NULL, &info, NULL) == UT_OK) {
                CHECK(ut_image_read(out.data, out.nbytes, "b", &b, NULL, &info, NULL) == UT_OK);
                CHECK(b.width == cases[i].w && b.height == cases[i].h);
                CHECK(!a.alpha == !b.alpha && (!a.alpha || !memcmp(a.alpha, b.alpha, (size_t)a.width * a.height)));
                if (!lossless) CHECK(a.grey == b.grey);
                ut_picture_free(&a);
                ut_picture_free(&b);
            }
            ut_blob_free(&out);
            ut_blob_free(&cover);
        }
}

static void too_small(void)
{
    const char *to[] = { "jpeg:80", "png" };
    const uint32_t side[] = { 1, 8, 17, 64 };
    for (size_t i = 0; i < sizeof side / sizeof *side; i++)
        for (size_t k = 0; k < 2; k++) {
            ut_blob cover = photo(side[i], side[i], 0), out;
            ut_hide_options o = raw_options(to + k, 1);
            ut_hide_report r;
            ut_capacity_report c;
            uint8_t much[4000] = { 1 };
            ut_status s = ut_hide(much, sizeof much, cover.data, cover.nbytes, &o, &out, &r);
            CHECK(s == UT_E_CAPACITY && !out.data && r.message[0], "%u %s: %d %s", side[i], to[k], s, r.message);
            ut_hide_report_free(&r);
            s = ut_capacity(cover.data, cover.nbytes, &o, &c);
            CHECK((s == UT_E_CAPACITY && c.message[0]) || (s == UT_OK && c.payload_nbytes < sizeof much), "%u %s: %d, %zu bytes, %s",
                  side[i], to[k], s, c.payload_nbytes, c.message);
            ut_blob_free(&cover);
        }
}

static void routes(void)
{
    const char *two[] = { "jpeg:75", "whatsapp" }, *one[] = { "jpeg:85" };
    ut_blob cover = photo(256, 256, 0);
    ut_hide_options o = raw_options(two, 2);
    ut_blob out = trip(cover, words, sizeof words, &o, "custom table");
    ut_blob_free(&out);
    o = raw_options(one, 1);
    o.format = UT_FORMAT_JPEG;
    out = trip(cover, words, sizeof words, &o, "JPEG file");
    CHECK(out.nbytes > 2 && out.data[0] == 0xff && out.data[1] == 0xd8);
    ut_blob_free(&out);
    o.format = UT_FORMAT_WEBP;
    out = trip(cover, words, 1, &o, "one byte, WebP file");
    CHECK(out.nbytes > 12 && !memcmp(out.data + 8, "WEBP", 4));
    ut_blob_free(&out);
    o.format = UT_FORMAT_PNG;
    for (unsigned n = 1; n <= 2; n++) {
        o.nthreads = n;
        out = trip(cover, words, 0, &o, n == 1 ? "no bytes, one thread" : "no bytes, two threads");
        ut_blob_free(&out);
    }
    ut_blob_free(&cover);
}

typedef struct stop {
    int at, calls;
} stop;
static int stop_at(void *user, const char *step, double done)
{
    stop *s = user;
    CHECK(step && step[0] && done >= 0 && done <= 1);
    return s->calls++ == s->at;
}

static void cancelling(void)
{
    const char *to[] = { "jpeg:85" }, *png[] = { "png" };
    ut_blob cover = photo(256, 256, 0), out = { 0 };
    for (int lossless = 0; lossless < 2; lossless++) {
        ut_hide_options o = raw_options(lossless ? png : to, 1);
        ut_hide_report r;
        int at = 0;
        for (;; at++) {
            stop s = { at, 0 };
            o.progress = stop_at;
            o.user = &s;
            ut_blob_free(&out);
            ut_status st = ut_hide(words, sizeof words, cover.data, cover.nbytes, &o, &out, &r);
            ut_hide_report_free(&r);
            if (s.calls <= at) {
                CHECK(st == UT_OK && out.data, "%d", st);
                break;
            }
            CHECK(st == UT_E_CANCELLED && !out.data && !r.preview.data && r.message[0], "call %d: %d", at, st);
            CHECK(s.calls == at + 1, "called again after it said stop");
        }
        CHECK(at >= 3, "only %d places to stop at", at);
        for (at = 0;; at++) {
            stop s = { at, 0 };
            ut_reveal_options ro;
            ut_reveal_report rr;
            ut_blob got;
            ut_reveal_options_init(&ro);
            ro.progress = stop_at;
            ro.user = &s;
            ut_status st = ut_reveal(out.data, out.nbytes, &ro, &got, &rr);
            if (s.calls <= at) {
                CHECK(st == UT_OK && same(got, words, sizeof words));
                ut_blob_free(&got);
                break;
            }
            CHECK(st == UT_E_CANCELLED && !got.data && rr.message[0], "call %d: %d", at, st);
        }
        CHECK(at >= 2, "only %d places to stop at", at);
    }
    ut_blob_free(&out);
    ut_blob_free(&cover);
}

/* Noise in one sample plane's low bits: segments in the picture's upper part are lost, the others come back. */
static void partial(void)
{
    const char *png[] = { "png" };
    ut_blob cover = photo(256, 256, 0), v = voice(16000 * 3), out, heard;
    ut_hide_options o = raw_options(png, 1);
    ut_hide_report r;
    ut_reveal_options ro;
    ut_reveal_report rr;
    ut_picture p;
    ut_image_info info;
    ut_buf file = { 0 };
    o.codec = UT_CODEC_OPUS;
    o.bitrate_kbps = 32;
    ut_status s = ut_hide(v.data, v.nbytes, cover.data, cover.nbytes, &o, &out, &r);
    CHECK(s == UT_OK && r.payload_nbytes > 3 * 2048, "%s, %zu bytes", r.message, r.payload_nbytes);
    if (s == UT_OK && ut_image_read(out.data, out.nbytes, "stego", &p, NULL, &info, NULL) == UT_OK) {
        /* one sample in the middle: one segment; salt and header lie elsewhere, or this finds nothing at all */
        size_t at = 0;
        ut_reveal_options_init(&ro);
        for (int tries = 0; tries < 50 && at < (size_t)256 * 200 * 3; tries++) {
            at = (size_t)256 * 100 * 3 + (size_t)tries;
            p.rgb[at] ^= 1;
            file.len = 0;
            CHECK(ut_image_write_png(&p, &file, NULL) == UT_OK);
            s = ut_reveal(file.data, file.len, &ro, &heard, &rr);
            p.rgb[at] ^= 1;
            if (s == UT_E_DAMAGED) break;
            ut_blob_free(&heard);
        }
        CHECK(s == UT_E_DAMAGED && !heard.data && rr.nsegments > 3 && rr.nsegments_lost == 1 && strstr(rr.message, "partial"), "%d %s", s,
              rr.message);
        ro.partial = 1;
        s = ut_reveal(file.data, file.len, &ro, &heard, &rr);
        CHECK(s == UT_E_DAMAGED && !rr.exact && rr.is_audio && heard.nbytes == r.preview.nbytes, "%d %s", s, rr.message);
        size_t equal = 0, n = r.preview.nbytes;
        for (size_t i = 0; heard.nbytes == n && i < n; i++) equal += heard.data[i] == r.preview.data[i];
        CHECK(equal > n / 3 && equal < n, "%zu of %zu bytes survived", equal, n);
        ut_blob_free(&heard);
        ut_picture_free(&p);
    }
    ut_buf_free(&file);
    ut_hide_report_free(&r);
    ut_blob_free(&out);
    ut_blob_free(&v);
    ut_blob_free(&cover);
}

/* The same on the plain lattice: blocks of which the salt needs none are overwritten before the channel. */
static void partial_lattice(void)
{
    const char *to[] = { "jpeg:95+jpeg:90" };
    ut_blob cover = photo(448, 448, 0), out, sent, heard;
    ut_hide_options o = raw_options(to, 1);
    ut_hide_report r;
    ut_picture p;
    ut_image_info info;
    ut_buf file = { 0 };
    char message[512];
    uint8_t data[5000];
    unsigned long long seed = 5;
    for (size_t i = 0; i < sizeof data; i++) data[i] = (uint8_t)check_rand(&seed);
    ut_status s = ut_hide(data, sizeof data, cover.data, cover.nbytes, &o, &out, &r);
    CHECK(s == UT_OK, "%s", r.message);
    if (s == UT_OK && ut_image_read(out.data, out.nbytes, "stego", &p, NULL, &info, NULL) == UT_OK) {
        ut_layout l;
        ut_reveal_options ro;
        ut_reveal_report rr;
        size_t nblocks = 56 * 56;
        uint8_t *salt = calloc(nblocks, 1);
        CHECK(salt && ut_layout_init(&l, p.width, p.height, 0, NULL) == UT_OK);
        for (size_t i = 0; salt && i < l.salt.n; i++) salt[l.salt.pos[i] / 64] = 1;
        for (size_t b = 0; salt && b < nblocks; b++)
            for (size_t i = 0; i < 64 && !salt[b] && b % 3 == 0; i++)
                memset(p.rgb + 3 * ((b / 56 * 8 + i / 8) * 448 + b % 56 * 8 + i % 8), 60 + (int)(check_rand(&seed) % 130), 3);
        CHECK(ut_image_write_png(&p, &file, NULL) == UT_OK);
        CHECK(ut_channel_run(file.data, file.len, to[0], NULL, &sent, message) == UT_OK, "%s", message);
        ut_reveal_options_init(&ro);
        ro.partial = 1;
        s = ut_reveal(sent.data, sent.nbytes, &ro, &heard, &rr);
        CHECK(s == UT_E_DAMAGED && rr.ncodewords_lost && rr.nsegments_lost, "%d %s %s", s, rr.message, rr.diagnosis);
        CHECK(!heard.data || heard.nbytes == sizeof data);
        ut_blob_free(&heard);
        ut_blob_free(&sent);
        ut_layout_free(&l);
        ut_picture_free(&p);
        free(salt);
    }
    ut_buf_free(&file);
    ut_hide_report_free(&r);
    ut_blob_free(&out);
    ut_blob_free(&cover);
}

static void keys(void)
{
    const char *to[] = { "png" };
    ut_blob a, b, cover = photo(96, 96, 0), out, got;
    ut_hide_options o = raw_options(to, 1);
    ut_hide_report r;
    ut_reveal_options ro;
    ut_reveal_report rr;
    CHECK(ut_keygen(&a) == UT_OK && ut_keygen(&b) == UT_OK && !same(a, b.data, b.nbytes));
    o.key = (ut_key){ UT_KEY_FILE, a.data, a.nbytes };
    CHECK(ut_hide(words, sizeof words, cover.data, cover.nbytes, &o, &out, &r) == UT_OK, "%s", r.message);
    ut_reveal_options_init(&ro);
    CHECK(ut_reveal(out.data, out.nbytes, &ro, &got, &rr) == UT_E_KEY && !got.data && rr.message[0]);
    ro.key = (ut_key){ UT_KEY_FILE, b.data, b.nbytes };
    CHECK(ut_reveal(out.data, out.nbytes, &ro, &got, &rr) == UT_E_KEY && !got.data);
    ro.key.data = a.data;
    CHECK(ut_reveal(out.data, out.nbytes, &ro, &got, &rr) == UT_OK && same(got, words, sizeof words));
    ut_blob_free(&got);
    o.key = (ut_key){ UT_KEY_PASSPHRASE, NULL, 0 };
    ut_blob none;
    CHECK(ut_hide(words, sizeof words, cover.data, cover.nbytes, &o, &none, &r) == UT_E_USAGE && !none.data && r.message[0]);
    o.key = (ut_key){ (ut_key_kind)77, a.data, a.nbytes };
    CHECK(ut_hide(words, sizeof words, cover.data, cover.nbytes, &o, &none, &r) == UT_E_USAGE && !none.data && r.message[0]);
    ut_blob_free(&out);
    ut_blob_free(&a);
    ut_blob_free(&b);
    ut_blob_free(&cover);
}

int main(void)
{
    defaults();
    kinds_of_pictures();
    too_small();
    routes();
    cancelling();
    partial();
    partial_lattice();
    keys();
    return check_end();
}
