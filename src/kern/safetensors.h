/* Weights from a safetensors file: eight bytes of header length (little-endian), a JSON header that names, types, shapes and places every tensor, then
 * their bytes end to end.  The file is hostile: shapes, lengths and places must agree, and the tensors must fill the data exactly, without gap or overlap.
 * Nothing is copied: the result points into the file's bytes.
 */
#ifndef UT_KERN_SAFETENSORS_H
#define UT_KERN_SAFETENSORS_H
#include "base/err.h"
#include <stdbool.h>

#define UT_TENSOR_DIMS 6
#define UT_TENSORS_MAX 1024              /* in one file */
#define UT_METADATA_MAX 8
#define UT_SAFETENSORS_HEADER_MAX (1u << 20) /* bytes */

typedef enum ut_dtype { UT_F32, UT_F16 } ut_dtype;

typedef struct ut_tensor {
    char name[64];
    ut_dtype dtype;
    size_t ndims, shape[UT_TENSOR_DIMS]; /* row by row, the last index runs fastest */
    size_t count;                        /* product of shape */
    const uint8_t *data;                 /* count numbers, little-endian, not aligned */
} ut_tensor;

typedef struct ut_safetensors {
    ut_tensor *tensor; /* owned, in the order of their bytes */
    size_t n;
    char format[32];   /* metadata "format", "" without one */
    char config[4096]; /* metadata "config" */
    struct { char key[16], value[32]; } other[UT_METADATA_MAX]; /* further metadata that is short text, in the file's order */
    size_t nother;
} ut_safetensors;

/* name: for messages.  UT_E_INPUT with a reason; out is then empty. */
UT_MUST_CHECK ut_status ut_safetensors_parse(const uint8_t *data, size_t n, const char *name, ut_safetensors *out, ut_err *e);
void ut_safetensors_free(ut_safetensors *s);
const ut_tensor *ut_safetensors_find(const ut_safetensors *s, const char *tensor); /* NULL: not there */
/* The value of a key in `other`, "" without one; and as a whole number, 0 where it is none of at most six digits. */
const char *ut_safetensors_metadata(const ut_safetensors *s, const char *key);
size_t ut_safetensors_number(const ut_safetensors *s, const char *key);
/* Numbers [first, first + n) of t, 16 bits widened exactly.  false: one of them is not finite. */
bool ut_tensor_floats(const ut_tensor *t, size_t first, size_t n, float *out);
#endif
