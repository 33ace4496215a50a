/* The hider's network against PyTorch (train/tools/gen_hide_vectors.py), and against itself: tiles must not show. */
#include "check.h"
#include "kern/attend.h"
#include "stage/hide/condition.h"
#include <math.h>

static unsigned long long seed = 5;
static float noise(void) { return (float)(check_rand(&seed) % 20001) / 10000 - 1; }

static uint8_t *slurp(const char *path, size_t *n)
{
    static uint8_t data[1 << 20];
    FILE *f = fopen(path, "rb");
    CHECK(f, "%s", path);
    *n = f ? fread(data, 1, sizeof data, f) : 0;
    if (f) fclose(f);
    return data;
}

/* Planes [channel][h][w] as a run's source and sink. */
typedef struct planes {
    const float *x;
    float *y;
    uint32_t w, h;
    size_t nout;
} planes;

static void read_planes(void *arg, uint32_t x, uint32_t y, uint32_t n, float *c, size_t stride)
{
    const planes *p = arg;
    for (size_t k = 0; k < 64; k++) memcpy(c + k * stride, p->x + (k * p->h + y) * p->w + x, n * sizeof *c);
}

static void write_planes(void *arg, uint32_t x, uint32_t y, uint32_t n, const float *out, size_t stride)
{
    const planes *p = arg;
    for (size_t k = 0; k < p->nout; k++) memcpy(p->y + (k * p->h + y) * p->w + x, out + k * stride, n * sizeof *out);
}

static float *run(const ut_condition *net, const float *x, uint32_t w, uint32_t h, unsigned nthreads)
{
    ut_err e = { 0 };
    planes p = { x, calloc(net->noutputs * w * h, sizeof(float)), w, h, net->noutputs };
    CHECK(ut_condition_apply(&(ut_condition_run){ net, w, h, read_planes, write_planes, &p }, nthreads, &e) == UT_OK, "%s", e.text);
    return p.y;
}

static float *floats(const ut_safetensors *file, const char *name, const ut_tensor **t)
{
    *t = ut_safetensors_find(file, name);
    CHECK(*t, "%s", name);
    float *x = malloc((*t)->count * sizeof *x);
    CHECK(ut_tensor_floats(*t, 0, (*t)->count, x));
    return x;
}

/* Every stage of one network.  PyTorch's order of additions differs: 1e-5 of the stage's greatest value. */
static void compare(const ut_safetensors *file, const char *name, size_t nblocks, size_t nout, const float *x, uint32_t w, uint32_t h)
{
    char prefix[32], stage[48];
    ut_condition net;
    ut_err e = { 0 };
    size_t nused = 0;
    snprintf(prefix, sizeof prefix, "%s.", name);
    CHECK(ut_condition_load(file, prefix, "vectors", 16, nblocks, nout, &net, &nused, &e) == UT_OK, "%s", e.text);
    for (size_t i = 0; i < nblocks; i++) {
        const ut_tensor *t;
        double worst = 0, most = 0;
        snprintf(stage, sizeof stage, "%s.stage.%zu", name, i);
        float *want = floats(file, stage, &t);
        ut_condition part = net;
        part.nblocks = i + 1;
        float *got = run(&part, x, w, h, 2);
        CHECK(t->count == nout * w * h);
        for (size_t k = 0; k < t->count; k++) {
            worst = fmax(worst, fabs((double)got[k] - (double)want[k]));
            most = fmax(most, fabs((double)want[k]));
        }
        printf("%s: off by %.2g of %.3g\n", stage, worst, most);
        CHECK(most > .01 && worst < 1e-5 * most, "%s", stage);
        free(want);
        free(got);
    }
    ut_condition_free(&net);
}

/* A wide and high picture against a window of it: many tiles against one, away from the window's edges. */
static void test_tiles(const ut_safetensors *file)
{
    enum { W = 1100, H = 130, X = 470, Y = 30, WW = 90, WH = 80, REACH = 9 };
    ut_condition net;
    ut_err e = { 0 };
    size_t nused = 0;
    CHECK(ut_condition_load(file, "full.", "vectors", 16, 3, 8, &net, &nused, &e) == UT_OK);
    float *x = malloc(64ul * W * H * sizeof *x), *part = malloc(64ul * WW * WH * sizeof *x);
    for (size_t i = 0; i < 64ul * W * H; i++) x[i] = 100 * noise();
    for (size_t k = 0; k < 64; k++)
        for (size_t y = 0; y < WH; y++) memcpy(part + (k * WH + y) * WW, x + (k * H + Y + y) * W + X, WW * sizeof *x);
    float *whole = run(&net, x, W, H, 2), *window = run(&net, part, WW, WH, 1);
    size_t differ = 0;
    for (size_t k = 0; k < 8; k++)
        for (size_t y = REACH; y < WH - REACH; y++)
            for (size_t i = REACH; i < WW - REACH; i++) differ += whole[(k * H + Y + y) * W + X + i] != window[(k * WH + y) * WW + i];
    CHECK(differ == 0, "%zu values differ", differ);
    free(x), free(part), free(whole), free(window);
    ut_condition_free(&net);
}

