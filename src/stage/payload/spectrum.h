/* Inside the codec `spectrum`: a quantised MDCT spectrum behind a range coder whose probabilities come from small
 * integer networks.  The format is normative: spec/payload.md, section "Spectrum".
 *
 * Time:  hop of 160 samples (10 ms), sine window of 320.  Frame t covers samples 160 (t - 1) to 160 (t + 1).
 * Units: coefficients of the orthonormal MDCT of 16-bit samples, as integers in Q4 (16 = one); |x| <= 2^24.
 * Exactness: all that the decoder does is integer arithmetic on values whose bounds are stated, without shifts of
 * negative numbers.  The encoder may do as it likes; it runs the same model to know what bits cost.
 */
#ifndef UT_STAGE_PAYLOAD_SPECTRUM_H
#define UT_STAGE_PAYLOAD_SPECTRUM_H
#include "base/buf.h"
#include "stage/payload/spectrum_net.h"

enum {
    UT_SPECTRUM_HOP = 160,
    UT_SPECTRUM_MAX_AMP = 1 << 24,
    UT_SPECTRUM_MAX_Q = 1 << 14,
    UT_SPECTRUM_GAINS = 32,  /* step classes of a frame, 1.5 dB apart */
    UT_SPECTRUM_LEVELS = 13, /* noise levels of a band, 6 dB apart; 0 is silence */
    UT_SPECTRUM_NO_LEVEL = UT_SPECTRUM_LEVELS /* the band has coefficients: none is sent */
};

/* Binary range coder, 32 bits, probabilities of 16.  Decoding reads zeros behind the end. */
typedef struct ut_range {
    uint32_t low, high, code;
    const uint8_t *at, *end; /* decoding */
    ut_buf *out;             /* encoding; NULL: only count */
    double nbits;            /* encoding: what the bits cost so far, for the encoder's decisions */
    bool decode, failed;     /* failed: encoding ran out of memory */
} ut_range;
void ut_range_encode_init(ut_range *r, ut_buf *out);
void ut_range_decode_init(ut_range *r, const uint8_t *p, size_t n);
/* p1: probability that the bit is 1, of 65536, in 1..65535.  Decoding ignores `bit` and returns what was read. */
int ut_range_bit(ut_range *r, int bit, uint32_t p1);
size_t ut_range_flush_nbytes(const ut_range *r); /* what ut_range_flush would write: 0 to 4 */
void ut_range_flush(ut_range *r);

/* One frame as contexts see it; padded so that neighbours need no checks. */
enum { UT_SPECTRUM_PAD = 16 };
typedef struct ut_spectrum_frame {
    int32_t amp[UT_SPECTRUM_HOP + 2 * UT_SPECTRUM_PAD];     /* |x| as decoded, Q4, noise included */
    uint32_t sum[UT_SPECTRUM_HOP + 2 * UT_SPECTRUM_PAD + 1]; /* sum[i] = amp[0] + ... + amp[i - 1] */
    int32_t level[UT_SPECTRUM_BANDS];                       /* 256 log2 of the band's mean amplitude + 1 */
} ut_spectrum_frame;

/* What a decoder remembers within a segment. */
typedef struct ut_spectrum_state {
    ut_spectrum_frame frame[3];       /* 0: the current one, 1 and 2: those before */
    int32_t bias[UT_COEF_OUT][UT_SPECTRUM_BANDS], level_bias[UT_LEVEL_OUT]; /* learned while coding: Q16 logits */
    uint16_t gain_p[3][24], repeat_p[4]; /* adaptive probabilities */
    int32_t gain, gain_move;          /* of the frame before */
    uint8_t level[UT_SPECTRUM_BANDS]; /* the last one sent for each band */
    uint32_t repeats;                 /* history of the repeat flag */
    uint32_t quality;                 /* of the segment, 0..255 */
} ut_spectrum_state;
void ut_spectrum_state_init(ut_spectrum_state *s, uint32_t quality);

/* A frame's contents. */
typedef struct ut_spectrum_code {
    int32_t gain;                      /* 0..UT_SPECTRUM_GAINS-1 */
    int32_t q[UT_SPECTRUM_HOP];
    uint8_t level[UT_SPECTRUM_BANDS];  /* UT_SPECTRUM_NO_LEVEL where none is sent */
    int32_t step[UT_SPECTRUM_HOP];     /* Q4, follows from quality and gain */
} ut_spectrum_code;

/* Encoders may decide while the model runs, knowing what bits cost: any of these may be NULL, in which case the
 * frame's contents stand already. */
typedef struct ut_spectrum_chooser {
    int32_t (*q)(void *user, const ut_spectrum_code *f, int k, const int32_t logit[UT_COEF_OUT]);
    void (*levels)(void *user, const ut_spectrum_state *s, ut_spectrum_code *f); /* fills level, all bands */
    void (*seen)(void *seen_user, int net, const int16_t *feature, int nfeatures, int value); /* to train: every decision */
    void *user, *seen_user;
} ut_spectrum_chooser;

/* Reads or writes one frame, and learns from it. */
void ut_spectrum_code_frame(ut_spectrum_state *s, ut_range *r, ut_spectrum_code *f, const ut_spectrum_chooser *c);
/* The coefficients that a frame means, Q4, noise included.  number: the frame's place in the recording. */
void ut_spectrum_dequantise(const ut_spectrum_code *f, uint64_t number, int32_t x[UT_SPECTRUM_HOP]);
int32_t ut_spectrum_noise(const ut_spectrum_code *f, int band, int k); /* amplitude of a zero, Q4 */
int32_t ut_spectrum_step(uint32_t quality, int32_t gain, int k); /* Q4, 1 to 2^20 */

/* Inverse MDCT: `overlap` holds the second half of the frame before and gets this one's, Q22. */
void ut_spectrum_inverse(const int32_t x[UT_SPECTRUM_HOP], int64_t overlap[UT_SPECTRUM_HOP], int16_t out[UT_SPECTRUM_HOP]);

/* ---- the sender's side: spectrum_encode.c ---- */

/* What the encoder decides by; the format does not know these. */
typedef struct ut_spectrum_tuning {
    double loudness;      /* the step follows the frame's power to this exponent */
    double lambda;        /* steps^2 that a bit is worth */
    double noise;         /* noise is this much of what was there */
    double hold;          /* a noise level stays while it is right within so many factors of two */
    double gain_hold;     /* so does the gain, in its own units */
} ut_spectrum_tuning;
extern const ut_spectrum_tuning ut_spectrum_default_tuning;

typedef struct ut_spectrum_encoder ut_spectrum_encoder;
/* Analyses a recording; NULL: out of memory.  sample is borrowed. */
ut_spectrum_encoder *ut_spectrum_encoder_new(const int16_t *sample, size_t nsamples, const ut_spectrum_tuning *t);
void ut_spectrum_encoder_free(ut_spectrum_encoder *e);
size_t ut_spectrum_nframes(uint64_t nsamples);
/* Codes frames from `first` on, until the bytes are full or the recording ends; returns how many frames. */
size_t ut_spectrum_encode_segment(ut_spectrum_encoder *e, uint32_t quality, size_t first, size_t most_frames,
                                  size_t most_nbytes, ut_buf *out);
/* For training: `seen` gets every decision. */
void ut_spectrum_encoder_watch(ut_spectrum_encoder *e, void (*seen)(void *, int, const int16_t *, int, int), void *user);
#endif
