/* Weight files: what is read, that 16-bit numbers are widened exactly, and files that lie. */
#include "check.h"
#include "kern/safetensors.h"
#include <math.h>

/* A file with this header (its braces added) and n bytes of data, in *size bytes; to be freed. */
static uint8_t *make(const char *header, const void *data, size_t n, size_t *size)
{
    size_t length = strlen(header);
    uint8_t *p = malloc(8 + length + n + 1);
    if (!p) exit(1);
    for (int i = 0; i < 8; i++) p[i] = (uint8_t)((uint64_t)length >> 8 * i);
    memcpy(p + 8, header, length);
    if (n) memcpy(p + 8 + length, data, n);
    *size = 8 + length + n;
    return p;
}

static ut_status parse(const char *header, const void *data, size_t n, ut_safetensors *s, ut_err *e)
{
    size_t size;
    uint8_t *file = make(header, data, n, &size);
    ut_status status = ut_safetensors_parse(file, size, "file", s, e);
    if (status == UT_OK) /* the tensors point into the file: look at all of them before it goes */
        for (size_t i = 0; i < s->n; i++) {
            float x[8];
            CHECK(s->tensor[i].count <= 8);
            ut_tensor_floats(&s->tensor[i], 0, s->tensor[i].count, x);
        }
    free(file);
    return status;
}

static void test_good(void)
{
    static const float data[8] = { 1, -2, 3.5f, 0, 1e-30f, 5, 6, 7 };
    const char *header = "{\"b\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[24,32]},\"__metadata__\":{\"other\":[1,{}],\"format\":\"f\\u00e9\",\"config\":\"{}\"},"
                         "\"a\":{\"shape\":[2,3],\"data_offsets\":[0,24],\"dtype\":\"F32\"}}   ";
    ut_safetensors s;
    ut_err e = { 0 };
    size_t size;
    uint8_t *file = make(header, data, sizeof data, &size);
    CHECK(ut_safetensors_parse(file, size, "file", &s, &e) == UT_OK, "%s", e.text);
    CHECK(s.n == 2 && !strcmp(s.tensor[0].name, "a") && !strcmp(s.format, "f\xc3\xa9") && !strcmp(s.config, "{}"));
    const ut_tensor *t = ut_safetensors_find(&s, "a");
    float x[6];
    CHECK(t && t->ndims == 2 && t->shape[0] == 2 && t->shape[1] == 3 && t->count == 6 && t->dtype == UT_F32);
    CHECK(t && ut_tensor_floats(t, 0, 6, x) && !memcmp(x, data, sizeof x));
    CHECK(t && ut_tensor_floats(t, 4, 2, x) && x[0] == data[4] && x[1] == data[5]);
    CHECK(!ut_safetensors_find(&s, "c"));
    ut_safetensors_free(&s);
    for (size_t n = 0; n < size; n++) { /* every shorter file is refused */
        uint8_t *cut = malloc(n ? n : 1);
        if (!cut) exit(1);
        memcpy(cut, file, n);
        CHECK(ut_safetensors_parse(cut, n, "file", &s, &e) == UT_E_INPUT, "cut to %zu", n);
        free(cut);
    }
    free(file);
    CHECK(parse("{}", NULL, 0, &s, &e) == UT_OK && s.n == 0);
    ut_safetensors_free(&s);
}

static double half(unsigned h) /* by the definition */
{
    int exponent = (int)(h >> 10 & 31), mantissa = (int)(h & 1023);
    double v = exponent ? ldexp(1024 + mantissa, exponent - 25) : ldexp(mantissa, -24);
    return h & 0x8000 ? -v : v;
}

static void test_widening(void)
{
    uint8_t bytes[2];
    ut_tensor t = { .dtype = UT_F16, .ndims = 1, .shape = { 1 }, .count = 1, .data = bytes };
    for (unsigned h = 0; h < 65536; h++) {
        float x;
        bytes[0] = (uint8_t)h;
        bytes[1] = (uint8_t)(h >> 8);
        bool finite = ut_tensor_floats(&t, 0, 1, &x);
        if ((h >> 10 & 31) == 31) CHECK(!finite && (h & 1023 ? isnan(x) : isinf(x)), "%04x", h);
        else CHECK(finite && (double)x == half(h) && !signbit(x) == !(h & 0x8000), "%04x gives %g", h, (double)x);
    }
    static const float wrong[3] = { NAN, INFINITY, -INFINITY };
    for (int i = 0; i < 3; i++) {
        float x[2], with[2] = { 1, wrong[i] };
        t = (ut_tensor){ .dtype = UT_F32, .ndims = 1, .shape = { 2 }, .count = 2, .data = (const uint8_t *)with };
        CHECK(!ut_tensor_floats(&t, 0, 2, x) && ut_tensor_floats(&t, 0, 1, x));
    }
}

