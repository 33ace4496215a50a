/* What a photo carries at other PSNRs than those that were tried. */
#ifndef UT_PIPELINE_TRADE_H
#define UT_PIPELINE_TRADE_H
#include "pipeline/job.h"

typedef struct ut_tried {
    double psnr_db;
    size_t nbytes; /* of payload, hidden at that PSNR and recovered */
} ut_tried;

/* A table by growing PSNR: what was measured (by growing PSNR, at most two), and about it the forecast, bent so that it agrees with that: the squared error
 * that it holds for unavoidable is corrected, then all is scaled.  Channels whose quantisers are not known get no forecast.  Bytes never grow with the PSNR. */
void ut_trade_fill(const ut_room *r, const ut_tried *tried, size_t ntried, ut_trade t[UT_TRADE_MAX], size_t *n);
/* Payload bytes expected at that PSNR, going by one measurement. */
double ut_trade_nbytes(const ut_room *r, const ut_tried *tried, double psnr_db);
#endif
