/* The sender's side of the codec `spectrum`: analysis, quantisation by rate and distortion, filling a segment.
 * Nothing here is part of the format. */
#include "stage/payload/spectrum_hearing.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { N = UT_SPECTRUM_HOP, PROBED = 24 };
#define PI 3.14159265358979323846

const ut_spectrum_tuning ut_spectrum_default_tuning = {
    .loudness = .2, .lambda = .12, .noise = .57, .hold = .8, .level_lambda = .1, .smooth = 0, .warp_bits = 6, .gain_pull = .7, .gain_hold = .9
};

struct ut_spectrum_encoder {
    ut_spectrum_tuning t;
    size_t nframes;
    float *x;              /* [nframes][N], the unquantised spectrum */
    double *gain, *gain_off; /* [nframes]: wanted by loudness, and moved by listening */
    ut_spectrum_hearing *hearing;
    size_t nsamples, frame; /* frame: the one being coded */
    int16_t *decoded;      /* [nframes][N]: what the last pass sounds like, a hop late */
    int64_t overlap[N];    /* of the last frame of the segment before */
    float *disturbance; /* [nframes]: what was heard around each in the last pass */
    const float *now;      /* of the frame being coded */
    float window[2 * N], basis[PROBED][N];
    float cost[2][4096];   /* bits of a one / a zero at log odds (i - 2048) / 128 */
    ut_spectrum_chooser chooser;
};


static void forward(const double *cosine, const int16_t *sample, size_t nsamples, size_t frame, float *x)
{
    double in[2 * N], v[N];
    for (size_t n = 0; n < 2 * N; n++) {
        size_t at = frame * N + n; /* N samples late */
        in[n] = at < N || at - N >= nsamples ? 0 : sample[at - N] * sqrt(2.0 / N) * sin(PI * (2 * (double)n + 1) / (4 * N));
    }
    for (size_t n = 0; n < N / 2; n++) { /* folded: the DCT-IV's input */
        v[n] = -in[3 * N / 2 - 1 - n] - in[3 * N / 2 + n];
        v[N / 2 + n] = in[n] - in[N - 1 - n];
    }
    for (size_t k = 0; k < N; k++) {
        double sum = 0;
        for (size_t n = 0; n < N; n++) sum += v[n] * cosine[(2 * n + 1) * (2 * k + 1) % (8 * N)];
        x[k] = (float)sum;
    }
}

static double power(const ut_spectrum_encoder *e, size_t frame)
{
    double sum = 0;
    if (frame >= e->nframes) return 0;
    for (size_t k = 0; k < N; k++) sum += (double)e->x[frame * N + k] * e->x[frame * N + k];
    return sum / N;
}

/* The step follows the loudness around a frame. */
static void want_gains(ut_spectrum_encoder *e)
{
    for (size_t t = 0; t < e->nframes; t++) {
        double p = .5 * power(e, t) + .25 * (t ? power(e, t - 1) : 0) + .25 * power(e, t + 1);
        e->gain[t] = 4 * e->t.loudness * log2(p + 30);
    }
}

/* What the frame would be with each period, without the receiver's roundings: low coefficients only. */
static void extend(const ut_spectrum_encoder *e, const ut_spectrum_pitch *p, double period, float x[PROBED])
{
    float past[UT_SPECTRUM_PAST + 2 * N], fold[N], in[2 * N];
    for (int n = 0; n < 2 * N; n++) {
        double at = UT_SPECTRUM_PAST + n - period * (floor(n / period) + 1);
        int i = (int)at < UT_SPECTRUM_PAST ? (int)at : UT_SPECTRUM_PAST - 1; /* n a hair below a multiple of the period */
        past[n] = (float)(p->past[i] + (at - i) * (i + 1 < UT_SPECTRUM_PAST ? p->past[i + 1] - p->past[i] : 0));
        in[n] = past[n] * e->window[n];
    }
    for (int n = 0; n < N / 2; n++) {
        fold[n] = -in[3 * N / 2 - 1 - n] - in[3 * N / 2 + n];
        fold[N / 2 + n] = in[n] - in[N - 1 - n];
    }
    for (int k = 0; k < PROBED; k++) {
        float sum = 0;
        for (int n = 0; n < N; n++) sum += fold[n] * e->basis[k][n];
        x[k] = sum;
    }
}

