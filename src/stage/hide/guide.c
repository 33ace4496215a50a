#include "stage/hide/guide.h"
#include "kern/dct8.h"
#include "kern/nn.h"
#include "stage/hide/embed.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { OUTPUTS = 64, SILENT = 128 }; /* SILENT: a weight of one */

ut_status ut_guide_load(const uint8_t *data, size_t n, const char *name, ut_guide **out, ut_err *e)
{
    ut_safetensors file;
    size_t nused = 0;
    *out = NULL;
    ut_status s = ut_safetensors_parse(data, n, name, &file, e);
    if (s != UT_OK) return s;
    ut_guide *g = ut_calloc(1, sizeof *g, e);
    if (!g) s = UT_E_MEMORY;
    else if (strcmp(ut_safetensors_metadata(&file, "kind"), "guide") != 0 || strcmp(file.format, "1") != 0)
        s = ut_fail(e, UT_E_INPUT, "%s: not a guide's weights of format 1: its metadata say kind \"%s\", format \"%s\"", name, ut_safetensors_metadata(&file, "kind"), file.format);
    else
        s = ut_condition_load(&file, "guide.", name, ut_safetensors_number(&file, "width"), ut_safetensors_number(&file, "blocks"), OUTPUTS, &g->net, &nused, e);
    if (s == UT_OK && nused != file.n) s = ut_fail(e, UT_E_INPUT, "%s: not usable weights: it holds %zu tensors where its metadata ask for %zu", name, file.n, nused);
    ut_safetensors_free(&file);
    if (s == UT_OK) *out = g;
    else ut_guide_free(g);
    return s;
}

void ut_guide_free(ut_guide *g)
{
    if (g) ut_condition_free(&g->net);
    free(g);
}

typedef struct weighing {
    const ut_picture *cover;
    const ut_dct8 *dct;
    const ut_nn *nn;
    uint32_t blocks_w;
    uint8_t *log_weight;
} weighing;

static void read_row(void *arg, uint32_t x, uint32_t y, uint32_t n, float *c, size_t stride)
{
    const weighing *w = arg;
    for (uint32_t i = 0; i < n; i++) {
        float b[64];
        ut_luma_block(w->cover, x + i, y, b);
        w->dct->forward(b, b);
        for (size_t k = 0; k < 64; k++) c[k * stride + i] = b[k];
    }
}

static void write_row(void *arg, uint32_t x, uint32_t y, uint32_t n, const float *out, size_t stride)
{
    const weighing *w = arg;
    uint8_t *to = w->log_weight + ((size_t)y * w->blocks_w + x) * 64;
    for (size_t k = 0; k < OUTPUTS; k++)
        for (uint32_t from = 0; from < n; from += 64) {
            float v[64];
            uint32_t m = n - from < 64 ? n - from : 64;
            memcpy(v, out + k * stride + from, m * sizeof *v);
            w->nn->tanh(v, m);
            for (uint32_t i = 0; i < m; i++) to[(size_t)(from + i) * 64 + k] = v[i] == v[i] ? (uint8_t)(v[i] * 127.5f + 128.f) : SILENT;
        }
}

ut_status ut_guide_weigh(const ut_guide *g, const ut_picture *cover, uint8_t *log_weight, unsigned nthreads, ut_err *e)
{
    ut_grid grid = ut_grid_of(cover->width, cover->height);
    weighing w = { cover, ut_dct8_get(), ut_nn_get(), grid.blocks_w, log_weight };
    return ut_condition_apply(&(ut_condition_run){ &g->net, grid.blocks_w, grid.blocks_h, read_row, write_row, &w }, nthreads, e);
}

void ut_guide_weights(float weight[256])
{
    for (int i = 0; i < 256; i++) weight[i] = expf(UT_GUIDE_RANGE * ((float)i - 127.5f) / 127.5f);
}
