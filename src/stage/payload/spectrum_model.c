/* What the coder knows before each decision, and the coding of a frame: gain, coefficients, noise levels. */
#include "stage/payload/spectrum.h"
#include <string.h>

enum {
    UNARY = 18,          /* magnitudes from here on have an Exp-Golomb tail */
    BIAS_RATE = 64,      /* how slowly the biases learn */
    HALF = 32768
};

void ut_spectrum_state_init(ut_spectrum_state *s, uint32_t quality, uint64_t number)
{
    memset(s, 0, sizeof *s);
    s->quality = quality;
    s->number = number;
    s->gain = UT_SPECTRUM_GAINS / 2;
    memcpy(s->p, ut_spectrum_prior, sizeof s->p);
}

int32_t ut_spectrum_step(uint32_t quality, int32_t gain, int k)
{
    uint32_t step = ut_spectrum_exp2((int32_t)quality * 16 + gain * 64 + ut_spectrum_curve[k]);
    return step > 1 << 20 ? 1 << 20 : (int32_t)step;
}

static int32_t size_of(int32_t v) { return v < 0 ? -v : v; }
static int16_t clip(int32_t v) { return (int16_t)(v > UT_NET_MAX ? UT_NET_MAX : v < -UT_NET_MAX ? -UT_NET_MAX : v); }

/* A bit whose probability is counted as it goes. */
static int counted_bit(ut_spectrum_state *s, ut_range *r, int bit, int which, const ut_spectrum_chooser *c)
{
    uint16_t *p = s->p + which;
    bit = ut_range_bit(r, bit, *p);
    if (c && c->seen) c->seen(c->seen_user, 2, NULL, which, bit);
    if (bit) *p = (uint16_t)(*p + (65536 - *p) / 32);
    else *p = (uint16_t)(*p - *p / 32);
    if (*p < 64) *p = 64;
    return bit;
}

/* A bit whose log odds a network gave; *bias corrects it and learns. */
static int network_bit(ut_range *r, int bit, int32_t logit, int32_t *bias)
{
    int32_t p = (int32_t)ut_spectrum_squash(logit + *bias / 256);
    bit = ut_range_bit(r, bit, (uint32_t)p);
    *bias += ((bit ? 65536 : 0) - p) / BIAS_RATE;
    return bit;
}

/* ---- gain ---- */

static void code_gain(ut_spectrum_state *s, ut_range *r, ut_spectrum_code *f, const ut_spectrum_chooser *c)
{
    int32_t move = r->decode ? 0 : f->gain - s->gain;
    int at = UT_GAIN_MOVES + 24 * (s->gain_move == 0 ? 0 : s->gain_move < 0 ? 1 : 2);
    if (counted_bit(s, r, move != 0, at, c)) {
        int down = counted_bit(s, r, move < 0, at + 1, c), size = 1, most = down ? s->gain : UT_SPECTRUM_GAINS - 1 - s->gain;
        while (size < most && counted_bit(s, r, size_of(move) > size, at + 2 + (size < 20 ? size : 20), c)) size++;
        if (most < 1) size = 0;
        move = down ? -size : size;
    } else {
        move = 0;
    }
    f->gain = s->gain + move;
    s->gain_move = move;
    s->gain = f->gain;
    for (int k = 0; k < UT_SPECTRUM_HOP; k++) f->step[k] = ut_spectrum_step(s->quality, f->gain, k);
}

/* ---- pitch ---- */

static void code_warp(ut_spectrum_state *s, ut_range *r, ut_spectrum_code *f, const ut_spectrum_chooser *c)
{
    ut_spectrum_find_period(&s->pitch);
    int32_t v = 0;
    if (s->pitch.period) {
        int at = UT_WARP_MOVES + 16 * (s->pitch.trust / 80);
        if (!r->decode) v = c && c->warp ? c->warp(c->user, s, f) : f->warp;
        if (counted_bit(s, r, v != 0, at + (s->warp != 0), c)) {
            int32_t size = 1;
            int down = counted_bit(s, r, v < 0, at + 2 + (s->warp < 0) + 2 * (s->warp > 0), c);
            while (size < UT_SPECTRUM_WARP && counted_bit(s, r, size_of(v) > size, at + 5 + (size < 10 ? size : 10), c)) size++;
            v = down ? -size : size;
        } else {
            v = 0;
        }
    }
    f->warp = s->warp = v;
    ut_spectrum_predict(&s->pitch, v);
}

