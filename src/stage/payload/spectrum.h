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
    UT_SPECTRUM_FRAMES_PER_BYTE = 6, /* a segment holds no more frames than this times its bytes: bounds a decoder's work */
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

/* Prediction from the voice's pitch: spectrum_pitch.c. */
enum {
    UT_SPECTRUM_LONGEST = 400,                      /* period in samples: 40 Hz */
    UT_SPECTRUM_PAST = UT_SPECTRUM_LONGEST + 1 + 320,
    UT_SPECTRUM_PREDICTED = 80,                     /* coefficients: below 4 kHz */
    UT_SPECTRUM_WARP = 12                           /* the period changes by up to 6 % */
};
typedef struct ut_spectrum_pitch {
    int16_t past[UT_SPECTRUM_PAST];                 /* the samples decoded last */
    int32_t x[UT_SPECTRUM_HOP];                     /* the current frame as predicted, Q4 */
    int32_t error[2][UT_SPECTRUM_HOP];              /* |decoded - predicted|: of the current frame, of the one before */
    int32_t period;                                 /* in eighths of a sample; 0: none */
    int32_t trust;                                  /* squared normalised correlation of the last 20 ms, 0..256 */
} ut_spectrum_pitch;
void ut_spectrum_find_period(ut_spectrum_pitch *p); /* fills period and trust from the past */
void ut_spectrum_predict(ut_spectrum_pitch *p, int32_t warp); /* fills x; the period has changed by warp times 0.5 % */
void ut_spectrum_remember(ut_spectrum_pitch *p, const int16_t out[UT_SPECTRUM_HOP]);

/* What a decoder remembers within a segment. */
typedef struct ut_spectrum_state {
    ut_spectrum_pitch pitch;
    int64_t overlap[UT_SPECTRUM_HOP]; /* the second half of the frame before, Q22 */
    uint64_t number;                  /* of the next frame */
    ut_spectrum_frame frame[3];       /* 0: the current one, 1 and 2: those before */
    int32_t bias[UT_COEF_OUT][UT_SPECTRUM_BANDS], level_bias[UT_LEVEL_OUT]; /* learned while coding: Q16 logits */
    uint16_t p[UT_COUNTED];           /* counted probabilities */
    int32_t gain, gain_move, warp;    /* of the frame before */
    uint8_t level[UT_SPECTRUM_BANDS]; /* the last one sent for each band */
    uint32_t repeats;                 /* history of the repeat flag */
    uint32_t quality;                 /* of the segment, 0..255 */
} ut_spectrum_state;
void ut_spectrum_state_init(ut_spectrum_state *s, uint32_t quality, uint64_t number);

/* A frame's contents. */
typedef struct ut_spectrum_code {
    int32_t gain;                      /* 0..UT_SPECTRUM_GAINS-1 */
    int32_t warp;                      /* -UT_SPECTRUM_WARP..UT_SPECTRUM_WARP */
    int32_t q[UT_SPECTRUM_HOP];
    uint8_t level[UT_SPECTRUM_BANDS];  /* UT_SPECTRUM_NO_LEVEL where none is sent */
    int16_t odds[UT_SPECTRUM_HOP];     /* how likely the model held a coefficient that is not 0: Q8, natural log odds */
    int32_t step[UT_SPECTRUM_HOP];     /* Q4, follows from quality and gain */
    int32_t x[UT_SPECTRUM_HOP];        /* what it all means: coefficients, Q4, noise included */
} ut_spectrum_code;

/* Encoders may decide while the model runs, knowing what bits cost: any of these may be NULL, in which case the
 * frame's contents stand already. */
typedef struct ut_spectrum_chooser {
    int32_t (*warp)(void *user, const ut_spectrum_state *s, const ut_spectrum_code *f);
    int32_t (*q)(void *user, const ut_spectrum_code *f, int k, const int32_t logit[UT_COEF_OUT]);
    bool (*repeat)(void *user, const ut_spectrum_state *s, const ut_spectrum_code *f); /* the noise levels: none is sent */
    int (*level)(void *user, const ut_spectrum_code *f, int band, const int32_t logit[UT_LEVEL_OUT]);
    void (*seen)(void *seen_user, int net, const int16_t *feature, int nfeatures, int value); /* to train: every
        decision; net 0: coefficients, 1: levels, 2: counted bits (nfeatures tells which) */
    void *user, *seen_user;
} ut_spectrum_chooser;

/* Reads or writes one frame, and learns from it.  out: the samples that it completes; those of a segment's first frame
 * lack the frame before, which the segment does not know. */
void ut_spectrum_code_frame(ut_spectrum_state *s, ut_range *r, ut_spectrum_code *f, const ut_spectrum_chooser *c,
                            int16_t out[UT_SPECTRUM_HOP]);
/* Fills x.  number: the frame's place in the recording, which the noise depends on. */
void ut_spectrum_dequantise(ut_spectrum_code *f, uint64_t number);
bool ut_spectrum_has_level(const ut_spectrum_code *f, int band);                /* no coefficient in that band */
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
    double hold;          /* noise levels stay while they are right within so many factors of two */
    double level_lambda;  /* squared factors of two that a bit is worth */
    double warp_bits;     /* what a change of period is held to cost */
    double smooth;        /* how much of the frames beside it a frame's noise takes in */
    double gain_hold;     /* so does the gain, in its own units */
    double gain_pull;     /* gain moves for a doubling of what is heard, each time the encoder listens */
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
/* Compares what the last full pass of segments would sound like with the original, and moves the gains for the next pass. */
void ut_spectrum_encoder_listen(ut_spectrum_encoder *e);
/* For training: `seen` gets every decision. */
void ut_spectrum_encoder_watch(ut_spectrum_encoder *e, void (*seen)(void *, int, const int16_t *, int, int), void *user);
#endif
