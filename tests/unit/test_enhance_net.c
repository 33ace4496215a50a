/* Model 1's network against PyTorch, tensor by tensor (tests/vectors/enhance, made by train/tools/gen_enhance_vectors.py); edge cases; files that lie. */
#include "check.h"
#include "stage/enhance/model.h"
#include <math.h>

static uint8_t *read_file(const char *name, const char *ending, size_t *n)
{
    char path[512];
    snprintf(path, sizeof path, UT_TEST_DIR "/vectors/enhance/%s%s", name, ending);
    FILE *f = fopen(path, "rb");
    if (!f || fseek(f, 0, SEEK_END) != 0) {
        fprintf(stderr, "%s cannot be read\n", path);
        exit(1);
    }
    *n = (size_t)ftell(f);
    uint8_t *p = malloc(*n + 1);
    rewind(f);
    if (!p || fread(p, 1, *n, f) != *n) exit(1);
    fclose(f);
    return p;
}

static float *floats(const ut_safetensors *s, const char *tensor, size_t *n)
{
    const ut_tensor *t = ut_safetensors_find(s, tensor);
    float *x = t ? malloc(t->count * sizeof *x) : NULL;
    if (!x || !ut_tensor_floats(t, 0, t->count, x)) {
        fprintf(stderr, "no tensor %s\n", tensor);
        exit(1);
    }
    *n = t->count;
    return x;
}

static double snr_db(const float *want, const float *got, size_t n)
{
    double signal = 0, error = 0;
    for (size_t i = 0; i < n; i++) {
        signal += (double)want[i] * (double)want[i];
        error += ((double)want[i] - (double)got[i]) * ((double)want[i] - (double)got[i]);
    }
    return signal > 0 ? 10 * log10(signal / (error + 1e-300)) : -1;
}

typedef struct watcher {
    const ut_safetensors *trace;
    const char *what;
    size_t nseen;
    double worst;
} watcher;

static void watch(void *user, const char *name, const float *x, size_t nrows, size_t nframes)
{
    watcher *w = user;
    size_t n;
    float *want = floats(w->trace, name, &n);
    const ut_tensor *t = ut_safetensors_find(w->trace, name);
    CHECK(t->ndims == 2 && t->shape[0] == nrows && t->shape[1] == nframes, "%s: %s is [%zu, %zu]", w->what, name, nrows, nframes);
    double snr = n == nrows * nframes ? snr_db(want, x, n) : -1;
    CHECK(snr >= 100, "%s: %s: %.1f dB", w->what, name, snr);
    if (snr < w->worst) w->worst = snr;
    w->nseen++;
    free(want);
}

/* The short clip with every tensor, the long one over several blocks, the short one again: nothing may be left over from the run before. */
static void test_parity(const char *name, const ut_enhance_model *m, const ut_nn *kernels)
{
    size_t nfile, n, nlong, nwant;
    ut_safetensors trace;
    ut_err e = { 0 };
    ut_enhance_net *net;
    uint8_t *file = read_file(name, ".trace.safetensors", &nfile);
    CHECK(ut_safetensors_parse(file, nfile, name, &trace, &e) == UT_OK, "%s", e.text);
    float *in = floats(&trace, "in", &n), *want = floats(&trace, "wave", &nwant), *in_long = floats(&trace, "long.in", &nlong), *want_long = floats(&trace, "long.wave", &nwant);
    float *out = malloc(n * sizeof *out), *again = malloc(n * sizeof *out), *out_long = malloc(nlong * sizeof *out_long);
    if (!out || !again || !out_long || ut_enhance_net_new(m, nlong, &net, &e) != UT_OK) exit(1);
    ut_enhance_net_use(net, kernels);
    watcher w = { &trace, name, 0, 1e9 };
    ut_enhance_net_watch(net, watch, &w);
    CHECK(ut_enhance_net_run(net, in, out, n, &e) == UT_OK, "%s", e.text);
    CHECK(w.nseen == trace.n - 4, "%s: %zu of %zu tensors seen", name, w.nseen, trace.n - 4); /* all but the waves */
    ut_enhance_net_watch(net, NULL, NULL);
    CHECK(ut_enhance_net_run(net, in_long, out_long, nlong, &e) == UT_OK, "%s", e.text);
    CHECK(ut_enhance_net_run(net, in, again, n, &e) == UT_OK && !memcmp(out, again, n * sizeof *out), "%s: not the same twice", name);
    double wave = snr_db(want, out, n), wave_long = snr_db(want_long, out_long, nlong);
    CHECK(wave >= 100 && wave_long >= 90, "%s: %.1f dB, long %.1f dB", name, wave, wave_long);
    printf("%s, %s: worst tensor %.0f dB, wave %.0f dB, long wave %.0f dB\n", name, kernels->name, w.worst, wave, wave_long);
    ut_enhance_net_free(net);
    ut_safetensors_free(&trace);
    free(in), free(want), free(in_long), free(want_long), free(out), free(again), free(out_long), free(file);
}