/* ---- coefficients ---- */

/* log2 of an amplitude over the step, Q8, with a floor of -4 */
static int16_t ratio(int32_t amp, int32_t step, int32_t log_step)
{
    return clip(ut_spectrum_log2((uint32_t)(amp + (step + 15) / 16)) - log_step);
}

static int32_t mean(const ut_spectrum_frame *f, int from, int to)
{
    return (int32_t)((f->sum[UT_SPECTRUM_PAD + to + 1] - f->sum[UT_SPECTRUM_PAD + from]) / (uint32_t)(to - from + 1));
}

static void coef_features(const ut_spectrum_state *s, const ut_spectrum_code *f, int k, int16_t in[UT_COEF_IN])
{
    const int32_t *c = s->frame[0].amp + UT_SPECTRUM_PAD + k, *p = s->frame[1].amp + UT_SPECTRUM_PAD + k;
    const int32_t *o = s->frame[2].amp + UT_SPECTRUM_PAD + k;
    int32_t step = f->step[k], log_step = ut_spectrum_log2((uint32_t)step);
    int n = 0;
    for (int d = 1; d <= 4; d++) in[n++] = ratio(c[-d], step, log_step);
    in[n++] = ratio((c[-5] + c[-6]) / 2, step, log_step);
    for (int d = -3; d <= 3; d++) in[n++] = ratio(p[d], step, log_step);
    in[n++] = ratio(o[0], step, log_step);
    in[n++] = ratio((o[-1] + o[1]) / 2, step, log_step);
    in[n++] = ratio((o[-2] + o[2]) / 2, step, log_step);
    in[n++] = ratio((3 * c[-1] + 2 * c[-2] + c[-3] + 3 * p[0] + p[-1] + p[1] + o[0]) / 12, step, log_step);
    in[n++] = ratio(mean(&s->frame[1], k - 8, k + 8), step, log_step);
    in[n++] = ratio(mean(&s->frame[0], k - 12, k - 1), step, log_step);
    in[n++] = ratio(mean(&s->frame[2], k - 6, k + 6), step, log_step);
    for (int i = 0; i < 3; i++) in[n++] = ut_spectrum_place[k][i];
    in[n++] = (int16_t)(log_step - 12 * 256);
    in[n++] = (int16_t)(64 * s->gain_move);
    const ut_spectrum_pitch *h = &s->pitch;
    in[n++] = ratio(size_of(h->x[k]), step, log_step);
    in[n++] = ratio(size_of(k ? h->x[k - 1] : 0), step, log_step);
    in[n++] = ratio(size_of(k + 1 < UT_SPECTRUM_HOP ? h->x[k + 1] : 0), step, log_step);
    in[n++] = ratio(k ? h->error[0][k - 1] : 0, step, log_step);
    in[n++] = ratio(k > 1 ? h->error[0][k - 2] : 0, step, log_step);
    in[n++] = ratio(h->error[1][k], step, log_step);
    in[n++] = ratio((k ? h->error[1][k - 1] : 0) / 2 + (k + 1 < UT_SPECTRUM_HOP ? h->error[1][k + 1] : 0) / 2, step, log_step);
    in[n++] = (int16_t)(2 * h->trust);
}

static int32_t code_magnitude(ut_range *r, int32_t m, const int32_t *logit, int32_t *bias[UT_COEF_OUT])
{
    int32_t v = 0;
    for (; v < UNARY; v++) {
        int j = v < UT_MAGNITUDES - 1 ? v : UT_MAGNITUDES - 1;
        if (!network_bit(r, m > v, logit[j], bias[j])) return v;
    }
    uint32_t rest = (uint32_t)(m - UNARY + 1), bits = 0; /* Exp-Golomb: so many ones, a zero, so many bits */
    if (r->decode) rest = 0;
    while (bits < 13 && ut_range_bit(r, rest >> (bits + 1) != 0, HALF)) bits++;
    uint32_t got = 1;
    for (uint32_t i = bits; i-- > 0;) got = got << 1 | (uint32_t)ut_range_bit(r, (int)(rest >> i & 1), HALF);
    return UNARY + (int32_t)got - 1;
}

/* Whether the sign is opposite to that predicted. */
static bool code_sign(ut_range *r, int32_t m, bool negative, int32_t predicted, const int32_t *logit, int32_t *bias[UT_COEF_OUT])
{
    int j = UT_MAGNITUDES + (m > 1);
    return !network_bit(r, negative == (predicted < 0), logit[j], bias[j]);
}

