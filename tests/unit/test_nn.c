/* The network kernels of every instruction set against sums in double precision and the C library's functions. */
#include "check.h"
#include "kern/nn.h"
#include <math.h>

static unsigned long long seed = 3;
static float noise(void) { return (float)(check_rand(&seed) % 20001) / 10000 - 1; }

#define NX 40 /* rows */
#define NC 128
#define NT UT_NN_TARGETS

static void test_sum(const ut_nn *nn)
{
    static float x[NX][NC + 16], y[NT][8][NC], before[NT][8][NC], w[NX * 8], bias[8], slope[8];
    const float *terms[NX];
    for (int n = 0; n < 60; n++) {
        ut_nn_sum a = { .nterms = check_rand(&seed) % NX, .x = terms, .w = w, .bias = n % 5 ? bias : NULL, .slope = n % 3 ? slope : NULL, .ntargets = 1 + check_rand(&seed) % NT, .y_stride = NC, .ny = 1 + check_rand(&seed) % 8, .ncols = 16 * (1 + check_rand(&seed) % 8) };
        for (size_t j = 0; j < NX; j++) {
            terms[j] = x[j] + check_rand(&seed) % 16; /* not aligned */
            for (size_t s = 0; s < NC + 16; s++) x[j][s] = noise();
            for (size_t m = 0; m < 8; m++) w[j * 8 + m] = noise();
        }
        for (size_t m = 0; m < 8; m++) bias[m] = noise(), slope[m] = noise();
        for (size_t i = 0; i < NT * 8 * NC; i++) (&before[0][0][0])[i] = (&y[0][0][0])[i] = noise();
        for (size_t t = 0; t < NT; t++) a.target[t] = (ut_nn_target){ y[t][0], 2 * noise(), check_rand(&seed) & 1, check_rand(&seed) & 1 };
        nn->sum(&a);
        for (size_t t = 0; t < NT; t++)
            for (size_t m = 0; m < 8; m++)
                for (size_t s = 0; s < NC; s++) {
                    double v = (double)before[t][m][s];
                    if (t < a.ntargets && m < a.ny && s < a.ncols) {
                        double sum = 0;
                        for (size_t j = 0; j < a.nterms; j++) sum += (double)w[j * 8 + m] * (double)terms[j][s];
                        v = (a.target[t].first ? a.bias ? (double)bias[m] : 0 : v) + (double)a.target[t].k * sum;
                        if (a.target[t].last && a.slope && v <= 0) v *= (double)slope[m];
                    }
                    CHECK(fabs(v - (double)y[t][m][s]) < 1e-5, "%s: run %d, target %zu, output %zu, column %zu: %g %g", nn->name, n, t, m, s, v, (double)y[t][m][s]);
                }
    }
    float one[16], out[16];
    for (int i = 0; i < 16; i++) one[i] = i == 5 ? NAN : i == 6 ? -INFINITY : 1;
    terms[0] = one;
    for (size_t m = 0; m < 8; m++) w[m] = slope[m] = 1;
    nn->sum(&(ut_nn_sum){ .nterms = 1, .x = terms, .w = w, .slope = slope, .ntargets = 1, .target = { { out, 1, true, true } }, .ny = 1, .ncols = 16 });
    for (int i = 0; i < 16; i++) CHECK(i == 5 ? isnan(out[i]) : i == 6 ? isinf(out[i]) : out[i] == 1, "%s: column %d: %g", nn->name, i, (double)out[i]);
}

static void test_mix(const ut_nn *nn)
{
    enum { STRIDE = 112, ROWS = 11 };
    static float x[4][ROWS * STRIDE + 64], v[3 * ROWS * 48 + 1];
    for (int n = 0; n < 20; n++) {
        for (size_t i = 0; i < sizeof x / sizeof(float); i++) (&x[0][0])[i] = noise();
        ut_nn_mix a = { .nrows = 1 + check_rand(&seed) % ROWS, .ncols = 16 * (1 + check_rand(&seed) % 3), .nsources = 1 + n % 4, .x = { x[0], x[1], x[2], x[3] },
                        .x_stride = STRIDE, .instant = { 63, 0, 1 }, .k = { n & 4 ? -1 : 1, noise(), noise(), noise() }, .v = v, .v_stride = 48, .plane = ROWS * 48 };
        v[3 * ROWS * 48] = 42;
        nn->mix(&a);
        CHECK(v[3 * ROWS * 48] == 42);
        for (size_t j = 0; j < a.nrows; j++)
            for (size_t s = 0; s < a.ncols; s++) {
                double c[3];
                for (size_t q = 0; q < 3; q++) {
                    c[q] = 0;
                    for (size_t i = 0; i < a.nsources; i++) c[q] += (double)a.k[i] * (double)x[i][j * STRIDE + a.instant[q] + s];
                }
                const float *got = v + j * 48 + s;
                CHECK(fabs(c[1] - (double)got[0]) < 2e-6 && fabs(c[0] - c[1] - (double)got[a.plane]) < 2e-6 && fabs(c[1] - c[2] - (double)got[2 * a.plane]) < 2e-6,
                      "%s: run %d, row %zu, column %zu", nn->name, n, j, s);
            }
    }
}

static double sigmoid(double x) { return 1 / (1 + exp(-x)); }

