/* Mode 1, for channels that keep every pixel: bits in the samples' low bits, by +-1 steps (LSB matching).
 *
 * Samples are numbered 3 * pixel + channel.  Up to one bit a sample, then a second one in as many samples as needed
 * (value modulo 4).  Salt and header come first, at places of their own.
 */
#ifndef UT_STAGE_HIDE_LSB_H
#define UT_STAGE_HIDE_LSB_H
#include "base/picture.h"
#include "base/rng.h"

/* Bits that the payload can have in a picture of that size (two a sample, less salt and header's places). */
size_t ut_lsb_capacity(uint32_t width, uint32_t height, size_t reserved);

/* n places for salt or header, drawn from the stream, avoiding those in `avoid`. sample: [n]. */
UT_MUST_CHECK ut_status ut_lsb_draw(uint32_t *sample, size_t n, uint32_t width, uint32_t height, ut_stream *s,
                                    const uint32_t *avoid, size_t navoid, ut_err *e);
/* The salt's public places. */
UT_MUST_CHECK ut_status ut_lsb_salt_places(uint32_t sample[128], uint32_t width, uint32_t height, ut_err *e);

void ut_lsb_write(ut_picture *p, const uint32_t *sample, const uint8_t *bits, size_t n, ut_stream *signs);
void ut_lsb_read(const ut_picture *p, const uint32_t *sample, uint8_t *bits, size_t n);

/* Payload: nbits spread evenly at random over all samples but those in `reserved` (any order). places: the stream that
 * chooses, the same for both sides; signs: which of +1 and -1, the sender's own affair. */
UT_MUST_CHECK ut_status ut_lsb_forward(ut_picture *p, const uint8_t *bits, size_t nbits, const uint32_t *reserved,
                                       size_t nreserved, ut_stream *places, ut_stream *signs, ut_err *e);
UT_MUST_CHECK ut_status ut_lsb_reverse(const ut_picture *p, uint8_t *bits, size_t nbits, const uint32_t *reserved,
                                       size_t nreserved, ut_stream *places, ut_err *e);
#endif
