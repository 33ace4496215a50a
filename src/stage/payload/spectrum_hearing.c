/* How loud a listener would find what differs: the encoder's ear, on the sender's side only.
 *
 * Power in 48 bands of about half a Bark over 32 ms, specific loudness after Zwicker and Fastl ("Psychoacoustics", chapter 8:
 * exponent 0.23 over the threshold in quiet), a difference below a quarter of the loudness unheard, added sound worse
 * than missing sound: the outline published as ITU-T P.862.  So figures from that family of measures flatter this encoder a
 * little; docs/SPECTRUM.md gives STOI and SI-SDR beside them. */
#include "stage/payload/spectrum_hearing.h"
#include <math.h>
#include <stdlib.h>

enum { SIZE = 512, BINS = SIZE / 2, HOP = UT_SPECTRUM_HOP, BANDS = 48 };
#define PI 3.14159265358979323846

struct ut_spectrum_hearing {
    size_t nframes;
    float *power;                 /* [nframes][BANDS], of the original */
    double scale;                 /* samples^2 to the loudness model's power */
    double threshold[BANDS];
    double window[SIZE], cosine[SIZE], width; /* of a band, Bark */
    float share[BANDS][BINS];     /* of a bin's power in a band */
};

/* Power spectrum of real input, by a plain radix-2 transform. */
static void spectrum(const ut_spectrum_hearing *h, const double *in, float power[BINS])
{
    double re[SIZE], im[SIZE];
    for (unsigned i = 0; i < SIZE; i++) {
        unsigned r = 0;
        for (unsigned b = 0; b < 9; b++) r |= (i >> b & 1) << (8 - b);
        re[r] = in[i];
        im[r] = 0;
    }
    for (unsigned half = 1; half < SIZE; half *= 2)
        for (unsigned at = 0; at < SIZE; at += 2 * half)
            for (unsigned i = 0; i < half; i++) {
                unsigned turn = i * (SIZE / 2 / half), a = at + i, b = a + half;
                double c = h->cosine[turn], s = -h->cosine[(turn + 3 * SIZE / 4) % SIZE];
                double x = re[b] * c - im[b] * s, y = re[b] * s + im[b] * c;
                re[b] = re[a] - x;
                im[b] = im[a] - y;
                re[a] += x;
                im[a] += y;
            }
    for (unsigned i = 0; i < BINS; i++) power[i] = (float)(re[i] * re[i] + im[i] * im[i]);
}

/* Band powers of the 32 ms around the middle of frame t. */
static void measure(const ut_spectrum_hearing *h, const int16_t *sample, size_t nsamples, size_t t, float *out)
{
    double in[SIZE];
    float power[BINS];
    for (size_t i = 0; i < SIZE; i++) {
        size_t at = t * HOP + i; /* SIZE / 2 late */
        in[i] = at < SIZE / 2 || at - SIZE / 2 >= nsamples ? 0 : sample[at - SIZE / 2] * h->window[i];
    }
    spectrum(h, in, power);
    for (int b = 0; b < BANDS; b++) {
        float sum = 0;
        for (int i = 0; i < BINS; i++) sum += h->share[b][i] * power[i];
        out[b] = (float)(sum * h->scale);
    }
}

static double loudness(double power, double threshold)
{
    double v = .19 * pow(threshold / .5, .23) * (pow(.5 + .5 * power / threshold, .23) - 1); /* about one sone at 40 dB, 1 kHz */
    return v > 0 ? v : 0;
}

/* Listeners forgive a slight filter: the original is brought to the decoded's long-term spectrum.  [BANDS] factors. */
static void equalise(const ut_spectrum_hearing *h, const float *decoded, double factor[BANDS])
{
    for (int b = 0; b < BANDS; b++) {
        double was = 0, is = 0, n = 1e-9;
        for (size_t t = 0; t < h->nframes; t++) {
            const float *p = h->power + t * BANDS;
            double all = 0;
            for (int i = 0; i < BANDS; i++) all += p[i];
            if (all < 1e5 || p[b] < 100 * h->threshold[b]) continue;
            was += p[b];
            is += decoded[t * BANDS + b];
            n++;
        }
        factor[b] = fmax(.01, fmin(100, (is / n + 1000) / (was / n + 1000)));
    }
}

static double audible(const ut_spectrum_hearing *h, const float *power)
{
    double sum = 0;
    for (int b = 0; b < BANDS; b++) sum += power[b] > h->threshold[b] ? power[b] : 0;
    return sum;
}

