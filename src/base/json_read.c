#include "base/json_read.h"
#include <string.h>

ut_json_reader ut_json_read(const char *text, size_t n)
{
    return (ut_json_reader){ .p = text, .end = text + n, .first = true };
}

static bool fail(ut_json_reader *r)
{
    r->bad = true;
    return false;
}

static void white(ut_json_reader *r)
{
    while (r->p < r->end && (*r->p == ' ' || *r->p == '\t' || *r->p == '\n' || *r->p == '\r')) r->p++;
}

/* The next character that is not white space, without taking it; 0 at the end or when bad. */
static char peek(ut_json_reader *r)
{
    white(r);
    return !r->bad && r->p < r->end ? *r->p : 0;
}

static bool take(ut_json_reader *r, char c)
{
    if (peek(r) != c) return fail(r);
    r->p++;
    return true;
}

static bool open_list(ut_json_reader *r, char c)
{
    if (r->depth >= UT_JSON_DEPTH || !take(r, c)) return fail(r);
    r->depth++;
    return r->first = true;
}

bool ut_json_read_object(ut_json_reader *r) { return open_list(r, '{'); }
bool ut_json_read_array(ut_json_reader *r) { return open_list(r, '['); }

/* Is there another member before the closing bracket?  Takes the comma, or the bracket. */
static bool next_member(ut_json_reader *r, char closing)
{
    if (r->bad || r->depth == 0) return fail(r);
    if (peek(r) == closing) {
        r->p++;
        r->depth--;
        r->first = false; /* for the list outside, this one was a member */
        return false;
    }
    if (!r->first && !take(r, ',')) return false;
    r->first = false;
    return true;
}

bool ut_json_read_more(ut_json_reader *r) { return next_member(r, ']'); }

bool ut_json_read_key(ut_json_reader *r, char *name, size_t cap)
{
    return next_member(r, '}') && ut_json_read_string(r, name, cap) && take(r, ':');
}

static bool hex4(ut_json_reader *r, unsigned *out)
{
    if (r->end - r->p < 4) return fail(r);
    *out = 0;
    for (int i = 0; i < 4; i++) {
        char c = *r->p++;
        unsigned v;
        if (c >= '0' && c <= '9') v = (unsigned)(c - '0');
        else if (c >= 'a' && c <= 'f') v = (unsigned)(c - 'a') + 10;
        else if (c >= 'A' && c <= 'F') v = (unsigned)(c - 'A') + 10;
        else return fail(r);
        *out = *out << 4 | v;
    }
    return true;
}

/* What follows \u, as one code point; never zero nor half a pair. */
static bool code_point(ut_json_reader *r, unsigned *out)
{
    unsigned low;
    if (!hex4(r, out) || *out == 0 || (*out >= 0xdc00 && *out < 0xe000)) return fail(r);
    if (*out < 0xd800 || *out >= 0xe000) return true;
    if (r->end - r->p < 2 || r->p[0] != '\\' || r->p[1] != 'u') return fail(r);
    r->p += 2;
    if (!hex4(r, &low) || low < 0xdc00 || low >= 0xe000) return fail(r);
    *out = 0x10000 + ((*out - 0xd800) << 10) + (low - 0xdc00);
    return true;
}

static size_t utf8(unsigned c, char out[4])
{
    if (c < 0x80) {
        out[0] = (char)c;
        return 1;
    }
    size_t n = c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
    for (size_t i = n - 1; i > 0; i--, c >>= 6) out[i] = (char)(0x80 | (c & 0x3f));
    out[0] = (char)((0xf00u >> n & 0xf0) | c); /* 110xxxxx, 1110xxxx, 11110xxx */
    return n;
}

/* What follows a backslash, as UTF-8. */
static bool escape(ut_json_reader *r, char piece[4], size_t *n)
{
    static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
    unsigned code;
    if (r->p == r->end) return fail(r);
    char c = *r->p++;
    if (c == 'u') {
        if (!code_point(r, &code)) return false;
        *n = utf8(code, piece);
        return true;
    }
    const char *at = c ? strchr(from, c) : NULL;
    if (!at) return fail(r);
    piece[0] = to[at - from];
    *n = 1;
    return true;
}

/* out NULL: only passes over the text. */
static bool string(ut_json_reader *r, char *out, size_t cap)
{
    size_t at = 0, n;
    char piece[4];
    if (!take(r, '"')) return false;
    while (r->p < r->end && *r->p != '"') {
        piece[0] = *r->p++;
        n = 1;
        if ((unsigned char)piece[0] < 0x20) return fail(r);
        if (piece[0] == '\\' && !escape(r, piece, &n)) return false;
        if (!out) continue;
        if (n >= cap - at) return fail(r);
        memcpy(out + at, piece, n);
        at += n;
    }
    if (r->p == r->end) return fail(r);
    r->p++;
    if (out) out[at] = 0;
    return true;
}

