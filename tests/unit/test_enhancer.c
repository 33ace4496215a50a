/* The enhancer's streaming side with networks made up for the purpose: chunks, level, strength, silence, what it reports. */
#include "check.h"
#include "stage/enhance/enhancer_internal.h"
#include <math.h>

typedef struct heard {
    int16_t *sample;
    size_t n, cap, fails_at;
} heard;

static ut_status take(void *user, const int16_t *sample, size_t n, ut_err *e)
{
    heard *h = user;
    if (h->fails_at && h->n + n > h->fails_at) return ut_fail(e, UT_E_IO, "the sink is full");
    CHECK(n > 0 && h->n + n <= h->cap);
    if (h->n + n > h->cap) abort();
    memcpy(h->sample + h->n, sample, n * sizeof *sample);
    h->n += n;
    return UT_OK;
}

/* Networks.  model: a counter of calls, or NULL. */
static ut_status identity(const void *model, const float *in, float *out, size_t n, ut_err *e)
{
    (void)model, (void)e;
    memmove(out, in, n * sizeof *in);
    return UT_OK;
}
static ut_status halve(const void *model, const float *in, float *out, size_t n, ut_err *e)
{
    (void)model, (void)e;
    for (size_t i = 0; i < n; i++) out[i] = in[i] / 2;
    return UT_OK;
}
/* Everything below a twentieth is noise: depends on the level at which the network gets its input. */
static ut_status gate(const void *model, const float *in, float *out, size_t n, ut_err *e)
{
    (void)model, (void)e;
    for (size_t i = 0; i < n; i += 160) {
        float most = 0;
        size_t m = n - i < 160 ? n - i : 160;
        for (size_t k = i; k < i + m; k++) most = fmaxf(most, fabsf(in[k]));
        for (size_t k = i; k < i + m; k++) out[k] = most < .05f ? in[k] / 16 : in[k];
    }
    return UT_OK;
}
static double around(const double *sum, long n, long i, long reach)
{
    long from = i > reach ? i - reach : 0, to = i + reach < n ? i + reach : n - 1;
    return (sum[to + 1] - sum[from]) / (double)reach;
}
/* Hears nearly all of the context, so that a missing context shows: scales by loudness there over loudness near by, whatever the level. */
static ut_status wide(const void *model, const float *in, float *out, size_t n, ut_err *e)
{
    (void)model, (void)e;
    double *sum = calloc(n + 1, sizeof *sum);
    for (size_t i = 0; i < n; i++) sum[i + 1] = sum[i] + fabs((double)in[i]);
    for (long i = 0; i < (long)n; i++)
        out[i] = in[i] * (float)(around(sum, (long)n, i, UT_CHUNK_CONTEXT - 800) / (around(sum, (long)n, i, UT_ENHANCE_HZ / 10) + 1e-9));
    free(sum);
    return UT_OK;
}
static ut_status at_one(const void *model, const float *in, float *out, size_t n, ut_err *e)
{
    (void)model, (void)in, (void)e;
    for (size_t i = 0; i < n; i++) out[i] = 1;
    return UT_OK;
}
static ut_status refuses(const void *model, const float *in, float *out, size_t n, ut_err *e)
{
    (void)model, (void)in, (void)out;
    return ut_fail(e, UT_E_MEMORY, "no room for %zu", n);
}

/* Bursts of tone in quiet noise, level as a share of full scale. */
static int16_t *sound(size_t n, double level)
{
    int16_t *x = calloc(n + 1, sizeof *x);
    unsigned long long r = 5;
    for (size_t i = 0; i < n; i++) {
        double t = (double)i / UT_ENHANCE_HZ, gate = fmod(t, 1.1) < .7 ? 1 : 0;
        x[i] = (int16_t)(32767 * level * (gate * (.9 * sin(1400 * t + 5 * sin(7 * t))) + .02 * ((double)(check_rand(&r) % 2000) / 1000 - 1)));
    }
    return x;
}

