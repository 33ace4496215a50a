/* Reads JSON (RFC 8259) from memory, one value after another, without building a tree: the caller says what it expects.
 * Text is hostile: the first thing that is not as expected makes the reader bad, after which every call says false and
 * changes nothing.  Nesting is limited, and nothing is allocated.
 *
 *     if (ut_json_read_object(&r)) while (ut_json_read_key(&r, key, sizeof key)) { if (!strcmp(key, "n")) ut_json_read_size(&r, &n); else ut_json_read_skip(&r); }
 *     ok = ut_json_read_end(&r);
 */
#ifndef UT_BASE_JSON_READ_H
#define UT_BASE_JSON_READ_H
#include <stdbool.h>
#include <stddef.h>

#define UT_JSON_DEPTH 32

typedef struct ut_json_reader {
    const char *p, *end;
    unsigned depth;
    bool first; /* no member of the innermost list was read yet */
    bool bad;
} ut_json_reader;

ut_json_reader ut_json_read(const char *text, size_t n);
bool ut_json_read_object(ut_json_reader *r); /* { */
bool ut_json_read_array(ut_json_reader *r);  /* [ */
/* The next member's name, or false behind the last one (or when bad).  Its value must be read before the next call. */
bool ut_json_read_key(ut_json_reader *r, char *name, size_t cap);
bool ut_json_read_more(ut_json_reader *r); /* the same in an array */
/* Text as UTF-8, closed with a zero byte.  false: not a string, longer than cap - 1 bytes, a zero byte, or half a surrogate pair. */
bool ut_json_read_string(ut_json_reader *r, char *out, size_t cap);
bool ut_json_read_number(ut_json_reader *r, double *out); /* correctly rounded up to 15 digits; no locale */
bool ut_json_read_size(ut_json_reader *r, size_t *out);   /* a whole number, digits only, at most 2^53 */
bool ut_json_read_bool(ut_json_reader *r, bool *out);
bool ut_json_read_skip(ut_json_reader *r); /* any value */
bool ut_json_read_end(ut_json_reader *r);  /* nothing but white space is left and nothing was bad */
#endif
