/* Loading: every tensor that the sizes ask for, with exactly its shape, packed the way the kernels read it. */
#include "base/buf.h"
#include "kern/nn.h"
#include "stage/hide/condition.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct loader {
    const ut_safetensors *file;
    const char *prefix, *name;
    size_t nused;
    ut_err *e;
} loader;

static float *reject(const loader *l, const char *tensor, const char *why)
{
    ut_fail(l->e, UT_E_INPUT, "%s: not usable weights: tensor %s %s", l->name, tensor, why);
    return NULL;
}

/* Tensor PREFIX + part as floats, shape[ndims]; to be freed.  NULL: recorded in l->e. */
static float *take(loader *l, const char *part, size_t ndims, const size_t *shape)
{
    char tensor[128];
    snprintf(tensor, sizeof tensor, "%s%s", l->prefix, part);
    const ut_tensor *t = ut_safetensors_find(l->file, tensor);
    if (!t) return reject(l, tensor, "is missing");
    if (t->ndims != ndims || memcmp(t->shape, shape, ndims * sizeof *shape) != 0) return reject(l, tensor, "has another shape than the file's metadata say");
    float *x = ut_calloc(t->count, sizeof *x, l->e);
    if (!x) return NULL;
    bool good = ut_tensor_floats(t, 0, t->count, x);
    for (size_t i = 0; i < t->count && good; i++) good = fabsf(x[i]) <= UT_CONDITION_WEIGHT_MAX;
    if (!good) {
        free(x);
        return reject(l, tensor, "holds values that are not finite, or absurdly large");
    }
    l->nused++;
    return x;
}

/* A convolution from nin to nout channels over side x side blocks; the terms are in the file's order. */
static bool take_mix(loader *l, const char *layer, size_t nout, size_t nin, size_t side, ut_condition_mix *m)
{
    char part[96];
    size_t terms = nin * side * side, ngroups = (nout + UT_NN_OUT - 1) / UT_NN_OUT;
    snprintf(part, sizeof part, "%s.weight", layer);
    float *w = take(l, part, 4, (size_t[]){ nout, nin, side, side });
    snprintf(part, sizeof part, "%s.bias", layer);
    float *bias = w ? take(l, part, 1, &nout) : NULL;
    *m = (ut_condition_mix){ .nin = terms, .nout = nout };
    if (bias) m->w = ut_calloc(ngroups * terms, UT_NN_OUT * sizeof *m->w, l->e);
    if (m->w) m->bias = ut_calloc(ngroups, UT_NN_OUT * sizeof *m->bias, l->e);
    for (size_t o = 0; m->bias && o < nout; o++) {
        m->bias[o] = bias[o];
        for (size_t i = 0; i < terms; i++) m->w[(o / UT_NN_OUT * terms + i) * UT_NN_OUT + o % UT_NN_OUT] = w[o * terms + i];
    }
    free(w);
    free(bias);
    return m->bias;
}

static bool take_depthwise(loader *l, const char *layer, size_t width, float **out)
{
    char part[96];
    snprintf(part, sizeof part, "%s.weight", layer);
    float *w = take(l, part, 4, (size_t[]){ width, 1, 3, 3 });
    snprintf(part, sizeof part, "%s.bias", layer);
    float *bias = w ? take(l, part, 1, &width) : NULL;
    *out = bias ? ut_calloc(width, 10 * sizeof **out, l->e) : NULL;
    for (size_t c = 0; *out && c < width; c++) {
        memcpy(*out + c * 10, w + c * 9, 9 * sizeof *w);
        (*out)[c * 10 + 9] = bias[c];
    }
    free(w);
    free(bias);
    return *out;
}

static bool has(const loader *l, size_t block, const char *layer)
{
    char tensor[128];
    snprintf(tensor, sizeof tensor, "%sblocks.%zu.%s.weight", l->prefix, block, layer);
    return ut_safetensors_find(l->file, tensor);
}

static bool take_block(loader *l, size_t i, size_t width, ut_condition_block *b)
{
    char layer[64];
#define NAMED(text) (snprintf(layer, sizeof layer, "blocks.%zu." text, i), layer)
    if (!take_depthwise(l, NAMED("depthwise"), width, &b->depthwise) || !take_mix(l, NAMED("mix"), width, width, 1, &b->mix)) return false;
    if (has(l, i, "squeeze") && (!take_mix(l, NAMED("squeeze"), width / 4, width, 1, &b->squeeze) || !take_mix(l, NAMED("excite"), width, width / 4, 1, &b->excite)))
        return false;
    if (has(l, i, "spatial") && !take_mix(l, NAMED("spatial"), 1, 2, 3, &b->spatial)) return false;
    return take_mix(l, NAMED("out"), width, width, 1, &b->out);
#undef NAMED
}

ut_status ut_condition_load(const ut_safetensors *file, const char *prefix, const char *name, size_t width, size_t nblocks, size_t noutputs, ut_condition *c,
                            size_t *nused, ut_err *e)
{
    ut_err own = { 0 };
    loader l = { .file = file, .prefix = prefix, .name = name, .e = e ? e : &own };
    *c = (ut_condition){ .width = width, .nblocks = nblocks, .noutputs = noutputs };
    if (width < 4 || width % 4 || width > UT_CONDITION_WIDTH)
        return ut_fail(e, UT_E_INPUT, "%s: not usable weights: a width of %zu is no multiple of 4 from 4 to %d", name, width, UT_CONDITION_WIDTH);
    if (nblocks < 1 || nblocks > UT_CONDITION_BLOCKS)
        return ut_fail(e, UT_E_INPUT, "%s: not usable weights: %zu blocks, not 1 to %d", name, nblocks, UT_CONDITION_BLOCKS);
    bool good = take_mix(&l, "inp", width, UT_CONDITION_INPUTS, 1, &c->inp);
    for (size_t i = 0; good && i < nblocks; i++) good = take_block(&l, i, width, &c->block[i]);
    good = good && take_mix(&l, "outp", noutputs, width, 1, &c->outp);
    *nused += l.nused;
    if (good) return UT_OK;
    ut_condition_free(c);
    return l.e->status;
}

static void free_mix(ut_condition_mix *m)
{
    free(m->w);
    free(m->bias);
}

void ut_condition_free(ut_condition *c)
{
    free_mix(&c->inp);
    free_mix(&c->outp);
    for (size_t i = 0; i < UT_CONDITION_BLOCKS; i++) {
        ut_condition_block *b = &c->block[i];
        free(b->depthwise);
        free_mix(&b->mix);
        free_mix(&b->squeeze);
        free_mix(&b->excite);
        free_mix(&b->spatial);
        free_mix(&b->out);
    }
    *c = (ut_condition){ 0 };
}
