/* Constants of the codec `spectrum`, which are part of the format: trained networks, curves, bands.
 * spectrum_tables.c and spectrum_nets.c are generated; they are the normative copy. */
#ifndef UT_STAGE_PAYLOAD_SPECTRUM_TABLES_H
#define UT_STAGE_PAYLOAD_SPECTRUM_TABLES_H
#include <stdint.h>

enum {
    UT_SPECTRUM_BANDS = 20,
    UT_COEF_IN = 32,                     /* contexts of a coefficient */
    UT_MAGNITUDES = 8,                   /* bit j: |q| > j; the last for all above */
    UT_COEF_OUT = UT_MAGNITUDES + 2,     /* then: the sign is that predicted, where |q| is 1, and where it is more */
    UT_LEVEL_IN = 24, UT_LEVEL_OUT = 12, /* bit j: level > j */
    UT_NET_HIDDEN1 = 48, UT_NET_HIDDEN2 = 24,
    /* decisions without a network, each with a probability that is counted as it goes */
    UT_GAIN_MOVES = 0,                   /* 3 classes of the move before, 24 decisions each */
    UT_WARP_MOVES = UT_GAIN_MOVES + 72,  /* 4 classes of trust, 16 each */
    UT_LEVEL_REPEATS = UT_WARP_MOVES + 64, /* 4 histories */
    UT_COUNTED = UT_LEVEL_REPEATS + 4
};

/* Weights Q12, inputs and activations Q8, biases Q20.  For every unit 8191 * sum |w| + |bias| < 2^31. */
typedef struct ut_net {
    int nin, nout;
    const int16_t *w1, *w2, *w3; /* [HIDDEN1][nin], [HIDDEN2][HIDDEN1], [nout][HIDDEN2] */
    const int32_t *b1, *b2, *b3;
} ut_net;
extern const ut_net ut_coef_net, ut_level_net;

extern const uint16_t ut_spectrum_prior[UT_COUNTED]; /* probabilities to begin with */

extern const uint8_t ut_spectrum_band_start[UT_SPECTRUM_BANDS + 1];
extern const int16_t ut_spectrum_curve[160];        /* log2 of the step over frequency, Q8 */
extern const int16_t ut_spectrum_place[160][3];     /* where a coefficient lies, as network inputs */
extern const int32_t ut_spectrum_cos[1280];         /* cos(pi i / 640), Q24 */
extern const int16_t ut_spectrum_window[160];       /* sqrt(2 / 160) sin(pi (2 i + 1) / 640), Q18 */
extern const uint16_t ut_spectrum_sigmoid[193];     /* 65536 / (1 + exp(-i / 16)) */
extern const uint16_t ut_spectrum_log[257];         /* 256 log2(1 + i / 256) */
extern const uint32_t ut_spectrum_exp[256];         /* 2^(i / 256), Q16 */
#endif
