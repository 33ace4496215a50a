/* Stage encode / decode: the recording as few bits, and back, bit for bit.
 *
 * Opus in SILK-only mode (16 kHz mono, 60 ms packets; RFC 6716), whose decoder is integer and the same everywhere;
 * `spectrum`, a codec of our own (MDCT, learned entropy model, integer decoder; spectrum.h); FLAC of the PCM; or any
 * bytes as they are.  The payload is laid out in segments of segment_nbytes so that each can
 * be decoded although others were lost (spec/format.md, section "Payload").  It carries the SHA-256 of what the
 * receiver gets: the PCM as little-endian 16-bit samples, or the raw bytes.
 */
#ifndef UT_STAGE_PAYLOAD_H
#define UT_STAGE_PAYLOAD_H
#include "base/buf.h"

#define UT_SPEECH_HZ 16000
#define UT_MAX_SECONDS (24 * 3600)

const char *ut_codec_name(ut_codec c); /* "opus"; never NULL */

typedef struct ut_pcm {
    int16_t *sample; /* [nsamples], mono, owned: free() */
    size_t nsamples;
    unsigned rate_hz;
} ut_pcm;
void ut_pcm_free(ut_pcm *p);

typedef struct ut_payload_info {
    ut_codec codec;
    double kbps;           /* payload bits per second of audio; 0 for raw */
    size_t nsamples;       /* 0 for raw */
    uint8_t sha256[32];
} ut_payload_info;

/* in: 16 kHz mono, at least 1 sample.  preview: what ut_payload_decode will give, from the very decoder it uses. */
UT_MUST_CHECK ut_status ut_payload_encode_opus(const ut_pcm *in, double kbps, size_t segment_nbytes, ut_buf *payload,
                                               ut_pcm *preview, ut_payload_info *info, ut_err *e);
UT_MUST_CHECK ut_status ut_payload_encode_spectrum(const ut_pcm *in, double kbps, size_t segment_nbytes, ut_buf *payload,
                                                   ut_pcm *preview, ut_payload_info *info, ut_err *e);
UT_MUST_CHECK ut_status ut_payload_encode_flac(const ut_pcm *in, size_t segment_nbytes, ut_buf *payload,
                                               ut_pcm *preview, ut_payload_info *info, ut_err *e);
UT_MUST_CHECK ut_status ut_payload_encode_raw(const uint8_t *data, size_t n, size_t segment_nbytes, ut_buf *payload,
                                              ut_payload_info *info, ut_err *e);

typedef struct ut_payload_out {
    ut_payload_info info;
    ut_pcm pcm;            /* audio codecs */
    ut_buf raw;            /* raw codec */
    bool exact;            /* the SHA-256 agrees: this is what the sender previewed */
    double lost_s;         /* audio that had to be replaced by silence */
} ut_payload_out;
void ut_payload_out_free(ut_payload_out *o);

/* payload is hostile: every length is checked.  segment_ok: [ceil(n/segment_nbytes)], NULL: all are there; lost
 * segments are decoded around, their time filled with silence (raw: zero bytes).
 * UT_OK: exact; UT_E_DAMAGED: something was decoded but is not exact; UT_E_INPUT: not a payload. */
UT_MUST_CHECK ut_status ut_payload_decode(const uint8_t *payload, size_t n, size_t segment_nbytes,
                                          const uint8_t *segment_ok, ut_payload_out *out, ut_err *e);
#endif
