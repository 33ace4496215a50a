#include "check.h"
#include "media/audio_internal.h"
#include <math.h>

static ut_buf slurp(const char *name)
{
    char path[512];
    static uint8_t bytes[1 << 20];
    ut_buf b = { 0 };
    snprintf(path, sizeof path, "%s/vectors/audio/%s", UT_TEST_DIR, name);
    FILE *f = fopen(path, "rb");
    CHECK(f != NULL, "%s", path);
    if (!f) return b;
    size_t n = fread(bytes, 1, sizeof bytes, f);
    fclose(f);
    CHECK(ut_buf_append(&b, bytes, n, NULL) == UT_OK);
    return b;
}

/* Share of the energy within 40 Hz or so of f (Goertzel over Hann-windowed pieces of 1024). */
static double energy_near(const ut_pcm *p, double hz)
{
    double got = 0, all = 0;
    for (size_t at = 0; at + 1024 <= p->nsamples; at += 512) {
        double re = 0, im = 0;
        for (int i = 0; i < 1024; i++) {
            double w = 0.5 - 0.5 * cos(2 * 3.14159265358979 * i / 1024), x = w * p->sample[at + (size_t)i];
            re += x * cos(2 * 3.14159265358979 * hz * i / UT_SPEECH_HZ);
            im += x * sin(2 * 3.14159265358979 * hz * i / UT_SPEECH_HZ);
            all += x * x * 1024;
        }
        got += 2 * 1.5 * (re * re + im * im);
    }
    return got / all;
}

static double rms(const ut_pcm *p)
{
    double sum = 0;
    for (size_t i = 0; i < p->nsamples; i++) sum += (double)p->sample[i] * p->sample[i];
    return sqrt(sum / (double)p->nsamples);
}

static void formats(void)
{
    static const struct {
        const char *name;
        size_t nsamples, slack;
    } file[] = { { "mono16.wav", 16000, 0 },     { "8k_u8.wav", 16000, 0 },      { "8k_ulaw.wav", 16000, 0 },
                 { "s24.wav", 8000, 0 },         { "s32.wav", 4000, 0 },         { "float.wav", 4000, 0 },
                 { "44k_stereo.wav", 3200, 0 },  { "44k_stereo.flac", 3200, 0 }, { "96k.flac", 4000, 0 },
                 { "vorbis.ogg", 16000, 200 },   { "opus.opus", 16000, 200 },    { "mp3.mp3", 16000, 1200 },
                 { "aac.m4a", 16000, 1200 },     { "adts.aac", 16000, 1200 },    { "amr.amr", 16000, 400 },
                 { "amr.3gp", 16000, 400 },      { "opus.webm", 16000, 400 } };
    for (size_t i = 0; i < sizeof file / sizeof file[0]; i++) {
        ut_err e = { 0 };
        ut_pcm p;
        ut_buf b = slurp(file[i].name);
        CHECK(ut_audio_sniff(b.data, b.len), "%s", file[i].name);
        ut_status s = ut_audio_read(b.data, b.len, file[i].name, &p, &e);
        CHECK(s == UT_OK, "%s: %s", file[i].name, e.text);
        CHECK(p.rate_hz == 16000 && p.nsamples >= file[i].nsamples - file[i].slack &&
                  p.nsamples <= file[i].nsamples + file[i].slack, "%s: %zu samples", file[i].name, p.nsamples);
        double share = s == UT_OK ? energy_near(&p, 300) + energy_near(&p, 1200) : 0;
        CHECK(share > 0.95, "%s: %.4f of the energy in the two tones", file[i].name, share);
        CHECK(s != UT_OK || (rms(&p) > 1000 && rms(&p) < 9500), "%s: %.0f", file[i].name, rms(&p));
        ut_pcm_free(&p);
        ut_buf_free(&b);
    }
}

