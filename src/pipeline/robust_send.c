/* Sending in the robust form: plan, try, learn how much the channel really blurs, plan again, verify. */
#include "pipeline/robust.h"
#include "base/parallel.h"
#include "media/image.h"
#include "stage/hide/latent.h"
#include <math.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum { ASK_AGAIN = 4, CORRECTIONS = 3, FIRST_NFREQ = 15, LEARN_ROUNDS = 4, TRIES = 10, THRIFTY_NPIXELS = 1500000, THRIFTY_TRIES = 4 };
#define FAINT 1.      /* squared error that may well grow by large steps */
#define LEAST_RATE .08 /* sealed bits a carrier to begin with */
#define ENOUGH .02    /* information may fall short of the plan by so much */
#define FEW_BITS 1.   /* sealed bits a block that move hardly anything */
#define NEAR .15      /* a trial is near the message if its squared error is, as a logarithm */
#define BOX_ALPHA .7f
#define DEARER 1.035
#define UNSENT 1.1
#define CHEAPER .967

/* What a variant did to the payload's phases. */
typedef struct outcome {
    double info, ber;
    double mean[64][2];             /* see ut_robust_fit_noise */
    double cosine[UT_SCS_NCLASSES]; /* mean of the angle's between phase and bit sent, by liveliness */
} outcome;

/* One embedding at work: of the whole photo, or of a part of it to learn from. */
typedef struct attempt {
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
    outcome worst;                  /* of that variant */
    bool harmless[UT_ROUTE_MAX_VARIANTS];
    double info[UT_ROUTE_MAX_VARIANTS]; /* of each, when last asked; 0: never */
    ut_status status;
    ut_err err;
} attempt;

#define PI 3.14159265358979323846

/* From counts of phases relative to the bits sent. */
static void summarise(size_t count[64][UT_SCS_PHASES], outcome *o)
{
    double wrong = 0, all = 0;
    o->info = 0;
    for (unsigned k = 1; k < 64; k++) {
        double n = 0, sum[2] = { 0 };
        for (unsigned p = 0; p < UT_SCS_PHASES; p++) {
            double angle = 2 * PI * (p + .5) / UT_SCS_PHASES, m = (double)count[k][p];
            n += m;
            sum[0] += m * cos(angle);
            sum[1] += m * cos(2 * angle);
            if (p >= UT_SCS_PHASES / 4 && p < UT_SCS_PHASES * 3 / 4) wrong += m;
        }
        for (int i = 0; i < 2; i++) o->mean[k][i] = n > 0 ? sum[i] / n : 0;
        o->info += n * ut_scs_measured(count[k]);
        all += n;
    }
    o->ber = all > 0 ? wrong / all : .5;
}

/* Information as a receiver gets it who tells carriers apart by frequency and class alone: in the latent, what lies still counts, for no class need say so. */
typedef size_t by_class[UT_SCS_NCLASSES][UT_SCS_PHASES];
static double classed_information(by_class *count)
{
    double info = 0;
    for (unsigned k = 1; k < 64; k++)
        for (unsigned q = 0; q < UT_SCS_NCLASSES; q++) {
            double n = 0;
            for (unsigned p = 0; p < UT_SCS_PHASES; p++) n += (double)count[k][q][p];
            info += n * ut_scs_measured(count[k][q]);
        }
    return info;
}

