#include "check.h"
#include "stage/payload/payload.h"
#include <math.h>

/* Something like a voice: a buzz of harmonics whose pitch and loudness wander, and a hiss now and then. */
static ut_pcm voice(size_t n, unsigned long long seed)
{
    ut_pcm p = { calloc(n, sizeof(int16_t)), n, UT_SPEECH_HZ };
    double phase = 0;
    for (size_t i = 0; p.sample && i < n; i++) {
        double t = (double)i / UT_SPEECH_HZ, f0 = 130 + 30 * sin(2.1 * t) + 10 * sin(9.0 * t), x = 0;
        double loud = fmax(0, sin(7.0 * t) + 0.3), hiss = fmax(0, sin(3.1 * t) - 0.7);
        phase += 2 * 3.14159265358979 * f0 / UT_SPEECH_HZ;
        for (int k = 1; k <= 20; k++) x += sin(k * phase) / (1 + 0.002 * pow(k * f0 / 100 - 6, 4));
        x = 2500 * loud * x + 4000 * hiss * ((double)check_rand(&seed) / 4294967296.0 - 0.5);
        p.sample[i] = (int16_t)lrint(fmax(-32768, fmin(32767, x)));
    }
    return p;
}

enum kind { OPUS, FLAC, SPECTRUM };
static const ut_codec codec_of[] = { UT_CODEC_OPUS, UT_CODEC_FLAC, UT_CODEC_SPECTRUM };

static ut_status encode(enum kind kind, const ut_pcm *in, double kbps, size_t segment, ut_buf *payload, ut_pcm *preview,
                        ut_payload_info *info, ut_err *e)
{
    return kind == OPUS       ? ut_payload_encode_opus(in, kbps, segment, payload, preview, info, e)
           : kind == SPECTRUM ? ut_payload_encode_spectrum(in, kbps, segment, payload, preview, info, e)
                              : ut_payload_encode_flac(in, segment, payload, preview, info, e);
}

static void audio_round_trip(enum kind kind, size_t n, double kbps, size_t segment)
{
    ut_err e = { 0 };
    ut_pcm in = voice(n, 1), preview;
    ut_buf payload = { 0 };
    ut_payload_info info;
    ut_payload_out out;
    ut_status s = encode(kind, &in, kbps, segment, &payload, &preview, &info, &e);
    CHECK(s == UT_OK, "%zu samples: %s", n, e.text);
    CHECK(preview.nsamples == n && info.nsamples == n && info.codec == codec_of[kind]);
    CHECK(fabs(info.kbps - (double)payload.len * 8 / ((double)n / 16000) / 1000) < 1e-9);
    CHECK(kind != FLAC || memcmp(preview.sample, in.sample, n * 2) == 0);
    s = ut_payload_decode(payload.data, payload.len, segment, NULL, &out, &e);
    CHECK(s == UT_OK && out.exact && out.lost_s <= 0, "%zu samples: %s", n, e.text);
    CHECK(out.pcm.nsamples == n && memcmp(out.pcm.sample, preview.sample, n * 2) == 0);
    CHECK(memcmp(out.info.sha256, info.sha256, 32) == 0);
    ut_payload_out_free(&out);
    ut_pcm_free(&in);
    ut_pcm_free(&preview);
    ut_buf_free(&payload);
}

/* The preview must sit where the recording sits: the best match is at lag 0. */
static void alignment(enum kind kind, double kbps)
{
    ut_pcm in = voice(48000, 3), preview;
    ut_buf payload = { 0 };
    ut_payload_info info;
    CHECK(encode(kind, &in, kbps, 2048, &payload, &preview, &info, NULL) == UT_OK);
    int best = 999;
    double most = 0;
    for (int lag = -40; lag <= 40; lag++) {
        double sum = 0;
        for (int i = 100; i < 47900; i++) sum += (double)in.sample[i] * preview.sample[i + lag];
        if (sum > most) {
            most = sum;
            best = lag;
        }
    }
    CHECK(best >= -1 && best <= 1, "%g kbit/s: lag %d", kbps, best);
    ut_pcm_free(&in);
    ut_pcm_free(&preview);
    ut_buf_free(&payload);
}

static size_t same_samples(const ut_pcm *a, const ut_pcm *b)
{
    size_t same = 0;
    for (size_t i = 0; i < a->nsamples; i++) same += a->sample[i] == b->sample[i];
    return same;
}

