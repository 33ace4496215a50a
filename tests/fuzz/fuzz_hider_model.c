/* Any bytes as the learned hider's weights, guide or INN; what loads is also run, on a few blocks. */
#include "stage/hide/guide.h"
#include "stage/hide/inn.h"
#include "weights.h"

enum { W = 7, H = 5 };

static void run_guide(const ut_guide *g, ut_err *e)
{
    static uint8_t rgb[8 * W * 8 * H * 3], weight[W * H * 64];
    for (size_t i = 0; i < sizeof rgb; i++) rgb[i] = (uint8_t)(i * i % 251);
    if (ut_guide_weigh(g, &(ut_picture){ .width = 8 * W, .height = 8 * H, .rgb = rgb }, weight, 1, e) != UT_OK) abort();
}

/* Whatever the weights: finite, and back again. */
static void run_inn(const ut_inn *m, ut_err *e)
{
    static float x[W * H * 64], was[W * H * 64];
    static uint8_t map[W * H * 8], class[W * H * 64];
    for (size_t i = 0; i < W * H * 64; i++) was[i] = x[i] = (float)(i * i % 1999) - 999;
    for (size_t i = 0; i < sizeof map; i++) map[i] = i % 8 ? (uint8_t)(i * 37) : 0;
    ut_inn_planes p = { { W, H }, x, map };
    if (ut_inn_trust(m, &p, class, 1, e) != UT_OK || ut_inn_forward(m, &p, 1, e) != UT_OK) abort();
    for (size_t i = 0; i < W * H * 64; i++)
        if (!(x[i] > -1e4f && x[i] < 1e4f) || class[i] >= UT_INN_CLASSES) abort();
    if (ut_inn_inverse(m, &p, 1, e) != UT_OK) abort();
    for (size_t i = 0; i < W * H * 64; i++)
        if (!(x[i] > -1e5f && x[i] < 1e5f)) abort(); /* wild networks need not come back, but must stay numbers */
}

static void check(const uint8_t *data, size_t n)
{
    uint8_t *exact = malloc(n ? n : 1); /* no byte to spare: a sanitizer sees the first one too many */
    ut_guide *g;
    ut_inn *m;
    ut_err e = { 0 };
    if (!exact) return;
    if (n) memcpy(exact, data, n);
    ut_status s = ut_guide_load(exact, n, "fuzz", &g, &e);
    if (s != UT_OK && (g || !e.text[0] || (s != UT_E_INPUT && s != UT_E_MEMORY))) abort();
    if (s == UT_OK) run_guide(g, &e);
    ut_guide_free(g);
    e = (ut_err){ 0 };
    s = ut_inn_load(exact, n, "fuzz", &m, &e);
    if (s != UT_OK && (m || !e.text[0] || (s != UT_E_INPUT && s != UT_E_MEMORY))) abort();
    if (s == UT_OK) run_inn(m, &e);
    ut_inn_free(m);
    free(exact);
}
