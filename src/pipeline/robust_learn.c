/* Learning what the channels do: trial embeddings of random bits in the photo or in pieces of it. */
#include "pipeline/robust_attempt.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { FIRST_NFREQ = 15, LEARN_ROUNDS = 4 };
#define LEAST_RATE .08 /* sealed bits a carrier to begin with */
#define NEAR .15      /* a trial is near the message if its squared error is, as a logarithm */

ut_robust_case ut_robust_case_of(const ut_sender *s, const ut_picture *p)
{
    bool fits;
    ut_grid g = ut_grid_of(p->width, p->height);
    return (ut_robust_case){ .nblocks = ut_grid_nblocks(g), .dense = ut_robust_dense(g, &fits), .grey = p->grey,
                             .noise = s->noise, .kept = s->kept, .moving = 1 - s->still, .credit = s->credit, .gain = s->gain };
}

/* Of a large photo, pieces from all over it, side by side, each at the same place on every codec's grid and in the synchronisation pattern; of
 * a very narrow one its middle. */
static ut_status sample(const ut_picture *p, ut_picture *part, ut_err *e)
{
    enum { PERIOD = 256, LARGE_NPIXELS = 8000000 };
    const uint32_t most = (size_t)p->width * p->height > LARGE_NPIXELS ? 15 : 24; /* squares of that side; fewer where trials take long */
    uint32_t w = p->width >= 6 * PERIOD ? 2 * PERIOD : PERIOD, h = PERIOD, nx = p->width / w, ny = p->height / h;
    if (nx > 3 && w > PERIOD) nx = 3;
    if (!nx || !ny) w = p->width < most * PERIOD ? p->width : most * PERIOD, h = p->height < most * PERIOD ? p->height : most * PERIOD, nx = ny = 1;
    else if (ny > most * PERIOD / (nx * w)) ny = most * PERIOD / (nx * w);
    ut_status st = ut_picture_alloc(part, w * nx, h * ny, false, e);
    if (st != UT_OK) return st;
    for (uint32_t y = 0; y < h * ny; y++)
        for (uint32_t i = 0; i < nx; i++) {
            uint32_t j = y / h, gap_x = p->width - w, gap_y = p->height - h;
            uint32_t from_x = (nx > 1 ? gap_x / (nx - 1) * i : gap_x / 2) / PERIOD * PERIOD;
            uint32_t from_y = (ny > 1 ? gap_y / (ny - 1) * j : gap_y / 2) / PERIOD * PERIOD + y % h;
            memcpy(part->rgb + ((size_t)y * w * nx + i * w) * 3, p->rgb + ((size_t)from_y * p->width + from_x) * 3, (size_t)w * 3);
        }
    part->grey = p->grey;
    return UT_OK;
}

/* The best trial so far. */
typedef struct lesson {
    double cost; /* squared error that the bits would take, or bits carried as a negative number */
    double still, noise[64], kept[64], credit, gain, cosine[UT_SCS_NCLASSES];
    unsigned nfreq;
} lesson;

static bool plan_for(const ut_robust_case *c, const ut_robust_aim *to, ut_robust_plan *p)
{
    if (to->bits > 0) return ut_robust_plan_for(c, to->bits, 1, p);
    return ut_robust_plan_at(c, to->mse, p) > 0;
}