/* Whatever is lost, the rest is decoded: FLAC exactly, Opus but for what the codec's memory spoils after the gap. */
static void losses(enum kind kind)
{
    enum { N = 160000, SEGMENT = 512 };
    ut_err e = { 0 };
    ut_pcm in = voice(N, 5), preview;
    ut_buf payload = { 0 };
    ut_payload_info info;
    CHECK(encode(kind, &in, 16, SEGMENT, &payload, &preview, &info, &e) == UT_OK);
    size_t count = (payload.len - 1) / SEGMENT + 1;
    uint8_t *ok = malloc(count), *damaged = malloc(payload.len);
    CHECK(count > 20);
    for (int what = 0; what < 7; what++) {
        ut_payload_out out;
        size_t lost = 0;
        memset(ok, 1, count);
        if (what == 0) ok[0] = 0;
        if (what == 1) ok[count - 1] = 0;
        if (what == 2) ok[5] = ok[6] = ok[7] = 0;
        if (what == 3) for (size_t i = 0; i < count; i += 2) ok[i] = 0;
        if (what == 4) for (size_t i = 0; i < count; i++) ok[i] = i == 9 || i == 10 || i == 11;
        if (what == 5) for (size_t i = 0; i < count; i++) ok[i] = i % 10 != 3;
        if (what == 6) ok[0] = ok[1] = ok[count - 1] = 0;
        memcpy(damaged, payload.data, payload.len);
        for (size_t i = 0; i < count; i++)
            if (!ok[i]) {
                size_t m = payload.len - i * SEGMENT < SEGMENT ? payload.len - i * SEGMENT : SEGMENT;
                memset(damaged + i * SEGMENT, what == 2 ? 0xa5 : 0, m); /* must not be looked at */
                lost++;
            }
        ut_status s = ut_payload_decode(damaged, payload.len, SEGMENT, ok, &out, &e);
        CHECK(s == UT_E_DAMAGED && !out.exact && out.pcm.nsamples == N, "case %d: %d %s", what, s, e.text);
        if (s == UT_E_DAMAGED) {
            double share = (double)lost / (double)count, gaps = what == 3 || what == 5 ? (double)lost : 2;
            double frame = kind == OPUS ? 0.06 : kind == FLAC ? 0.064 : 0.02;
            CHECK(out.lost_s >= share * 5 - 0.3 || kind == OPUS, "case %d: %.3f s", what, out.lost_s);
            CHECK(out.lost_s > 0 && out.lost_s <= share * 10 * 2 + gaps * 2 * frame, "case %d: %.3f s", what, out.lost_s);
            size_t good = same_samples(&preview, &out.pcm), silent = (size_t)lrint(out.lost_s * 16000);
            if (kind != OPUS) CHECK(good >= N - silent, "case %d: %zu of %zu", what, good, (size_t)N - silent);
            if (kind == OPUS && what == 1) CHECK(good >= N - silent, "case %d: %zu", what, good);
        }
        ut_payload_out_free(&out);
    }
    memset(ok, 0, count);
    ut_payload_out out;
    CHECK(ut_payload_decode(payload.data, payload.len, SEGMENT, ok, &out, &e) == UT_E_INPUT);
    free(ok);
    free(damaged);
    ut_pcm_free(&in);
    ut_pcm_free(&preview);
    ut_buf_free(&payload);
}

static void raw_round_trip(size_t n, size_t segment)
{
    ut_err e = { 0 };
    ut_buf payload = { 0 };
    ut_payload_info info;
    ut_payload_out out;
    unsigned long long seed = n + 1;
    uint8_t *data = malloc(n + 1);
    for (size_t i = 0; i < n; i++) data[i] = (uint8_t)(check_rand(&seed) | 1);
    CHECK(ut_payload_encode_raw(data, n, segment, &payload, &info, &e) == UT_OK && info.codec == UT_CODEC_RAW);
    CHECK(ut_payload_decode(payload.data, payload.len, segment, NULL, &out, &e) == UT_OK && out.exact);
    CHECK(out.raw.len == n && (!n || memcmp(out.raw.data, data, n) == 0) && out.info.kbps == 0 && !out.pcm.sample);
    ut_payload_out_free(&out);
    size_t count = (payload.len - 1) / segment + 1;
    uint8_t *ok = malloc(count);
    memset(ok, 1, count);
    for (size_t gone = 0; count > 1 && gone < count; gone++) {
        ok[gone] = 0;
        CHECK(ut_payload_decode(payload.data, payload.len, segment, ok, &out, &e) == UT_E_DAMAGED && out.raw.len == n);
        size_t wrong = 0;
        for (size_t i = 0; i < n && out.raw.len == n; i++) wrong += out.raw.data[i] != data[i];
        CHECK(wrong > 0 && wrong < segment, "segment %zu: %zu bytes differ", gone, wrong);
        ut_payload_out_free(&out);
        ok[gone] = 1;
    }
    free(ok);
    free(data);
    ut_buf_free(&payload);
}

