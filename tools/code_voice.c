/* Codes a recording as a payload and writes what the receiver would get, for scoring.  Prints "kbps N": payload bits per second of audio.
 * Usage: code_voice IN OUT.wav opus|spectrum KBPS | flac
 */
#include "media/audio.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SEGMENT_NBYTES = 2048 };

static ut_status load(const char *path, ut_pcm *pcm, ut_err *e)
{
    ut_buf file = { 0 };
    FILE *f = fopen(path, "rb");
    ut_status s = f ? UT_OK : ut_fail(e, UT_E_INPUT, "cannot open %s", path);
    uint8_t chunk[65536];
    for (size_t n; s == UT_OK && (n = fread(chunk, 1, sizeof chunk, f)) > 0;) s = ut_buf_append(&file, chunk, n, e);
    if (f) fclose(f);
    if (s == UT_OK) s = ut_audio_read(file.data, file.len, path, pcm, e);
    ut_buf_free(&file);
    return s;
}

static ut_status save(const char *path, const ut_pcm *pcm, ut_err *e)
{
    ut_buf file = { 0 };
    ut_status s = ut_audio_write_wav(pcm, &file, e);
    if (s != UT_OK) return s;
    FILE *f = fopen(path, "wb");
    bool ok = f && fwrite(file.data, 1, file.len, f) == file.len;
    ok = f && !fclose(f) && ok;
    ut_buf_free(&file);
    return ok ? UT_OK : ut_fail(e, UT_E_IO, "cannot write %s", path);
}

int main(int argc, char **argv)
{
    bool flac = argc == 4 && !strcmp(argv[3], "flac"), opus = argc == 5 && !strcmp(argv[3], "opus"), spectrum = argc == 5 && !strcmp(argv[3], "spectrum");
    double kbps = opus || spectrum ? strtod(argv[4], NULL) : 0;
    if (!flac && !(kbps > 0)) {
        fprintf(stderr, "usage: code_voice IN OUT.wav opus|spectrum KBPS | flac\n");
        return 2;
    }
    ut_err e = { 0 };
    ut_pcm in = { 0 }, preview = { 0 };
    ut_buf payload = { 0 };
    ut_payload_info info = { 0 };
    ut_status s = load(argv[1], &in, &e);
    if (s == UT_OK)
        s = spectrum ? ut_payload_encode_spectrum(&in, kbps, SEGMENT_NBYTES, &payload, &preview, &info, &e)
          : opus ? ut_payload_encode_opus(&in, kbps, SEGMENT_NBYTES, &payload, &preview, &info, &e)
                 : ut_payload_encode_flac(&in, SEGMENT_NBYTES, &payload, &preview, &info, &e);
    if (s == UT_OK) s = save(argv[2], &preview, &e);
    if (s == UT_OK) printf("kbps %.3f\n", info.kbps);
    else fprintf(stderr, "code_voice: %s\n", e.text);
    ut_pcm_free(&in);
    ut_pcm_free(&preview);
    ut_buf_free(&payload);
    return s == UT_OK ? 0 : 1;
}
