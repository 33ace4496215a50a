/* Growable byte buffer, checked size arithmetic, wiping. */
#ifndef UT_BASE_BUF_H
#define UT_BASE_BUF_H
#include "base/err.h"
#include <stdbool.h>

typedef struct ut_buf {
    uint8_t *data; /* owned */
    size_t len, cap;
} ut_buf;

UT_MUST_CHECK ut_status ut_buf_reserve(ut_buf *b, size_t cap, ut_err *e); /* room for cap bytes in all */
UT_MUST_CHECK ut_status ut_buf_resize(ut_buf *b, size_t len, ut_err *e);  /* new bytes are zero */
UT_MUST_CHECK ut_status ut_buf_append(ut_buf *b, const void *p, size_t n, ut_err *e);
void ut_buf_free(ut_buf *b); /* wipes, frees, zeroes; safe on a zeroed or freed buffer */

/* a*b in *out; false on overflow. */
static inline bool ut_mul(size_t a, size_t b, size_t *out) { return !__builtin_mul_overflow(a, b, out); }
static inline bool ut_add(size_t a, size_t b, size_t *out) { return !__builtin_add_overflow(a, b, out); }

/* calloc that checks n*size (calloc does) and records a message; NULL on failure. n == 0 gives a valid pointer. */
void *ut_calloc(size_t n, size_t size, ut_err *e);
void ut_wipe(void *p, size_t n); /* not optimised away */

/* Little-endian access. */
static inline void ut_put16(uint8_t *p, uint16_t v) { p[0] = (uint8_t)v; p[1] = (uint8_t)(v >> 8); }
static inline void ut_put32(uint8_t *p, uint32_t v) { ut_put16(p, (uint16_t)v); ut_put16(p + 2, (uint16_t)(v >> 16)); }
static inline uint16_t ut_get16(const uint8_t *p) { return (uint16_t)(p[0] | p[1] << 8); }
static inline uint32_t ut_get32(const uint8_t *p) { return (uint32_t)ut_get16(p) | (uint32_t)ut_get16(p + 2) << 16; }
#endif