/* A WAV file from scratch; format 1 = integer, 3 = float. */
static ut_buf wav(unsigned format, unsigned bits, unsigned channels, uint32_t rate, const void *data, size_t nbytes,
                  uint32_t claimed)
{
    uint8_t h[44] = "RIFF....WAVEfmt ";
    ut_buf b = { 0 };
    ut_put32(h + 4, claimed + 36);
    ut_put32(h + 16, 16);
    ut_put16(h + 20, (uint16_t)format);
    ut_put16(h + 22, (uint16_t)channels);
    ut_put32(h + 24, rate);
    ut_put32(h + 28, rate * channels * bits / 8);
    ut_put16(h + 32, (uint16_t)(channels * bits / 8));
    ut_put16(h + 34, (uint16_t)bits);
    memcpy(h + 36, "data", 4);
    ut_put32(h + 40, claimed);
    CHECK(ut_buf_append(&b, h, 44, NULL) == UT_OK && ut_buf_append(&b, data, nbytes, NULL) == UT_OK);
    return b;
}

static ut_status read_wav(ut_buf b, ut_pcm *p, ut_err *e)
{
    *e = (ut_err){ 0 };
    ut_status s = ut_audio_read(b.data, b.len, "x.wav", p, e);
    CHECK((s == UT_OK) == (p->sample != NULL) && (s == UT_OK) == (e->text[0] == 0));
    ut_buf_free(&b);
    return s;
}

static void exact(void)
{
    ut_err e = { 0 };
    ut_pcm in = { calloc(65536, 2), 65536, 16000 }, p;
    ut_buf file = { 0 }, again = { 0 };
    for (size_t i = 0; i < 65536; i++) in.sample[i] = (int16_t)(i - 32768);
    CHECK(ut_audio_write_wav(&in, &file, &e) == UT_OK && file.len == 44 + 131072);
    CHECK(ut_audio_read(file.data, file.len, NULL, &p, &e) == UT_OK && p.nsamples == 65536 &&
          memcmp(p.sample, in.sample, 131072) == 0);
    CHECK(ut_audio_write_wav(&p, &again, &e) == UT_OK && again.len == file.len &&
          memcmp(again.data, file.data, file.len) == 0);
    ut_pcm_free(&p);
    CHECK(ut_audio_read(file.data, file.len - 1000, "cut.wav", &p, &e) == UT_E_INPUT && strstr(e.text, "cut short"));
    ut_buf b = slurp("mono16.wav");
    ut_put32(b.data + 40, 0xffffffffu); /* a program that wrote into a pipe: length unknown */
    CHECK(ut_audio_read(b.data, b.len, NULL, &p, &e) == UT_OK && p.nsamples == 16000);
    ut_pcm_free(&p);
    ut_buf_free(&b);
    ut_buf_free(&file);
    ut_buf_free(&again);
    ut_pcm_free(&in);
}

static void values(void)
{
    ut_err e;
    ut_pcm p;
    static const int16_t two[6] = { 100, 300, -100, -100, 32767, 32767 };
    CHECK(read_wav(wav(1, 16, 2, 16000, two, 12, 12), &p, &e) == UT_OK && p.nsamples == 3 && p.sample[0] == 200 &&
          p.sample[1] == -100 && p.sample[2] == 32767, "mean of the channels");
    ut_pcm_free(&p);
    float odd[6] = { NAN, INFINITY, -INFINITY, 0.5f, 7.0f, -1e30f };
    CHECK(read_wav(wav(3, 32, 1, 16000, odd, 24, 24), &p, &e) == UT_OK && p.nsamples == 6 && p.sample[0] == 0 &&
          p.sample[1] == 0 && p.sample[2] == 0 && p.sample[3] == 16384 && p.sample[4] == 32767 &&
          p.sample[5] == -32768, "NaN, infinity, clipping");
    ut_pcm_free(&p);
    float loud[3000];
    for (size_t i = 0; i < 3000; i++) loud[i] = i % 7 ? 1e38f : NAN;
    CHECK(read_wav(wav(3, 32, 3, 44100, loud, sizeof loud, sizeof loud), &p, &e) == UT_OK, "%s", e.text);
    ut_pcm_free(&p);
}