static void set_amp(ut_spectrum_frame *f, int k, int32_t amp)
{
    f->amp[UT_SPECTRUM_PAD + k] = amp > UT_SPECTRUM_MAX_AMP ? UT_SPECTRUM_MAX_AMP : amp;
    f->sum[UT_SPECTRUM_PAD + k + 1] = f->sum[UT_SPECTRUM_PAD + k] + (uint32_t)f->amp[UT_SPECTRUM_PAD + k];
}

/* The amplitude of q steps: at most 2^14 times 2^20, clipped. */
static int32_t amplitude(int32_t q, int32_t step)
{
    int64_t a = (int64_t)(q < 0 ? -q : q) * step;
    return a > UT_SPECTRUM_MAX_AMP ? UT_SPECTRUM_MAX_AMP : (int32_t)a;
}

static void code_coefficients(ut_spectrum_state *s, ut_range *r, ut_spectrum_code *f, const ut_spectrum_chooser *c)
{
    int16_t in[UT_COEF_IN];
    int32_t logit[UT_COEF_OUT], *bias[UT_COEF_OUT];
    for (int band = 0; band < UT_SPECTRUM_BANDS; band++) {
        for (int j = 0; j < UT_COEF_OUT; j++) bias[j] = &s->bias[j][band];
        for (int k = ut_spectrum_band_start[band]; k < ut_spectrum_band_start[band + 1]; k++) {
            coef_features(s, f, k, in);
            ut_spectrum_net(&ut_coef_net, in, logit);
            f->odds[k] = clip(logit[0]);
            if (c && c->q) f->q[k] = c->q(c->user, f, k, logit);
            int32_t m = code_magnitude(r, f->q[k] < 0 ? -f->q[k] : f->q[k], logit, bias);
            bool opposite = m && code_sign(r, m, f->q[k] < 0, s->pitch.x[k], logit, bias);
            if (c && c->seen) c->seen(c->seen_user, 0, in, UT_COEF_IN, opposite ? -m : m);
            f->q[k] = opposite == (s->pitch.x[k] < 0) ? m : -m;
            set_amp(&s->frame[0], k, amplitude(m, f->step[k]));
            s->pitch.error[0][k] = size_of((f->q[k] < 0 ? -1 : 1) * amplitude(m, f->step[k]) - s->pitch.x[k]);
        }
    }
}

/* ---- noise levels ---- */

bool ut_spectrum_has_level(const ut_spectrum_code *f, int band)
{
    for (int k = ut_spectrum_band_start[band]; k < ut_spectrum_band_start[band + 1]; k++)
        if (f->q[k]) return false;
    return true;
}

static int32_t band_mean(const ut_spectrum_frame *f, int band)
{
    return (int32_t)ut_spectrum_log2(
        1 + (uint32_t)mean(f, ut_spectrum_band_start[band], ut_spectrum_band_start[band + 1] - 1));
}

/* Noise is not louder than a quarter of the step.  In a band with coefficients the model tells how loud the zeros are:
 * their RMS was found to be 0.32 steps at log odds of -2 and more, and 0.04 less for each unit below; half of it is used. */
int32_t ut_spectrum_noise(const ut_spectrum_code *f, int band, int k)
{
    int32_t level = f->level[band], most = f->step[k] / 4;
    if (level == UT_SPECTRUM_NO_LEVEL) {
        int32_t under = -512 - f->odds[k], share = under <= 0 ? 82 : 82 - under / 25;
        return f->step[k] * (share < 8 ? 8 : share) / 512;
    }
    if (level == 0) return 0;
    return 4 << level < most ? 4 << level : most;
}

