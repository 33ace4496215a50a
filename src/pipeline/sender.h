/* The sender's loop: embed, run the real channels, widen where bits failed, decode as the receiver will. */
#ifndef UT_PIPELINE_SENDER_H
#define UT_PIPELINE_SENDER_H
#include "pipeline/message.h"
#include "pipeline/route.h"
#include "stage/hide/embed.h"
#include "stage/hide/guide.h"
#include "stage/hide/inn.h"
#include "stage/hide/sync.h"

enum { UT_FOLD_NBLOCKS = 1000 }; /* a smaller photo has no room for a folded header */

typedef struct ut_sender {
    /* borrowed */
    const ut_picture *cover;
    const ut_route *route;
    const ut_design *design;
    ut_keyring *ring;
    const ut_sync *sync;    /* NULL where no channel changes the picture's geometry */
    bool jpeg_out;
    unsigned nthreads;
    ut_progress_fn progress;
    void *user;
    /* own */
    uint8_t salt[UT_SALT_NBYTES];
    unsigned quiet;         /* salt and header as ut_layout_quiet says, so many carriers a bit; then tier and place[1] are not used.  0: they are */
    unsigned tier;
    ut_layout layout;
    ut_embedding emb;
    ut_place place[2];
    unsigned nfreq_built;   /* place[0] covers so many frequencies */
    unsigned height;        /* of the syndrome-trellis code; 0: none */
    ut_header header;
    ut_fec_plan plan;
    ut_buf salt_bits, header_bits, table_bits, code_bits; /* as they stand in the picture */
    ut_buf parity;          /* the payload carriers' parities that say code_bits */
    ut_picture stego;
    struct ut_forecast *model; /* owned: the last ut_sender_forecast */
    double worst_ber;       /* of the payload's raw bits, over all variants */
    double worst_capacity;  /* information per raw bit that the LLRs of the worst variant bring, 0..1 */
    size_t salt_errors;
    bool robust;            /* the robust form (robust.h): none of layout, place, parity is used */
    unsigned nfreq;         /* robust: frequencies that carry payload, learnt; 0: not yet */
    uint8_t trust[UT_SCS_NCLASSES]; /* robust: as the header will say, learnt */
    const ut_inn *inn;      /* robust: borrowed; NULL: carriers lie in the coefficients themselves */
    double gain;            /* robust: see ut_robust_case, learnt */
    double credit;          /* robust: what carriers bring over what the model says, learnt */
    double still;           /* robust: share of blocks that are left alone */
    double noise[64], kept[64]; /* robust: rms by frequency, coefficient units, and share of carriers not wiped out; guessed, then learnt from trials */
    ut_seal_keys locator;   /* robust, or quiet */
} ut_sender;

/* cover at its final size. Draws the salt. */
UT_MUST_CHECK ut_status ut_sender_init(ut_sender *s, const ut_picture *cover, const ut_route *route,
                                       const ut_design *design, ut_keyring *ring, bool jpeg_out,
                                       const ut_hide_options *opt, ut_err *e);
void ut_sender_free(ut_sender *s);
/* Prices moves by this guide from now on; for senders with a syndrome code, before the forecast. */
UT_MUST_CHECK ut_status ut_sender_guide(ut_sender *s, const ut_guide *g, ut_err *e);

/* The message's keys; sealing needs them. */
UT_MUST_CHECK ut_status ut_sender_keys(ut_sender *s, const ut_seal_keys **k, ut_err *e);

/* Embeds sealed bytes with the least redundancy that survives: every variant must decode even with
 * UT_MARGIN of all raw bits turned over at random on top of the channel's own errors.  kind: AUTO or one family.
 * max_nbits: raw bits that the visibility limit allows.  On success s->stego is ready and was recovered everywhere.
 * UT_E_CAPACITY: it does not fit.  A new salt may be drawn (message then sealed anew through `seal`). */
#define UT_MARGIN_LEAST 0.005 /* share of raw bits flipped in the rehearsal: at least this, */
#define UT_MARGIN_SHARE 0.25  /* and at least this share of the measured raw bit error rate */
#define UT_MARGIN_ROBUST 0.15  /* robust form: share of the carriers' error rate instead, */
#define UT_MARGIN_ROBUST_MOST .02 /* at most this: a third of a decibel where most bits are doubtful */
#define UT_MARGIN_CARRIERS 5e-5 /* with a syndrome code: share of carriers flipped, each of which is several raw bits */
/* Share of carriers to flip where so many raw bits came wrong by themselves. */
double ut_sender_margin(const ut_sender *s, double ber);
/* With a syndrome code: raw bits that one wrong carrier turns over; carriers to a raw bit for so many bits, in 1/UT_REACH_UNIT;
 * the same nearly for such a message. */
double ut_sender_ntaken(const ut_sender *s); /* carriers that salt and header take, about */
double ut_sender_spread(const ut_sender *s);
unsigned ut_sender_reach(const ut_sender *s, size_t nbits);
double ut_sender_carriers_per_bit(const ut_sender *s, size_t sealed_nbytes);
typedef ut_status (*ut_seal_fn)(void *arg, const ut_seal_keys *k, ut_buf *sealed, ut_err *e);
UT_MUST_CHECK ut_status ut_sender_run(ut_sender *s, ut_seal_fn seal, void *arg, ut_fec_kind kind, size_t max_nbits,
                                      ut_err *e);