static ut_status run(ut_network_fn f, ut_enhancer_options o, const int16_t *x, size_t n, size_t piece, heard *to, ut_enhancer_report *r, ut_err *e)
{
    ut_enhancer *h;
    to->n = 0;
    to->cap = n;
    to->sample = realloc(to->sample, (n + 1) * sizeof *to->sample);
    ut_status s = ut_enhancer_new_with(f, NULL, &o, take, to, &h, e);
    for (size_t at = 0, m; s == UT_OK && at < n; at += m) {
        m = n - at < piece ? n - at : piece;
        s = ut_enhancer_push(h, x + at, m, e);
    }
    if (s == UT_OK) s = ut_enhancer_finish(h, r, e);
    ut_enhancer_free(h);
    return s;
}

static const ut_enhancer_options full = { .strength = 1, .nthreads = 1 };

/* Lengths around every edge: in number and order the same, and the identity is the identity. */
static void lengths(void)
{
    const size_t H = UT_CHUNK_HOP, F = UT_CHUNK_FADE, C = UT_CHUNK_CONTEXT;
    const size_t n[] = { 1, 2, 3, 319, 320, 321, H - 1, H, H + F + C - 1, H + F + C, H + F + C + 1, 2 * H + F + C, 2 * H + F + C + 1, 3 * H, 5 * H + 77 };
    heard to = { 0 };
    for (size_t i = 0; i < sizeof n / sizeof *n; i++) {
        int16_t *x = sound(n[i], .5);
        ut_enhancer_report r;
        ut_err e = { 0 };
        CHECK(run(identity, full, x, n[i], 5000, &to, &r, &e) == UT_OK && to.n == n[i] && r.nsamples == n[i], "%zu: %s", n[i], e.text);
        CHECK(!memcmp(to.sample, x, n[i] * sizeof *x), "%zu samples", n[i]);
        free(x);
    }
    ut_enhancer_report r;
    ut_err e;
    CHECK(run(identity, full, NULL, 0, 1, &to, &r, &e) == UT_OK && !to.n && !r.nsamples);
    free(to.sample);
}

/* Neither the number of threads nor the pieces that the input comes in change a sample. */
static void independence(void)
{
    size_t n = 4 * UT_CHUNK_HOP + 12345;
    int16_t *x = sound(n, .2);
    heard one = { 0 }, other = { 0 };
    ut_enhancer_report a, b;
    ut_err e = { 0 };
    CHECK(run(wide, full, x, n, n, &one, &a, &e) == UT_OK);
    const size_t pieces[] = { 3001, 128000, 164000, n };
    for (unsigned threads = 1; threads < 8; threads++) {
        ut_enhancer_options o = { .strength = 1, .nthreads = threads };
        CHECK(run(wide, o, x, n, pieces[threads % 4], &other, &b, &e) == UT_OK && other.n == n);
        CHECK(!memcmp(one.sample, other.sample, n * sizeof *x), "%u threads, pieces of %zu", threads, pieces[threads % 4]);
        CHECK(!memcmp(&a, &b, sizeof a));
    }
    free(x);
    free(one.sample);
    free(other.sample);
}

/* With all of the context heard nothing of the seams is left: as the whole at once, but for rounding. */
static void seams(void)
{
    size_t n = 2 * UT_CHUNK_HOP + 40000;
    int16_t *x = sound(n, .2);
    float *in = calloc(n, sizeof *in), *want = calloc(n, sizeof *want);
    heard to = { 0 };
    ut_enhancer_report r;
    ut_err e = { 0 };
    double worst = 0;
    for (size_t i = 0; i < n; i++) in[i] = x[i] / 32768.0f;
    CHECK(wide(NULL, in, want, n, &e) == UT_OK);
    CHECK(run(wide, full, x, n, 4096, &to, &r, &e) == UT_OK);
    for (size_t i = 0; i < n; i++) worst = fmax(worst, fabs(to.sample[i] - fmax(-32768, fmin(32767, 32768 * (double)want[i]))));
    CHECK(worst < .51, "%.2f", worst);
    free(x);
    free(in);
    free(want);
    free(to.sample);
}