/* The change of period after which the frame's low coefficients are cheapest. */
static int32_t choose_warp(void *user, const ut_spectrum_state *s, const ut_spectrum_code *f)
{
    const ut_spectrum_encoder *e = user;
    double best = INFINITY;
    int32_t warp = 0;
    if (s->pitch.trust < 16) return 0;
    for (int32_t v = -UT_SPECTRUM_WARP; v <= UT_SPECTRUM_WARP; v++) {
        float x[PROBED];
        double cost = v == 0 ? 0 : e->t.warp_bits + .25 * abs(v - s->warp);
        double period = s->pitch.period / 8. * (1 + .005 * v);
        if (period > UT_SPECTRUM_LONGEST) continue;
        extend(e, &s->pitch, period, x);
        for (int k = 0; k < PROBED; k++) cost += log2(.5 + 16 * fabs(e->now[k] - x[k]) / f->step[k]);
        if (cost < best) {
            best = cost;
            warp = v;
        }
    }
    return warp;
}

static double bits(const ut_spectrum_encoder *e, int one, int32_t logit)
{
    int32_t i = logit / 2 + 2048;
    return e->cost[one][i < 0 ? 0 : i > 4095 ? 4095 : i];
}

/* The magnitude that is cheapest in squared error and bits together. */
static int32_t choose_q(void *user, const ut_spectrum_code *f, int k, const int32_t *logit)
{
    const ut_spectrum_encoder *e = user;
    double x = fabs((double)e->now[k]) * 16 / f->step[k], best = 1e30, sum = 0;
    int32_t most = (int32_t)(x + .5), least = most < 3 ? 0 : most - 2, m = 0;
    if (most > UT_SPECTRUM_MAX_Q) most = least = UT_SPECTRUM_MAX_Q;
    for (int32_t v = 0; v <= most; v++) {
        int j = v < UT_MAGNITUDES - 1 ? v : UT_MAGNITUDES - 1;
        if (v >= least) {
            double cost = (x - v) * (x - v) + e->t.lambda * (sum + (v ? 1 : 0) + bits(e, 0, logit[j]));
            if (cost < best) {
                best = cost;
                m = v;
            }
        }
        sum += v < 18 ? bits(e, 1, logit[j]) : 0;
    }
    return e->now[k] < 0 ? -m : m;
}

/* The noise level that a band ought to have, as a real number. */
static double want_level(const ut_spectrum_encoder *e, int band)
{
    static const int beside[3] = { -N, 0, N };
    double sum = 0, weight = 0;
    int from = ut_spectrum_band_start[band], to = ut_spectrum_band_start[band + 1];
    for (int i = 0; i < 3; i++) {
        const float *x = e->now + beside[i];
        double w = i == 1 ? 1 : e->t.smooth;
        if (x < e->x || x >= e->x + e->nframes * N) continue;
        for (int k = from; k < to; k++) sum += w * x[k] * x[k];
        weight += w * (to - from);
    }
    /* amplitudes are 4 << level in Q4 */
    return fmax(0, log2(sqrt(sum / weight) * e->t.noise * 4 + 1e-9));
}

static bool choose_repeat(void *user, const ut_spectrum_state *s, const ut_spectrum_code *f)
{
    const ut_spectrum_encoder *e = user;
    for (int b = 0; b < UT_SPECTRUM_BANDS; b++)
        if (ut_spectrum_has_level(f, b) && fabs(want_level(e, b) - s->level[b]) > e->t.hold) return false;
    return true;
}

static int choose_level(void *user, const ut_spectrum_code *f, int band, const int32_t *logit)
{
    const ut_spectrum_encoder *e = user;
    double want = want_level(e, band), best = 1e30, sum = 0;
    int level = 0;
    (void)f;
    for (int v = 0; v < UT_SPECTRUM_LEVELS; v++) {
        double off = want - v, cost = off * off + e->t.level_lambda * (sum + (v < UT_LEVEL_OUT ? bits(e, 0, logit[v]) : 0));
        if (cost < best) {
            best = cost;
            level = v;
        }
        if (v < UT_LEVEL_OUT) sum += bits(e, 1, logit[v]);
    }
    return level;
}

static int32_t choose_gain(const ut_spectrum_encoder *e, size_t frame, int32_t before, bool first)
{
    double want = fmax(0, fmin(UT_SPECTRUM_GAINS - 1, e->gain[frame] + e->gain_off[frame]));
    if (!first && fabs(want - before) <= e->t.gain_hold) return before;
    return (int32_t)lrint(want);
}

