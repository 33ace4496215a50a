#include "stage/enhance/speech.h"
#include "base/buf.h"
#include "kern/stft.h"
#include <complex.h>
#include <math.h>
#include <stdlib.h>

enum { SHORT = UT_SPEECH_SHORT, LONG = UT_SPEECH_LONG, BANDS = UT_SPEECH_BANDS, FRAMES = UT_SPEECH_FRAMES };
enum { BINS = SHORT / 2 + 1, LONG_BINS = 208 /* to 3250 Hz */, FINE_LOW = 20, FINE_HIGH = 192, NFINE = FINE_HIGH - FINE_LOW + 1 };
static const double PI = 3.14159265358979323846, FLOOR = 1e-8 /* power of a bin, about that of rounding to 16 bit */,
                    STEADY = 1e-3 /* modulation energy of white noise: less is no better sign of speech */;
static const double FRAME_HZ = (double)UT_ENHANCE_HZ / UT_SPEECH_HOP;

struct ut_speech {
    ut_stft shorter, longer;
    double *scratch;
    double cosine[LONG]; /* cos(2 pi i / LONG) */
    float wave[UT_SPEECH_BLOCK], re[LONG / 2 + 1][UT_STFT_LANES], im[LONG / 2 + 1][UT_STFT_LANES];
    double mel[BANDS][BINS];
    double band[FRAMES][BANDS], power[FRAMES][LONG_BINS], fine[FRAMES][NFINE];
    size_t nframes;
};

static double mel_of(double hz) { return 2595 * log10(1 + hz / 700); }

ut_status ut_speech_new(ut_speech **out, ut_err *e)
{
    ut_speech *s = *out = ut_calloc(1, sizeof *s, e);
    if (!s) return UT_E_MEMORY;
    ut_status st = ut_stft_init(&s->shorter, SHORT, SHORT, UT_SPEECH_HOP, e);
    if (st == UT_OK) st = ut_stft_init(&s->longer, LONG, LONG, UT_SPEECH_HOP, e);
    if (st == UT_OK && !(s->scratch = ut_calloc(ut_stft_scratch(&s->longer), sizeof *s->scratch, e))) st = UT_E_MEMORY;
    if (st != UT_OK) {
        ut_speech_free(s);
        *out = NULL;
        return st;
    }
    for (int i = 0; i < LONG; i++) s->cosine[i] = cos(2 * PI * i / LONG);
    double lowest = mel_of(200), step = (mel_of(3400) - lowest) / (BANDS + 1);
    for (int b = 0; b < BANDS; b++)
        for (int k = 0; k < BINS; k++) {
            double at = (mel_of((double)k * UT_ENHANCE_HZ / SHORT) - lowest) / step - b; /* 0, 1, 2: lower edge, centre, upper edge */
            s->mel[b][k] = fmax(0, fmin(at, 2 - at));
        }
    return UT_OK;
}

void ut_speech_free(ut_speech *s)
{
    if (!s) return;
    ut_stft_free(&s->shorter);
    ut_stft_free(&s->longer);
    free(s->scratch);
    ut_wipe(s, sizeof *s);
    free(s);
}

static double power_at(const ut_speech *s, size_t k, size_t lane)
{
    double re = (double)s->re[k][lane], im = (double)s->im[k][lane];
    return re * re + im * im + FLOOR;
}

/* Both spectra of the frames centred on LONG/2 + t HOP: all lie wholly within the block. */
static void analyse(ut_speech *s, const int16_t *sample, size_t n)
{
    enum { FIRST = LONG / 2 / UT_SPEECH_HOP };
    s->nframes = (n - LONG) / UT_SPEECH_HOP + 1;
    for (size_t i = 0; i < n; i++) s->wave[i] = (float)sample[i] / 32768;
    for (size_t t = 0; t < s->nframes; t += UT_STFT_LANES) {
        size_t count = s->nframes - t < UT_STFT_LANES ? s->nframes - t : UT_STFT_LANES;
        ut_stft_frames f = { .re = s->re[0], .im = s->im[0], .row_stride = UT_STFT_LANES, .first = FIRST + t, .step = 1, .count = count };
        ut_stft_forward(&s->longer, s->wave, n, &f, s->scratch);
        for (size_t i = 0; i < count; i++)
            for (size_t k = 0; k < LONG_BINS; k++) s->power[t + i][k] = power_at(s, k, i);
        ut_stft_forward(&s->shorter, s->wave, n, &f, s->scratch);
        for (size_t i = 0; i < count; i++)
            for (size_t b = 0; b < BANDS; b++) {
                s->band[t + i][b] = 0;
                for (size_t k = 0; k < BINS; k++) s->band[t + i][b] += s->mel[b][k] * power_at(s, k, i);
            }
    }
}

