/* Sounds that are no one's voice, for tests: render_sound OUT.wav KIND SAMPLES [RATE-HZ]
 *   silence, dc, full (a square wave at full scale), noise, music (chords that are struck and ring); 16-bit mono
 *   odd: 32-bit float, noise with infinities and values that are not numbers in it
 */
#include "base/buf.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static unsigned long long state = 88172645463325252ull;
static double hiss(void)
{
    state ^= state >> 12;
    state ^= state << 25;
    state ^= state >> 27;
    return (double)(state * 2685821657736338717ull >> 40) / (1 << 23) - 1;
}

/* A chord of three notes every 1.2 s, ten partials each, the higher ones dying away sooner. */
static double music(double t)
{
    static const double chord[4][3] = { { 261.6, 329.6, 392.0 }, { 220.0, 261.6, 329.6 }, { 174.6, 220.0, 261.6 }, { 196.0, 246.9, 293.7 } };
    double since = fmod(t, 1.2), y = 0;
    const double *note = chord[(long)(t / 1.2) % 4];
    for (int i = 0; i < 3; i++)
        for (int k = 1; k <= 10; k++) y += sin(6.283185307179586 * note[i] * k * t) / k * exp(-since * (.6 + .25 * k));
    return y * fmin(1, since * 200) * .12;
}

static double sample(const char *kind, unsigned long i, double rate_hz)
{
    if (!strcmp(kind, "silence")) return 0;
    if (!strcmp(kind, "dc")) return .25;
    if (!strcmp(kind, "full")) return i / 37 % 2 ? 1 : -1;
    if (!strcmp(kind, "noise")) return .1 * hiss();
    if (!strcmp(kind, "music")) return music((double)i / rate_hz);
    if (!strcmp(kind, "odd")) return i % 997 == 5 ? NAN : i % 1009 == 7 ? INFINITY : .1 * hiss();
    fprintf(stderr, "render_sound: no such kind: %s\n", kind);
    exit(2);
}

int main(int argc, char **argv)
{
    unsigned long n = argc > 3 ? strtoul(argv[3], NULL, 10) : 0, rate = argc > 4 ? strtoul(argv[4], NULL, 10) : 16000;
    if (argc < 4 || n > 100000000ul || rate < 100 || rate > 400000) {
        fprintf(stderr, "usage: render_sound OUT.wav KIND SAMPLES [RATE-HZ]\n");
        return 2;
    }
    unsigned width = strcmp(argv[2], "odd") ? 2 : 4;
    uint8_t h[44] = "RIFF....WAVEfmt ", out[4];
    ut_put32(h + 4, (uint32_t)(width * n + 36));
    ut_put32(h + 16, 16);
    ut_put16(h + 20, width == 4 ? 3 : 1);
    ut_put16(h + 22, 1);
    ut_put32(h + 24, (uint32_t)rate);
    ut_put32(h + 28, (uint32_t)(width * rate));
    ut_put16(h + 32, (uint16_t)width);
    ut_put16(h + 34, (uint16_t)(8 * width));
    memcpy(h + 36, "data", 4);
    ut_put32(h + 40, (uint32_t)(width * n));
    FILE *f = fopen(argv[1], "wb");
    if (!f || fwrite(h, 1, sizeof h, f) != sizeof h) return 7;
    for (unsigned long i = 0; i < n; i++) {
        double y = sample(argv[2], i, (double)rate);
        if (width == 4) {
            float x = (float)y;
            uint32_t bits;
            memcpy(&bits, &x, 4);
            ut_put32(out, bits);
        } else {
            ut_put16(out, (uint16_t)(int16_t)lrint(fmax(-32768, fmin(32767, y * 32768))));
        }
        fwrite(out, 1, width, f);
    }
    if (ferror(f) | fclose(f)) {
        fprintf(stderr, "render_sound: cannot write %s\n", argv[1]);
        return 7;
    }
    return 0;
}