static void level_features(const ut_spectrum_state *s, const ut_spectrum_code *f, int band, int16_t in[UT_LEVEL_IN])
{
    static const int offset[5] = { 0, -1, 1, -2, 2 };
    int n = 0, middle = (ut_spectrum_band_start[band] + ut_spectrum_band_start[band + 1]) / 2;
    for (int i = 0; i < 5; i++) {
        int b = band + offset[i];
        in[n++] = (int16_t)(b < 0 || b >= UT_SPECTRUM_BANDS ? 0 : s->frame[1].level[b]);
    }
    in[n++] = (int16_t)s->frame[2].level[band];
    for (int d = 1; d <= 2; d++) in[n++] = (int16_t)(band < d ? 0 : s->frame[0].level[band - d]);
    for (int d = 1; d <= 2; d++) in[n++] = (int16_t)(band + d >= UT_SPECTRUM_BANDS ? 0 : band_mean(&s->frame[0], band + d));
    in[n++] = clip(ut_spectrum_log2((uint32_t)f->step[middle]));
    in[n++] = (int16_t)(256 * s->level[band]);
    in[n++] = (int16_t)(band + 1 < UT_SPECTRUM_BANDS ? 256 * s->level[band + 1] : 0);
    in[n++] = (int16_t)(64 * s->gain_move);
    in[n++] = (int16_t)(256 * band / 8);
    in[n++] = (int16_t)(band * band);
    int32_t sum = 0, most = -UT_NET_MAX, from = ut_spectrum_band_start[band], to = ut_spectrum_band_start[band + 1];
    for (int k = from; k < to; k++) {
        sum += f->odds[k];
        if (f->odds[k] > most) most = f->odds[k];
    }
    in[n++] = (int16_t)(sum / (to - from));
    in[n++] = (int16_t)most;
    in[n++] = (int16_t)(band ? s->frame[2].level[band - 1] : 0);
    in[n++] = (int16_t)(band + 1 < UT_SPECTRUM_BANDS ? s->frame[2].level[band + 1] : 0);
    in[n++] = (int16_t)(band > 2 ? s->frame[1].level[band - 3] : 0);
    in[n++] = (int16_t)(band + 3 < UT_SPECTRUM_BANDS ? s->frame[1].level[band + 3] : 0);
    in[n++] = (int16_t)(band > 2 ? s->frame[0].level[band - 3] : 0);
    in[n++] = (int16_t)(2 * s->pitch.trust);
}

static void code_levels(ut_spectrum_state *s, ut_range *r, ut_spectrum_code *f, const ut_spectrum_chooser *c)
{
    int16_t in[UT_LEVEL_IN];
    int32_t logit[UT_LEVEL_OUT];
    int repeat = counted_bit(s, r, c && c->repeat && c->repeat(c->user, s, f), UT_LEVEL_REPEATS + (int)(s->repeats & 3), c);
    s->repeats = s->repeats << 1 | (uint32_t)repeat;
    for (int b = 0; b < UT_SPECTRUM_BANDS; b++) {
        bool sent = ut_spectrum_has_level(f, b);
        if (sent && !repeat) {
            int v = 0;
            level_features(s, f, b, in);
            ut_spectrum_net(&ut_level_net, in, logit);
            if (c && c->level) f->level[b] = (uint8_t)c->level(c->user, f, b, logit);
            while (v < UT_LEVEL_OUT && network_bit(r, f->level[b] > v, logit[v], &s->level_bias[v])) v++;
            f->level[b] = (uint8_t)v;
            if (c && c->seen) c->seen(c->seen_user, 1, in, UT_LEVEL_IN, v);
        } else if (sent) {
            f->level[b] = s->level[b];
        } else {
            f->level[b] = UT_SPECTRUM_NO_LEVEL;
        }
        if (sent) s->level[b] = f->level[b];
        for (int k = ut_spectrum_band_start[b]; k < ut_spectrum_band_start[b + 1]; k++)
            set_amp(&s->frame[0], k, f->q[k] ? amplitude(f->q[k], f->step[k]) : ut_spectrum_noise(f, b, k));
        s->frame[0].level[b] = band_mean(&s->frame[0], b);
    }
}

void ut_spectrum_code_frame(ut_spectrum_state *s, ut_range *r, ut_spectrum_code *f, const ut_spectrum_chooser *c,
                            int16_t out[UT_SPECTRUM_HOP])
{
    s->frame[2] = s->frame[1];
    s->frame[1] = s->frame[0];
    memcpy(s->pitch.error[1], s->pitch.error[0], sizeof s->pitch.error[1]);
    code_gain(s, r, f, c);
    code_warp(s, r, f, c);
    code_coefficients(s, r, f, c);
    code_levels(s, r, f, c);
    ut_spectrum_frame *now = &s->frame[0];
    for (int k = UT_SPECTRUM_HOP; k < UT_SPECTRUM_HOP + UT_SPECTRUM_PAD; k++) set_amp(now, k, 0);
    ut_spectrum_dequantise(f, s->number++);
    ut_spectrum_inverse(f->x, s->overlap, out);
    ut_spectrum_remember(&s->pitch, out);
}