/* What one variant makes of the payload's carriers. */
static ut_status probe(attempt *a, size_t variant, outcome *o, ut_err *e)
{
    ut_received r;
    ut_view v;
    const ut_scs_carriers *c = &a->layout.payload;
    size_t count[64][UT_SCS_PHASES] = { { 0 } };
    double n[UT_SCS_NCLASSES] = { 0 };
    ut_status st = ut_sender_arrive(a->s, a->sent, variant, &r, &v, e);
    if (st != UT_OK) return st;
    ut_scs_reading got = { 0 };
    by_class *classed = a->s->inn ? ut_calloc(64, sizeof *classed, e) : NULL;
    if (a->s->inn && !classed) st = UT_E_MEMORY;
    else if (a->s->inn) st = ut_latent_read(&v, a->s->inn, c, ut_scs_width(a->plan.width), &got, 1, e);
    else st = ut_scs_read(&v, c, ut_scs_width(a->plan.width), &got, 1, e);
    *o = (outcome){ 0 };
    for (size_t i = 0; i < c->at.n && st == UT_OK; i++) {
        if (got.phase[i] == UT_SCS_LOST) continue;
        unsigned p = (got.phase[i] + (a->bits[ut_scs_bit(c, i, a->nbits)] ? UT_SCS_PHASES / 2 : 0)) % UT_SCS_PHASES;
        o->cosine[got.liveliness[i]] += cos(2 * PI * (p + .5) / UT_SCS_PHASES);
        n[got.liveliness[i]] += 1;
        if (classed) classed[c->at.pos[i] & 63][got.liveliness[i]][p]++;
        if (!a->still[c->at.pos[i] / 64]) count[c->at.pos[i] & 63][p]++;
    }
    for (unsigned q = 0; q < UT_SCS_NCLASSES; q++) o->cosine[q] = n[q] > 0 ? o->cosine[q] / n[q] : 0;
    summarise(count, o);
    if (classed) o->info = classed_information(classed);
    free(classed);
    ut_scs_reading_free(&got);
    ut_received_free(&r);
    return st;
}

/* Of many variants only the worst few need asking again. */
static bool harmless(const attempt *a, size_t variant)
{
    size_t worse = 0;
    for (size_t i = 0; i < a->s->route->nvariants; i++) worse += a->info[i] < a->info[variant];
    return a->info[variant] > 0 && worse >= ASK_AGAIN;
}

static void probe_variant(void *arg, size_t variant)
{
    attempt *a = arg;
    if (a->harmless[variant]) return;
    ut_err err = { 0 };
    outcome o;
    ut_status st = probe(a, variant, &o, &err);
    pthread_mutex_lock(&a->lock);
    if (st != UT_OK && a->status == UT_OK) a->status = st, a->err = err;
    if (st == UT_OK) a->ber = fmax(a->ber, o.ber);
    if (st == UT_OK) a->info[variant] = o.info;
    if (st == UT_OK && o.info < a->worst.info) a->worst = o;
    pthread_mutex_unlock(&a->lock);
}

/* In the latent: what the moves cost in the picture, where the model sees only the latent's. */
static ut_status settle_latent(attempt *a, ut_embedding *m, const float width[2], const float alpha[2], ut_err *e)
{
    const ut_scs_carriers *c = &a->layout.payload;
    double moved, nmoving = 0;
    ut_status st = ut_latent_settle(m, a->s->inn, c, width, alpha, a->still, &moved, a->s->nthreads, e);
    for (size_t i = 0; i < c->at.n; i++) nmoving += !a->still[c->at.pos[i] / 64];
    double modelled = nmoving * (double)(alpha[0] * alpha[0] * width[0] * width[0]) / 3;
    if (st == UT_OK && modelled > 0) a->s->gain = fmin(fmax(moved / modelled, .05), 20);
    return st;
}

/* Embeds and asks every variant. */
static ut_status embed(attempt *a, const ut_seal_keys *k, ut_picture *stego, ut_err *e)
{
    ut_sender *s = a->s;
    ut_embedding m;
    const float width[2] = { ut_scs_width(a->plan.width), ut_robust_box_width(a->plan.tier) };
    const float alpha[2] = { a->plan.alpha, BOX_ALPHA };
    ut_status st = ut_embedding_init(&m, a->cover, e);
    if (st != UT_OK) return st;
    m.tolerance = .6f;
    m.slack = 0;
    st = ut_robust_layout_payload(&a->layout, a->plan.nfreq, k, e);
    if (st == UT_OK) st = ut_embedding_aim(&m, &a->layout.payload, a->bits, a->nbits, 0, e);
    if (st == UT_OK) st = ut_embedding_aim(&m, &a->layout.box, a->box_bits, a->nbox, 1, e);
    if (st == UT_OK && s->inn) st = settle_latent(a, &m, width, alpha, e);
    else if (st == UT_OK) ut_embedding_settle(&m, width, alpha, a->still, s->nthreads);
    if (st == UT_OK) ut_embed(&m, stego, s->nthreads);
    ut_embedding_free(&m);
    return st;
}

