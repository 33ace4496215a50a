/* Orthonormal 8x8 DCT-II and its inverse (ITU-T T.81, A.3.3, with C(u)C(v)/4 as there), single precision.
 * Row by row: coefficient [8*v + u], u the horizontal frequency.  repro: about 1e-4 between instruction sets. */
#ifndef UT_KERN_DCT8_H
#define UT_KERN_DCT8_H

typedef struct ut_dct8 {
    void (*forward)(const float in[64], float out[64]); /* in and out may be the same */
    void (*inverse)(const float in[64], float out[64]);
    const char *name;
} ut_dct8;

const ut_dct8 *ut_dct8_get(void);   /* the fastest that this processor runs */
const ut_dct8 *ut_dct8_plain(void); /* the reference, for tests */
#endif