/* Every byte changed, every length: an answer, never exact with other content, never a crash. */
static void hostile(enum kind kind)
{
    ut_err e = { 0 };
    ut_pcm in = voice(kind == OPUS ? 9000 : 3000, 7), preview;
    ut_buf payload = { 0 };
    ut_payload_info info;
    ut_payload_out out;
    CHECK(encode(kind, &in, 8, 100, &payload, &preview, &info, &e) == UT_OK);
    size_t step = payload.len / 400 + 1;
    for (size_t n = 0; n < payload.len; n += step) {
        uint8_t *cut = malloc(n + 1);
        memcpy(cut, payload.data, n);
        ut_status s = ut_payload_decode(cut, n, 100, NULL, &out, &e);
        bool told = s == UT_E_INPUT || (kind == SPECTRUM && s == UT_E_DAMAGED); /* a range coder reads on in zeros */
        CHECK(told, "cut to %zu: %d", n, s);
        ut_payload_out_free(&out);
        free(cut);
    }
    for (size_t at = 0; at < payload.len; at += step)
        for (int bit = 0; bit < 8; bit += 3) {
            payload.data[at] ^= (uint8_t)(1 << bit);
            ut_status s = ut_payload_decode(payload.data, payload.len, 100, NULL, &out, &e);
            bool same = s == UT_OK && same_samples(&preview, &out.pcm) == preview.nsamples;
            CHECK(s != UT_OK || same, "byte %zu", at); /* some bits of a frame mean nothing */
            CHECK(s == UT_OK || s == UT_E_INPUT || s == UT_E_DAMAGED, "byte %zu: %d", at, s);
            ut_payload_out_free(&out);
            payload.data[at] ^= (uint8_t)(1 << bit);
        }
    CHECK(ut_payload_decode(payload.data, payload.len, 101, NULL, &out, &e) == UT_E_INPUT);
    CHECK(ut_payload_decode(payload.data, payload.len, 0, NULL, &out, &e) == UT_E_USAGE);
    ut_buf_free(&payload);
    ut_pcm_free(&preview);
    ut_pcm_free(&in);
}

/* A few bytes that claim a whole day: refused before memory is taken. */
static void claims(void)
{
    ut_payload_out out;
    for (unsigned codec = 0; codec < 8; codec++) {
        uint8_t p[80] = { 0 };
        p[0] = (uint8_t)(1 << 5 | codec << 2);
        static const uint8_t total[][5] = { { 0x80, 0x80, 0x98, 0x93, 0x05 }, { 0xff, 0xff, 0xff, 0xff, 0x7f }, { 0 },
                                            { 0xff, 0xff, 0xff, 0xff, 0xff }, { 0x80, 0, 0, 0, 0 } };
        for (size_t i = 0; i < 5; i++) {
            memcpy(p + 1, total[i], 5);
            ut_status s = ut_payload_decode(p, sizeof p, 2048, NULL, &out, NULL);
            CHECK(s == UT_E_INPUT, "codec %u, claim %zu: %d", codec, i, s);
            ut_payload_out_free(&out);
        }
    }
}

/* The asked rate is the rate of the bytes, over a recording long enough. */
static void rates(void)
{
    ut_pcm in = voice(160000, 11), preview;
    for (double kbps = 4; kbps <= 32; kbps *= 2) {
        ut_buf payload = { 0 };
        ut_payload_info info = { 0 };
        CHECK(ut_payload_encode_spectrum(&in, kbps, 2048, &payload, &preview, &info, NULL) == UT_OK);
        CHECK(fabs(info.kbps / kbps - 1) < .05, "asked %g, got %g", kbps, info.kbps);
        ut_pcm_free(&preview);
        ut_buf_free(&payload);
    }
    ut_pcm_free(&in);
}