static ut_status ask(attempt *a, const ut_picture *stego, ut_err *e)
{
    ut_sender *s = a->s;
    ut_as_sent sent;
    ut_status st = ut_sender_send(s, stego, &sent, e);
    if (st == UT_OK) {
        a->sent = &sent;
        a->worst.info = INFINITY;
        for (size_t i = 0; i < s->route->nvariants; i++) a->harmless[i] = harmless(a, i);
        a->ber = 0;
        a->status = UT_OK;
        pthread_mutex_init(&a->lock, NULL);
        ut_parallel(s->nthreads, s->route->nvariants, probe_variant, a);
        pthread_mutex_destroy(&a->lock);
        st = a->status;
        if (st != UT_OK && e) *e = a->err;
    }
    ut_as_sent_free(&sent);
    return st;
}

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

static ut_status attempt_still(attempt *a, double share, ut_err *e)
{
    ut_sender *s = a->s;
    s->still = share;
    if (!a->still) a->still = ut_calloc(ut_grid_nblocks(a->layout.grid), 1, e);
    return a->still ? ut_embed_still(a->cover, share, a->still, s->nthreads, e) : UT_E_MEMORY;
}

/* What trials are to find out: how to carry so many sealed bits, or, where bits is 0, how many go at that squared error. */
typedef struct aim {
    double bits, mse;
} aim;

/* The best trial so far. */
typedef struct lesson {
    double cost; /* squared error that the bits would take, or bits carried as a negative number */
    double still, noise[64], kept[64], credit, gain, cosine[UT_SCS_NCLASSES];
    unsigned nfreq;
} lesson;

static bool plan_for(const ut_robust_case *c, const aim *to, ut_robust_plan *p)
{
    if (to->bits > 0) return ut_robust_plan_for(c, to->bits, 1, p);
    return ut_robust_plan_at(c, to->mse, p) > 0;
}