/* One trial with so many frequencies (0: as the model likes).  cost: of what was measured; INFINITY: no such plan. */
static ut_status trial(ut_robust_attempt *a, const ut_robust_aim *to, unsigned nfreq, ut_picture *stego, const ut_seal_keys *k, double *cost, ut_err *e)
{
    ut_sender *s = a->s;
    ut_robust_case c = ut_robust_case_of(s, a->cover);
    ut_robust_aim less = *to;
    *cost = INFINITY;
    c.nfreq = nfreq;
    /* what no plan brings is tried at its utmost: the noise may be less than feared */
    while (!plan_for(&c, &less, &a->plan) && less.bits > 1) less.bits *= .8;
    if (!a->plan.nfreq) return UT_OK;
    ut_status st = ut_robust_embed(a, k, stego, e);
    if (st == UT_OK) st = ut_robust_ask(a, stego, e);
    if (st != UT_OK) return st;
    ut_robust_fit_noise(&a->plan, a->worst.mean, s->noise, s->kept);
    s->credit = 1;
    c = ut_robust_case_of(s, a->cover);
    s->credit = fmin(fmax(a->worst.info / fmax(ut_robust_expect(&c, &a->plan), 1), .3), 3);
    s->worst_ber = a->ber;
    double sealed = fmax(ut_robust_sealed(&c, &a->plan, a->worst.info), 1);
    if (s->inn) { /* it cost more or less than planned */
        double mse = ut_robust_mse(&c, &a->plan);
        if (to->bits <= 0) sealed *= to->mse / mse;
        a->plan.mse = mse;
    }
    *cost = to->bits > 0 ? a->plan.mse * pow(to->bits / sealed, .9) : -sealed;
    return UT_OK;
}

/* Keeps the trial if it is the best. */
static bool better(const ut_robust_attempt *a, double cost, lesson *l)
{
    const ut_sender *s = a->s;
    if (cost >= l->cost) return false;
    *l = (lesson){ .cost = cost, .still = s->still, .credit = s->credit, .gain = s->gain, .nfreq = a->plan.nfreq };
    memcpy(l->noise, s->noise, sizeof l->noise);
    memcpy(l->kept, s->kept, sizeof l->kept);
    memcpy(l->cosine, a->worst.cosine, sizeof l->cosine);
    return true;
}

static void recall(ut_sender *s, const lesson *l)
{
    s->still = l->still;
    s->credit = l->credit;
    s->gain = l->gain;
    memcpy(s->noise, l->noise, sizeof l->noise);
    memcpy(s->kept, l->kept, sizeof l->kept);
}

/* More frequencies, or fewer, as long as that helps. */
static ut_status climb(ut_robust_attempt *a, const ut_robust_aim *to, ut_picture *stego, const ut_seal_keys *k, lesson *l, ut_err *e)
{
    unsigned from = l->nfreq;
    for (int larger = 1; larger >= 0 && (larger || l->nfreq == from); larger--)
        for (unsigned n = ut_robust_next(from, larger); n; n = ut_robust_next(n, larger)) {
            double cost;
            recall(a->s, l);
            ut_status st = trial(a, to, n, stego, k, &cost, e);
            if (st != UT_OK) return st;
            if (!better(a, cost, l)) break;
        }
    return UT_OK;
}

/* At one squared error: how many frequencies, and how many of the quietest blocks to leave alone, where the channel would wipe out what they
 * carry.  From what l holds, if anything. */
static ut_status explore_at(ut_robust_attempt *a, double mse, ut_picture *stego, const ut_seal_keys *k, lesson *l, ut_err *e)
{
    const ut_robust_aim to = { 0, mse };
    double cost;
    l->cost = INFINITY;
    ut_status st = trial(a, &to, l->nfreq, stego, k, &cost, e);
    if (st != UT_OK || cost >= INFINITY) return st;
    better(a, cost, l);
    st = climb(a, &to, stego, k, l, e);
    for (double share = l->still + .2; share < .9 && st == UT_OK; share += .2) {
        recall(a->s, l);
        st = ut_robust_attempt_still(a, share, e);
        if (st == UT_OK) st = trial(a, &to, l->nfreq, stego, k, &cost, e);
        if (st != UT_OK || !better(a, cost, l)) break;
        st = climb(a, &to, stego, k, l, e);
    }
    recall(a->s, l);
    return st == UT_OK ? ut_robust_attempt_still(a, l->still, e) : st;
}

