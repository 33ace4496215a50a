/* The learned hider's invertible network: against PyTorch (train/tools/gen_hide_vectors.py), against its own inverse, and as a carrier of bits in 8-bit pixels. */
#include "check.h"
#include "photos.h"
#include "stage/hide/latent.h"
#include "stage/hide/robust.h"
#include <math.h>

static unsigned long long seed = 7;
static float noise(void) { return (float)(check_rand(&seed) % 20001) / 10000 - 1; }
static uint8_t weights[1 << 20];
static size_t nweights;

static size_t slurp(const char *path, uint8_t *data, size_t cap)
{
    FILE *f = fopen(path, "rb");
    CHECK(f, "%s", path);
    size_t n = f ? fread(data, 1, cap, f) : 0;
    if (f) fclose(f);
    return n;
}

static ut_inn *load(void)
{
    ut_inn *m;
    ut_err e = { 0 };
    CHECK(ut_inn_load(weights, nweights, "vectors", &m, &e) == UT_OK, "%s", e.text);
    return m;
}

static float *floats(const ut_safetensors *file, const char *name, size_t *n)
{
    const ut_tensor *t = ut_safetensors_find(file, name);
    CHECK(t, "%s", name);
    float *x = malloc(t->count * sizeof *x);
    CHECK(ut_tensor_floats(t, 0, t->count, x));
    *n = t->count;
    return x;
}

/* Both couplings and the classes.  Values up to 1,000; PyTorch's additions are in another order. */
static void test_against_pytorch(void)
{
    static uint8_t data[1 << 20];
    ut_safetensors file;
    ut_err e = { 0 };
    size_t n;
    CHECK(ut_safetensors_parse(data, slurp(UT_TEST_DIR "/vectors/hide/inn.safetensors", data, sizeof data), "vectors", &file, &e) == UT_OK, "%s", e.text);
    const ut_tensor *shape = ut_safetensors_find(&file, "x");
    ut_grid g = { (uint32_t)shape->shape[2], (uint32_t)shape->shape[1] };
    size_t nblocks = ut_grid_nblocks(g);
    float *x = floats(&file, "x", &n), *on = floats(&file, "carriers", &n), *want_class = floats(&file, "classes", &n);
    float *planes = malloc(n * sizeof *planes);
    uint8_t *map = calloc(nblocks, 8), *class = malloc(n);
    for (size_t k = 0; k < 64; k++)
        for (size_t b = 0; b < nblocks; b++) {
            planes[b * 64 + k] = x[k * nblocks + b];
            if (on[k * nblocks + b] > 0) map[b * 8 + k / 8] |= (uint8_t)(1 << k % 8);
        }
    ut_inn *m = load();
    ut_inn_planes p = { g, planes, map };
    CHECK(ut_inn_trust(m, &p, class, 1, &e) == UT_OK);
    size_t wrong = 0, kinds = 0;
    for (size_t i = 0; i < n; i++) wrong += class[i % nblocks * 64 + i / nblocks] != (uint8_t)want_class[i];
    for (unsigned c = 0; c < UT_INN_CLASSES; c++) kinds += memchr(class, (int)c, n) != NULL;
    CHECK(wrong <= 2 && kinds >= 4, "%zu classes of %zu differ, %zu occur", wrong, n, kinds); /* one may lie on an edge */
    for (size_t k = 1; k <= 2; k++) {
        char name[16];
        size_t all, ncouplings = m->ncouplings;
        double worst = 0, change = 0;
        snprintf(name, sizeof name, "after.%zu", k - 1);
        float *want = floats(&file, name, &all);
        for (size_t i = 0; i < n; i++) planes[i % nblocks * 64 + i / nblocks] = x[i];
        m->ncouplings = k;
        CHECK(ut_inn_forward(m, &p, 2, &e) == UT_OK);
        m->ncouplings = ncouplings;
        for (size_t i = 0; i < n; i++) {
            worst = fmax(worst, fabs((double)planes[i % nblocks * 64 + i / nblocks] - (double)want[i]));
            change = fmax(change, fabs((double)x[i] - (double)want[i]));
        }
        printf("%s: off by %.2g, where coefficients change by up to %.3g\n", name, worst, change);
        CHECK(worst < 5e-4 && change > 10, "%s: %g, %g", name, worst, change);
        free(want);
    }
    free(x), free(on), free(want_class), free(planes), free(map), free(class);
    ut_inn_free(m);
    ut_safetensors_free(&file);
}

