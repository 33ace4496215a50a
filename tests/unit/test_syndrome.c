/* The syndrome-trellis code by itself: what goes in comes out, wet carriers stay, how near it comes to the bound, odd sizes,
 * and the kernels against the plain one. */
#include "check.h"
#include "kern/trellis.h"
#include "stage/hide/syndrome.h"
#include <math.h>

static unsigned long long seed = 11;

static void kernels(void)
{
    const ut_trellis *a = ut_trellis_plain(), *b = ut_trellis_get();
    static uint16_t s[2][1 << UT_TRELLIS_MAX_HEIGHT];
    static uint32_t t[2][(1 << UT_TRELLIS_MAX_HEIGHT) / 32];
    for (unsigned h = UT_TRELLIS_MIN_HEIGHT; h <= UT_TRELLIS_MAX_HEIGHT; h++)
        for (int n = 0; n < 40; n++) {
            for (unsigned i = 0; i < 1u << h; i++)
                s[0][i] = s[1][i] = (uint16_t)(check_rand(&seed) % 3 ? check_rand(&seed) % 500 : 65000 + check_rand(&seed) % 536);
            unsigned col = (unsigned)(check_rand(&seed) & ((1u << h) - 1)) | 1 | 1u << (h - 1);
            uint16_t c0 = (uint16_t)(n % 3 ? check_rand(&seed) % 900 : 0), c1 = (uint16_t)(n % 5 ? check_rand(&seed) % 900 : 0);
            a->column(s[0], h, col, c0, c1, t[0]);
            b->column(s[1], h, col, c0, c1, t[1]);
            CHECK(!memcmp(s[0], s[1], sizeof *s[0] << h) && !memcmp(t[0], t[1], (sizeof *t[0] << h) / 32), "%s, height %u", b->name, h);
            a->shift(s[0], h, n & 1);
            b->shift(s[1], h, n & 1);
            CHECK(!memcmp(s[0], s[1], sizeof *s[0] << h), "%s shift, height %u", b->name, h);
        }
}

typedef struct trial {
    uint8_t *bits, *parity;
    int16_t *cost;
    int8_t *llr, *back;
} trial;

static trial trial_new(size_t n, size_t m)
{
    return (trial){ malloc(m + 1), malloc(n), malloc(n * sizeof(int16_t)), malloc(n), malloc(m + 1) };
}

static void trial_free(trial *t)
{
    free(t->bits), free(t->parity), free(t->cost), free(t->llr), free(t->back);
}

/* Embeds random bits at the costs in t and checks that they come back; returns the total. */
static uint64_t embed(const ut_syndrome *c, trial *t, unsigned nthreads)
{
    ut_err e = { 0 };
    uint64_t total = 0;
    for (size_t i = 0; i < c->nbits; i++) t->bits[i] = (uint8_t)(check_rand(&seed) & 1);
    CHECK(ut_syndrome_forward(c, t->bits, t->cost, t->parity, &total, nthreads, &e) == UT_OK, "%s", e.text);
    for (size_t i = 0; i < c->ncarriers; i++) t->llr[i] = t->parity[i] ? -50 : 50;
    CHECK(ut_syndrome_reverse(c, t->llr, t->back, nthreads, &e) == UT_OK, "%s", e.text);
    size_t wrong = 0;
    for (size_t i = 0; i < c->nbits; i++) wrong += (t->back[i] < 0) != t->bits[i];
    CHECK(!wrong, "height %u, %zu in %zu: %zu wrong", c->height, c->nbits, c->ncarriers, wrong);
    return total;
}

static void sizes(void)
{
    static const size_t n[] = { 1, 2, 7, 63, 1000, 65535, 65536, 65537, 200000 };
    for (unsigned h = UT_SYNDROME_MIN_HEIGHT; h <= UT_SYNDROME_MAX_HEIGHT; h += 3)
        for (size_t k = 0; k < sizeof n / sizeof *n; k++)
            for (size_t m = n[k]; m; m = m / 7) {
                ut_syndrome c = { h, n[k], m };
                trial t = trial_new(n[k], m);
                for (size_t i = 0; i < n[k]; i++) t.cost[i] = (int16_t)(check_rand(&seed) % 401) - 200;
                embed(&c, &t, 1);
                trial_free(&t);
            }
    ut_syndrome bad[] = { { 5, 9, 9 }, { 13, 9, 9 }, { 10, 9, 0 }, { 10, 9, 10 }, { 10, 0, 0 }, { 0, 9, 9 }, { 10, (size_t)1 << 33, 9 } };
    uint8_t none[16] = { 0 };
    int16_t cost[16] = { 0 };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        CHECK(ut_syndrome_forward(&bad[i], none, cost, none, NULL, 1, NULL) == UT_E_USAGE, "%zu", i);
        CHECK(ut_syndrome_reverse(&bad[i], (int8_t *)none, (int8_t *)none, 1, NULL) == UT_E_USAGE, "%zu", i);
    }
}