static void refusals(void)
{
    ut_pcm none = { NULL, 0, 16000 }, in = voice(1000, 1), preview;
    ut_buf b = { 0 };
    ut_payload_info info;
    ut_err e = { 0 };
    CHECK(ut_payload_encode_opus(&none, 12, 2048, &b, &preview, &info, &e) == UT_E_INPUT && e.text[0]);
    CHECK(ut_payload_encode_flac(&none, 2048, &b, &preview, &info, &e) == UT_E_INPUT);
    CHECK(ut_payload_encode_opus(&in, 4.9, 2048, &b, &preview, &info, &e) == UT_E_USAGE);
    CHECK(ut_payload_encode_opus(&in, NAN, 2048, &b, &preview, &info, &e) == UT_E_USAGE);
    CHECK(ut_payload_encode_opus(&in, 41, 2048, &b, &preview, &info, &e) == UT_E_USAGE);
    CHECK(ut_payload_encode_spectrum(&none, 12, 2048, &b, &preview, &info, &e) == UT_E_INPUT);
    CHECK(ut_payload_encode_spectrum(&in, 2.9, 2048, &b, &preview, &info, &e) == UT_E_USAGE);
    CHECK(ut_payload_encode_spectrum(&in, NAN, 2048, &b, &preview, &info, &e) == UT_E_USAGE);
    CHECK(ut_payload_encode_spectrum(&in, 65, 2048, &b, &preview, &info, &e) == UT_E_USAGE);
    CHECK(ut_payload_encode_opus(&in, 12, 63, &b, &preview, &info, &e) == UT_E_USAGE);
    in.rate_hz = 8000;
    CHECK(ut_payload_encode_opus(&in, 12, 2048, &b, &preview, &info, &e) == UT_E_USAGE);
    CHECK(b.len == 0 && !preview.sample);
    ut_pcm_free(&in);
    ut_buf_free(&b);
}

/* Silence, full-scale noise and a square wave: the Opus encoder must stay in SILK, and the spectrum in its bounds. */
static void odd_signals(enum kind codec)
{
    unsigned long long seed = 9;
    for (int kind = 0; kind < 4; kind++)
        for (double kbps = 5; kbps <= 40; kbps += 35) {
            ut_pcm in = voice(40000, 1), preview;
            for (size_t i = 0; i < in.nsamples; i++) {
                int noise = (int)(check_rand(&seed) & 0xffff) - 32768;
                in.sample[i] = (int16_t)(kind == 0 ? 0 : kind == 1 ? noise : kind == 2 ? (i / 40 % 2 ? 32767 : -32768)
                                                                         : i / 5000 % 2 ? noise : in.sample[i]);
            }
            ut_buf b = { 0 };
            ut_payload_info info;
            ut_payload_out out;
            ut_err e = { 0 };
            CHECK(encode(codec, &in, kbps, 2048, &b, &preview, &info, &e) == UT_OK, "%s", e.text);
            CHECK(ut_payload_decode(b.data, b.len, 2048, NULL, &out, &e) == UT_OK && out.exact);
            CHECK(memcmp(out.pcm.sample, preview.sample, 80000) == 0);
            CHECK(kind != 0 || info.kbps < 9, "silence at %g: %g kbit/s", kbps, info.kbps);
            ut_payload_out_free(&out);
            ut_buf_free(&b);
            ut_pcm_free(&in);
            ut_pcm_free(&preview);
        }
}

int main(void)
{
    static const size_t len[] = { 1, 100, 855, 856, 857, 960, 1023, 1024, 1025, 16000, 60000 };
    for (size_t i = 0; i < sizeof len / sizeof len[0]; i++) {
        audio_round_trip(OPUS, len[i], 12, 2048);
        audio_round_trip(SPECTRUM, len[i], 12, 2048);
        audio_round_trip(FLAC, len[i], 0, 2048);
    }
    for (int kbps = 5; kbps <= 40; kbps += 7) {
        audio_round_trip(OPUS, 30000, kbps, 64 + (size_t)kbps);
        audio_round_trip(SPECTRUM, 30000, kbps, 64 + (size_t)kbps);
    }
    audio_round_trip(FLAC, 30000, 0, 64);
    alignment(OPUS, 6); /* narrow, medium, wide band */
    alignment(OPUS, 9);
    alignment(OPUS, 24);
    alignment(SPECTRUM, 4);
    alignment(SPECTRUM, 16);
    losses(OPUS);
    losses(FLAC);
    losses(SPECTRUM);
    rates();
    static const size_t raw[] = { 0, 1, 20, 63, 64, 65, 1000 };
    for (size_t i = 0; i < sizeof raw / sizeof raw[0]; i++) raw_round_trip(raw[i], 64);
    raw_round_trip(10000, 2048);
    hostile(OPUS);
    hostile(FLAC);
    hostile(SPECTRUM);
    claims();
    refusals();
    odd_signals(OPUS);
    odd_signals(SPECTRUM);
    return check_end();
}
