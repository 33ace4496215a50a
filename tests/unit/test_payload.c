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

static void opus_round_trip(size_t n, double kbps, size_t segment)
{
    ut_err e = { 0 };
    ut_pcm in = voice(n, 1), preview;
    ut_buf payload = { 0 };
    ut_payload_info info;
    ut_payload_out out;
    ut_status s = ut_payload_encode_opus(&in, kbps, segment, &payload, &preview, &info, &e);
    CHECK(s == UT_OK, "%zu samples: %s", n, e.text);
    CHECK(preview.nsamples == n && info.nsamples == n);
    s = ut_payload_decode(payload.data, payload.len, segment, NULL, &out, &e);
    CHECK(s == UT_OK && out.exact && out.lost_s <= 0, "%zu samples: %s", n, e.text);
    CHECK(out.pcm.nsamples == n && memcmp(out.pcm.sample, preview.sample, n * 2) == 0);
    CHECK(memcmp(out.info.sha256, info.sha256, 32) == 0);
    ut_payload_out_free(&out);
    ut_pcm_free(&in);
    ut_pcm_free(&preview);
    ut_buf_free(&payload);
}

int main(void)
{
    static const size_t len[] = { 1, 100, 855, 856, 857, 960, 16000, 100000 };
    for (size_t i = 0; i < sizeof len / sizeof len[0]; i++) opus_round_trip(len[i], 12, 2048);
    for (int kbps = 5; kbps <= 40; kbps += 7) opus_round_trip(50000, kbps, 100);
    return check_end();
}