static void test_edges(const ut_enhance_model *m)
{
    static float in[4000], out[4000], same[4000];
    static const size_t lengths[] = { 1, 2, 7, 8, 9, 16, 17, 95 * 8, 96 * 8 - 8, 96 * 8, 96 * 8 + 1, 3999 };
    ut_err e = { 0 };
    for (size_t k = 0; k < sizeof lengths / sizeof *lengths; k++)
        for (int kind = 0; kind < 3; kind++) {
            size_t n = lengths[k];
            for (size_t i = 0; i < 4000; i++) in[i] = same[i] = kind == 0 ? 0 : kind == 1 ? 1 : sinf((float)i); /* silence, DC, a tone: full scale */
            for (size_t i = 0; i < 4000; i++) out[i] = 42;
            CHECK(ut_enhance_network(m, in, out, n, &e) == UT_OK, "%s", e.text);
            CHECK(!memcmp(in, same, sizeof in), "the input was changed");
            double power = 0;
            for (size_t i = 0; i < n; i++) {
                CHECK(isfinite(out[i]));
                power += (double)out[i] * (double)out[i];
            }
            CHECK(power < 100 * (double)n, "%zu samples of kind %d grow to %g", n, kind, power);
            CHECK(m->c.variant == UT_DCCRN_OFFLINE || kind != 0 || power == 0, "a mask made sound out of silence");
            CHECK(n == 4000 || out[n] == 42, "wrote behind the end");
            CHECK(ut_enhance_network(m, same, same, n, &e) == UT_OK && !memcmp(same, out, n * sizeof *out), "in place gives another result");
        }
    CHECK(ut_enhance_network(m, in, out, 0, &e) == UT_OK);
    for (int kind = 0; kind < 3; kind++) {
        in[1234] = kind == 0 ? NAN : kind == 1 ? INFINITY : -INFINITY;
        CHECK(ut_enhance_network(m, in, out, 4000, &e) == UT_E_INPUT && strstr(e.text, "sample 1234") && strstr(e.text, "finite"), "%s", e.text);
    }
    for (size_t i = 0; i < 4000; i++) in[i] = i & 1 ? 3e38f : -3e38f;
    ut_status s = ut_enhance_network(m, in, out, 4000, &e);
    CHECK(s == UT_E_INPUT ? strstr(e.text, "not finite") != NULL : s == UT_OK, "%s", e.text);
    CHECK(ut_enhance_network(m, in, out, UT_ENHANCE_SAMPLES + 1, &e) == UT_E_USAGE);
    ut_enhance_net *net;
    CHECK(ut_enhance_net_new(m, 100, &net, &e) == UT_OK && ut_enhance_net_run(net, in, out, 101, &e) == UT_E_USAGE);
    ut_enhance_net_free(net);
    ut_enhance_net_free(NULL);
    ut_enhance_model_free(NULL);
}

/* The model file with the first `from` of its header replaced by `to`; bytes of the data at `at` set to `value` if at > 0. */
static ut_status load_changed(const uint8_t *file, size_t n, const char *from, const char *to, ut_err *e)
{
    size_t header = file[0] | (size_t)file[1] << 8 | (size_t)file[2] << 16;
    uint8_t *copy = malloc(n + strlen(to) + 1), *found = NULL;
    if (!copy) exit(1);
    for (size_t i = 8; i + strlen(from) <= 8 + header && !found; i++)
        if (!memcmp(file + i, from, strlen(from))) found = copy + i;
    if (!found) {
        fprintf(stderr, "\"%s\" is not in the header\n", from);
        exit(1);
    }
    size_t at = (size_t)(found - copy), grown = n - strlen(from) + strlen(to);
    memcpy(copy, file, at);
    memcpy(copy + at, to, strlen(to));
    memcpy(copy + at + strlen(to), file + at + strlen(from), n - at - strlen(from));
    header += strlen(to) - strlen(from);
    for (int i = 0; i < 8; i++) copy[i] = (uint8_t)((uint64_t)header >> 8 * i);
    ut_enhance_model *m = (void *)1;
    ut_status s = ut_enhance_model_load(copy, grown, "changed", &m, e);
    CHECK((s == UT_OK) == (m != NULL), "a model is given if and only if it could be loaded");
    ut_enhance_model_free(m);
    free(copy);
    return s;
}

