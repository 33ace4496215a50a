#include "kern/safetensors.h"
#include "base/buf.h"
#include "base/json_read.h"
#include <stdlib.h>
#include <string.h>

static ut_status bad(ut_err *e, const char *file, const char *what)
{
    return ut_fail(e, UT_E_INPUT, "%s: not a usable weight file: %s", file, what);
}

static size_t dtype_nbytes(ut_dtype d) { return d == UT_F32 ? 4 : 2; }

/* A member of the metadata that nobody else reads: kept if it is short text. */
static void read_other(ut_json_reader *r, const char *key, ut_safetensors *s)
{
    ut_json_reader ahead = *r;
    if (s->nother < UT_METADATA_MAX && strlen(key) < sizeof s->other->key) {
        if (ut_json_read_string(&ahead, s->other[s->nother].value, sizeof s->other->value)) {
            memcpy(s->other[s->nother++].key, key, strlen(key) + 1);
            *r = ahead;
            return;
        }
    }
    ut_json_read_skip(r);
}

static bool read_metadata(ut_json_reader *r, ut_safetensors *s)
{
    char key[64];
    if (!ut_json_read_object(r)) return false;
    while (ut_json_read_key(r, key, sizeof key)) {
        if (!strcmp(key, "format")) ut_json_read_string(r, s->format, sizeof s->format);
        else if (!strcmp(key, "config")) ut_json_read_string(r, s->config, sizeof s->config);
        else read_other(r, key, s);
    }
    return !r->bad;
}

static bool read_shape(ut_json_reader *r, ut_tensor *t)
{
    if (!ut_json_read_array(r)) return false;
    t->count = 1;
    t->ndims = 0;
    while (ut_json_read_more(r)) {
        size_t d;
        if (t->ndims == UT_TENSOR_DIMS || !ut_json_read_size(r, &d) || d == 0 || !ut_mul(t->count, d, &t->count)) return false;
        t->shape[t->ndims++] = d;
    }
    return !r->bad;
}

/* One tensor's entry; its place in the data as [*from, *to).  NULL, or what is wrong. */
static const char *read_entry(ut_json_reader *r, ut_tensor *t, size_t *from, size_t *to)
{
    char key[32], text[16];
    unsigned seen = 0;
    if (!ut_json_read_object(r)) return "a tensor's entry is not an object";
    while (ut_json_read_key(r, key, sizeof key)) {
        if (!strcmp(key, "dtype") && !(seen & 1)) {
            seen |= 1;
            if (!ut_json_read_string(r, text, sizeof text)) return "a tensor has no type";
            if (!strcmp(text, "F32")) t->dtype = UT_F32;
            else if (!strcmp(text, "F16")) t->dtype = UT_F16;
            else return "a tensor is of another type than F32 and F16";
        } else if (!strcmp(key, "shape") && !(seen & 2)) {
            seen |= 2;
            if (!read_shape(r, t)) return "a tensor's shape makes no sense";
        } else if (!strcmp(key, "data_offsets") && !(seen & 4)) {
            seen |= 4;
            if (!ut_json_read_array(r) || !ut_json_read_more(r) || !ut_json_read_size(r, from) || !ut_json_read_more(r) || !ut_json_read_size(r, to) || ut_json_read_more(r))
                return "a tensor's place makes no sense";
        } else {
            return "a tensor's entry has a superfluous member";
        }
    }
    return !r->bad && seen == 7 ? NULL : "a tensor's entry is incomplete";
}

/* Puts t where its bytes are in order; false: another tensor has its name. */
static bool insert(ut_safetensors *s, const ut_tensor *t)
{
    size_t at = s->n;
    if (ut_safetensors_find(s, t->name)) return false;
    while (at > 0 && s->tensor[at - 1].data > t->data) {
        s->tensor[at] = s->tensor[at - 1];
        at--;
    }
    s->tensor[at] = *t;
    s->n++;
    return true;
}

