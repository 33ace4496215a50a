/* One embedding of the robust form and what the channels make of it: what learning and sending have in common. */
#ifndef UT_PIPELINE_ROBUST_ATTEMPT_H
#define UT_PIPELINE_ROBUST_ATTEMPT_H
#include "pipeline/robust.h"
#include <pthread.h>

#define UT_ROBUST_THRIFTY_NPIXELS 1500000 /* in larger photos trials are made of a part, and not all that could be tried is */

/* What a variant did to the payload's phases. */
typedef struct ut_robust_outcome {
    double info, ber;
    double mean[64][2];             /* see ut_robust_fit_noise */
    double cosine[UT_SCS_NCLASSES]; /* mean of the angle's between phase and bit sent, by liveliness */
} ut_robust_outcome;

/* One embedding at work: of the whole photo, or of a part of it to learn from. */
typedef struct ut_robust_attempt {
    ut_sender *s;
    const ut_picture *cover;
    ut_robust_plan plan;
    ut_robust_layout layout;
    uint8_t *still;                 /* [nblocks], owned */
    const uint8_t *bits, *box_bits; /* borrowed */
    size_t nbits, nbox;
    /* what the variants made of it */
    pthread_mutex_t lock;
    const ut_as_sent *sent;
    double ber;                     /* of the worst variant */
    ut_robust_outcome worst;        /* of that variant */
    bool harmless[UT_ROUTE_MAX_VARIANTS];
    double info[UT_ROUTE_MAX_VARIANTS]; /* of each, when last asked; 0: never */
    ut_status status;
    ut_err err;
} ut_robust_attempt;

/* Embeds bits and box_bits by a->plan into stego (a copy of a->cover).  Fills a->layout.payload. */
UT_MUST_CHECK ut_status ut_robust_embed(ut_robust_attempt *a, const ut_seal_keys *k, ut_picture *stego, ut_err *e);
/* Sends it through every variant that still matters: a->ber, a->worst. */
UT_MUST_CHECK ut_status ut_robust_ask(ut_robust_attempt *a, const ut_picture *stego, ut_err *e);
/* So large a share of the quietest blocks is left alone from now on; the sender remembers. */
UT_MUST_CHECK ut_status ut_robust_attempt_still(ut_robust_attempt *a, double share, ut_err *e);
/* The header's trust by what came out of the worst variant. */
void ut_robust_set_trust(ut_sender *s, const double cosine[UT_SCS_NCLASSES]);

/* What trials of random bits are to find out: how to carry so many sealed bits a block, or, where bits is 0, how many go at that squared error. */
typedef struct ut_robust_aim {
    double bits, mse;
} ut_robust_aim;
UT_MUST_CHECK ut_status ut_robust_learn_for(ut_sender *s, ut_robust_aim to, const ut_seal_keys *k, ut_err *e);
#endif