#define T "\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":"
static void test_liars(void)
{
    static const struct {
        const char *header, *because;
    } bad[] = {
        { "", "not a JSON object" },
        { "[]", "not a JSON object" },
        { "{\"a\":{" T "[0,8]}", "not valid JSON" },
        { "{\"a\":{" T "[0,8]}} x", "not valid JSON" },
        { "{}", "more data than tensors" },
        { "{\"a\":{" T "[0,4]}}", "does not agree" },
        { "{\"a\":{" T "[0,16]}}", "does not agree" },
        { "{\"a\":{" T "[4,12]}}", "does not agree" },
        { "{\"a\":{" T "[8,0]}}", "does not agree" },
        { "{\"a\":{" T "[0,18446744073709551624]}}", "place makes no sense" },
        { "{\"a\":{" T "[-8,0]}}", "place makes no sense" },
        { "{\"a\":{" T "[0]}}", "place makes no sense" },
        { "{\"a\":{" T "[0,8,8]}}", "place makes no sense" },
        { "{\"a\":{" T "[0,8]},\"b\":{" T "[0,8]}}", "overlap" },
        { "{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[4,8]}}", "overlap or leave a gap" },
        { "{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]}}", "more data" },
        { "{\"a\":{" T "[0,8]},\"a\":{" T "[0,8]}}", "one name" },
        { "{\"a\":{\"dtype\":\"F64\",\"shape\":[1],\"data_offsets\":[0,8]}}", "another type" },
        { "{\"a\":{\"dtype\":\"I32\",\"shape\":[2],\"data_offsets\":[0,8]}}", "another type" },
        { "{\"a\":{\"dtype\":32,\"shape\":[2],\"data_offsets\":[0,8]}}", "no type" },
        { "{\"a\":{\"dtype\":\"F32\",\"shape\":[0],\"data_offsets\":[0,0]}}", "shape" },
        { "{\"a\":{\"dtype\":\"F32\",\"shape\":[-2],\"data_offsets\":[0,8]}}", "shape" },
        { "{\"a\":{\"dtype\":\"F32\",\"shape\":[4294967296,4294967296],\"data_offsets\":[0,0]}}", "shape" },
        { "{\"a\":{\"dtype\":\"F32\",\"shape\":[4611686018427387904],\"data_offsets\":[0,0]}}", "shape" },
        { "{\"a\":{\"dtype\":\"F32\",\"shape\":[1,1,1,1,1,1,2],\"data_offsets\":[0,8]}}", "shape" },
        { "{\"a\":{\"dtype\":\"F32\",\"shape\":[2]}}", "incomplete" },
        { "{\"a\":{" T "[0,8],\"more\":1}}", "superfluous" },
        { "{\"a\":{" T "[0,8],\"dtype\":\"F32\"}}", "superfluous" },
        { "{\"a\":7}", "not an object" },
        { "{\"__metadata__\":7,\"a\":{" T "[0,8]}}", "metadata" },
        { "{\"__metadata__\":{\"config\":7},\"a\":{" T "[0,8]}}", "metadata" },
        { "{\"__metadata__\":{},\"__metadata__\":{},\"a\":{" T "[0,8]}}", "metadata" },
        { "{\"a name of more than sixty-three bytes, which no tensor of ours has, by far\":{" T "[0,8]}}", "not valid JSON" },
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        ut_safetensors s;
        ut_err e = { 0 };
        CHECK(parse(bad[i].header, "\0\0\0\0\0\0\0\0", 8, &s, &e) == UT_E_INPUT, "%s", bad[i].header);
        CHECK(strstr(e.text, bad[i].because), "%s: \"%s\" is not about \"%s\"", bad[i].header, e.text, bad[i].because);
        CHECK(!s.tensor && s.n == 0);
    }
    uint8_t huge[16] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, '{', '}' };
    ut_safetensors s;
    ut_err e = { 0 };
    CHECK(ut_safetensors_parse(huge, sizeof huge, "file", &s, &e) == UT_E_INPUT && strstr(e.text, "length makes no sense"));
}

int main(void)
{
    test_good();
    test_widening();
    test_liars();
    return check_end();
}