/* One trial with so many frequencies (0: as the model likes).  cost: of what was measured; INFINITY: no such plan. */
static ut_status trial(attempt *a, const aim *to, unsigned nfreq, ut_picture *stego, const ut_seal_keys *k, double *cost, ut_err *e)
{
    ut_sender *s = a->s;
    ut_robust_case c = ut_robust_case_of(s, a->cover);
    aim less = *to;
    *cost = INFINITY;
    c.nfreq = nfreq;
    /* what no plan brings is tried at its utmost: the noise may be less than feared */
    while (!plan_for(&c, &less, &a->plan) && less.bits > 1) less.bits *= .8;
    if (!a->plan.nfreq) return UT_OK;
    ut_status st = embed(a, k, stego, e);
    if (st == UT_OK) st = ask(a, stego, e);
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
static bool better(const attempt *a, double cost, lesson *l)
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
static ut_status climb(attempt *a, const aim *to, ut_picture *stego, const ut_seal_keys *k, lesson *l, ut_err *e)
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

static void set_trust(ut_sender *s, const double cosine[UT_SCS_NCLASSES])
{
    for (unsigned q = 0; q < UT_SCS_NCLASSES; q++) s->trust[q] = (uint8_t)(cosine[q] < .02 ? 0 : fmin(fmax(cosine[q] * 16, 1), 15));
}

/* At one squared error: how many frequencies, and how many of the quietest blocks to leave alone, where the channel would wipe out what they
 * carry.  From what l holds, if anything. */
static ut_status explore_at(attempt *a, double mse, ut_picture *stego, const ut_seal_keys *k, lesson *l, ut_err *e)
{
    const aim to = { 0, mse };
    double cost;
    l->cost = INFINITY;
    ut_status st = trial(a, &to, l->nfreq, stego, k, &cost, e);
    if (st != UT_OK || cost >= INFINITY) return st;
    better(a, cost, l);
    st = climb(a, &to, stego, k, l, e);
    for (double share = l->still + .2; share < .9 && st == UT_OK; share += .2) {
        recall(a->s, l);
        st = attempt_still(a, share, e);
        if (st == UT_OK) st = trial(a, &to, l->nfreq, stego, k, &cost, e);
        if (st != UT_OK || !better(a, cost, l)) break;
        st = climb(a, &to, stego, k, l, e);
    }
    recall(a->s, l);
    return st == UT_OK ? attempt_still(a, l->still, e) : st;
}

static ut_status explore(attempt *a, const aim *to, ut_picture *stego, const ut_seal_keys *k, ut_err *e)
{
    ut_sender *s = a->s;
    double mse = to->mse, cost;
    /* what was learnt for far more bits misleads */
    lesson l = { .nfreq = s->nfreq && s->nfreq < 2 * FIRST_NFREQ ? s->nfreq : FIRST_NFREQ };
    if (to->bits > 0) /* few bits in many carriers drown in the noise */
        for (unsigned n; (double)l.nfreq * (double)ut_grid_nblocks(a->layout.grid) * LEAST_RATE > to->bits && (n = ut_robust_next(l.nfreq, false));) l.nfreq = n;
    ut_status st = attempt_still(a, s->still, e);
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
    if (st == UT_OK) s->nfreq = l.nfreq, set_trust(s, l.cosine);
    return st;
}

/* Trial embeddings of random bits until the model knows the noise.  to: bits per block. */
static ut_status learn(ut_sender *s, aim to, const ut_seal_keys *k, ut_err *e)
{
    ut_picture part = { 0 }, stego = { 0 };
    const ut_picture *cover = s->cover;
    ut_status st = UT_OK;
    if ((size_t)cover->width * cover->height > THRIFTY_NPIXELS) {
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
    attempt a = { .s = s, .cover = cover, .bits = bits, .box_bits = bits, .nbits = UT_ROBUST_NSLOTS - 3 };
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
    return st == UT_OK ? learn(s, (aim){ 0, mse }, k, e) : st;
}

/* The step with the most redundancy whose code bits the carriers hold, or nearly: a few unsent ones cost less than many sent twice. */
static bool step_for(ut_fec_kind kind, size_t nsealed, size_t ncarriers, ut_fec_plan *plan)
{
    bool found = false;
    for (unsigned i = 0; i < ut_fec_nrates(kind); i++) {
        ut_fec_plan p;
        double most = (kind == UT_FEC_LDPC ? UNSENT : 1) * (double)ncarriers;
        if (ut_fec_plan_init(&p, kind, i, nsealed, NULL) != UT_OK || (double)p.code_nbits > most) continue;
        if (!found || p.code_nbits > plan->code_nbits) *plan = p, found = true;
    }
    return found;
}

/* Header and code bits for these sealed bytes under that plan. */
static ut_status compose(attempt *a, const ut_buf *sealed, ut_fec_kind kind, const ut_seal_keys *k, ut_err *e)
{
    ut_sender *s = a->s;
    uint8_t plain[UT_HEADER_NBYTES], box[UT_ROBUST_BOX_NBYTES];
    ut_status st = ut_robust_layout_payload(&a->layout, a->plan.nfreq, k, e);
    if (st != UT_OK) return st;
    if (!step_for(kind, sealed->len, a->layout.payload.at.n, &s->plan))
        return ut_fail(e, UT_E_CAPACITY, "no code of that kind fits: %zu bytes in %zu carriers", sealed->len, a->layout.payload.at.n);
    s->header = (ut_header){ .mode = UT_MODE_ROBUST, .table = (uint8_t)a->plan.nfreq, .scale = (uint8_t)a->plan.width,
                             .fec_kind = (uint8_t)s->plan.kind, .fec_rate = (uint8_t)s->plan.rate,
                             .code_nbits = (uint32_t)s->plan.code_nbits, .sealed_nbytes = (uint32_t)sealed->len,
                             .width = s->cover->width, .height = s->cover->height };
    memcpy(s->header.trust, s->trust, sizeof s->trust);
    if (s->inn) {
        s->header.latent = true;
        memcpy(s->header.network, s->inn->id, sizeof s->header.network);
    }
    ut_header_pack(&s->header, plain);
    memcpy(box, s->salt, UT_SALT_NBYTES);
    st = ut_seal_header(k, plain, box + UT_SALT_NBYTES, e);
    if (st == UT_OK) st = ut_robust_box_protect(box, &s->locator, &s->header_bits, e);
    s->code_bits.len = 0;
    if (st == UT_OK) st = ut_buf_resize(&s->code_bits, s->plan.code_nbits, e);
    if (st == UT_OK) st = ut_fec_encode(&s->plan, sealed->data, s->code_bits.data, s->nthreads, e);
    if (st == UT_OK) st = ut_mask_bits(s->code_bits.data, s->code_bits.len, k->dither, UT_DOMAIN_MASK, e);
    a->bits = s->code_bits.data;
    a->nbits = s->code_bits.len;
    a->box_bits = s->header_bits.data;
    a->nbox = s->header_bits.len;
    return st;
}

static ut_status too_much(const ut_sender *s, ut_fec_kind kind, ut_err *e)
{
    if (kind != UT_FEC_LDPC)
        return ut_fail(e, UT_E_CAPACITY, "it does not fit: %.0f %% of the bits came wrong, and only --fec ldpc makes use of doubtful ones",
                       100 * s->worst_ber);
    return ut_fail(e, UT_E_CAPACITY, "it does not fit: these channels leave too little of this photo's detail (%.0f %% of the bits came wrong); "
                   "use a shorter recording, a lower bit rate, a larger photo, or a gentler channel", 100 * s->worst_ber);
}

/* Plans, embeds, and asks the channels. */
static ut_status embed_at(attempt *a, const ut_buf *sealed, ut_fec_kind kind, double factor, unsigned coarser,
                            const ut_seal_keys *k, ut_err *e)
{
    ut_sender *s = a->s;
    ut_robust_case c = ut_robust_case_of(s, s->cover);
    c.nfreq = s->nfreq;
    if (!ut_robust_plan_for(&c, 8 * (double)sealed->len, factor, &a->plan)) return too_much(s, kind, e);
    a->plan.tier += coarser;
    if (a->plan.tier >= UT_ROBUST_NTIERS) return too_much(s, kind, e);
    s->tier = a->plan.tier;
    ut_status st = compose(a, sealed, kind, k, e);
    if (st == UT_OK) st = embed(a, k, &s->stego, e);
    if (st == UT_OK) st = ask(a, &s->stego, e);
    return st;
}

/* The sealed bytes with `factor` times the information that they should need; a part of a photo may have taught wrong. */
static ut_status attempt_at(attempt *a, const ut_buf *sealed, ut_fec_kind kind, double factor, unsigned coarser,
                            const ut_seal_keys *k, ut_err *e)
{
    ut_sender *s = a->s;
    ut_status st = UT_OK;
    for (int round = 0; round < CORRECTIONS; round++) {
        st = embed_at(a, sealed, kind, factor, coarser, k, e);
        if (st != UT_OK) return st;
        double ratio = a->worst.info / a->plan.bits;
        s->credit = fmin(fmax(s->credit * ratio, .2), 4);
        s->worst_ber = a->ber;
        set_trust(s, a->worst.cosine);
        if (ratio > 1 - ENOUGH && ratio < 1 + 2 * ENOUGH) break;
    }
    if (st == UT_OK) st = ut_sender_verify(s, sealed, e);
    return st;
}

/* Trials of hardly any move at all, which rounding to whole pixels swallows, can teach that nothing comes through.  Then once more from the first guess. */
static ut_status attempt_afresh(attempt *a, const ut_buf *sealed, ut_fec_kind kind, unsigned coarser, const ut_seal_keys *k, ut_err *e)
{
    ut_robust_guess(a->s);
    ut_status st = attempt_still(a, 0, e);
    return st == UT_OK ? attempt_at(a, sealed, kind, 1, coarser, k, e) : st;
}

/* Up until it holds; then, where that is quick, down until it does not. */
static ut_status settle(attempt *a, const ut_buf *sealed, ut_fec_kind kind, const ut_seal_keys *k, ut_err *e)
{
    ut_sender *s = a->s;
    bool soft = kind == UT_FEC_LDPC; /* the others need far cleaner bits */
    double factor = soft ? 1 : 1.5;
    unsigned coarser = 0;
    bool fresh = 8 * (double)sealed->len > FEW_BITS * (double)ut_grid_nblocks(a->layout.grid);
    ut_status st = UT_E_DAMAGED;
    int t = 0;
    for (; t < TRIES && (st == UT_E_DAMAGED || st == UT_E_KEY); t++) {
        if (t && st == UT_E_DAMAGED) factor *= !soft || a->plan.mse < FAINT ? 1.25 : t < 4 ? DEARER : DEARER * DEARER;
        if (st == UT_E_KEY) coarser++;
        if (s->tier + 1 == UT_ROBUST_NTIERS && coarser && s->still > 0) { /* the box drowns where nothing else is moved */
            coarser = 0;
            st = attempt_still(a, 0, e);
            if (st != UT_OK) return st;
        }
        st = attempt_at(a, sealed, kind, factor, coarser, k, e);
        if (st == UT_E_CAPACITY && soft && !fresh && t + 1 < TRIES) {
            fresh = true;
            factor = 1;
            st = attempt_afresh(a, sealed, kind, coarser, k, e);
        }
    }
    if (st == UT_E_DAMAGED || st == UT_E_KEY) return too_much(s, kind, e);
    if (st != UT_OK || t > 1 || (size_t)s->cover->width * s->cover->height > THRIFTY_NPIXELS) return st;
    for (int i = 0; i < THRIFTY_TRIES; i++) {
        ut_picture good = s->stego;
        ut_header header = s->header;
        ut_fec_plan plan = s->plan;
        s->stego = (ut_picture){ 0 };
        st = ut_picture_copy(&s->stego, s->cover, e);
        if (st == UT_OK) st = attempt_at(a, sealed, kind, factor *= CHEAPER, coarser, k, e);
        if (st == UT_OK) {
            ut_picture_free(&good);
            continue;
        }
        ut_picture_free(&s->stego);
        s->stego = good;
        s->header = header;
        s->plan = plan;
        return st == UT_E_DAMAGED || st == UT_E_KEY || st == UT_E_CAPACITY ? UT_OK : st;
    }
    return UT_OK;
}

ut_status ut_robust_run(ut_sender *s, ut_seal_fn seal, void *arg, ut_fec_kind kind, size_t max_nbits, ut_err *e)
{
    ut_buf sealed = { 0 };
    const ut_seal_keys *k;
    attempt a = { .s = s, .cover = s->cover };
    ut_status st = ut_sender_keys(s, &k, e);
    if (st == UT_OK) st = seal(arg, k, &sealed, e);
    if (st == UT_OK && sealed.len * 8 > max_nbits) st = too_much(s, kind, e);
    if (st == UT_OK) st = ut_robust_layout_init(&a.layout, s->cover->width, s->cover->height, &s->locator, e);
    if (st == UT_OK && s->progress && s->progress(s->user, "hiding", .3)) st = ut_fail(e, UT_E_CANCELLED, "cancelled");
    double nblocks = (double)ut_grid_nblocks(a.layout.grid);
    if (st == UT_OK) st = learn(s, (aim){ 8 * (double)sealed.len / nblocks, 0 }, k, e);
    if (st == UT_OK && s->progress && s->progress(s->user, "hiding", .6)) st = ut_fail(e, UT_E_CANCELLED, "cancelled");
    if (st == UT_OK) st = attempt_still(&a, s->still, e);
    if (st == UT_OK) st = settle(&a, &sealed, kind, k, e);
    free(a.still);
    ut_robust_layout_free(&a.layout);
    ut_buf_free(&sealed);
    return st;
}