#define C(name) "\\\"" name "\\\": "
static void test_liars(void)
{
    static const struct {
        const char *from, *to, *because;
    } bad[] = {
        { "undertone-dccrn-1", "undertone-dccrn-2", "format" },
        { "\"config\"", "\"config2\"", "configuration" },
        { C("hop") "8", C("hop") "8, " C("hop") "8", "configuration" },
        { C("hop") "8, ", "", "configuration" },
        { C("hop") "8", C("hop") "8.5", "configuration" },
        { C("hop") "8", C("hop") "-8", "configuration" },
        { C("hop") "8", C("jump") "8", "configuration" },
        { C("hop") "8", C("hop") "17", "window and hop" },
        { C("hop") "8", C("hop") "0", "window and hop" },
        { C("win_length") "32", C("win_length") "33", "window and hop" },
        { C("n_fft") "32", C("n_fft") "48", "power of two" },
        { C("n_fft") "32", C("n_fft") "8192", "power of two" },
        { C("n_fft") "32", C("n_fft") "64", "another shape" },
        { C("channels") "[16, 16]", C("channels") "[16, 18]", "another shape" },
        { C("channels") "[16, 16]", C("channels") "[16, 15]", "odd or out of range" },
        { C("channels") "[16, 16]", C("channels") "[16, 0]", "odd or out of range" },
        { C("channels") "[16, 16]", C("channels") "[16, 4096]", "odd or out of range" },
        { C("channels") "[16, 16]", C("channels") "[]", "number of layers" },
        { C("channels") "[16, 16]", C("channels") "[16, 16, 16, 16, 16]", "number of layers" },
        { C("channels") "[16, 16]", C("channels") "[2, 2, 2, 2, 2, 2, 2, 2, 2]", "configuration" },
        { C("channels") "[16, 16]", C("channels") "[16, 16, 16]", "another shape" },
        { C("channels") "[16, 16]", C("channels") "[16]", "another shape" },
        { C("lstm_hidden") "3", C("lstm_hidden") "4", "another shape" },
        { C("lstm_hidden") "3", C("lstm_hidden") "0", "LSTM" },
        { C("lstm_hidden") "3", C("lstm_hidden") "1000000", "LSTM" },
        { C("lstm_layers") "2", C("lstm_layers") "3", "is missing" },
        { C("lstm_layers") "2", C("lstm_layers") "1", "tensors where" },
        { C("lstm_layers") "2", C("lstm_layers") "99", "LSTM" },
        { C("variant") "\\\"offline\\\"", C("variant") "\\\"CL\\\"", "" },
        { C("variant") "\\\"offline\\\"", C("variant") "\\\"E\\\"", "another shape" },
        { C("variant") "\\\"offline\\\"", C("variant") "\\\"F\\\"", "configuration" },
        { C("power") "0.3", C("power") "0", "power" },
        { C("power") "0.3", C("power") "7", "power" },
        { C("gain_max") "2.0", C("gain_max") "-2.0", "power or gain_max" },
        { C("gain_max") "2.0", C("gain_max") "1e300", "power or gain_max" },
        { C("lookahead") "true", C("lookahead") "1", "configuration" },
        { "\"gain_slope\"", "\"gain_slopf\"", "gain_slope is missing" },
        { "\"shape\":[16]", "\"shape\":[2,8]", "another shape" },
        { "\"encoder.0.weight\"", "\"encoder.0.w\"", "encoder.0.weight is missing" },
    };
    size_t n;
    uint8_t *file = read_file("offline-plain", ".safetensors", &n);
    ut_err e = { 0 };
    CHECK(load_changed(file, n, C("hop") "8", C("hop") "7", &e) == UT_OK, "%s", e.text); /* the changing itself does no harm */
    CHECK(load_changed(file, n, "{", " { ", &e) == UT_OK, "%s", e.text);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        memset(&e, 0, sizeof e);
        CHECK(load_changed(file, n, bad[i].from, bad[i].to, &e) == UT_E_INPUT, "%s -> %s", bad[i].from, bad[i].to);
        CHECK(strstr(e.text, bad[i].because) && strstr(e.text, "changed"), "%s -> %s: \"%s\"", bad[i].from, bad[i].to, e.text);
    }
    ut_enhance_model *m;
    for (size_t k = 0; k < 40; k++) { /* not a number, in every part of the data */
        size_t data = 8 + (file[0] | (size_t)file[1] << 8), at = data + (n - data) / 40 * k / 4 * 4;
        uint8_t *copy = malloc(n);
        if (!copy) exit(1);
        memcpy(copy, file, n);
        memset(copy + at, 0xff, 4);
        CHECK(ut_enhance_model_load(copy, n, "nan", &m, &e) == UT_E_INPUT && strstr(e.text, "not finite"), "at %zu: %s", at, e.text);
        free(copy);
    }
    for (size_t cut = 0; cut < n; cut += cut < 64 ? 1 : 1009) {
        uint8_t *copy = malloc(cut ? cut : 1);
        if (!copy) exit(1);
        memcpy(copy, file, cut);
        CHECK(ut_enhance_model_load(copy, cut, "cut", &m, NULL) == UT_E_INPUT, "cut to %zu", cut);
        free(copy);
    }
    free(file);
}

int main(void)
{
    static const char *const models[] = { "e-plain", "e-whitening", "cl-plain", "cl-whitening", "offline-plain", "offline-whitening" };
    for (size_t i = 0; i < sizeof models / sizeof *models; i++) {
        size_t n;
        ut_err e = { 0 };
        ut_enhance_model *m;
        uint8_t *file = read_file(models[i], ".safetensors", &n);
        CHECK(ut_enhance_model_load(file, n, models[i], &m, &e) == UT_OK, "%s", e.text);
        free(file); /* a loaded model needs it no more */
        if (!m) return check_end();
        for (unsigned k = 0; ut_nn_variant(k); k++) test_parity(models[i], m, ut_nn_variant(k));
        test_edges(m);
        ut_enhance_model_free(m);
    }
    test_liars();
    return check_end();
}
