/* Any text through the JSON reader: as one value to skip, and member by member. */
#include "base/json_read.h"
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* Reads everything there is; what was written behind out's end must not be touched. */
static void walk(ut_json_reader *r)
{
    char text[16];
    double number;
    size_t size;
    bool truth;
    for (unsigned step = 0; step < 10000 && !r->bad; step++) {
        ut_json_reader at = *r;
        if (ut_json_read_string(r, text, sizeof text)) {
            if (strlen(text) >= sizeof text) abort();
            continue;
        }
        *r = at;
        if (ut_json_read_size(r, &size)) continue;
        *r = at;
        if (ut_json_read_number(r, &number)) continue;
        *r = at;
        if (ut_json_read_bool(r, &truth)) continue;
        *r = at;
        if (ut_json_read_object(r)) {
            while (ut_json_read_key(r, text, sizeof text) && ut_json_read_skip(r)) {}
            continue;
        }
        *r = at;
        if (ut_json_read_array(r)) {
            while (ut_json_read_more(r) && ut_json_read_skip(r)) {}
            continue;
        }
        return;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    char *exact = malloc(n ? n : 1);
    if (!exact) return 0;
    if (n) memcpy(exact, data, n);
    ut_json_reader r = ut_json_read(exact, n);
    ut_json_read_skip(&r);
    ut_json_read_end(&r);
    if (r.p < exact || r.p > exact + n) abort();
    r = ut_json_read(exact, n);
    walk(&r);
    if (r.p < exact || r.p > exact + n) abort();
    free(exact);
    return 0;
}