static void wet(void)
{
    ut_syndrome c = { 10, 100000, 30000 };
    trial t = trial_new(c.ncarriers, c.nbits);
    for (size_t i = 0; i < c.ncarriers; i++) {
        int v = i % 3 ? (int)(check_rand(&seed) % 200) : UT_SYNDROME_COST_MAX;
        t.cost[i] = (int16_t)(check_rand(&seed) & 1 ? v : -v);
    }
    embed(&c, &t, 2);
    size_t broken = 0;
    for (size_t i = 0; i < c.ncarriers; i += 3) broken += t.parity[i] != (t.cost[i] < 0);
    CHECK(!broken, "%zu wet carriers were turned over", broken);
    trial_free(&t);
}

static void threads(void)
{
    ut_syndrome c = { 8, 300000, 100000 };
    trial t = trial_new(c.ncarriers, c.nbits);
    uint8_t *one = malloc(c.ncarriers);
    for (size_t i = 0; i < c.ncarriers; i++) t.cost[i] = (int16_t)(check_rand(&seed) % 401) - 200;
    embed(&c, &t, 1);
    memcpy(one, t.parity, c.ncarriers);
    CHECK(ut_syndrome_forward(&c, t.bits, t.cost, t.parity, NULL, 3, NULL) == UT_OK && !memcmp(one, t.parity, c.ncarriers));
    free(one);
    trial_free(&t);
}

/* Costs uniform on [0, 400): least mean cost at which an ideal coder carries `rate` bits a carrier. */
static double ideal(double rate)
{
    double lo = 1e-6, hi = 10, mean = 0;
    for (int k = 0; k < 60; k++) {
        double lambda = sqrt(lo * hi), bits = 0;
        mean = 0;
        for (int c = 0; c < 400; c++) {
            double p = 1 / (1 + exp(lambda * c));
            mean += p * c / 400;
            if (p > 1e-300) bits -= (p * log2(p) + (1 - p) * log2(1 - p)) / 400;
        }
        if (bits > rate) lo = lambda;
        else hi = lambda;
    }
    return mean;
}

/* Loss in rate: how much more an ideal coder carries at the same mean cost.  Tolerances from a first measurement, 1 % added. */
static void efficiency(void)
{
    static const struct {
        unsigned height;
        double rate, loss;
    } row[] = { { 10, .54, .057 }, { 10, .5, .058 }, { 10, .36, .069 }, { 10, .19, .077 }, { 10, .08, .084 },
              { 8, .36, .089 }, { 12, .36, .052 }, { 12, .54, .045 } };
    for (size_t i = 0; i < sizeof row / sizeof *row; i++) {
        ut_syndrome c = { row[i].height, 400000, (size_t)(400000 * row[i].rate) };
        trial t = trial_new(c.ncarriers, c.nbits);
        for (size_t k = 0; k < c.ncarriers; k++) {
            int v = (int)(check_rand(&seed) % 400);
            t.cost[k] = (int16_t)(check_rand(&seed) & 1 ? v : -v);
        }
        double mean = (double)embed(&c, &t, 2) / (double)c.ncarriers, lo = row[i].rate, hi = .999;
        for (int k = 0; k < 40; k++) {
            double mid = (lo + hi) / 2;
            if (ideal(mid) < mean) lo = mid;
            else hi = mid;
        }
        printf("height %u, rate %.2f: an ideal coder carries %.4f at the same cost, loss %.2f %%, %.2f dB\n", row[i].height, row[i].rate, lo,
               100 * (1 - row[i].rate / lo), 10 * log10(mean / ideal(row[i].rate)));
        CHECK(1 - row[i].rate / lo < row[i].loss, "loss %.4f", 1 - row[i].rate / lo);
        CHECK(lo > row[i].rate + 1e-4, "better than the bound: the test is wrong");
        trial_free(&t);
    }
}

int main(void)
{
    kernels();
    sizes();
    wet();
    threads();
    efficiency();
    return check_end();
}
