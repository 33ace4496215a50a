/* Any bytes as a model file; what loads is also run. */
#include "stage/enhance/model.h"
#include "weights.h"

static void check(const uint8_t *data, size_t n)
{
    uint8_t *exact = malloc(n ? n : 1); /* no byte to spare: a sanitizer sees the first one too many */
    ut_enhance_model *m;
    ut_enhance_net *net;
    ut_err e = { 0 };
    if (!exact) return;
    if (n) memcpy(exact, data, n);
    ut_status s = ut_enhance_model_load(exact, n, "fuzz", &m, &e);
    free(exact);
    if (s != UT_OK) {
        if (m || !e.text[0] || (s != UT_E_INPUT && s != UT_E_MEMORY)) abort();
        return;
    }
    float wave[100];
    for (size_t i = 0; i < 100; i++) wave[i] = (float)(i * i % 37) / 37 - 0.5f;
    if (ut_enhance_net_nbytes(m, 100) < 64u << 20) { /* larger ones only take longer */
        if (ut_enhance_net_new(m, 100, &net, &e) != UT_OK) abort();
        s = ut_enhance_net_run(net, wave, wave, 100, &e);
        if (s != UT_OK && s != UT_E_INPUT) abort(); /* weights that overflow */
        ut_enhance_net_free(net);
    }
    ut_enhance_model_free(m);
}