size_t ut_spectrum_encode_segment(ut_spectrum_encoder *e, uint32_t quality, size_t first, size_t most_frames,
                                  size_t most_nbytes, ut_buf *out)
{
    ut_spectrum_state s, before;
    ut_range r, r_before;
    size_t start = out->len, n = 0;
    ut_spectrum_state_init(&s, quality, first);
    ut_range_encode_init(&r, out);
    for (; n < most_frames && first + n < e->nframes; n++) {
        ut_spectrum_code f;
        int16_t samples[N];
        size_t len = out->len;
        before = s;
        r_before = r;
        e->frame = first + n;
        e->now = e->x + e->frame * N;
        f.gain = choose_gain(e, first + n, s.gain, n == 0);
        ut_spectrum_code_frame(&s, &r, &f, &e->chooser, samples);
        if (r.failed) return 0;
        if (out->len - start + ut_range_flush_nbytes(&r) > most_nbytes) {
            s = before;
            r = r_before;
            out->len = len;
            break;
        }
        if (n == 0) ut_spectrum_inverse(f.x, e->overlap, samples);
        memcpy(e->decoded + e->frame * N, samples, sizeof samples);
    }
    memcpy(e->overlap, s.overlap, sizeof e->overlap);
    ut_range_flush(&r);
    return r.failed ? 0 : n;
}

/* Steps become finer where more is heard than elsewhere, coarser where less. */
void ut_spectrum_encoder_listen(ut_spectrum_encoder *e)
{
    static const double near[5] = { 1 / 9., 2 / 9., 3 / 9., 2 / 9., 1 / 9. };
    double mean = 0;
    if (!ut_spectrum_hear(e->hearing, e->decoded + N, e->nsamples, e->disturbance)) return;
    for (size_t t = 0; t < e->nframes; t++) mean += (double)e->disturbance[t] * e->disturbance[t] / (double)e->nframes;
    mean = log2(sqrt(mean) + .02);
    for (size_t t = 0; t < e->nframes; t++) {
        double more = 0;
        for (int i = 0; i < 5; i++)
            if (t + i >= 2 && t + i - 2 < e->nframes) more += near[i] * (log2(e->disturbance[t + i - 2] + .02) - mean);
        e->gain_off[t] = fmax(-6, fmin(6, e->gain_off[t] - e->t.gain_pull * more));
    }
}

void ut_spectrum_encoder_watch(ut_spectrum_encoder *e, void (*seen)(void *, int, const int16_t *, int, int), void *user)
{
    e->chooser.seen = seen;
    e->chooser.seen_user = user;
}

ut_spectrum_encoder *ut_spectrum_encoder_new(const int16_t *sample, size_t nsamples, const ut_spectrum_tuning *t)
{
    ut_spectrum_encoder *e = calloc(1, sizeof *e);
    double *cosine = calloc(8 * N, sizeof *cosine);
    if (e && cosine) {
        e->t = t ? *t : ut_spectrum_default_tuning;
        e->nframes = ut_spectrum_nframes(nsamples);
        e->x = calloc(e->nframes, N * sizeof *e->x);
        e->gain = calloc(e->nframes, sizeof *e->gain);
        e->gain_off = calloc(e->nframes, sizeof *e->gain_off);
        e->nsamples = nsamples;
        e->decoded = calloc(e->nframes, N * sizeof *e->decoded);
        e->disturbance = calloc(e->nframes, sizeof *e->disturbance);
        e->hearing = ut_spectrum_hearing_new(sample, nsamples, e->nframes);
    }
    if (!e || !cosine || !e->x || !e->gain || !e->gain_off || !e->decoded || !e->disturbance || !e->hearing) {
        ut_spectrum_encoder_free(e);
        free(cosine);
        return NULL;
    }
    for (size_t i = 0; i < 8 * N; i++) cosine[i] = cos(PI * (double)i / (4 * N));
    for (size_t i = 0; i < e->nframes; i++) forward(cosine, sample, nsamples, i, e->x + i * N);
    for (int i = 0; i < 4096; i++) {
        e->cost[1][i] = (float)log2(1 + exp(-(i - 2048) / 128.0));
        e->cost[0][i] = (float)log2(1 + exp((i - 2048) / 128.0));
    }
    for (int n = 0; n < 2 * N; n++) e->window[n] = (float)(sqrt(2.0 / N) * sin(PI * (2 * n + 1) / (4 * N)));
    for (int k = 0; k < PROBED; k++)
        for (int n = 0; n < N; n++) e->basis[k][n] = (float)cosine[(2 * n + 1) * (2 * k + 1) % (8 * N)];
    e->chooser = (ut_spectrum_chooser){ .warp = choose_warp, .q = choose_q, .repeat = choose_repeat, .level = choose_level, .user = e };
    want_gains(e);
    free(cosine);
    return e;
}

void ut_spectrum_encoder_free(ut_spectrum_encoder *e)
{
    if (!e) return;
    if (e->x) ut_wipe(e->x, e->nframes * N * sizeof *e->x);
    if (e->decoded) ut_wipe(e->decoded, e->nframes * N * sizeof *e->decoded);
    ut_spectrum_hearing_free(e->hearing);
    free(e->decoded);
    free(e->disturbance);
    free(e->x);
    free(e->gain);
    free(e->gain_off);
    free(e);
}