/* One coefficient of each band's envelope (fourth root of power, over its mean, Hann window) at `cycles` periods a block. */
static void modulation(const ut_speech *s, const double mean[BANDS], size_t cycles, double complex out[BANDS])
{
    double T = (double)s->nframes;
    for (int b = 0; b < BANDS; b++) out[b] = 0;
    for (size_t t = 0; t < s->nframes; t++) {
        double angle = 2 * PI * (double)((cycles * t) % s->nframes) / T, hann = .5 - .5 * cos(2 * PI * (double)t / T);
        double complex w = hann * (cos(angle) - I * sin(angle));
        for (int b = 0; b < BANDS; b++) out[b] += w * (sqrt(sqrt(s->band[t][b])) / mean[b] - 1);
    }
    for (int b = 0; b < BANDS; b++) out[b] /= T;
}

static void modulations(const ut_speech *s, double *f)
{
    double mean[BANDS] = { 0 }, slow = 0, fast = 0, own[BANDS] = { 0 }, shared[BANDS] = { 0 }, T = (double)s->nframes;
    for (size_t t = 0; t < s->nframes; t++)
        for (int b = 0; b < BANDS; b++) mean[b] += sqrt(sqrt(s->band[t][b])) / T;
    for (size_t c = 1; c < s->nframes / 2; c++) {
        double complex m[BANDS];
        double hz = (double)c * FRAME_HZ / T;
        bool syllabic = hz >= 2 && hz < 8, flutter = hz >= 10 && hz < 25;
        if (!syllabic && !flutter) continue;
        modulation(s, mean, c, m);
        for (int b = 0; b < BANDS; b++) {
            double energy = creal(m[b] * conj(m[b]));
            if (flutter) fast += energy / BANDS;
            if (!syllabic) continue;
            slow += energy / BANDS;
            own[b] += energy;
            if (b) shared[b] += creal(m[b] * conj(m[b - 1]));
        }
    }
    f[UT_SPEECH_SYLLABLES] = log(slow + STEADY);
    f[UT_SPEECH_FLUTTER] = log(fast + STEADY);
    f[UT_SPEECH_TOGETHER] = 0;
    for (int b = 1; b < BANDS; b++) f[UT_SPEECH_TOGETHER] += shared[b] / (sqrt(own[b] * own[b - 1]) + 1e-12) / (BANDS - 1);
}

static double change(const ut_speech *s)
{
    enum { LAG = 4 };
    double sum = 0;
    for (size_t t = LAG; t < s->nframes; t++) {
        double both = 0, now = 0, then = 0;
        for (int b = 0; b < BANDS; b++) {
            both += sqrt(s->band[t][b] * s->band[t - LAG][b]);
            now += s->band[t][b];
            then += s->band[t - LAG][b];
        }
        sum += 1 - both / sqrt(now * then);
    }
    return sum / (double)(s->nframes - LAG);
}

/* Pitch by the autocorrelation of the square root of the power spectrum from 70 to 1500 Hz: lag in samples, and its strength, 0..1. */
static double pitch(const ut_speech *s, size_t t, int *lag)
{
    enum { LOW = 5, HIGH = 96, SHORTEST = 40, LONGEST = 228 }; /* 400 to 70 Hz */
    double a[HIGH + 1], all = 0, best = -1;
    for (int k = LOW; k <= HIGH; k++) all += a[k] = sqrt(s->power[t][k]);
    for (int l = SHORTEST; l <= LONGEST; l++) {
        double sum = 0;
        for (int k = LOW; k <= HIGH; k++) sum += a[k] * s->cosine[(k * l) % LONG];
        if (sum > best) best = sum, *lag = l;
    }
    return best / all;
}