/* The header's entries.  NULL, or what is wrong. */
static const char *read_header(ut_json_reader *r, const uint8_t *data, size_t n, ut_safetensors *s)
{
    ut_tensor t;
    size_t from = 0, to = 0, nbytes;
    bool metadata = false;
    if (!ut_json_read_object(r)) return "the header is not a JSON object";
    while (ut_json_read_key(r, t.name, sizeof t.name)) {
        if (!strcmp(t.name, "__metadata__")) {
            if (metadata || !read_metadata(r, s)) return "the metadata makes no sense";
            metadata = true;
            continue;
        }
        const char *wrong = read_entry(r, &t, &from, &to);
        if (wrong) return wrong;
        if (!ut_mul(t.count, dtype_nbytes(t.dtype), &nbytes) || from > to || to > n || to - from != nbytes)
            return "a tensor's place does not agree with its shape or the file's length";
        t.data = data + from;
        if (s->n == UT_TENSORS_MAX) return "too many tensors";
        if (!insert(s, &t)) return "two tensors have one name";
    }
    if (!ut_json_read_end(r)) return "the header is not valid JSON";
    const uint8_t *at = data;
    for (size_t i = 0; i < s->n; i++) {
        if (s->tensor[i].data != at) return "tensors overlap or leave a gap";
        at += s->tensor[i].count * dtype_nbytes(s->tensor[i].dtype);
    }
    return at == data + n ? NULL : "there is more data than tensors";
}

ut_status ut_safetensors_parse(const uint8_t *data, size_t n, const char *name, ut_safetensors *out, ut_err *e)
{
    *out = (ut_safetensors){ 0 };
    if (n < 8) return bad(e, name, "shorter than eight bytes");
    uint64_t header = ut_get32(data) | (uint64_t)ut_get32(data + 4) << 32;
    if (header > UT_SAFETENSORS_HEADER_MAX) return bad(e, name, "its header's length makes no sense");
    if (header > n - 8) return bad(e, name, "cut short within its header");
    out->tensor = ut_calloc(UT_TENSORS_MAX, sizeof *out->tensor, e);
    if (!out->tensor) return UT_E_MEMORY;
    ut_json_reader r = ut_json_read((const char *)data + 8, (size_t)header);
    const char *wrong = read_header(&r, data + 8 + header, n - 8 - (size_t)header, out);
    if (!wrong) return UT_OK;
    ut_safetensors_free(out);
    return bad(e, name, wrong);
}

void ut_safetensors_free(ut_safetensors *s)
{
    free(s->tensor);
    *s = (ut_safetensors){ 0 };
}

const ut_tensor *ut_safetensors_find(const ut_safetensors *s, const char *tensor)
{
    for (size_t i = 0; i < s->n; i++)
        if (!strcmp(s->tensor[i].name, tensor)) return &s->tensor[i];
    return NULL;
}

const char *ut_safetensors_metadata(const ut_safetensors *s, const char *key)
{
    for (size_t i = 0; i < s->nother; i++)
        if (!strcmp(s->other[i].key, key)) return s->other[i].value;
    return "";
}

size_t ut_safetensors_number(const ut_safetensors *s, const char *key)
{
    const char *text = ut_safetensors_metadata(s, key);
    size_t n = 0, len = strlen(text);
    for (size_t i = 0; i < len; i++) {
        if (text[i] < '0' || text[i] > '9' || len > 6) return 0;
        n = n * 10 + (size_t)(text[i] - '0');
    }
    return n;
}

/* IEEE 754 binary16 to binary32, exactly; infinities and NaN stay what they are. */
static uint32_t widen(uint16_t h)
{
    uint32_t sign = (uint32_t)(h & 0x8000) << 16, exponent = h >> 10 & 31, mantissa = h & 0x3ff;
    if (exponent == 31) return sign | 0x7f800000 | mantissa << 13;
    if (exponent == 0) { /* zero or subnormal: mantissa * 2^-24, which binary32 holds as a normal number */
        float f = (float)mantissa * 0x1p-24f;
        uint32_t bits;
        memcpy(&bits, &f, sizeof bits);
        return sign | bits;
    }
    return sign | (exponent + 112) << 23 | mantissa << 13;
}

bool ut_tensor_floats(const ut_tensor *t, size_t first, size_t n, float *out)
{
    bool finite = true;
    for (size_t i = 0; i < n; i++) {
        size_t at = first + i;
        uint32_t bits = t->dtype == UT_F32 ? ut_get32(t->data + 4 * at) : widen(ut_get16(t->data + 2 * at));
        finite &= (bits & 0x7f800000) != 0x7f800000;
        memcpy(out + i, &bits, sizeof bits);
    }
    return finite;
}