static void refusals(void)
{
    ut_err e;
    ut_pcm p;
    int16_t some[65] = { 1, 2, 3 };
    CHECK(read_wav(wav(1, 16, 1, 16000, some, 0, 0), &p, &e) == UT_E_INPUT && strstr(e.text, "no sound"));
    CHECK(read_wav(wav(1, 16, 0, 16000, some, 128, 128), &p, &e) == UT_E_INPUT);
    CHECK(read_wav(wav(1, 16, 1, 0, some, 128, 128), &p, &e) == UT_E_INPUT);
    CHECK(read_wav(wav(1, 16, 1, 999, some, 128, 128), &p, &e) == UT_E_INPUT && strstr(e.text, "999"));
    CHECK(read_wav(wav(1, 16, 1, 768001, some, 128, 128), &p, &e) == UT_E_INPUT);
    CHECK(read_wav(wav(1, 16, 1, 2000000000, some, 128, 128), &p, &e) == UT_E_INPUT);
    CHECK(read_wav(wav(1, 8, 65, 16000, some, 130, 130), &p, &e) != UT_OK);
    CHECK(read_wav(wav(1, 16, 1, 1000, some, 128, 128), &p, &e) == UT_OK && p.nsamples == 1024, "%zu", p.nsamples);
    ut_pcm_free(&p);
    CHECK(ut_audio_read(NULL, 0, "a", &p, &e) == UT_E_INPUT && strstr(e.text, "empty"));
    CHECK(ut_audio_read((const uint8_t *)"hello, world", 12, "a", &p, &e) == UT_E_INPUT);
    CHECK(!ut_audio_sniff((const uint8_t *)"\xff\xd8\xff\xe0 a photo", 12));
    CHECK(!ut_audio_sniff((const uint8_t *)"\0\0\0\x18" "ftypheic", 12));
    static const char *const whole[] = { "96k.flac", "aac.m4a", "opus.webm", "mp3.mp3", "amr.amr" };
    for (size_t i = 0; i < sizeof whole / sizeof whole[0]; i++) { /* cut anywhere: no crash; FLAC and m4a say so */
        ut_buf b = slurp(whole[i]);
        for (size_t n = 0; n < b.len; n += b.len / 7 + 1) {
            uint8_t *cut = malloc(n + 1);
            memcpy(cut, b.data, n);
            ut_status s = ut_audio_read(cut, n, whole[i], &p, &e);
            CHECK(i > 1 || s == UT_E_INPUT, "%s cut to %zu: %d", whole[i], n, s);
            ut_pcm_free(&p);
            free(cut);
        }
        ut_buf_free(&b);
    }
}

static ut_status count(void *user, const int16_t *sample, size_t n, ut_err *e)
{
    (void)sample, (void)e;
    *(size_t *)user += n;
    return UT_OK;
}

/* Sources that fail half-way, give single bytes, or claim to give more than they were asked for. */
typedef struct odd_source {
    ut_buf b;
    size_t most;       /* bytes a call */
    uint64_t fails_at; /* from here on */
    ptrdiff_t answer;  /* then */
} odd_source;

static ptrdiff_t read_oddly(void *user, uint64_t at, void *to, size_t n)
{
    const odd_source *o = user;
    if (at >= o->fails_at) return o->answer;
    if (n > o->most) n = o->most;
    if (n > o->fails_at - at) n = (size_t)(o->fails_at - at);
    if (n > o->b.len - at) n = (size_t)(o->b.len - at);
    memcpy(to, o->b.data + at, n);
    return (ptrdiff_t)n;
}

static void sources(void)
{
    static const char *const names[] = { "mono16.wav", "96k.flac", "aac.m4a", "vorbis.ogg" };
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        ut_err e = { 0 };
        ut_pcm p;
        size_t taken = 0;
        odd_source o = { slurp(names[i]), 7, UINT64_MAX, 0 };
        ut_source src = { o.b.len, read_oddly, &o };
        CHECK(ut_audio_read(o.b.data, o.b.len, names[i], &p, &e) == UT_OK);
        CHECK(ut_audio_stream(&src, names[i], count, &taken, &e) == UT_OK && taken == p.nsamples, "%s: %s", names[i], e.text);
        o.most = 1 << 20;
        for (o.answer = -1; o.answer < 1000000; o.answer += 1000001)
            for (o.fails_at = 0; o.fails_at < o.b.len; o.fails_at += o.b.len / 3 - 1) {
                ut_status s = ut_audio_stream(&src, names[i], count, &taken, &e);
                CHECK(s == UT_E_IO && strstr(e.text, "could not be read"), "%s: %d %s", names[i], s, e.text);
            }
        ut_pcm_free(&p);
        ut_buf_free(&o.b);
    }
}

