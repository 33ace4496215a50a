/* Bytes of the payload format (spec/payload.md) that the codecs share. Private to the stage. */
#ifndef UT_STAGE_PAYLOAD_WIRE_H
#define UT_STAGE_PAYLOAD_WIRE_H
#include "stage/payload/payload.h"

enum { UT_WIRE_VERSION = 0x10, UT_WIRE_SHA_NBYTES = 32, UT_OPUS_FRAME = 960 };

static inline uint8_t ut_wire_first(ut_codec c) { return (uint8_t)(UT_WIRE_VERSION | c); }

/* Unsigned LEB128, at most 9 bytes. */
UT_MUST_CHECK ut_status ut_wire_put_varint(ut_buf *b, uint64_t v, ut_err *e);

/* Reads one segment; every read is checked, and after one failed all others fail. */
typedef struct ut_wire_reader {
    const uint8_t *p, *end;
    bool bad;
} ut_wire_reader;
uint64_t ut_wire_varint(ut_wire_reader *r);
unsigned ut_wire_byte(ut_wire_reader *r);
const uint8_t *ut_wire_bytes(ut_wire_reader *r, size_t n); /* NULL if they are not there */

/* Segment i of a payload, and whether it is there. */
typedef struct ut_wire_segments {
    const uint8_t *data;
    size_t n, segment_nbytes;
    const uint8_t *ok; /* NULL: all */
} ut_wire_segments;
size_t ut_wire_count(const ut_wire_segments *s);
static inline bool ut_wire_has(const ut_wire_segments *s, size_t i) { return !s->ok || s->ok[i]; }
ut_wire_reader ut_wire_open(const ut_wire_segments *s, size_t i);

void ut_sha256(const void *p, size_t n, uint8_t out[32]);
void ut_sha256_pcm(const ut_pcm *pcm, uint8_t out[32]); /* little-endian 16-bit samples */

/* The codecs. Encoders append whole segments; decoders fill out->pcm or out->raw and *nlost samples (raw: bytes).
 * sha: what the payload says, sha_known false if its segment is lost. */
typedef struct ut_wire_decoded {
    uint8_t sha[32];
    bool sha_known;
    size_t nlost;
} ut_wire_decoded;
UT_MUST_CHECK ut_status ut_opus_decode_segments(const ut_wire_segments *s, ut_pcm *pcm, ut_wire_decoded *d, ut_err *e);
UT_MUST_CHECK ut_status ut_flac_decode_segments(const ut_wire_segments *s, ut_pcm *pcm, ut_wire_decoded *d, ut_err *e);
/* Common start of an audio segment: first byte, sample count, and in segment 0 the hash. */
UT_MUST_CHECK ut_status ut_wire_begin(ut_buf *b, ut_codec c, uint64_t count, bool with_sha, ut_err *e);
bool ut_wire_begin_read(ut_wire_reader *r, ut_codec c, size_t segment, uint64_t *count, ut_wire_decoded *d);
ut_status ut_wire_corrupt(ut_err *e);
#endif