/* The gain goes in and comes out again: a network that halves halves at any level, and a network that gates gates the same. */
static void level(void)
{
    size_t n = 40000;
    heard to = { 0 };
    ut_enhancer_report r;
    ut_err e = { 0 };
    for (double l = .002; l <= 1; l *= 4) {
        int16_t *x = sound(n, l);
        CHECK(run(halve, full, x, n, n, &to, &r, &e) == UT_OK);
        int worst = 0;
        for (size_t i = 0; i < n; i++) {
            int d = abs(2 * to.sample[i] - x[i]);
            if (d > worst) worst = d;
        }
        CHECK(worst <= 1, "level %g: off by %d", l, worst);
        CHECK(run(gate, full, x, n, n, &to, &r, &e) == UT_OK);
        if (l > .01) CHECK(r.noise_removed_db > 15 && r.noise_removed_db < 26, "level %g: %.1f dB", l, r.noise_removed_db);
        CHECK(to.sample[3000] == x[3000], "level %g: talk was gated", l);
        free(x);
    }
    CHECK(fabs(20 * log10(ut_level_gain(.1, NAN)) - -6) < 1e-9);
    CHECK(fabs(20 * log10(ut_level_gain(1, NAN)) - -26) < 1e-9);
    CHECK(fabs(20 * log10(ut_level_gain(1e-4, NAN)) - 40) < 1e-9, "no more than 40 dB up");
    CHECK(fabs(20 * log10(ut_level_gain(1e-3, -26)) - 12) < 1e-9, "a pause is not brought up to the level of talk");
    CHECK(fabs(20 * log10(ut_level_gain(1, -26)) - -12) < 1e-9);
    CHECK(ut_level_gain(0, -26) == 1);
    free(to.sample);
}

/* A recorder's offset is no sound: it changes neither the level nor what the network does. */
static void offset(void)
{
    size_t n = 60000;
    int16_t *x = sound(n, .05), *y = malloc(n * sizeof *y);
    heard a = { 0 }, b = { 0 };
    ut_enhancer_report r, q;
    ut_err e = { 0 };
    for (size_t i = 0; i < n; i++) y[i] = (int16_t)(x[i] + 9000);
    CHECK(run(gate, full, x, n, n, &a, &r, &e) == UT_OK && run(gate, full, y, n, n, &b, &q, &e) == UT_OK);
    int worst = 0;
    for (size_t i = 0; i < n; i++) {
        int d = abs(b.sample[i] - a.sample[i] - 9000);
        if (d > worst) worst = d;
    }
    CHECK(worst <= 6, "off by %d", worst); /* the mean of x itself is not quite 0 */
    CHECK(fabs(r.noise_removed_db - q.noise_removed_db) < 1, "%.1f dB, %.1f dB", r.noise_removed_db, q.noise_removed_db);
    free(x);
    free(y);
    free(a.sample);
    free(b.sample);
}

static void active_rms(void)
{
    enum { N = 64000 };
    static int16_t x[N];
    CHECK(ut_active_rms(x, 0) == 0 && ut_active_rms(x, N) == 0);
    for (int i = 0; i < N / 4; i++) x[i] = i % 2 ? 8192 : -8192;
    CHECK(fabs(ut_active_rms(x, N) - .25) < 1e-6, "pauses count: %.6f", ut_active_rms(x, N));
    for (int i = N / 4; i < N; i++) x[i] = i % 2 ? 80 : -80; /* 40.2 dB down */
    CHECK(fabs(ut_active_rms(x, N) - .25) < 1e-6);
    for (int i = N / 4; i < N; i++) x[i] = i % 2 ? 84 : -84; /* 39.8 dB down */
    CHECK(ut_active_rms(x, N) < .13);
    CHECK(fabs(ut_active_rms(x, 5) - .25) < 1e-6, "shorter than a frame");
}

