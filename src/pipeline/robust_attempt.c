/* One embedding of the robust form, and what every variant of the channels makes of it. */
#include "pipeline/robust_attempt.h"
#include "base/parallel.h"
#include "stage/hide/latent.h"
#include <math.h>
#include <stdlib.h>

#define ASK_AGAIN 4
#define BOX_ALPHA .7f
#define PI 3.14159265358979323846

/* From counts of phases relative to the bits sent. */
static void summarise(size_t count[64][UT_SCS_PHASES], ut_robust_outcome *o)
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
static ut_status probe(ut_robust_attempt *a, size_t variant, ut_robust_outcome *o, ut_err *e)
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
    *o = (ut_robust_outcome){ 0 };
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
static bool harmless(const ut_robust_attempt *a, size_t variant)
{
    size_t worse = 0;
    for (size_t i = 0; i < a->s->route->nvariants; i++) worse += a->info[i] < a->info[variant];
    return a->info[variant] > 0 && worse >= ASK_AGAIN;
}

static void probe_variant(void *arg, size_t variant)
{
    ut_robust_attempt *a = arg;
    if (a->harmless[variant]) return;
    ut_err err = { 0 };
    ut_robust_outcome o;
    ut_status st = probe(a, variant, &o, &err);
    pthread_mutex_lock(&a->lock);
    if (st != UT_OK && a->status == UT_OK) a->status = st, a->err = err;
    if (st == UT_OK) a->ber = fmax(a->ber, o.ber);
    if (st == UT_OK) a->info[variant] = o.info;
    if (st == UT_OK && o.info < a->worst.info) a->worst = o;
    pthread_mutex_unlock(&a->lock);
}

/* In the latent: what the moves cost in the picture, where the model sees only the latent's. */
static ut_status settle_latent(ut_robust_attempt *a, ut_embedding *m, const float width[2], const float alpha[2], ut_err *e)
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
ut_status ut_robust_embed(ut_robust_attempt *a, const ut_seal_keys *k, ut_picture *stego, ut_err *e)
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

ut_status ut_robust_ask(ut_robust_attempt *a, const ut_picture *stego, ut_err *e)
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

ut_status ut_robust_attempt_still(ut_robust_attempt *a, double share, ut_err *e)
{
    ut_sender *s = a->s;
    s->still = share;
    if (!a->still) a->still = ut_calloc(ut_grid_nblocks(a->layout.grid), 1, e);
    return a->still ? ut_embed_still(a->cover, share, a->still, s->nthreads, e) : UT_E_MEMORY;
}

void ut_robust_set_trust(ut_sender *s, const double cosine[UT_SCS_NCLASSES])
{
    for (unsigned q = 0; q < UT_SCS_NCLASSES; q++) s->trust[q] = (uint8_t)(cosine[q] < .02 ? 0 : fmin(fmax(cosine[q] * 16, 1), 15));
}
