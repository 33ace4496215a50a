/* The JSON reader: what it reads, and what it must refuse. */
#include "base/json_read.h"
#include "check.h"
#include <math.h>

static bool valid(const char *text)
{
    ut_json_reader r = ut_json_read(text, strlen(text));
    bool read = ut_json_read_skip(&r);
    return ut_json_read_end(&r) && read;
}

static double number(const char *text)
{
    ut_json_reader r = ut_json_read(text, strlen(text));
    double v = -12345;
    if (!ut_json_read_number(&r, &v)) return NAN;
    return ut_json_read_end(&r) ? v : NAN;
}

static bool string_is(const char *text, const char *want, size_t cap)
{
    char out[64] = "untouched";
    ut_json_reader r = ut_json_read(text, strlen(text));
    return ut_json_read_string(&r, out, cap) && ut_json_read_end(&r) && !strcmp(out, want);
}

static void test_values(void)
{
    static const char *const good[] = { "{}", "[]", " [ ] ", "0", "-0.5e-3", "\"\"", "true", "false", "null", "[1,2,{\"a\":[]}]", "{\"a\":{\"b\":{}},\"c\":1}",
                                        "[[],[[]],{}]", "\t\r\n1 ", "\"\\u00e9\\n\\\"\\\\\\/\"" };
    static const char *const bad[] = { "", " ", "{", "[", "[1", "[1,", "[1,]", "[,1]", "{,}", "{\"a\"}", "{\"a\":}", "{\"a\":1,}", "{\"a\" 1}", "{a:1}", "[1}", "{\"a\":1]",
                                       "tru", "truth", "nul", "01", "1.", ".5", "+1", "1e", "1e+", "-", "--1", "NaN", "Infinity", "1e999", "\"", "\"a", "\"\\x\"",
                                       "\"\\u12\"", "\"\\u0000\"", "\"\\ud800\"", "\"\\udc00\"", "\"\\ud800\\u0041\"", "\"\n\"", "1 2", "[1 2]", "{}{}", "]", "}", ":" };
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) CHECK(valid(good[i]), "%s", good[i]);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) CHECK(!valid(bad[i]), "%s", bad[i]);
    for (size_t n = 1; n < 200; n++) { /* every beginning of a good text is bad */
        const char *text = "{\"shape\":[2,3],\"x\":{\"y\":\"\\u00e9\",\"z\":[true,null,-1.5e+2]}}";
        if (n >= strlen(text)) break;
        ut_json_reader r = ut_json_read(text, n);
        bool read = ut_json_read_skip(&r);
        CHECK(!(ut_json_read_end(&r) && read), "cut at %zu", n);
    }
}

static void test_depth(void)
{
    char text[2 * UT_JSON_DEPTH + 8];
    for (size_t depth = UT_JSON_DEPTH - 1; depth <= UT_JSON_DEPTH + 1; depth++) {
        memset(text, '[', depth);
        memset(text + depth, ']', depth);
        text[2 * depth] = 0;
        CHECK(valid(text) == (depth <= UT_JSON_DEPTH), "depth %zu", depth);
    }
}

static void test_numbers(void)
{
    static const struct {
        const char *text;
        double value;
    } good[] = { { "0", 0 }, { "-1", -1 }, { "0.3", 0.3 }, { "2.0", 2 }, { "1e2", 100 }, { "1.5E-2", 0.015 }, { "123456789012345", 123456789012345 }, { "1e22", 1e22 },
                 { "12345678901234567890", 12345678901234567890.0 }, { "0.000001", 0.000001 }, { "1e-400", 0 }, { "-7.25e+1", -72.5 } };
    for (size_t i = 0; i < sizeof good / sizeof *good; i++)
        CHECK(fabs(number(good[i].text) - good[i].value) <= fabs(good[i].value) * 1e-15, "%s gives %.17g", good[i].text, number(good[i].text));
    CHECK(isnan(number("1e400")));
    CHECK(number("0.3") == 0.3);
    size_t n = 77;
    ut_json_reader r = ut_json_read("[12,3.0,-1,1e3]", 15);
    CHECK(ut_json_read_array(&r) && ut_json_read_more(&r) && ut_json_read_size(&r, &n) && n == 12 && ut_json_read_more(&r));
    CHECK(!ut_json_read_size(&r, &n) && n == 12 && r.bad, "3.0 is not written as a whole number");
    CHECK(!ut_json_read_more(&r) && !ut_json_read_end(&r), "bad stays bad");
    r = ut_json_read("9007199254740993000", 19);
    CHECK(!ut_json_read_size(&r, &n));
}

static void test_strings(void)
{
    CHECK(string_is("\"a\\u00e9\\u20ac\\ud83d\\ude00\"", "a\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80", 64));
    CHECK(string_is("\"\\b\\f\\n\\r\\t\\/\\\\\\\"\"", "\b\f\n\r\t/\\\"", 64));
    CHECK(string_is("\"abc\"", "abc", 4));
    CHECK(!string_is("\"abcd\"", "abcd", 4), "no room for the closing zero");
    CHECK(!string_is("\"ab\\u20ac\"", "ab\xe2\x82\xac", 4));
}

int main(void)
{
    test_values();
    test_depth();
    test_numbers();
    test_strings();
    char key[8];
    size_t sum = 0, v = 0;
    const char *text = "{\"a\":1,\"skip\":[{\"a\":100}],\"b\":2}";
    ut_json_reader r = ut_json_read(text, strlen(text));
    CHECK(ut_json_read_object(&r));
    while (ut_json_read_key(&r, key, sizeof key)) {
        if (!strcmp(key, "skip")) {
            CHECK(ut_json_read_skip(&r));
            continue;
        }
        CHECK(ut_json_read_size(&r, &v));
        sum += v;
    }
    CHECK(ut_json_read_end(&r) && sum == 3);
    text = "{\"far too long a name\":1}";
    r = ut_json_read(text, strlen(text));
    CHECK(ut_json_read_object(&r) && !ut_json_read_key(&r, key, sizeof key) && r.bad);
    return check_end();
}
