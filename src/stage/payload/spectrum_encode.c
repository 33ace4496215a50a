/* The sender's side of the codec `spectrum`: analysis, quantisation by rate and distortion, filling a segment.
 * Nothing here is part of the format. */
#include "stage/payload/spectrum.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { N = UT_SPECTRUM_HOP };
#define PI 3.14159265358979323846

const ut_spectrum_tuning ut_spectrum_default_tuning = {
    .loudness = .2, .lambda = .12, .noise = .5, .hold = .8, .gain_hold = .9
};

struct ut_spectrum_encoder {
    ut_spectrum_tuning t;
    size_t nframes;
    float *x;              /* [nframes][N], the unquantised spectrum */
    double *gain;          /* [nframes], wanted */
    const float *now;      /* of the frame being coded */
    float cost[2][4096];   /* bits of a one / a zero at log odds (i - 2048) / 128 */
    ut_spectrum_chooser chooser;
};

size_t ut_spectrum_nframes(uint64_t nsamples) { return (size_t)((nsamples + N - 1) / N + 1); }

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
        int j = v < UT_COEF_OUT - 1 ? v : UT_COEF_OUT - 1;
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

static void choose_levels(void *user, const ut_spectrum_state *s, ut_spectrum_code *f)
{
    const ut_spectrum_encoder *e = user;
    for (int b = 0; b < UT_SPECTRUM_BANDS; b++) {
        double sum = 0;
        int from = ut_spectrum_band_start[b], to = ut_spectrum_band_start[b + 1];
        for (int k = from; k < to; k++) sum += (double)e->now[k] * e->now[k];
        double want = log2(sqrt(sum / (to - from)) * e->t.noise * 4 + 1e-9); /* amplitudes are 4 << level in Q4 */
        double got = s->level[b] ? s->level[b] : -1;
        int level = (int)lrint(fmax(0, fmin(UT_SPECTRUM_LEVELS - 1, want)));
        if (fabs(want - got) <= e->t.hold) level = s->level[b];
        if (want < 0 && s->level[b] == 0) level = 0;
        f->level[b] = (uint8_t)level;
    }
}

static int32_t choose_gain(const ut_spectrum_encoder *e, size_t frame, int32_t before, bool first)
{
    double want = fmax(0, fmin(UT_SPECTRUM_GAINS - 1, e->gain[frame]));
    if (!first && fabs(want - before) <= e->t.gain_hold) return before;
    return (int32_t)lrint(want);
}

size_t ut_spectrum_encode_segment(ut_spectrum_encoder *e, uint32_t quality, size_t first, size_t most_frames,
                                  size_t most_nbytes, ut_buf *out)
{
    ut_spectrum_state s, before;
    ut_range r, r_before;
    size_t start = out->len, n = 0;
    ut_spectrum_state_init(&s, quality);
    ut_range_encode_init(&r, out);
    for (; n < most_frames && first + n < e->nframes; n++) {
        ut_spectrum_code f;
        size_t len = out->len;
        before = s;
        r_before = r;
        e->now = e->x + (first + n) * N;
        f.gain = choose_gain(e, first + n, s.gain, n == 0);
        ut_spectrum_code_frame(&s, &r, &f, &e->chooser);
        if (r.failed) return 0;
        if (out->len - start + ut_range_flush_nbytes(&r) > most_nbytes) {
            s = before;
            r = r_before;
            out->len = len;
            break;
        }
    }
    ut_range_flush(&r);
    return r.failed ? 0 : n;
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
    }
    if (!e || !cosine || !e->x || !e->gain) {
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
    e->chooser = (ut_spectrum_chooser){ .q = choose_q, .levels = choose_levels, .user = e };
    want_gains(e);
    free(cosine);
    return e;
}

void ut_spectrum_encoder_free(ut_spectrum_encoder *e)
{
    if (!e) return;
    if (e->x) ut_wipe(e->x, e->nframes * N * sizeof *e->x);
    free(e->x);
    free(e->gain);
    free(e);
}