/* inverse(forward(x)) is x, whatever the weights' size, the picture's shape and the choice of carriers. */
static void test_inverse(float size)
{
    ut_inn *m = load();
    ut_err e = { 0 };
    ut_grid g = { 20 + check_rand(&seed) % 40, 10 + check_rand(&seed) % 60 };
    size_t n = ut_grid_nblocks(g) * 64;
    float *x = malloc(n * sizeof *x), *was = malloc(n * sizeof *was);
    uint8_t *map = malloc(n / 8);
    for (size_t k = 0; k < m->ncouplings; k++)
        for (size_t i = 0; i < m->coupling[k].outp.nin * 128; i++) m->coupling[k].outp.w[i] *= size;
    for (size_t i = 0; i < n; i++) was[i] = x[i] = noise() * noise() * noise() * 900 / (float)(1 + i % 64);
    for (size_t i = 0; i < n / 8; i++) map[i] = (uint8_t)check_rand(&seed) & (i % 8 ? 0xff : 0xfe);
    ut_inn_planes p = { g, x, map };
    CHECK(ut_inn_forward(m, &p, 2, &e) == UT_OK);
    double moved = 0, worst = 0;
    size_t touched = 0;
    for (size_t i = 0; i < n; i++) {
        moved = fmax(moved, fabs((double)x[i] - (double)was[i]));
        touched += x[i] != was[i] && !(map[i / 8] >> (i % 8) & 1);
    }
    CHECK(ut_inn_inverse(m, &p, 1, &e) == UT_OK);
    for (size_t i = 0; i < n; i++) worst = fmax(worst, fabs((double)x[i] - (double)was[i]));
    printf("weights x %g, %u x %u blocks: moved by up to %.3g, back within %.2g\n", (double)size, g.blocks_w, g.blocks_h, moved, worst);
    CHECK(!touched, "%zu others were changed", touched);
    CHECK(moved > 1 && worst < .01, "%g", worst);
    free(x), free(was), free(map);
    ut_inn_free(m);
}

/* Bits in 8-bit pixels: share of the carriers that come back wrong. */
static double pixels(float size, float width, bool flat)
{
    enum { W = 512, H = 384, NBITS = 4000 };
    static uint8_t bits[NBITS], key[32] = { 1 }, other[32] = { 2 };
    ut_err e = { 0 };
    ut_picture cover = { 0 }, stego;
    ut_inn *m = load();
    for (size_t k = 0; k < m->ncouplings; k++) {
        for (size_t i = 0; i < m->coupling[k].outp.nin * 128; i++) m->coupling[k].outp.w[i] *= size;
        for (size_t i = 0; i < 128; i++) m->coupling[k].outp.bias[i] *= size;
    }
    ut_image_info info;
    ut_blob scene = test_photo(W, H, 3);
    if (flat) CHECK(ut_picture_alloc(&cover, W, H, false, &e) == UT_OK);
    else CHECK(ut_image_read(scene.data, scene.nbytes, "scene", &cover, NULL, &info, &e) == UT_OK);
    ut_blob_free(&scene);
    for (size_t i = 0; i < NBITS; i++) bits[i] = check_rand(&seed) & 1;
    for (size_t i = 0; flat && i < (size_t)W * H * 3; i++) cover.rgb[i] = (uint8_t)(120 + check_rand(&seed) % 9);
    CHECK(ut_picture_copy(&stego, &cover, &e) == UT_OK);
    ut_grid g = ut_grid_of(W, H);
    uint8_t *taken = ut_taken_new(g, &e);
    ut_scs_carriers box, pay;
    ut_scs_reading r;
    double moved;
    CHECK(ut_robust_box(&box, g, true, 0, 0, 1000, key, taken, &e) == UT_OK && ut_robust_payload(&pay, g, 10, key, other, taken, &e) == UT_OK);
    ut_embedding em;
    const float widths[2] = { width, 12 }, alpha[2] = { 1, .8f };
    CHECK(ut_embedding_init(&em, &cover, &e) == UT_OK);
    em.tolerance = .2f;
    CHECK(ut_embedding_aim(&em, &pay, bits, NBITS, 0, &e) == UT_OK && ut_embedding_aim(&em, &box, bits, 1000, 1, &e) == UT_OK);
    CHECK(ut_latent_settle(&em, m, &pay, widths, alpha, NULL, &moved, 2, &e) == UT_OK && moved > 0);
    ut_embed(&em, &stego, 2);
    ut_view v = { .picture = &stego };
    CHECK(ut_latent_read(&v, m, &pay, width, &r, 2, &e) == UT_OK);
    size_t wrong = 0;
    for (size_t i = 0; i < pay.at.n; i++) {
        bool one = r.phase[i] >= UT_SCS_PHASES / 4 && r.phase[i] < UT_SCS_PHASES * 3 / 4;
        wrong += one != bits[ut_scs_bit(&pay, i, NBITS)];
    }
    double share = (double)wrong / (double)pay.at.n;
    ut_scs_reading_free(&r);
    ut_embedding_free(&em);
    ut_scs_carriers_free(&box), ut_scs_carriers_free(&pay);
    free(taken);
    ut_picture_free(&cover), ut_picture_free(&stego);
    ut_inn_free(m);
    printf("weights x %g, cells of %g, %s: %.4f %% of the carriers wrong\n", (double)size, (double)width, flat ? "still" : "scene", 100 * share);
    return share;
}

int main(void)
{
    nweights = slurp(UT_TEST_DIR "/vectors/hide/inn_weights.safetensors", weights, sizeof weights);
    test_against_pytorch();
    for (int i = 0; i < 4; i++) test_inverse(ldexpf(.125f, 2 * i));
    for (int flat = 0; flat < 2; flat++)
        {
        /* What pixels of 8 bit leave over, the couplings' networks spread over their neighbours: gentle ones lose next to no bit, wild ones some, which no bound on single
         * weights that useful networks keep could rule out.  The sender's rehearsal is what settles it; here it must stay few. */
        CHECK(pixels(0, 8, flat) == 0);
        CHECK(pixels(.03f, 8, flat) < .0005);
        CHECK(pixels(.25f, 8, flat) < .05);
    }
    return check_end();
}
