/* What the payload stage costs on one recording: bench_payload VOICE.wav prints JSON; `spectrum` follows each row of Opus
 * with as many bytes.
 * kbps: payload bits per second of audio; overhead_pct: of heads and hash over the bare Opus packets with their TOC;
 * length_bits: what a packet's length costs now, and ideally coded (order-0 entropy of the lengths; of their
 * differences); realtime factors are seconds of audio per second of computing, encoding with its preview included. */

#include "media/audio.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static ut_buf slurp(const char *path)
{
    ut_buf b = { 0 };
    uint8_t chunk[65536];
    FILE *f = fopen(path, "rb");
    for (size_t n = 1; f && n;) {
        n = fread(chunk, 1, sizeof chunk, f);
        if (ut_buf_append(&b, chunk, n, NULL) != UT_OK) break;
    }
    if (f) fclose(f);
    return b;
}

static double entropy(const size_t *count, size_t n, size_t all)
{
    double bits = 0;
    for (size_t i = 0; i < n; i++)
        if (count[i]) bits -= (double)count[i] * log2((double)count[i] / (double)all);
    return all ? bits / (double)all : 0;
}

typedef struct length_stats {
    size_t packets, body_nbytes, length_nbytes;
    double entropy, diff_entropy; /* bits a packet */
} length_stats;

/* Walks a payload written as one segment: head, then length and body by turns (spec/payload.md). */
static length_stats walk(const ut_buf *p)
{
    static size_t count[1300], diff[2600];
    length_stats s = { 0 };
    size_t at = 1, before = 0;
    for (size_t i = 0; i < 1300; i++) count[i] = diff[2 * i] = diff[2 * i + 1] = 0;
    while (at < p->len && p->data[at] & 0x80) at++;
    for (at += 1 + 32; at < p->len; s.packets++) {
        size_t n = p->data[at++];
        s.length_nbytes++;
        if (n >= 240 && at < p->len) {
            n = 240 + 256 * (n - 240) + p->data[at++];
            s.length_nbytes++;
        }
        if (n > 1275) break;
        count[n]++;
        diff[1300 + n - before]++;
        before = n;
        s.body_nbytes += n;
        at += n;
    }
    s.entropy = entropy(count, 1300, s.packets);
    s.diff_entropy = entropy(diff, 2600, s.packets);
    return s;
}

static ut_status encode(ut_codec codec, const ut_pcm *in, double kbps, size_t segment, ut_buf *payload, ut_pcm *preview, ut_payload_info *info, ut_err *e)
{
    return codec == UT_CODEC_OPUS       ? ut_payload_encode_opus(in, kbps, segment, payload, preview, info, e)
           : codec == UT_CODEC_SPECTRUM ? ut_payload_encode_spectrum(in, kbps, segment, payload, preview, info, e)
                                        : ut_payload_encode_flac(in, segment, payload, preview, info, e);
}

/* *kbps: asked for; then what it came to */
static int row(ut_codec codec, const ut_pcm *in, double *kbps, const char *end)
{
    ut_err e = { 0 };
    ut_buf payload = { 0 }, whole = { 0 };
    ut_pcm preview = { 0 }, again = { 0 };
    ut_payload_info info;
    ut_payload_out out = { 0 };
    double seconds = (double)in->nsamples / UT_SPEECH_HZ, asked = *kbps, t0 = now(), stoi = 0, sdr = 0;
    ut_status s = encode(codec, in, asked, 2048, &payload, &preview, &info, &e);
    double t1 = now();
    if (s == UT_OK) s = ut_payload_decode(payload.data, payload.len, 2048, NULL, &out, &e);
    double t2 = now();
    if (s == UT_OK) s = ut_audio_compare(in, &preview, &sdr, &stoi, &e);
    if (s == UT_OK && codec == UT_CODEC_OPUS) s = encode(codec, in, asked, (size_t)1 << 30, &whole, &again, &info, &e);
    if (s == UT_OK) {
        *kbps = out.info.kbps;
        printf("    { \"codec\": \"%s\", \"asked_kbps\": %.3f, \"kbps\": %.3f, \"payload_nbytes\": %zu, "
               "\"encode_realtime\": %.0f, \"decode_realtime\": %.0f, \"stoi\": %.4f",
               ut_codec_name(codec), asked, *kbps, payload.len, seconds / (t1 - t0), seconds / (t2 - t1), stoi);
        if (codec != UT_CODEC_FLAC) printf(", \"si_sdr_db\": %.2f", sdr);
        if (codec == UT_CODEC_OPUS) {
            length_stats l = walk(&whole);
            double bare = (double)(l.body_nbytes + l.packets);
            printf(", \"packets\": %zu, \"overhead_pct\": %.3f, \"length_bits\": [%.2f, %.2f, %.2f]", l.packets,
                   100 * ((double)payload.len - bare) / bare, 8.0 * (double)l.length_nbytes / (double)l.packets, l.entropy,
                   l.diff_entropy);
        }
        printf(" }%s\n", end);
    } else {
        fprintf(stderr, "%s at %g kbit/s: %s\n", ut_codec_name(codec), asked, e.text);
    }
    ut_buf_free(&payload);
    ut_buf_free(&whole);
    ut_pcm_free(&preview);
    ut_pcm_free(&again);
    ut_payload_out_free(&out);
    return s != UT_OK;
}

int main(int argc, char **argv)
{
    static const double rate[] = { 6, 7.5, 9, 10, 12, 14, 16, 20, 24 };
    ut_err e = { 0 };
    ut_pcm in;
    int bad = 0;
    if (argc != 2) return fprintf(stderr, "usage: bench_payload VOICE.wav\n"), 2;
    ut_buf file = slurp(argv[1]);
    double t0 = now();
    if (ut_audio_read(file.data, file.len, argv[1], &in, &e) != UT_OK) return fprintf(stderr, "%s\n", e.text), 1;
    printf("{ \"seconds\": %.3f, \"read_s\": %.3f, \"rows\": [\n", (double)in.nsamples / UT_SPEECH_HZ, now() - t0);
    for (size_t i = 0; i < sizeof rate / sizeof rate[0]; i++) {
        double kbps = rate[i];
        bad |= row(UT_CODEC_OPUS, &in, &kbps, ",");
        bad |= row(UT_CODEC_SPECTRUM, &in, &kbps, ","); /* as many bytes as Opus took */
    }
    double none = 0;
    bad |= row(UT_CODEC_FLAC, &in, &none, "");
    printf("] }\n");
    ut_pcm_free(&in);
    ut_buf_free(&file);
    return bad;
}