bool ut_json_read_string(ut_json_reader *r, char *out, size_t cap) { return cap && string(r, out, cap); }

static bool digit(const ut_json_reader *r) { return r->p < r->end && *r->p >= '0' && *r->p <= '9'; }

/* Digits into *m as long as they are exact, counted in *dropped behind that. */
static bool digits(ut_json_reader *r, double *m, int *taken, int *dropped)
{
    if (!digit(r)) return fail(r);
    for (; digit(r); r->p++) {
        if (*m < 1e15) *m = *m * 10 + (*r->p - '0'), ++*taken;
        else if (*dropped < 10000) ++*dropped;
    }
    return true;
}

static double scaled(double m, int exponent)
{
    double ten = 1;
    int n = exponent < 0 ? -exponent : exponent;
    if (m == 0 || n > 340) return exponent < 0 ? 0 : m * 1e308 * 1e308;
    for (int i = 0; i < n; i++) ten *= 10; /* exact up to 10^22 */
    return exponent < 0 ? m / ten : m * ten;
}

bool ut_json_read_number(ut_json_reader *r, double *out)
{
    double m = 0, x = 0;
    int taken = 0, dropped = 0, fraction = 0, skipped = 0, ignored = 0;
    char c = peek(r);
    bool negative = c == '-', down = false;
    if (r->bad || !c) return fail(r);
    r->p += negative;
    bool zero = digit(r) && *r->p == '0';
    const char *start = r->p;
    if (!digits(r, &m, &taken, &dropped) || (zero && r->p - start > 1)) return fail(r);
    if (r->p < r->end && *r->p == '.') {
        r->p++;
        if (!digits(r, &m, &fraction, &skipped)) return false;
    }
    if (r->p < r->end && (*r->p == 'e' || *r->p == 'E')) {
        r->p++;
        if (r->p < r->end && (*r->p == '+' || *r->p == '-')) down = *r->p++ == '-';
        if (!digits(r, &x, &ignored, &ignored)) return false;
        if (x > 1000) x = 1000;
    }
    double v = scaled(m, (down ? -(int)x : (int)x) + dropped - fraction);
    if (!(v <= 1.7976931348623157e308)) return fail(r);
    *out = negative ? -v : v;
    return true;
}

bool ut_json_read_size(ut_json_reader *r, size_t *out)
{
    double v;
    white(r);
    const char *start = r->p;
    if (!ut_json_read_number(r, &v)) return false;
    for (const char *q = start; q < r->p; q++)
        if (*q < '0' || *q > '9') return fail(r);
    if (v > 9007199254740992.0 || v > (double)(size_t)-1) return fail(r);
    *out = (size_t)v;
    return true;
}

static bool word(ut_json_reader *r, const char *w)
{
    size_t n = strlen(w);
    if ((size_t)(r->end - r->p) < n || memcmp(r->p, w, n) != 0) return fail(r);
    r->p += n;
    return true;
}

bool ut_json_read_bool(ut_json_reader *r, bool *out)
{
    char c = peek(r);
    if (c != 't' && c != 'f') return fail(r);
    if (!word(r, c == 't' ? "true" : "false")) return false;
    *out = c == 't';
    return true;
}

bool ut_json_read_skip(ut_json_reader *r)
{
    double number;
    bool truth;
    unsigned depth = r->depth;
    bool array[UT_JSON_DEPTH + 1];
    do { /* one value, or the way down to one */
        switch (peek(r)) {
        case '{':
        case '[':
            array[r->depth + 1 <= UT_JSON_DEPTH ? r->depth + 1 : 0] = *r->p == '[';
            if (!open_list(r, *r->p)) return false;
            break;
        case '"': if (!string(r, NULL, 0)) return false; break;
        case 't':
        case 'f': if (!ut_json_read_bool(r, &truth)) return false; break;
        case 'n': if (!word(r, "null")) return false; break;
        default: if (!ut_json_read_number(r, &number)) return false;
        }
        while (r->depth > depth) { /* the next member of the innermost open list, or its end */
            if (next_member(r, array[r->depth] ? ']' : '}')) {
                if (!array[r->depth] && (!string(r, NULL, 0) || !take(r, ':'))) return false;
                break;
            }
            if (r->bad) return false;
        }
    } while (r->depth > depth);
    return !r->bad;
}

bool ut_json_read_end(ut_json_reader *r)
{
    white(r);
    return !r->bad && r->depth == 0 && r->p == r->end ? true : fail(r);
}