/* The stego picture as a file brings it to others: the same pixels, or what JPEG makes of them. */
typedef struct ut_as_sent {
    ut_picture decoded;
    ut_jpeg_coefs jpeg;
    const ut_picture *picture;
} ut_as_sent;
UT_MUST_CHECK ut_status ut_sender_send(const ut_sender *s, const ut_picture *stego, ut_as_sent *a, ut_err *e);
void ut_as_sent_free(ut_as_sent *a);
/* What the receiver sees of it after one variant.  r keeps what the view borrows. */
UT_MUST_CHECK ut_status ut_sender_arrive(const ut_sender *s, const ut_as_sent *sent, size_t variant, ut_received *r, ut_view *v,
                                         ut_err *e);

static inline int ut_sender_tick(const ut_sender *s, const char *step, double done)
{
    return s->progress && s->progress(s->user, step, done);
}

/* Steps of ut_sender_run. */
UT_MUST_CHECK ut_status ut_sender_choose(ut_sender *s, ut_err *e); /* code bits -> s->parity; folds header and table */
UT_MUST_CHECK ut_status ut_sender_embed(ut_sender *s, const ut_buf *sealed, ut_fec_kind kind, unsigned rate, ut_err *e); /* UT_E_DAMAGED: ut_sender_stands says so */
/* With a syndrome code, before anything is embedded: would s->code_bits, which say `sealed`, stand the rehearsal's errors where the
 * channel adds none?  UT_OK or UT_E_DAMAGED: it takes more redundancy. */
UT_MUST_CHECK ut_status ut_sender_stands(const ut_sender *s, const ut_buf *sealed, ut_err *e);
UT_MUST_CHECK ut_status ut_sender_verify(ut_sender *s, const ut_buf *sealed, ut_err *e);

/* Salt and header on a lattice of their own instead of in the payload's cells; then the next coarser; UT_E_CAPACITY if there is none. */
UT_MUST_CHECK ut_status ut_sender_coarser(ut_sender *s, ut_err *e);
/* Safe intervals for the payload's first nfreq frequencies. */
UT_MUST_CHECK ut_status ut_sender_build_places(ut_sender *s, unsigned nfreq, ut_err *e);

/* Mean squared error per sample that n raw bits would cost, by a model on a sample of the photo's blocks. */
#define UT_PREAMBLE_NBITS 1500
#define UT_SYNDROME_LOSS .06   /* of an ideal coder's rate */
#define UT_COST_CLASSES 256
typedef struct ut_forecast {
    unsigned height;  /* of the syndrome-trellis code; 0: carriers are used one frequency after another */
    bool robust;      /* the robust form: what its planner needs to know (robust.h) is here, and nothing else */
    bool dense, grey;
    double credit, moving, gain, noise[64], kept[64];
    double cost[63];  /* squared error in a block per frequency of `order`, all its carriers used */
    double fixed;     /* rounding and preamble, per sample */
    double preamble;  /* without rounding */
    double taken;     /* carriers that the preamble takes */
    size_t per_freq;  /* carriers per frequency */
    double share;     /* squared error per sample for one per coefficient of every block's: blocks per pixel, and how colours move */
    double stay;      /* squared move of a carrier that keeps to its cheaper parity, mean over all 63 where few of them are used */
    double stays[63]; /* the same by frequency of `order`, of a carrier that is used */
    float dearer[63][UT_COST_CLASSES]; /* share of carriers by what the dearer parity costs more, weighted as the guide says */
    bool guided;
    float moves[63][UT_COST_CLASSES];  /* with a guide: the squared moves that those shares cost more, which is what PSNR counts */
} ut_forecast;
UT_MUST_CHECK ut_status ut_sender_forecast(ut_sender *s, ut_forecast *f, ut_err *e);
size_t ut_forecast_nbits(const ut_forecast *f, double psnr_db); /* raw bits that fit at that PSNR */
double ut_forecast_psnr(const ut_forecast *f, size_t nbits);
/* A forecast of what the lattice allows at all: no preamble, margins or redundancy, nor pixels of 8 bit, nor a guide; for the two next below. */
UT_MUST_CHECK ut_status ut_sender_forecast_ideal(const ut_sender *s, ut_forecast *f, ut_err *e);
/* What an ideal coder would carry at that PSNR, the PSNR and the lambda at which it carries nbits. */
double ut_forecast_ideal_psnr(const ut_forecast *f, double nbits);
double ut_forecast_ideal_nbits(const ut_forecast *f, double psnr_db);
double ut_forecast_lambda(const ut_forecast *f, double nbits, unsigned nfreq); /* in the first nfreq frequencies */
unsigned ut_forecast_count(const ut_forecast *f, double nbits); /* of the frequencies that carry nbits at the least error */
#endif
