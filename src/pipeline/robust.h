/* The sender of the robust form: how many frequencies, how wide the cells, how far to move, for channels that add noise. */
#ifndef UT_PIPELINE_ROBUST_H
#define UT_PIPELINE_ROBUST_H
#include "pipeline/sender.h"

typedef struct ut_robust_plan {
    unsigned nfreq;      /* frequencies that carry payload */
    unsigned width;      /* of a cell: ut_scs_width's step */
    float alpha;         /* share of the way that coefficients move */
    unsigned tier;       /* of the box's cells */
    double mse;          /* expected squared error per sample */
    double bits;         /* expected information of all payload carriers */
} ut_robust_plan;

/* What the planner knows. */
typedef struct ut_robust_case {
    size_t nblocks;
    bool dense, grey;
    unsigned nfreq;      /* plan for so many frequencies; 0: for whatever is best */
    double credit;       /* factor on what the model says that carriers bring, learnt */
    double moving;       /* share of blocks that are not left alone */
    double gain;         /* squared error that moves cost over what the model says, learnt where they are made in a latent; else 1 */
    const double *noise, *kept; /* [64] by frequency: rms in coefficient units of what carriers suffer that are not wiped out, and their share */
} ut_robust_case;

/* Of that picture (the sender's cover or a part of it), with what the sender has learnt. */
ut_robust_case ut_robust_case_of(const ut_sender *s, const ut_picture *p);

/* The plan that carries so many sealed bits, `factor` times the usual reserve allowed, at the least squared error; false: none does. */
bool ut_robust_plan_for(const ut_robust_case *c, double nbits, double factor, ut_robust_plan *p);
/* The plan that carries the most sealed bits at that squared error, and how many; 0 if there is not even room for the box. */
double ut_robust_plan_at(const ut_robust_case *c, double mse, ut_robust_plan *p);
/* Learns from a trial: mean[k][0..1]: of the cosine of frequency k's phases relative to the bits sent and of its double, in natural order.  A Gaussian
 * shrinks the second faster, carriers that were wiped out shrink both alike.  Frequencies the plan does not use are guessed from those below. */
void ut_robust_fit_noise(const ut_robust_plan *p, double mean[64][2], double noise[64], double kept[64]);
/* Squared error per sample that the model expects of the plan. */
double ut_robust_mse(const ut_robust_case *c, const ut_robust_plan *p);
/* What the model says that the plan's carriers bring. */
double ut_robust_expect(const ut_robust_case *c, const ut_robust_plan *p);
/* Sealed bits that codes make of that much information in the plan's carriers. */
double ut_robust_sealed(const ut_robust_case *c, const ut_robust_plan *p, double info);
/* The next larger (or smaller) number of frequencies that plans are made for; 0: there is none. */
unsigned ut_robust_next(unsigned nfreq, bool larger);
/* First guess: what the channels do to the photo as it is.  They do more to what is embedded where they leave nothing to be seen. */
void ut_robust_guess(ut_sender *s);

/* Trials of random bits at about that squared error teach the sender what the channels do; forecasts are rough before. */
UT_MUST_CHECK ut_status ut_robust_learn(ut_sender *s, double mse, ut_err *e);

/* ut_sender_run for robust senders. */
UT_MUST_CHECK ut_status ut_robust_run(ut_sender *s, ut_seal_fn seal, void *arg, ut_fec_kind kind, size_t max_nbits, ut_err *e);
#endif
