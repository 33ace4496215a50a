/* Random bytes from the system, and keyed pseudo-random streams (AES-256-CTR, NIST SP 800-38A) that sender and
 * receiver derive alike.  repro: exact. */
#ifndef UT_BASE_RNG_H
#define UT_BASE_RNG_H
#include "base/buf.h"

UT_MUST_CHECK ut_status ut_random(void *p, size_t n, ut_err *e);

typedef struct ut_stream ut_stream; /* one thread at a time */
/* key: 32 bytes.  Streams of one key with distinct `domain` are independent: the domain is the counter block's first
 * four bytes (little-endian), the rest starts at zero. NULL on failure. */
ut_stream *ut_stream_new(const uint8_t key[32], uint32_t domain, ut_err *e);
void ut_stream_free(ut_stream *s);
void ut_stream_bytes(ut_stream *s, void *out, size_t n);
uint32_t ut_stream_u32(ut_stream *s);                    /* little-endian from the stream */
uint32_t ut_stream_below(ut_stream *s, uint32_t bound);  /* 0..bound-1: (u32 * bound) >> 32, bias below 2^-32*bound */
/* Fisher-Yates, from the last element down: swap a[i] with a[below(i + 1)]. */
void ut_stream_shuffle(ut_stream *s, uint32_t *a, size_t n);
#endif
