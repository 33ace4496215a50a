/* Where the networks' weights are found. */
#ifndef UT_PIPELINE_MODEL_H
#define UT_PIPELINE_MODEL_H
#include "stage/enhance/enhance.h"
#include "stage/hide/guide.h"
#include "stage/hide/inn.h"

/* models/enhance.safetensors, compiled in; NULL if the source tree had none (model_builtin.c). */
const uint8_t *ut_builtin_model(size_t *nbytes);

/* name: NULL for the built-in model; a path (with a slash, or ending in .safetensors); or NAME for the installed NAME.safetensors, or the source
 * tree's.  UT_E_UNSUPPORTED: NULL, and nothing is built in; UT_E_INPUT: no such model, or not one; UT_E_IO. */
UT_MUST_CHECK ut_status ut_model_open(const char *name, ut_enhance_model **out, ut_err *e);
/* The hider's guide: from a file, or (NULL) models/hide-guide.safetensors as compiled in.  *out NULL without an error: neither is there. */
const uint8_t *ut_builtin_guide(size_t *nbytes);
UT_MUST_CHECK ut_status ut_guide_open(const char *path, ut_guide **out, ut_err *e);
/* The hider's invertible network in the same way: models/hide-inn.safetensors; its id is set. */
const uint8_t *ut_builtin_inn(size_t *nbytes);
UT_MUST_CHECK ut_status ut_inn_open(const char *path, ut_inn **out, ut_err *e);
/* The one that a message was hidden with: from the file, or the built-in one, or (path NULL) an installed hide-inn-ID.safetensors, ID in hexadecimal.  UT_E_UNSUPPORTED: what is there is another one, or there is none. */
UT_MUST_CHECK ut_status ut_inn_open_as(const char *path, const uint8_t id[4], ut_inn **out, ut_err *e);
/* What to call it: the file's name without folder and suffix. */
void ut_model_title(const char *name, char title[64]);
#endif
