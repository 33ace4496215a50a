/* Synthesises something that codes like speech: a glottal pulse train and noise through moving formants, with pauses.
 * Usage: render_voice OUT.wav SAMPLES [RATE-HZ [SEED]]
 *
 * For tests that need a recording of any length and rate without a speech synthesiser.  Writes plain 16-bit mono WAV,
 * block by block, so that hours take no memory.  Source-filter model: Fant 1960; two-pole resonators: Klatt 1980.
 */
#include "base/buf.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { NFORMANTS = 4, HEADER_NBYTES = 44 };

typedef struct resonator {
    double a, b, c, y1, y2;
} resonator;

typedef struct voice {
    double rate_hz, phase, level, noise;
    unsigned long left; /* samples to the next sound */
    uint64_t rng;
    resonator r[NFORMANTS];
} voice;

static double uniform(voice *v)
{
    v->rng ^= v->rng >> 12;
    v->rng ^= v->rng << 25;
    v->rng ^= v->rng >> 27;
    return (double)((v->rng * 2685821657736338717ull) >> 40) / 16777216.0;
}

static void tune(resonator *r, double hz, double bandwidth_hz, double rate_hz)
{
    static const double pi = 3.14159265358979323846;
    double radius = exp(-pi * bandwidth_hz / rate_hz);
    r->c = -radius * radius;
    r->b = 2 * radius * cos(2 * pi * hz / rate_hz);
    r->a = 1 - r->b - r->c;
}

static void next_sound(voice *v)
{
    static const double formants[6][NFORMANTS] = { { 730, 1090, 2440, 3400 }, { 270, 2290, 3010, 3600 },
                                                   { 300, 870, 2240, 3300 },  { 530, 1840, 2480, 3500 },
                                                   { 570, 840, 2410, 3300 },  { 440, 1020, 2240, 3400 } };
    const double *f = formants[(int)(uniform(v) * 6)];
    double kind = uniform(v);
    v->level = kind < 0.16 ? 0 : 0.5 + 0.5 * uniform(v);
    v->noise = kind > 0.72 ? 0.5 : 0.015;
    v->left = (unsigned long)(v->rate_hz * (0.06 + 0.16 * uniform(v))) + 1;
    for (int i = 0; i < NFORMANTS; i++)
        tune(&v->r[i], fmin(f[i], 0.45 * v->rate_hz), 60 + 40 * i, v->rate_hz);
}

static int16_t next_sample(voice *v, unsigned long n)
{
    double t = (double)n / v->rate_hz, f0 = 118 + 16 * sin(1.9 * t) + 7 * sin(7.3 * t), x, y;
    if (!v->left--)
        next_sound(v);
    v->phase += f0 / v->rate_hz;
    v->phase -= floor(v->phase);
    x = v->phase < 0.4 ? sin(3.14159265 * v->phase / 0.4) - 0.55 : -0.1;
    x = v->level * (x * (v->noise > 0.1 ? 0.1 : 1.0) + v->noise * (2 * uniform(v) - 1));
    y = x;
    for (int i = 0; i < NFORMANTS; i++) {
        resonator *r = &v->r[i];
        double out = r->a * y + r->b * r->y1 + r->c * r->y2;
        r->y2 = r->y1;
        r->y1 = out;
        y = out;
    }
    y = 0.8 * y + 0.2 * x + 0.0005 * (2 * uniform(v) - 1);
    return (int16_t)lrint(fmax(-1, fmin(1, y * 0.6)) * 32000);
}

static void header(uint8_t h[HEADER_NBYTES], unsigned long n, unsigned long rate_hz)
{
    memcpy(h, "RIFF....WAVEfmt ", 16);
    ut_put32(h + 4, (uint32_t)(2 * n + 36));
    ut_put32(h + 16, 16);
    ut_put16(h + 20, 1);
    ut_put16(h + 22, 1);
    ut_put32(h + 24, (uint32_t)rate_hz);
    ut_put32(h + 28, (uint32_t)(2 * rate_hz));
    ut_put16(h + 32, 2);
    ut_put16(h + 34, 16);
    memcpy(h + 36, "data", 4);
    ut_put32(h + 40, (uint32_t)(2 * n));
}

int main(int argc, char **argv)
{
    unsigned long n = argc > 2 ? strtoul(argv[2], NULL, 10) : 0, rate = argc > 3 ? strtoul(argv[3], NULL, 10) : 16000;
    uint8_t h[HEADER_NBYTES], two[2];
    if (argc < 3 || argc > 5 || n > 1000000000ul || rate < 100 || rate > 400000) {
        fprintf(stderr, "usage: render_voice OUT.wav SAMPLES [RATE-HZ [SEED]]\n");
        return 2;
    }
    voice v = { .rate_hz = (double)rate, .rng = 88172645463325252ull + (argc > 4 ? strtoul(argv[4], NULL, 10) : 0) };
    FILE *f = fopen(argv[1], "wb");
    if (!f) {
        fprintf(stderr, "render_voice: cannot write %s\n", argv[1]);
        return 7;
    }
    header(h, n, rate);
    fwrite(h, 1, sizeof h, f);
    next_sound(&v);
    for (unsigned long i = 0; i < n; i++) {
        ut_put16(two, (uint16_t)next_sample(&v, i));
        fwrite(two, 1, 2, f);
    }
    if (ferror(f) | fclose(f)) {
        fprintf(stderr, "render_voice: cannot write %s\n", argv[1]);
        return 7;
    }
    return 0;
}