static void test_lstm(const ut_nn *nn)
{
    enum { UNITS = 37, GROUPS = 3, WIDTH = GROUPS * 64 };
    static float r[GROUPS * UNITS * 64], bias[WIDTH], gates[2][WIDTH], h[2][GROUPS * 16], c[2][GROUPS * 16], after[2][GROUPS * 16];
    for (size_t nseq = 1; nseq <= 2; nseq++) {
        for (size_t i = 0; i < sizeof r / sizeof *r; i++) r[i] = i / (UNITS * 64) * 16 + i % 16 < UNITS ? noise() / 4 : 0;
        for (size_t i = 0; i < WIDTH; i++) bias[i] = i / 64 * 16 + i % 16 < UNITS ? noise() : 0;
        double want_c[2][UNITS], want_h[2][UNITS];
        for (size_t q = 0; q < 2; q++) {
            for (size_t i = 0; i < WIDTH; i++) gates[q][i] = i / 64 * 16 + i % 16 < UNITS ? 3 * noise() : 0;
            for (size_t u = 0; u < GROUPS * 16; u++) h[q][u] = c[q][u] = u < UNITS ? noise() : 0;
        }
        ut_nn_lstm a = { .nunits = UNITS, .ngroups = GROUPS, .recurrent = r, .bias = bias, .nseq = nseq };
        for (size_t q = 0; q < nseq; q++) {
            a.gates[q] = gates[q], a.before[q] = h[q], a.after[q] = after[q], a.cell[q] = c[q];
            for (size_t u = 0; u < UNITS; u++) {
                double g[4];
                for (size_t k = 0; k < 4; k++) {
                    size_t at = u / 16 * 64 + k * 16 + u % 16;
                    g[k] = (double)gates[q][at] + (double)bias[at];
                    for (size_t b = 0; b < UNITS; b++) g[k] += (double)h[q][b] * (double)r[(u / 16 * UNITS + b) * 64 + k * 16 + u % 16];
                }
                want_c[q][u] = sigmoid(g[1]) * (double)c[q][u] + sigmoid(g[0]) * tanh(g[2]);
                want_h[q][u] = sigmoid(g[3]) * tanh(want_c[q][u]);
            }
        }
        nn->lstm(&a);
        for (size_t q = 0; q < nseq; q++)
            for (size_t u = 0; u < GROUPS * 16; u++) {
                CHECK(fabs((double)c[q][u] - (u < UNITS ? want_c[q][u] : 0)) < 2e-6, "%s: cell %zu", nn->name, u);
                CHECK(fabs((double)after[q][u] - (u < UNITS ? want_h[q][u] : 0)) < 2e-6, "%s: unit %zu", nn->name, u);
            }
    }
}

/* Greatest relative error over a fine scale. */
static void test_functions(const ut_nn *nn)
{
    double worst[3] = { 0 };
    for (int i = -40000; i <= 40000; i += 4) {
        float s[4], t[4], re[4], im[4];
        double x[4];
        for (int l = 0; l < 4; l++) {
            s[l] = t[l] = (float)(i + l) * 5e-4f;
            x[l] = (double)s[l];
            re[l] = ldexpf(1 + (float)((i + l) & 1023) / 1024, (i + l) / 2500); /* 1e-5 to 1e5 */
            im[l] = -re[l] / 3;
        }
        nn->sigmoid(s, 4);
        nn->tanh(t, 4);
        float b_re[4], b_im[4];
        memcpy(b_re, re, sizeof re), memcpy(b_im, im, sizeof im);
        nn->power(re, im, 4, -0.35f);
        for (int l = 0; l < 4; l++) {
            double scale = pow((double)b_re[l] * (double)b_re[l] + (double)b_im[l] * (double)b_im[l] + 1e-8, (double)-0.35f);
            worst[0] = fmax(worst[0], fabs((double)s[l] / sigmoid(x[l]) - 1));
            if (x[l] != 0) worst[1] = fmax(worst[1], fabs((double)t[l] / tanh(x[l]) - 1));
            worst[2] = fmax(worst[2], fabs((double)re[l] / ((double)b_re[l] * scale) - 1));
            CHECK(fabs((double)(im[l] * 3 + re[l])) <= 1e-6 * (double)re[l], "%s", nn->name);
        }
    }
    printf("%s: greatest relative error: sigmoid %.2g, tanh %.2g, power %.2g\n", nn->name, worst[0], worst[1], worst[2]);
    CHECK(worst[0] < 1.5e-6 && worst[1] < 4e-7 && worst[2] < 1.5e-6, "%s: %g %g %g", nn->name, worst[0], worst[1], worst[2]);
    float odd[8] = { NAN, INFINITY, -INFINITY, 0, -0.0f, 1e30f, -1e30f, 1e-30f }, t[8], s[8];
    memcpy(t, odd, sizeof t), memcpy(s, odd, sizeof s);
    nn->tanh(t, 8);
    nn->sigmoid(s, 8);
    CHECK(isnan(t[0]) && isnan(s[0]), "%s", nn->name);
    CHECK(t[1] == 1 && t[2] == -1 && t[3] == 0 && t[4] == 0 && t[5] == 1 && t[6] == -1 && fabsf(t[7] - 1e-30f) < 1e-36f, "%s", nn->name);
    CHECK(s[1] == 1 && s[2] >= 0 && s[2] < 1e-35f && s[3] == 0.5f && s[5] == 1 && s[6] < 1e-35f, "%s", nn->name);
    float zero_re[4] = { 0 }, zero_im[4] = { 0 };
    nn->power(zero_re, zero_im, 4, -0.35f);
    for (int l = 0; l < 4; l++) CHECK(zero_re[l] == 0 && zero_im[l] == 0, "%s", nn->name);
}

int main(void)
{
    unsigned n = 0;
    for (const ut_nn *nn; (nn = ut_nn_variant(n)); n++) {
        test_sum(nn);
        test_mix(nn);
        test_lstm(nn);
        test_functions(nn);
    }
    CHECK(n >= 1 && !strcmp(ut_nn_variant(0)->name, "plain") && ut_nn_get() == ut_nn_variant(n - 1));
    return check_end();
}