static void pitches(const ut_speech *s, double *f)
{
    double sum = 0, squares = 0, T = (double)s->nframes, last_voiced = 0;
    int voiced = 0, glides = 0, last = 1;
    for (size_t t = 0; t < s->nframes; t++) {
        int lag = 1;
        double strength = pitch(s, t, &lag);
        sum += strength;
        squares += strength * strength;
        if (t && strength > .45 && last_voiced > .45) {
            double semitones = fabs(12 * log2((double)lag / last));
            voiced++;
            glides += semitones > .15 && semitones < 1.5;
        }
        last = lag;
        last_voiced = strength;
    }
    f[UT_SPEECH_GLIDE] = glides / (voiced + 5.0);
    f[UT_SPEECH_VOICING] = sqrt(fmax(0, squares / T - sum / T * (sum / T)));
}

/* The log spectrum less its average over 17 bins, at unit length. */
static void fine_structure(ut_speech *s)
{
    enum { SIDE = 8, N = NFINE };
    for (size_t t = 0; t < s->nframes; t++) {
        double level[LONG_BINS], mean = 0, length = 0;
        for (int k = FINE_LOW - SIDE; k <= FINE_HIGH + SIDE; k++) level[k] = log(s->power[t][k]);
        for (int k = FINE_LOW; k <= FINE_HIGH; k++) {
            double around = 0;
            for (int i = -SIDE; i <= SIDE; i++) around += level[k + i] / (2 * SIDE + 1);
            s->fine[t][k - FINE_LOW] = level[k] - around;
            mean += (level[k] - around) / N;
        }
        for (int i = 0; i < N; i++) {
            s->fine[t][i] -= mean;
            length += s->fine[t][i] * s->fine[t][i];
        }
        for (int i = 0; i < N; i++) s->fine[t][i] /= sqrt(length) + 1e-9;
    }
}

static double held(ut_speech *s)
{
    enum { LAG = 12, N = NFINE };
    double sum = 0;
    fine_structure(s);
    for (size_t t = LAG; t < s->nframes; t++)
        for (int i = 0; i < N; i++) sum += s->fine[t][i] * s->fine[t - LAG][i];
    return sum / (double)(s->nframes - LAG);
}

static double dynamics(const ut_speech *s)
{
    double level[FRAMES], top = -1e9, sum = 0, squares = 0, T = (double)s->nframes;
    for (size_t t = 0; t < s->nframes; t++) {
        double all = 0;
        for (int b = 0; b < BANDS; b++) all += s->band[t][b];
        level[t] = 10 * log10(all);
        top = fmax(top, level[t]);
    }
    for (size_t t = 0; t < s->nframes; t++) {
        double x = fmax(level[t], top - 40) - top;
        sum += x;
        squares += x * x;
    }
    return sqrt(fmax(0, squares / T - sum / T * (sum / T)));
}

void ut_speech_features(ut_speech *s, const int16_t *sample, size_t n, double f[UT_SPEECH_NFEATURES])
{
    analyse(s, sample, n);
    modulations(s, f);
    f[UT_SPEECH_CHANGE] = change(s);
    pitches(s, f);
    f[UT_SPEECH_HELD] = held(s);
    f[UT_SPEECH_DYNAMICS] = dynamics(s);
}

double ut_speech_probability(const double f[UT_SPEECH_NFEATURES])
{
    static const double weight[UT_SPEECH_NFEATURES + 1] = {
#include "stage/enhance/speech_weights.inc"
    };
    double sum = weight[UT_SPEECH_NFEATURES];
    for (int i = 0; i < UT_SPEECH_NFEATURES; i++) sum += weight[i] * f[i];
    return 1 / (1 + exp(-sum));
}
