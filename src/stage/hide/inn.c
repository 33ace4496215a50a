#include "stage/hide/inn.h"
#include "base/buf.h"
#include "kern/attend.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SHIFT = 64, OUTPUTS = 128, STRIP = 64 /* columns handled at once */ };
static const ut_coupling coupling = { 1.4f, 2.0f, 32.0f };

static ut_status load_all(const ut_safetensors *file, const char *name, ut_inn *m, ut_err *e)
{
    char prefix[32];
    size_t nused = 0, n = ut_safetensors_number(file, "couplings"), width = ut_safetensors_number(file, "width"), nblocks = ut_safetensors_number(file, "blocks");
    if (n < 1 || n > UT_INN_COUPLINGS) return ut_fail(e, UT_E_INPUT, "%s: not usable weights: %zu couplings, not 1 to %d", name, n, UT_INN_COUPLINGS);
    ut_status s = UT_OK;
    for (size_t i = 0; i < n && s == UT_OK; i++) {
        snprintf(prefix, sizeof prefix, "couplings.%zu.", i);
        s = ut_condition_load(file, prefix, name, width, nblocks, OUTPUTS, &m->coupling[i], &nused, e);
    }
    if (s == UT_OK) s = ut_condition_load(file, "trust.", name, width, nblocks, 64, &m->trust, &nused, e);
    m->ncouplings = n;
    if (s == UT_OK && nused != file->n) s = ut_fail(e, UT_E_INPUT, "%s: not usable weights: it holds %zu tensors where its metadata ask for %zu", name, file->n, nused);
    return s;
}

ut_status ut_inn_load(const uint8_t *data, size_t n, const char *name, ut_inn **out, ut_err *e)
{
    ut_safetensors file;
    *out = NULL;
    ut_status s = ut_safetensors_parse(data, n, name, &file, e);
    if (s != UT_OK) return s;
    ut_inn *m = ut_calloc(1, sizeof *m, e);
    if (!m) s = UT_E_MEMORY;
    else if (strcmp(ut_safetensors_metadata(&file, "kind"), "inn") != 0 || strcmp(file.format, "1") != 0)
        s = ut_fail(e, UT_E_INPUT, "%s: not the weights of an INN of format 1: its metadata say kind \"%s\", format \"%s\"", name, ut_safetensors_metadata(&file, "kind"), file.format);
    else s = load_all(&file, name, m, e);
    ut_safetensors_free(&file);
    if (s == UT_OK) *out = m;
    else ut_inn_free(m);
    return s;
}

void ut_inn_free(ut_inn *m)
{
    if (!m) return;
    for (size_t i = 0; i < UT_INN_COUPLINGS; i++) ut_condition_free(&m->coupling[i]);
    ut_condition_free(&m->trust);
    free(m);
}

typedef struct pass {
    const ut_inn_planes *p;
    const ut_attend *at;
    unsigned k;       /* the coupling's number */
    bool all;         /* nothing is transformed: the network sees everything */
    bool back;
    uint64_t used;    /* frequencies that have carriers */
    uint8_t *class;
} pass;

/* Whether this pass transforms frequency f of that block. */
static bool transformed(const pass *w, uint32_t bx, uint32_t by, unsigned f)
{
    if (w->all || !(w->used >> f & 1) || ((f / 8 + f % 8 + bx + by + w->k) & 1)) return false;
    return ut_taken(w->p->carriers, (uint32_t)(((size_t)by * w->p->grid.blocks_w + bx) * 64 + f));
}

/* The context.  Transformed values are not even looked at: another thread may be writing them. */
static void read_row(void *arg, uint32_t x, uint32_t y, uint32_t n, float *c, size_t stride)
{
    const pass *w = arg;
    const float *from = w->p->x + ((size_t)y * w->p->grid.blocks_w + x) * 64;
    for (uint32_t i = 0; i < n; i++, from += 64)
        for (unsigned k = 0; k < 64; k++) {
            if (transformed(w, x + i, y, k)) c[k * stride + i] = 0;
            else c[k * stride + i] = from[k];
        }
}

static void transform_row(void *arg, uint32_t x, uint32_t y, uint32_t n, const float *out, size_t stride)
{
    const pass *w = arg;
    float *row = w->p->x + ((size_t)y * w->p->grid.blocks_w + x) * 64;
    for (unsigned k = 0; k < 64; k++)
        for (uint32_t from = 0; from < n && (w->used >> k & 1); from += STRIP) {
            float v[STRIP] = { 0 };
            uint32_t m = n - from < STRIP ? n - from : STRIP;
            const float *o = out + k * stride + from;
            for (uint32_t i = 0; i < m; i++)
                if (transformed(w, x + from + i, y, k)) v[i] = row[(size_t)(from + i) * 64 + k];
            (w->back ? w->at->uncouple : w->at->couple)(&coupling, v, o, o + SHIFT * stride, v, m);
            for (uint32_t i = 0; i < m; i++)
                if (transformed(w, x + from + i, y, k)) row[(size_t)(from + i) * 64 + k] = v[i];
        }
}

static ut_status run(const ut_inn *m, const ut_inn_planes *p, unsigned k, bool back, unsigned nthreads, ut_err *e)
{
    pass w = { .p = p, .at = ut_attend_get(), .k = k, .back = back };
    size_t n = ut_grid_nblocks(p->grid);
    uint8_t any[8] = { 0 };
    for (size_t b = 0; b < n; b++)
        for (unsigned i = 0; i < 8; i++) any[i] |= p->carriers[b * 8 + i];
    for (unsigned i = 0; i < 8; i++) w.used |= (uint64_t)any[i] << (8 * i);
    return ut_condition_apply(&(ut_condition_run){ &m->coupling[k], p->grid.blocks_w, p->grid.blocks_h, read_row, transform_row, &w }, nthreads, e);
}

ut_status ut_inn_forward(const ut_inn *m, const ut_inn_planes *p, unsigned nthreads, ut_err *e)
{
    ut_status s = UT_OK;
    for (unsigned k = 0; k < m->ncouplings && s == UT_OK; k++) s = run(m, p, k, false, nthreads, e);
    return s;
}

ut_status ut_inn_inverse(const ut_inn *m, const ut_inn_planes *p, unsigned nthreads, ut_err *e)
{
    ut_status s = UT_OK;
    for (unsigned k = (unsigned)m->ncouplings; k-- > 0 && s == UT_OK;) s = run(m, p, k, true, nthreads, e);
    return s;
}

static void trust_row(void *arg, uint32_t x, uint32_t y, uint32_t n, const float *out, size_t stride)
{
    const pass *w = arg;
    uint8_t *to = w->class + ((size_t)y * w->p->grid.blocks_w + x) * 64;
    for (unsigned k = 0; k < 64; k++)
        for (uint32_t i = 0; i < n; i++) {
            float v = 4 + out[k * stride + i];
            to[(size_t)i * 64 + k] = v >= UT_INN_CLASSES - 1 ? UT_INN_CLASSES - 1 : v > 0 ? (uint8_t)v : 0;
        }
}

ut_status ut_inn_trust(const ut_inn *m, const ut_inn_planes *p, uint8_t *class, unsigned nthreads, ut_err *e)
{
    pass w = { .p = p, .all = true, .class = class };
    return ut_condition_apply(&(ut_condition_run){ &m->trust, p->grid.blocks_w, p->grid.blocks_h, read_row, trust_row, &w }, nthreads, e);
}
