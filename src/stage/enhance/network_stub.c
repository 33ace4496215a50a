/* Stands in for the network until it is there: the identity. */
#include "base/buf.h"
#include "stage/enhance/enhance.h"
#include <stdlib.h>
#include <string.h>

struct ut_enhance_model {
    int unused;
};

ut_status ut_enhance_model_load(const uint8_t *data, size_t n, const char *name, ut_enhance_model **out, ut_err *e)
{
    *out = NULL;
    if (n < 8 || data[7]) return ut_fail(e, UT_E_INPUT, "%s is not a model", name);
    *out = ut_calloc(1, sizeof **out, e);
    return *out ? UT_OK : UT_E_MEMORY;
}

void ut_enhance_model_free(ut_enhance_model *m) { free(m); }

ut_status ut_enhance_network(const ut_enhance_model *m, const float *in, float *out, size_t nsamples, ut_err *e)
{
    (void)m, (void)e;
    memmove(out, in, nsamples * sizeof *in);
    return UT_OK;
}
