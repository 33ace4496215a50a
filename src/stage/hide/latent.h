/* Dithered carriers (scs.h) in the latent of an invertible network (inn.h) instead of in the coefficients themselves: the sender's and the receiver's side. */
#ifndef UT_STAGE_HIDE_LATENT_H
#define UT_STAGE_HIDE_LATENT_H
#include "stage/hide/embed.h"
#include "stage/hide/inn.h"

/* In place of ut_embedding_settle, for an embedding whose carriers are marked (ut_embedding_aim): kind 1 is settled in the coefficients, as there; then the
 * payload's carriers move in the latent, and what its inverse makes of them are the aims of all of them.  In still blocks (NULL: none) nothing is moved in the
 * latent.  moved: by how much the payload's coefficients are to move, sum of squares. */
UT_MUST_CHECK ut_status ut_latent_settle(ut_embedding *m, const ut_inn *inn, const ut_scs_carriers *payload, const float width[2], const float alpha[2],
                                         const uint8_t *still, double *moved, unsigned nthreads, ut_err *e);

/* In place of ut_scs_read: phases in the latent, and the trust network's classes as liveliness.  What is missing counts as zero. */
UT_MUST_CHECK ut_status ut_latent_read(const ut_view *v, const ut_inn *inn, const ut_scs_carriers *c, float width, ut_scs_reading *r, unsigned nthreads, ut_err *e);
#endif
