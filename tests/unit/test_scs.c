/* The scalar Costa scheme and the robust form's places: aims hit their cells, what is said survives noise as the model says, the box repeats as it
 * should and is found from any part of a picture. */
#include "check.h"
#include "stage/hide/embed.h"
#include "stage/hide/robust.h"
#include <math.h>

static unsigned long long seed = 5;
static const uint8_t key[32] = "a key that is only for this test", other[32] = "and another one, for the dithers";

static double uniform(void) { return check_rand(&seed) / 4294967296.; }
static double normal(void) { return sqrt(-2 * log(uniform() + 1e-12)) * cos(6.283185307179586 * uniform()); }

static unsigned phase_of(double c, double width, unsigned dither) { return ((unsigned)(int)floor(c * 32 / width) + dither) & 63; }

static void aims(void)
{
    for (int i = 0; i < 20000; i++) {
        float width = 3 + (float)(check_rand(&seed) % 80) / 2, c = (float)(normal() * 60), alpha = .5f + (float)(check_rand(&seed) % 6) / 10;
        unsigned dither = check_rand(&seed) & 63, bit = check_rand(&seed) & 1;
        float to = ut_scs_aim(c, width, dither, bit, alpha), centre = ut_scs_aim(c, width, dither, bit, 1);
        CHECK(fabsf(centre - c) <= width * 1.001f && fabsf(to - c) <= alpha * width * 1.001f, "%f to %f, width %f", (double)c, (double)to, (double)width);
        unsigned at = phase_of((double)centre + (double)width / 100, (double)width, dither) ^ (bit ? 32 : 0);
        CHECK(at < 2 || at > 61, "bit %u in phase %u", bit, at);
        /* the rest of the way left open never leaves the bit's cell if alpha is over a half */
        at = phase_of((double)to, (double)width, dither) ^ (bit ? 32 : 0);
        CHECK(at < 17 || at > 46, "alpha %f: phase %u", (double)alpha, at);
    }
}

/* Simulated carriers: measured information against the model's, error of a sum of LLRs. */
static void noise(void)
{
    static const double sigmas[] = { 1, 3, 5, 8 };
    const double width = 12, alpha = .8;
    double last = 2;
    for (int k = 0; k < 4; k++) {
        size_t count[UT_SCS_PHASES] = { 0 };
        double square = 0;
        enum { N = 200000 };
        for (int i = 0; i < N; i++) {
            float c = (float)(normal() * 40);
            unsigned dither = check_rand(&seed) & 63, bit = check_rand(&seed) & 1;
            double to = (double)ut_scs_aim(c, (float)width, dither, bit, (float)alpha);
            square += (to - (double)c) * (to - (double)c);
            count[phase_of(to + sigmas[k] * normal(), width, dither) ^ (bit ? 32u : 0)]++;
        }
        double model = ut_scs_information(width, alpha, sigmas[k]), saw = ut_scs_measured(count);
        CHECK(fabs(model - saw) < .01, "sigma %f: %f bits by the model, %f seen", sigmas[k], model, saw);
        CHECK(model < last, "more noise, more bits");
        CHECK(fabs(square / N / (alpha * alpha * width * width / 3) - 1) < .02, "squared move %f", square / N);
        last = model;
    }
    size_t chance[UT_SCS_PHASES] = { 0 };
    for (int i = 0; i < 3000; i++) chance[check_rand(&seed) & 63]++;
    CHECK(ut_scs_measured(chance) < .01, "%f bits in nothing", ut_scs_measured(chance));
}