/* A recording that is already 24 hours long takes not one sample more. */
static void too_long(void)
{
    static ut_audio_sink k;
    size_t taken = 0;
    float frame[3] = { 0 };
    ut_err e;
    k.name = "long.wav";
    k.take = count;
    k.user = &taken;
    k.nsamples = (uint64_t)UT_MAX_SECONDS * UT_SPEECH_HZ - 2;
    CHECK(ut_audio_sink_form(&k, UT_SPEECH_HZ, 1, &e) == UT_OK);
    CHECK(ut_audio_sink_put(&k, frame, 2, &e) == UT_OK && taken == 2);
    CHECK(ut_audio_sink_put(&k, frame, 1, &e) == UT_E_INPUT && strstr(e.text, "24 hours") && taken == 2, "%s", e.text);
    ut_audio_sink_free(&k);
}

static int floor_div(int a, int b) { return a / b - (a % b != 0 && (a < 0) != (b < 0)); }
static int clip(int v) { return v < -32768 ? -32768 : v > 32767 ? 32767 : v; }

/* The recipe of tools/gen_stoi_vectors.py. */
static void sounds(size_t n, unsigned long long r, int noise, int16_t *ref, int16_t *deg)
{
    int phase = 0, gate = 0, pitch = 100, last = 0;
    for (size_t i = 0; i < n; i++) {
        if (i % 2000 == 0) {
            gate = (int)(check_rand(&r) % 4) * 4000;
            pitch = 90 + (int)(check_rand(&r) % 160);
        }
        if (i % 16000 >= 13000) gate = 0;
        phase = (phase + pitch * 4096) % (16000 * 4096);
        int saw = phase / (16000 * 4096 / 256) - 128, hiss = (int)(check_rand(&r) % 64) - 32;
        last = floor_div(3 * last + floor_div(saw * gate + floor_div(hiss * gate, 2), 128) * 4, 7);
        ref[i] = (int16_t)clip(last * 8);
        deg[i] = (int16_t)clip(floor_div(ref[i] * 3, 4) + (int)(check_rand(&r) % (unsigned)(2 * noise + 1)) - noise);
    }
}

static void comparison(void)
{
    static int16_t a[50000], b[50000];
    unsigned long n, seed;
    int noise, rows = 0;
    double want_stoi, want_sdr, stoi, sdr;
    ut_err e = { 0 };
    char path[512], line[200];
    snprintf(path, sizeof path, "%s/vectors/audio/stoi.txt", UT_TEST_DIR);
    FILE *f = fopen(path, "r");
    CHECK(f != NULL);
    while (f && fgets(line, sizeof line, f)) {
        if (sscanf(line, "%lu %lu %d %lf %lf", &n, &seed, &noise, &want_stoi, &want_sdr) != 5 || n > 50000) continue;
        rows++;
        sounds(n, seed, noise, a, b);
        ut_pcm ref = { a, n, 16000 }, deg = { b, n, 16000 };
        CHECK(ut_audio_compare(&ref, &deg, &sdr, &stoi, &e) == UT_OK);
        CHECK(fabs(stoi - want_stoi) < 1e-6, "%.9f, not %.9f", stoi, want_stoi);
        CHECK(fabs(sdr - want_sdr) < 1e-6, "%.9f, not %.9f", sdr, want_sdr);
        CHECK(ut_audio_compare(&ref, &ref, &sdr, &stoi, &e) == UT_OK && isinf(sdr) && fabs(stoi - 1) < 1e-9);
        deg.nsamples--;
        CHECK(ut_audio_compare(&ref, &deg, &sdr, &stoi, &e) == UT_E_USAGE);
        ref.nsamples = deg.nsamples = 500; /* too short to say */
        CHECK(ut_audio_compare(&ref, &deg, &sdr, &stoi, &e) == UT_OK && isnan(stoi));
    }
    CHECK(rows == 5);
    if (f) fclose(f);
}

int main(void)
{
    formats();
    exact();
    values();
    refusals();
    sources();
    too_long();
    comparison();
    return check_end();
}