static ut_status explore(ut_robust_attempt *a, const ut_robust_aim *to, ut_picture *stego, const ut_seal_keys *k, ut_err *e)
{
    ut_sender *s = a->s;
    double mse = to->mse, cost;
    /* what was learnt for far more bits misleads */
    lesson l = { .nfreq = s->nfreq && s->nfreq < 2 * FIRST_NFREQ ? s->nfreq : FIRST_NFREQ };
    if (to->bits > 0) /* few bits in many carriers drown in the noise */
        for (unsigned n; (double)l.nfreq * (double)ut_grid_nblocks(a->layout.grid) * LEAST_RATE > to->bits && (n = ut_robust_next(l.nfreq, false));) l.nfreq = n;
    ut_status st = ut_robust_attempt_still(a, s->still, e);
    for (int round = 0; round < LEARN_ROUNDS && st == UT_OK && to->bits > 0; round++) { /* about what it will cost */
        st = trial(a, to, l.nfreq, stego, k, &cost, e);
        if (st != UT_OK || cost >= INFINITY) return st;
        mse = cost;
        if (fabs(log(cost / a->plan.mse)) < NEAR) break;
    }
    for (int round = 0; round < LEARN_ROUNDS && st == UT_OK; round++) {
        st = explore_at(a, mse, stego, k, &l, e);
        if (st != UT_OK || l.cost >= INFINITY || to->bits <= 0) break;
        double now = mse * pow(to->bits / -l.cost, .75);
        if (fabs(log(now / mse)) < NEAR) break;
        mse = now;
    }
    if (st == UT_OK) s->nfreq = l.nfreq, ut_robust_set_trust(s, l.cosine);
    return st;
}

/* Trial embeddings of random bits until the model knows the noise.  to: bits per block. */
ut_status ut_robust_learn_for(ut_sender *s, ut_robust_aim to, const ut_seal_keys *k, ut_err *e)
{
    ut_picture part = { 0 }, stego = { 0 };
    const ut_picture *cover = s->cover;
    ut_status st = UT_OK;
    if ((size_t)cover->width * cover->height > UT_ROBUST_THRIFTY_NPIXELS) {
        st = sample(cover, &part, e);
        cover = &part;
    }
    uint8_t *bits = ut_calloc(UT_ROBUST_NSLOTS, 1, e);
    if (st == UT_OK && !bits) st = UT_E_MEMORY;
    if (st == UT_OK) st = ut_picture_copy(&stego, cover, e);
    ut_stream *r = st == UT_OK ? ut_stream_new(k->dither, UT_DOMAIN_MASK, e) : NULL;
    if (st == UT_OK && !r) st = UT_E_MEMORY;
    if (r) ut_stream_bytes(r, bits, UT_ROBUST_NSLOTS);
    for (size_t i = 0; r && i < UT_ROBUST_NSLOTS; i++) bits[i] &= 1;
    ut_stream_free(r);
    ut_robust_attempt a = { .s = s, .cover = cover, .bits = bits, .box_bits = bits, .nbits = UT_ROBUST_NSLOTS - 3 };
    if (st == UT_OK) st = ut_robust_layout_init(&a.layout, cover->width, cover->height, &s->locator, e);
    if (st == UT_OK) st = ut_robust_box_nbits(&a.nbox, e);
    to.bits *= (double)ut_grid_nblocks(a.layout.grid);
    if (st == UT_OK) st = explore(&a, &to, &stego, k, e);
    free(a.still);
    ut_robust_layout_free(&a.layout);
    ut_picture_free(&part);
    ut_picture_free(&stego);
    free(bits);
    return st;
}

ut_status ut_robust_learn(ut_sender *s, double mse, ut_err *e)
{
    const ut_seal_keys *k;
    ut_status st = ut_sender_keys(s, &k, e);
    return st == UT_OK ? ut_robust_learn_for(s, (ut_robust_aim){ 0, mse }, k, e) : st;
}
