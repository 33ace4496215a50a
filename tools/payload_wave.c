/* What a payload codec makes of recordings: payload_wave CODEC KBPS IN... codes and decodes each, writes IN.CODEC.s16 (raw
 * 16-bit samples, 16 kHz) and IN.CODEC.payload into the folder $OUT or ".", and prints a line for each: name, payload bytes, seconds.
 * bench/spectrum_curve.py scores them. */
#include "media/audio.h"
#include "stage/payload/payload.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int slurp(const char *path, ut_buf *b)
{
    uint8_t chunk[65536];
    FILE *f = fopen(path, "rb");
    if (!f) return fprintf(stderr, "payload_wave: %s cannot be read\n", path), 1;
    for (size_t n = 1; n;) {
        n = fread(chunk, 1, sizeof chunk, f);
        if (ut_buf_append(b, chunk, n, NULL) != UT_OK) break;
    }
    return fclose(f), 0;
}

static int spill(const char *path, const void *data, size_t n)
{
    FILE *f = fopen(path, "wb");
    int bad = !f || fwrite(data, 1, n, f) != n;
    if (f && fclose(f)) bad = 1;
    if (bad) fprintf(stderr, "payload_wave: %s cannot be written\n", path);
    return bad;
}

static int one(const char *codec, double kbps, const char *path)
{
    const char *folder = getenv("OUT"), *name = strrchr(path, '/') ? strrchr(path, '/') + 1 : path;
    char to[4096];
    ut_err e = { 0 };
    ut_buf file = { 0 }, payload = { 0 };
    ut_pcm in = { 0 }, preview = { 0 };
    ut_payload_info info;
    if (slurp(path, &file)) return 1;
    ut_status s = ut_audio_read(file.data, file.len, path, &in, &e);
    if (s == UT_OK && strcmp(codec, "spectrum") == 0)
        s = ut_payload_encode_spectrum(&in, kbps, 2048, &payload, &preview, &info, &e);
    else if (s == UT_OK)
        s = ut_payload_encode_opus(&in, kbps, 2048, &payload, &preview, &info, &e);
    int bad = s != UT_OK;
    if (bad) fprintf(stderr, "payload_wave: %s\n", e.text);
    snprintf(to, sizeof to, "%s/%s.%s.s16", folder ? folder : ".", name, codec);
    bad = bad || spill(to, preview.sample, 2 * preview.nsamples);
    snprintf(to, sizeof to, "%s/%s.%s.payload", folder ? folder : ".", name, codec);
    bad = bad || spill(to, payload.data, payload.len);
    if (!bad) printf("%s %zu %.4f\n", name, payload.len, (double)in.nsamples / UT_SPEECH_HZ);
    ut_buf_free(&file);
    ut_buf_free(&payload);
    ut_pcm_free(&in);
    ut_pcm_free(&preview);
    return bad;
}

int main(int argc, char **argv)
{
    int bad = 0;
    if (argc < 4) return fprintf(stderr, "usage: OUT=FOLDER payload_wave opus|spectrum KBPS IN...\n"), 2;
    for (int i = 3; i < argc; i++) bad |= one(argv[1], atof(argv[2]), argv[i]);
    return bad;
}