/* A picture of noise, embedded, read back: every bit is right, and pictures that carry nothing say nothing. */
static void picture(void)
{
    ut_err e = { 0 };
    ut_picture cover, stego;
    enum { W = 320, H = 264, NBITS = 2000 };
    static uint8_t bits[NBITS];
    static int8_t llr[NBITS];
    CHECK(ut_picture_alloc(&cover, W, H, false, &e) == UT_OK);
    for (size_t i = 0; i < (size_t)W * H * 3; i++) cover.rgb[i] = (uint8_t)(60 + check_rand(&seed) % 130);
    for (int i = 0; i < NBITS; i++) bits[i] = check_rand(&seed) & 1;
    CHECK(ut_picture_copy(&stego, &cover, &e) == UT_OK);
    ut_grid g = ut_grid_of(W, H);
    uint8_t *taken = ut_taken_new(g, &e);
    ut_scs_carriers box, pay;
    CHECK(ut_robust_box(&box, g, true, 0, 0, 1000, key, taken, &e) == UT_OK);
    CHECK(ut_robust_payload(&pay, g, 10, key, other, taken, &e) == UT_OK);
    CHECK(box.at.n + pay.at.n <= 12 * ut_grid_nblocks(g) && pay.at.n >= 6 * ut_grid_nblocks(g), "%zu %zu", box.at.n, pay.at.n);
    for (size_t i = 0; i < pay.at.n; i++) CHECK(!ut_taken(taken, pay.at.pos[i]));
    ut_embedding m;
    const float width[2] = { 16, 12 }, alpha[2] = { .8f, .8f };
    CHECK(ut_embedding_init(&m, &cover, &e) == UT_OK);
    m.tolerance = .6f;
    CHECK(ut_embedding_aim(&m, &pay, bits, NBITS, 0, &e) == UT_OK && ut_embedding_aim(&m, &box, bits, 1000, 1, &e) == UT_OK);
    ut_embedding_settle(&m, width, alpha, NULL, 2);
    ut_embed(&m, &stego, 2);
    ut_view v = { .picture = &stego }, was = { .picture = &cover };
    for (int kind = 0; kind < 2; kind++) {
        const ut_scs_carriers *c = kind ? &box : &pay;
        size_t n = kind ? 1000 : NBITS, wrong = 0, blind = 0;
        ut_scs_reading r;
        static const uint8_t trust[UT_SCS_NCLASSES] = { 12, 12, 12, 12, 12, 12, 12, 12 };
        CHECK(ut_scs_read(&v, c, width[kind], &r, 1, &e) == UT_OK && ut_scs_llrs(c, &r, kind ? NULL : trust, n, llr, &e) == UT_OK);
        for (size_t i = 0; i < n; i++) wrong += (llr[i] < 0) != bits[i];
        CHECK(!wrong, "%zu of %zu bits wrong", wrong, n);
        ut_scs_reading_free(&r);
        CHECK(ut_scs_read(&was, c, width[kind], &r, 1, &e) == UT_OK && ut_scs_llrs(c, &r, NULL, n, llr, &e) == UT_OK);
        for (size_t i = 0; i < n; i++) blind += (llr[i] < 0) != bits[i];
        CHECK(blind > n * 4 / 10 && blind < n * 6 / 10, "%zu of %zu bits wrong where nothing is", blind, n);
        ut_scs_reading_free(&r);
    }
    ut_embedding_free(&m);
    ut_scs_carriers_free(&box);
    ut_scs_carriers_free(&pay);
    free(taken);
    ut_picture_free(&cover);
    ut_picture_free(&stego);
}

/* A part of a larger picture holds the same carriers, if one says where in the tile it begins. */
static void tiles(void)
{
    ut_err e = { 0 };
    for (int dense = 0; dense < 2; dense++) {
        const unsigned edge = dense ? 32 : 64, x0 = 13, y0 = 70;
        ut_grid whole = { 150, 170 }, part = { 90, 70 };
        ut_scs_carriers a, b;
        CHECK(ut_robust_box(&a, whole, dense, 0, 0, 2516, key, NULL, &e) == UT_OK);
        CHECK(ut_robust_box(&b, part, dense, x0 % edge, y0 % edge, 2516, key, NULL, &e) == UT_OK);
        uint8_t *seen = calloc(ut_grid_nblocks(whole), 64);
        uint16_t *bit = calloc(ut_grid_nblocks(whole), 64 * sizeof *bit);
        for (size_t i = 0; i < a.at.n; i++) {
            CHECK(!seen[a.at.pos[i]]);
            seen[a.at.pos[i]] = (uint8_t)(a.dither[i] + 1);
            bit[a.at.pos[i]] = a.bit[i];
        }
        size_t inside = 0, wrong = 0;
        for (size_t i = 0; i < a.at.n; i++) {
            uint32_t x = a.at.pos[i] / 64 % whole.blocks_w, y = a.at.pos[i] / 64 / whole.blocks_w;
            inside += x >= x0 && x < x0 + part.blocks_w && y >= y0 && y < y0 + part.blocks_h;
        }
        CHECK(inside == b.at.n, "%zu and %zu", inside, b.at.n);
        for (size_t i = 0; i < b.at.n; i++) {
            uint32_t x = b.at.pos[i] / 64 % part.blocks_w + x0, y = b.at.pos[i] / 64 / part.blocks_w + y0;
            uint32_t pos = (y * whole.blocks_w + x) * 64 + (b.at.pos[i] & 63);
            wrong += seen[pos] != b.dither[i] + 1 || bit[pos] != b.bit[i];
        }
        CHECK(!wrong, "%zu of %zu carriers are not where they were", wrong, b.at.n);
        free(seen);
        free(bit);
        ut_scs_carriers_free(&a);
        ut_scs_carriers_free(&b);
    }
    bool fits;
    CHECK(ut_robust_dense((ut_grid){ 32, 32 }, &fits) && fits);
    CHECK(ut_robust_dense((ut_grid){ 31, 33 }, &fits) && !fits);
    CHECK(!ut_robust_dense((ut_grid){ 64, 64 }, &fits) && fits);
}

/* Code bits over carriers: none starves where there are enough, few go without where there are not. */
static void spread(void)
{
    ut_scs_carriers c = { .at.n = 1000 };
    for (size_t nbits = 700; nbits < 1200; nbits += 77) {
        uint8_t used[1300] = { 0 };
        for (size_t i = 0; i < c.at.n; i++) {
            size_t b = ut_scs_bit(&c, i, nbits);
            CHECK(b < nbits);
            used[b]++;
        }
        for (size_t b = 0; b < nbits; b++) CHECK(nbits <= c.at.n ? used[b] == 1 || used[b] == 2 : used[b] <= 1, "%zu of %zu", b, nbits);
    }
}

int main(void)
{
    aims();
    noise();
    picture();
    tiles();
    spread();
    return check_end();
}
