/* What the codecs of the payload stage share: segment heads, writing and reading a byte stream cut into segments,
 * SHA-256.  The layout is normative: spec/payload.md. */
#ifndef UT_STAGE_PAYLOAD_INTERNAL_H
#define UT_STAGE_PAYLOAD_INTERNAL_H
#include "stage/payload/payload.h"

enum {
    UT_PAYLOAD_VERSION = 1,
    UT_PAYLOAD_MIN_SEGMENT = 64, /* the longest head is 49 bytes */
    UT_PAYLOAD_MAX_HEAD = 56,
    UT_VARINT_MAX_NBYTES = 5,    /* values below 2^35 */
    UT_SHA256_NBYTES = 32
};
#define UT_MAX_SAMPLES ((uint64_t)UT_MAX_SECONDS * UT_SPEECH_HZ)

typedef enum ut_bandwidth { UT_BAND_NARROW = 0, UT_BAND_MEDIUM = 1, UT_BAND_WIDE = 2 } ut_bandwidth;

/* The head of a segment. */
typedef struct ut_payload_head {
    ut_codec codec;
    ut_bandwidth band;        /* Opus only, otherwise 0 */
    uint64_t total;           /* samples in the recording; raw: bytes */
    uint64_t next_packet;     /* Opus only: number of the first packet that starts in this segment or later */
    uint64_t next_offset;     /* Opus only: bytes of the packet before it that are still to come */
    uint64_t first_frame;     /* spectrum only: number of the segment's first frame */
    uint64_t nframes;         /* spectrum only: how many the segment holds */
    uint8_t quality;          /* spectrum only */
    const uint8_t *sha256;    /* of the whole; NULL in all segments but the first */
    size_t nbytes;            /* length of this head */
} ut_payload_head;

size_t ut_varint_put(uint8_t out[UT_VARINT_MAX_NBYTES], uint64_t v); /* LEB128; v below 2^35; returns its length */
size_t ut_varint_get(const uint8_t *p, size_t n, uint64_t *v);       /* 0: truncated, too long or not the shortest form */

/* Writes a stream of bytes, putting a head wherever a segment begins. */
typedef struct ut_payload_writer {
    ut_buf *out;
    size_t segment_nbytes;
    ut_payload_head head; /* codec, band, total: set by the codec */
    uint64_t item;        /* how many items were put */
} ut_payload_writer;
size_t ut_payload_make_head(uint8_t out[UT_PAYLOAD_MAX_HEAD], const ut_payload_head *h, bool first); /* its length */
size_t ut_payload_head_nbytes(const ut_payload_head *h, bool first);
UT_MUST_CHECK ut_status ut_payload_put_head(ut_payload_writer *w, ut_err *e); /* only for a payload without items */
/* One item (an Opus packet with its length, say): a head inside it tells how many of its bytes are still to come. */
UT_MUST_CHECK ut_status ut_payload_put(ut_payload_writer *w, const uint8_t *p, size_t n, ut_err *e);
/* Writes the SHA-256 into the first head, where ut_payload_put left zeros. */
void ut_payload_set_sha256(ut_buf *payload, const uint8_t sha256[UT_SHA256_NBYTES]);
UT_MUST_CHECK ut_status ut_payload_check_segment(size_t segment_nbytes, ut_err *e);
UT_MUST_CHECK ut_status ut_payload_check_audio(const ut_pcm *in, size_t segment_nbytes, ut_err *e);

/* A payload as it was received. */
typedef struct ut_payload_view {
    const uint8_t *data;
    size_t n, segment_nbytes, nsegments;
    const uint8_t *ok; /* [nsegments] or NULL */
    ut_payload_head head; /* codec, band and total, which all segments agree on; sha256 if the first is there */
    size_t nlost;
} ut_payload_view;
UT_MUST_CHECK ut_status ut_payload_view_init(ut_payload_view *v, const uint8_t *data, size_t n, size_t segment_nbytes,
                                             const uint8_t *ok, ut_err *e);
bool ut_payload_has(const ut_payload_view *v, size_t segment);

/* Reads a run of segments that are all there, heads left out. */
typedef struct ut_payload_cursor {
    const ut_payload_view *v;
    size_t segment;     /* the one being read */
    const uint8_t *at, *end;
    ut_payload_head head; /* of that segment */
} ut_payload_cursor;
void ut_payload_cursor_init(ut_payload_cursor *c, const ut_payload_view *v, size_t segment); /* which must be there */
size_t ut_payload_read(ut_payload_cursor *c, uint8_t *out, size_t n); /* fewer than n: the run is over; out may be NULL */

UT_MUST_CHECK ut_status ut_sha256_bytes(const uint8_t *p, size_t n, uint8_t out[UT_SHA256_NBYTES], ut_err *e);
UT_MUST_CHECK ut_status ut_sha256_pcm(const ut_pcm *pcm, uint8_t out[UT_SHA256_NBYTES], ut_err *e);

/* Memory for a recording of v->head.total samples, all zero; the caller has checked that number. */
UT_MUST_CHECK ut_status ut_pcm_alloc(ut_pcm *p, uint64_t nsamples, ut_err *e);

/* The codecs' decoders: fill out->pcm or out->raw and out->lost_s; UT_OK although segments were lost. */
UT_MUST_CHECK ut_status ut_payload_decode_opus(const ut_payload_view *v, ut_payload_out *out, ut_err *e);
UT_MUST_CHECK ut_status ut_payload_decode_spectrum(const ut_payload_view *v, ut_payload_out *out, ut_err *e);
UT_MUST_CHECK ut_status ut_payload_decode_flac(const ut_payload_view *v, ut_payload_out *out, ut_err *e);
UT_MUST_CHECK ut_status ut_payload_decode_raw(const ut_payload_view *v, ut_payload_out *out, ut_err *e);

/* Ends the encoding of audio: decodes what was written, as the receiver will, into *preview, hashes that, writes the
 * hash into the payload and fills *info. */
UT_MUST_CHECK ut_status ut_payload_finish(ut_buf *payload, size_t segment_nbytes, ut_pcm *preview,
                                          ut_payload_info *info, ut_err *e);
#endif