static void strength(void)
{
    size_t n = 200000;
    int16_t *x = sound(n, .3);
    heard to = { 0 };
    ut_enhancer_report r;
    ut_err e = { 0 };
    for (int k = 0; k <= 4; k++) {
        ut_enhancer_options o = { .strength = (float)k / 4, .nthreads = 2 };
        CHECK(run(halve, o, x, n, n, &to, &r, &e) == UT_OK);
        int worst = 0;
        for (size_t i = 0; i < n; i++) {
            int d = (int)fabs(8 * to.sample[i] - x[i] * (8. - k));
            if (d > worst) worst = d;
        }
        CHECK(worst <= 5, "strength %d/4: off by %d/8", k, worst);
        if (!k) CHECK(r.noise_removed_db == 0 && isnan(r.snr_in_db));
    }
    ut_enhancer *h;
    const float wrong[] = { -.01f, 1.01f, NAN, INFINITY };
    for (size_t i = 0; i < 4; i++) {
        ut_enhancer_options o = { .strength = wrong[i] };
        CHECK(ut_enhancer_new_with(halve, NULL, &o, take, &to, &h, &e) == UT_E_USAGE && !h && strstr(e.text, "strength"));
    }
    /* left alone, and as it is: no network is needed */
    ut_enhancer_options alone = { .strength = 1, .leave_alone = true };
    CHECK(run(refuses, alone, x, n, 1000, &to, &r, &e) == UT_OK && to.n == n && !memcmp(to.sample, x, n * sizeof *x) && r.nsamples == n);
    ut_enhancer_options none = { .strength = 0 };
    CHECK(run(refuses, none, x, n, 1000, &to, &r, &e) == UT_OK && to.n == n && !memcmp(to.sample, x, n * sizeof *x));
    free(x);
    free(to.sample);
}

/* Silence, DC, full scale. */
static void extremes(void)
{
    size_t n = UT_CHUNK_HOP + 30000;
    int16_t *x = calloc(n, sizeof *x);
    heard to = { 0 };
    ut_enhancer_report r;
    ut_err e = { 0 };
    CHECK(run(at_one, full, x, n, n, &to, &r, &e) == UT_OK && !memcmp(to.sample, x, n * sizeof *x), "silence stays silence");
    CHECK(isnan(r.noise_removed_db) && isnan(r.snr_in_db));
    for (size_t i = 0; i < n; i++) x[i] = i < 30000 || i > 50000 ? (int16_t)(i % 2 ? 1000 : -1000) : 0;
    CHECK(run(at_one, full, x, n, n, &to, &r, &e) == UT_OK);
    int wrong = 0;
    for (size_t i = 30080; i <= 50000 - 80; i++) wrong += to.sample[i] != 0;
    CHECK(!wrong && to.sample[29999] && to.sample[50001], "%d samples of a digital pause are not silent", wrong);
    int jump = 0;
    for (size_t i = 29990; i < 30100; i++) jump = abs(to.sample[i + 1] - to.sample[i]) > jump ? abs(to.sample[i + 1] - to.sample[i]) : jump;
    CHECK(jump <= 1 + to.sample[29990] / 40, "silence begins with a click of %d", jump);
    for (int k = 0; k < 3; k++) {
        for (size_t i = 0; i < n; i++) x[i] = k == 0 ? 32767 : k == 1 ? -32768 : (i / 50) % 2 ? 32767 : -32768;
        CHECK(run(identity, full, x, n, n, &to, &r, &e) == UT_OK && !memcmp(to.sample, x, n * sizeof *x), "full scale, %d", k);
    }
    /* what the network makes too loud is clipped, not wrapped */
    CHECK(run(at_one, full, x, n, n, &to, &r, &e) == UT_OK && to.sample[5] == 32767);
    free(x);
    free(to.sample);
}

static void failures(void)
{
    size_t n = 3 * UT_CHUNK_HOP;
    int16_t *x = sound(n, .3);
    heard to = { 0 };
    ut_enhancer_report r;
    for (unsigned threads = 1; threads < 4; threads++) {
        ut_enhancer_options o = { .strength = 1, .nthreads = threads };
        ut_err e = { 0 };
        CHECK(run(refuses, o, x, n, n, &to, &r, &e) == UT_E_MEMORY && strstr(e.text, "no room for"), "%s", e.text);
        to.fails_at = UT_CHUNK_HOP + 100;
        CHECK(run(identity, o, x, n, n, &to, &r, &e) == UT_E_IO && strstr(e.text, "sink is full"), "%s", e.text);
        to.fails_at = 0;
    }
    ut_enhancer_free(NULL);
    free(x);
    free(to.sample);
}

int main(void)
{
    lengths();
    independence();
    seams();
    level();
    offset();
    active_rms();
    strength();
    extremes();
    failures();
    return check_end();
}
