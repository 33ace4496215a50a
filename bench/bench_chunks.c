/* What chunks cost: bench_chunks MODEL.safetensors RECORDING
 *
 * The network on the whole recording, against the network on chunks that cross-fade over 0.25 s, by chunk length and context: SNR of the chunked
 * result, over all and at the worst seam (half a second around it), and by how much more than the length is computed. */
#include "media/audio.h"
#include "stage/enhance/enhancer_internal.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static ut_buf slurp(const char *path)
{
    ut_buf b = { 0 };
    uint8_t piece[65536];
    FILE *f = fopen(path, "rb");
    for (size_t n; f && (n = fread(piece, 1, sizeof piece, f)) > 0;)
        if (ut_buf_append(&b, piece, n, NULL) != UT_OK) exit(1);
    if (f) fclose(f);
    return b;
}

static double snr_db(const float *want, const float *got, size_t from, size_t to)
{
    double signal = 1e-12, error = 1e-12;
    for (size_t i = from; i < to; i++) {
        double d = (double)want[i] - (double)got[i];
        signal += (double)want[i] * (double)want[i];
        error += d * d;
    }
    return 10 * log10(signal / error);
}

static void chunked(const ut_enhance_model *m, const float *in, size_t n, size_t hop, size_t context, float *out)
{
    const size_t fade = UT_CHUNK_FADE;
    float *piece = malloc((hop + fade + 2 * context) * sizeof *piece);
    for (size_t own = 0; own < n; own += hop) {
        size_t from = own > context ? own - context : 0, to = own + hop + fade + context < n ? own + hop + fade + context : n;
        ut_err e;
        if (!piece || ut_enhance_network(m, in + from, piece, to - from, &e) != UT_OK) exit(1);
        for (size_t i = own; i < own + hop + fade && i < n; i++) {
            float share = own && i < own + fade ? ((float)(i - own) + .5f) / (float)fade : 1;
            out[i] = share * piece[i - from] + (1 - share) * out[i];
        }
    }
    free(piece);
}

int main(int argc, char **argv)
{
    ut_err e = { 0 };
    ut_enhance_model *m;
    ut_pcm p;
    if (argc != 3) return fprintf(stderr, "usage: bench_chunks MODEL.safetensors RECORDING\n"), 2;
    ut_buf model = slurp(argv[1]), sound = slurp(argv[2]);
    if (ut_enhance_model_load(model.data, model.len, argv[1], &m, &e) != UT_OK || ut_audio_read(sound.data, sound.len, argv[2], &p, &e) != UT_OK)
        return fprintf(stderr, "%s\n", e.text), 1;
    size_t n = p.nsamples < 1000000 ? p.nsamples : 1000000; /* the network takes 65 s at a time */
    float *in = calloc(n, sizeof *in), *whole = calloc(n, sizeof *whole), *out = calloc(n, sizeof *out);
    if (!in || !whole || !out) return 1;
    double gain = ut_level_gain(ut_active_rms(p.sample, n), NAN);
    for (size_t i = 0; i < n; i++) in[i] = (float)(p.sample[i] * gain / 32768);
    if (ut_enhance_network(m, in, whole, n, &e) != UT_OK) return fprintf(stderr, "%s\n", e.text), 1;
    printf("%.1f s\n| hop s | context s | computed | SNR dB | at the worst seam |\n|---|---|---|---|---|\n", (double)n / UT_ENHANCE_HZ);
    static const double hops[] = { 4, 8, 16 }, contexts[] = { 0, .4, .8, 1, 1.6, 3.2 };
    for (int h = 0; h < 3; h++)
        for (int c = 0; c < 6; c++) {
            size_t hop = (size_t)(hops[h] * UT_ENHANCE_HZ), context = (size_t)(contexts[c] * UT_ENHANCE_HZ), half = UT_ENHANCE_HZ / 4;
            double worst = INFINITY;
            chunked(m, in, n, hop, context, out);
            for (size_t seam = hop; seam + half < n; seam += hop) worst = fmin(worst, snr_db(whole, out, seam - half, seam + half));
            printf("| %.0f | %.2f | x %.2f | %.1f | %.1f |\n", hops[h], contexts[c], 1 + (2 * contexts[c] + .25) / hops[h], snr_db(whole, out, 0, n), worst);
        }
    free(in);
    free(whole);
    free(out);
    ut_pcm_free(&p);
    ut_enhance_model_free(m);
    ut_buf_free(&model);
    ut_buf_free(&sound);
    return 0;
}