/* The kernels of every instruction set against plain sums in double precision. */
static void test_kernels(const ut_attend *a)
{
    enum { N = 64, PAD = 16 };
    float row[5][N + 2 * PAD], w[9], y[N], z[N], scale[N], column[N + 4], mean[N], most[N], os[N], ot[N];
    const float *x[5];
    for (size_t r = 0; r < 5; r++) {
        x[r] = row[r] + PAD;
        for (size_t i = 0; i < N + 2 * PAD; i++) row[r][i] = 40 * noise();
    }
    for (size_t i = 0; i < 9; i++) w[i] = noise();
    for (size_t i = 0; i < N; i++) scale[i] = noise(), os[i] = 3 * noise(), ot[i] = 3 * noise();
    a->depthwise(x, w, .5f, y, N);
    for (int i = 0; i < N; i++) {
        double sum = .5;
        for (int t = 0; t < 9; t++) sum += (double)w[t] * (double)x[t / 3][i + t % 3 - 1];
        CHECK(fabs(sum - (double)y[i]) < 1e-4, "%s", a->name);
    }
    a->box5(x, 5, scale, column, y, N);
    a->extremes(row[0] + PAD, N + 2 * PAD, 5, mean, most, N);
    a->feature(x[0], 4, z, N);
    for (int i = 0; i < N; i++) {
        double sum = 0, m = 0, top = -1e9;
        for (int r = 0; r < 5; r++) {
            for (int d = -2; d <= 2; d++) sum += (double)x[r][i + d];
            m += (double)x[r][i] / 5, top = fmax(top, (double)x[r][i]);
        }
        CHECK(fabs(sum * (double)scale[i] - (double)y[i]) < 1e-3, "%s", a->name);
        CHECK(fabs(m - (double)mean[i]) < 1e-4 && top == (double)most[i], "%s", a->name);
        CHECK(fabs(fabs((double)x[0][i]) / (4 + fabs((double)x[0][i])) - (double)z[i]) < 1e-6, "%s", a->name);
    }
    const ut_coupling c = { 1.4f, 2, 32 };
    for (int big = 0; big < 2; big++) {
        for (size_t i = 0; i < N; i++) row[0][PAD + i] *= big ? 25.f : 1.f;
        a->couple(&c, x[0], os, ot, y, N);
        a->uncouple(&c, y, os, ot, z, N);
        for (size_t i = 0; i < N; i++) {
            double v = (double)x[0][i], g = v + (exp((double)1.4f * tanh((double)os[i])) - 1) * 32 * v / (32 + fabs(v)) + 2 * tanh((double)ot[i]);
            CHECK(fabs(g - (double)y[i]) < 1e-6 * (10 + fabs(g)), "%s: %g %g", a->name, g, (double)y[i]);
            CHECK(fabs(v - (double)z[i]) < 4e-6 * (10 + fabs(v)), "%s: %g %g", a->name, v, (double)z[i]);
        }
    }
}

int main(void)
{
    ut_safetensors file;
    const ut_tensor *t;
    ut_err e = { 0 };
    size_t n;
    uint8_t *data = slurp(UT_TEST_DIR "/vectors/hide/condition.safetensors", &n);
    CHECK(data && ut_safetensors_parse(data, n, "vectors", &file, &e) == UT_OK, "%s", e.text);
    float *x = floats(&file, "x", &t);
    uint32_t h = (uint32_t)t->shape[1], w = (uint32_t)t->shape[2];
    compare(&file, "full", 3, 8, x, w, h);
    compare(&file, "channel", 1, 4, x, w, h);
    compare(&file, "spatial", 1, 4, x, w, h);
    compare(&file, "plain", 1, 4, x, w, h);
    test_tiles(&file);
    for (unsigned i = 0; ut_attend_variant(i); i++) test_kernels(ut_attend_variant(i));
    ut_safetensors_free(&file);
    free(x);
    return check_end();
}