/* Of one frame: the original's band powers times `factor` against the decoded's times `gain`. */
static double disturbance_of(const ut_spectrum_hearing *h, const float *was, const float *is, const double *factor, double gain)
{
    double sum = 0, added = 0;
    for (int b = 0; b < BANDS; b++) {
        double p = was[b] * factor[b], q = is[b] * gain;
        double x = loudness(p, h->threshold[b]), y = loudness(q, h->threshold[b]);
        double d = fabs(x - y) - .25 * fmin(x, y), worse = pow((q + 50) / (p + 50), 1.2);
        if (d <= 0) continue;
        sum += d * d * h->width;
        if (worse >= 3) added += d * fmin(worse, 12) * h->width;
    }
    return .1 * sqrt(sum * h->width * BANDS) + .0309 * added;
}

bool ut_spectrum_hear(const ut_spectrum_hearing *h, const int16_t *decoded, size_t nsamples, float *disturbance)
{
    float *power = malloc(h->nframes * BANDS * sizeof *power);
    double factor[BANDS], gain = 1;
    if (!power) return false;
    for (size_t t = 0; t < h->nframes; t++) measure(h, decoded, nsamples, t, power + t * BANDS);
    equalise(h, power, factor);
    for (size_t t = 0; t < h->nframes; t++) { /* nor do listeners mind slow changes of loudness */
        const float *was = h->power + t * BANDS, *is = power + t * BANDS;
        gain = .2 * gain + .8 * fmin(5, (audible(h, was) + 5000) / (audible(h, is) + 5000));
        disturbance[t] = (float)disturbance_of(h, was, is, factor, gain);
    }
    free(power);
    return true;
}

/* Threshold in quiet, dB (Terhardt 1979). */
static double quiet_db(double hz)
{
    double k = hz / 1000;
    return 3.64 * pow(k, -.8) - 6.5 * exp(-.6 * (k - 3.3) * (k - 3.3)) + 1e-3 * pow(k, 4);
}

/* Critical-band rate (Zwicker and Terhardt 1980). */
static double bark(double hz) { return 13 * atan(.00076 * hz) + 3.5 * atan(hz / 7500 * hz / 7500); }

/* Equal bands in Bark from 50 to 8000 Hz; low ones are narrower than a bin and share it. */
static void set_bands(ut_spectrum_hearing *h)
{
    double lowest = bark(50), hz = 50;
    h->width = (bark(8000) - lowest) / BANDS;
    for (int b = 0; b < BANDS; b++) {
        double from = lowest + b * h->width, to = from + h->width;
        while (bark(hz) < from + h->width / 2) hz++;
        h->threshold[b] = pow(10, fmin(90, quiet_db(hz)) / 10);
        for (int i = 0; i < BINS; i++) {
            double low = bark(fmax(0, (i - .5) * 16000 / SIZE)), high = bark((i + .5) * 16000 / SIZE);
            h->share[b][i] = (float)(fmax(0, fmin(high, to) - fmax(low, from)) / (high - low));
        }
    }
}

/* Speech is heard at about 80 dB. */
static void set_scale(ut_spectrum_hearing *h)
{
    double sum = 0;
    for (size_t t = 0; t < h->nframes; t++)
        for (int b = 0; b < BANDS; b++) sum += h->power[t * BANDS + b];
    h->scale = 1e8 * (double)h->nframes / (sum + 1e-9 * (double)h->nframes);
    for (size_t i = 0; i < h->nframes * BANDS; i++) h->power[i] = (float)(h->power[i] * h->scale);
}

ut_spectrum_hearing *ut_spectrum_hearing_new(const int16_t *sample, size_t nsamples, size_t nframes)
{
    ut_spectrum_hearing *h = calloc(1, sizeof *h);
    if (h) h->power = calloc(nframes, BANDS * sizeof *h->power);
    if (!h || !h->power) {
        ut_spectrum_hearing_free(h);
        return NULL;
    }
    h->nframes = nframes;
    h->scale = 1;
    for (int i = 0; i < SIZE; i++) {
        h->window[i] = .5 - .5 * cos(2 * PI * i / SIZE);
        h->cosine[i] = cos(2 * PI * i / SIZE);
    }
    set_bands(h);
    for (size_t t = 0; t < nframes; t++) measure(h, sample, nsamples, t, h->power + t * BANDS);
    set_scale(h);
    return h;
}

void ut_spectrum_hearing_free(ut_spectrum_hearing *h)
{
    if (!h) return;
    free(h->power);
    free(h);
}
