/* Safe intervals are safe: every value in them survives every chain with the promised tolerance, by brute force; and
 * embedding really reaches them, in flat, saturated and busy blocks alike. */
#include "check.h"
#include "kern/dct8.h"
#include "stage/hide/embed.h"
#include "stage/hide/extract.h"
#include <math.h>

static unsigned bit_after(const ut_chain *c, unsigned k, double w, double x)
{
    for (unsigned s = 0; s < c->nsteps; s++) x = c->quant[s][k] * floor(x / c->quant[s][k] + .5);
    return (unsigned)floor(fabs(x) / w + .5) & 1;
}

static void safe(const unsigned *quality, size_t n, unsigned scale, bool must_be_sure)
{
    ut_chain chain[40] = { { 0 } };
    uint16_t base[64] = { 0 };
    double margin[64];
    ut_lattice l;
    ut_place p;
    for (size_t i = 0; i < n; i++) {
        chain[i].nsteps = 1;
        ut_ijg_table(quality[i], false, chain[i].quant[0]);
        for (int k = 0; k < 64; k++)
            if (chain[i].quant[0][k] > base[k]) base[k] = chain[i].quant[0][k];
    }
    for (int k = 0; k < 64; k++) margin[k] = .3;
    ut_lattice_init(&l, base, scale);
    CHECK(ut_place_init(&p, &l, l.order, 20, chain, n, margin, .8, 0, UT_PLACE_DENSE, 2, NULL) == UT_OK);
    if (must_be_sure) CHECK(p.sure);
    for (unsigned f = 0; f < 20 && p.sure; f++) {
        unsigned k = l.order[f];
        double w = (double)l.width[k] / UT_LATTICE_UNIT;
        for (double c = -700; c < 700; c += 3.37)
            for (unsigned b = 0; b < 2; b++) {
                float lo, hi;
                ut_place_find(&p, k, b, (float)c, 0, &lo, &hi);
                CHECK(lo <= hi && fabs((lo + hi) / 2 - c) < 6 * w, "%g: %g %g", c, (double)lo, (double)hi);
                for (int t = 0; t <= 4; t++)
                    for (size_t i = 0; i < n; i++)
                        CHECK(bit_after(&chain[i], k, w, (double)lo + (double)(hi - lo) * t / 4) == b, "q%u k%u c %g", quality[i], k, c);
            }
    }
    ut_place_free(&p);
}

static void paint(ut_picture *p, int kind)
{
    unsigned long long seed = 5;
    for (uint32_t y = 0; y < p->height; y++)
        for (uint32_t x = 0; x < p->width; x++)
            for (int c = 0; c < 3; c++) {
                int v = kind == 0 ? 128 : kind == 1 ? 255 : kind == 2 ? 0 : kind == 3 ? (int)(check_rand(&seed) % 256) : (int)(x + y + 40 * (unsigned)c) % 256;
                p->rgb[(y * p->width + x) * 3 + (unsigned)c] = (uint8_t)v;
            }
}

/* Bits that come back wrong from the pixels themselves, in per mille. */
static double embed_errors(int kind, unsigned quality)
{
    ut_picture cover, stego;
    ut_err e = { 0 };
    ut_chain chain[1] = { { .nsteps = 1 } };
    double margin[64];
    ut_lattice l;
    ut_place p;
    ut_embedding m;
    CHECK(ut_picture_alloc(&cover, 128, 96, false, &e) == UT_OK);
    paint(&cover, kind);
    CHECK(ut_picture_copy(&stego, &cover, &e) == UT_OK && ut_embedding_init(&m, &cover, &e) == UT_OK);
    for (int k = 0; k < 64; k++) margin[k] = .3;
    ut_ijg_table(quality, false, chain[0].quant[0]);
    ut_lattice_init(&l, chain[0].quant[0], 16);
    CHECK(ut_place_init(&p, &l, l.order, 24, chain, 1, margin, .8, 0, UT_PLACE_DENSE, 1, &e) == UT_OK);
    static const uint8_t key[32] = { 9 };
    ut_stream *s = ut_stream_new(key, 1, &e);
    uint8_t *taken = ut_taken_new(m.grid, &e);
    ut_carriers c;
    unsigned used;
    size_t n = ut_grid_nblocks(m.grid) * 24;
    CHECK(ut_carriers_fill(&c, m.grid, l.order, n, s, taken, &used, &e) == UT_OK);
    uint8_t *bits = malloc(n);
    int8_t *llr = malloc(n), *llr1 = malloc(n);
    for (size_t i = 0; i < n; i++) bits[i] = ut_stream_u32(s) & 1;
    m.layer[0] = &p;
    m.slack = .15f;
    ut_embedding_want(&m, &c, bits, 0);
    ut_embed(&m, &stego, 2);
    ut_view v = { .picture = &stego };
    CHECK(ut_extract(&v, &l, &c, 0, llr, 2, &e) == UT_OK && ut_extract(&v, &l, &c, 0, llr1, 1, &e) == UT_OK);
    CHECK(!memcmp(llr, llr1, n));
    size_t wrong = 0;
    for (size_t i = 0; i < n; i++) wrong += (llr[i] < 0) != bits[i];
    free(bits);
    free(llr);
    free(llr1);
    free(taken);
    ut_carriers_free(&c);
    ut_stream_free(s);
    ut_place_free(&p);
    ut_embedding_free(&m);
    ut_picture_free(&cover);
    ut_picture_free(&stego);
    return 1000.0 * (double)wrong / (double)n;
}

int main(void)
{
    static const unsigned one[] = { 75 }, range[] = { 75, 80, 85, 90, 95 };
    safe(one, 1, 16, true);
    safe(range, 5, 20, true);
    static const double most[5] = { 0, 20, 2, 1, 1 };
    for (int kind = 0; kind < 5; kind++) {
        double wrong = embed_errors(kind, 75);
        printf("picture %d: %.2f per mille wrong\n", kind, wrong);
        CHECK(wrong <= most[kind], "picture %d: %g per mille wrong", kind, wrong);
    }
    return check_end();
}
