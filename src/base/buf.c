#include "base/buf.h"
#include <stdlib.h>
#include <string.h>

void ut_wipe(void *p, size_t n)
{
    if (!p || !n) return;
    memset(p, 0, n);
    __asm__ __volatile__("" : : "r"(p) : "memory");
}

void *ut_calloc(size_t n, size_t size, ut_err *e)
{
    void *p = calloc(n ? n : 1, size ? size : 1);
    if (!p) {
        size_t all = 0;
        (void)!ut_mul(n, size, &all);
        (void)ut_fail_memory(e, all);
    }
    return p;
}

ut_status ut_buf_reserve(ut_buf *b, size_t cap, ut_err *e)
{
    if (cap <= b->cap) return UT_OK;
    size_t want = b->cap + b->cap / 2;
    if (want < cap) want = cap;
    if (want < 64) want = 64;
    uint8_t *p = malloc(want); /* not realloc: the old bytes may be secret and must be wiped */
    if (!p) return ut_fail_memory(e, want);
    if (b->len) memcpy(p, b->data, b->len);
    ut_wipe(b->data, b->cap);
    free(b->data);
    b->data = p;
    b->cap = want;
    return UT_OK;
}

ut_status ut_buf_resize(ut_buf *b, size_t len, ut_err *e)
{
    ut_status s = ut_buf_reserve(b, len, e);
    if (s != UT_OK) return s;
    if (len > b->len) memset(b->data + b->len, 0, len - b->len);
    b->len = len;
    return UT_OK;
}

ut_status ut_buf_append(ut_buf *b, const void *p, size_t n, ut_err *e)
{
    size_t all;
    if (!ut_add(b->len, n, &all)) return ut_fail_memory(e, SIZE_MAX);
    ut_status s = ut_buf_reserve(b, all, e);
    if (s != UT_OK) return s;
    if (n) memcpy(b->data + b->len, p, n);
    b->len = all;
    return UT_OK;
}

void ut_buf_free(ut_buf *b)
{
    if (!b) return;
    ut_wipe(b->data, b->cap);
    free(b->data);
    *b = (ut_buf){ 0 };
}

void ut_blob_free(ut_blob *b)
{
    if (!b) return;
    ut_wipe(b->data, b->nbytes);
    free(b->data);
    *b = (ut_blob){ 0 };
}
