/* The streaming side of the enhancer: chunks that overlap, run side by side, and cross-fade. */
#include "base/buf.h"
#include "base/parallel.h"
#include "stage/enhance/enhancer_internal.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_LANES = 8 }; /* chunks at work at a time */

/* One chunk at work. */
typedef struct lane {
    size_t begin, n;  /* of the network's stretch, in ut_enhancer.in */
    double gain;
    float *in, *out;  /* [UT_CHUNK_MOST]; out: the network's, at the recording's own level */
    ut_status status;
    ut_err err;
} lane;

struct ut_enhancer {
    ut_network_fn network;
    const void *model;
    ut_enhancer_options opt;
    ut_enhance_sink sink;
    void *user;
    bool passing;        /* nothing to do but to pass on */
    int16_t *in;         /* what is still needed, owned */
    size_t nin, cap;
    uint64_t start;      /* index of in[0] in the recording */
    uint64_t chunk;      /* the next one */
    uint64_t nsamples;   /* taken */
    lane lane[MOST_LANES];
    size_t nlanes;
    float fade[UT_CHUNK_FADE]; /* the chunk before, where the next takes over */
    int16_t *given;      /* [UT_CHUNK_MOST] */
    ut_pauses pauses;
};

static ut_status own_network(const void *model, const float *in, float *out, size_t n, ut_err *e) { return ut_enhance_network(model, in, out, n, e); }

ut_status ut_enhancer_new(const ut_enhance_model *m, const ut_enhancer_options *o, ut_enhance_sink sink, void *user, ut_enhancer **out, ut_err *e)
{
    return ut_enhancer_new_with(own_network, m, o, sink, user, out, e);
}

ut_status ut_enhancer_new_with(ut_network_fn network, const void *model, const ut_enhancer_options *o, ut_enhance_sink sink, void *user,
                               ut_enhancer **out, ut_err *e)
{
    *out = NULL;
    if (!(o->strength >= 0 && o->strength <= 1)) return ut_fail(e, UT_E_USAGE, "the strength must be from 0 to 1, not %g", (double)o->strength);
    ut_enhancer *h = ut_calloc(1, sizeof *h, e);
    if (!h) return UT_E_MEMORY;
    h->network = network;
    h->model = model;
    h->opt = *o;
    h->sink = sink;
    h->user = user;
    h->passing = o->leave_alone || o->strength <= 0;
    *out = h;
    if (h->passing) return UT_OK;
    unsigned n = o->nthreads ? o->nthreads : ut_cpu_count();
    h->nlanes = n < MOST_LANES ? n : MOST_LANES;
    h->cap = (h->nlanes - 1) * UT_CHUNK_HOP + UT_CHUNK_MOST;
    h->in = ut_calloc(h->cap, sizeof *h->in, e);
    h->given = ut_calloc(UT_CHUNK_MOST, sizeof *h->given, e);
    bool ok = h->in && h->given;
    for (size_t i = 0; i < h->nlanes && ok; i++) {
        h->lane[i].in = ut_calloc(UT_CHUNK_MOST, sizeof(float), e);
        h->lane[i].out = ut_calloc(UT_CHUNK_MOST, sizeof(float), e);
        ok = h->lane[i].in && h->lane[i].out;
    }
    if (ok) return UT_OK;
    ut_enhancer_free(h);
    *out = NULL;
    return UT_E_MEMORY;
}

void ut_enhancer_free(ut_enhancer *h)
{
    if (!h) return;
    for (size_t i = 0; i < h->nlanes; i++) {
        if (h->lane[i].in) ut_wipe(h->lane[i].in, UT_CHUNK_MOST * sizeof(float));
        if (h->lane[i].out) ut_wipe(h->lane[i].out, UT_CHUNK_MOST * sizeof(float));
        free(h->lane[i].in);
        free(h->lane[i].out);
    }
    if (h->in) ut_wipe(h->in, h->cap * sizeof *h->in);
    if (h->given) ut_wipe(h->given, UT_CHUNK_MOST * sizeof *h->given);
    free(h->in);
    free(h->given);
    ut_wipe(h, sizeof *h);
    free(h);
}

/* The network on one chunk: at its level, without its offset, and back. */
static void run_lane(void *arg, size_t i)
{
    ut_enhancer *h = arg;
    lane *l = &h->lane[i];
    const int16_t *x = h->in + l->begin;
    double active = ut_active_rms(x, l->n);
    double gain = ut_level_gain(active, h->opt.heard ? h->opt.heard->level_db : NAN), offset = 0;
    for (size_t k = 0; k < l->n; k++) offset += x[k] / (double)l->n;
    if (l->n < UT_ENHANCE_HZ || fabs(offset) < active * 3277) offset = 0; /* too short to tell, or 20 dB below the sound */
    for (size_t k = 0; k < l->n; k++) {
        l->in[k] = (float)((x[k] - offset) * gain / 32768);
        l->out[k] = (float)x[k] / 32768;
    }
    l->status = UT_OK;
    if (active <= 0) return; /* silence */
    l->status = h->network(h->model, l->in, l->out, l->n, &l->err);
    if (l->status != UT_OK) return;
    for (size_t k = 0; k < l->n; k++) l->out[k] = (float)(l->out[k] / gain + offset / 32768);
    ut_keep_silence(x, l->out, l->n);
}

static int16_t mix(int16_t dry, float wet, float strength)
{
    float x = (float)dry, y = x + strength * (wet * 32768 - x);
    return y >= 32767 ? 32767 : y <= -32768 ? -32768 : (int16_t)lrintf(y);
}

/* Gives the sink what chunk h->chunk answers for, and keeps its end for the next. */
static ut_status give(ut_enhancer *h, lane *l, bool last, ut_err *e)
{
    size_t own = (size_t)(h->chunk * UT_CHUNK_HOP - h->start) - l->begin; /* where its own part begins */
    float *wet = l->out + own;
    const int16_t *dry = h->in + l->begin + own;
    size_t n = last ? l->n - own : UT_CHUNK_HOP;
    for (size_t i = 0; h->chunk && i < UT_CHUNK_FADE && i < n; i++) {
        float share = ((float)i + .5f) / UT_CHUNK_FADE;
        wet[i] = share * wet[i] + (1 - share) * h->fade[i];
    }
    if (!last) memcpy(h->fade, wet + UT_CHUNK_HOP, sizeof h->fade);
    for (size_t i = 0; i < n; i++) h->given[i] = mix(dry[i], wet[i], h->opt.strength);
    ut_pauses_add(&h->pauses, dry, wet, h->given, n);
    h->chunk++;
    return h->sink(h->user, h->given, n, e);
}

/* Runs n chunks from h->chunk on; final: the last of them ends with the recording. */
static ut_status run(ut_enhancer *h, size_t n, bool final, ut_err *e)
{
    for (size_t i = 0; i < n; i++) {
        lane *l = &h->lane[i];
        uint64_t own = (h->chunk + i) * UT_CHUNK_HOP, from = own > UT_CHUNK_CONTEXT ? own - UT_CHUNK_CONTEXT : 0;
        uint64_t to = final && i + 1 == n ? h->nsamples : own + UT_CHUNK_HOP + UT_CHUNK_FADE + UT_CHUNK_CONTEXT;
        l->begin = (size_t)(from - h->start);
        l->n = (size_t)(to - from);
    }
    ut_parallel(h->opt.nthreads, n, run_lane, h);
    for (size_t i = 0; i < n; i++) {
        lane *l = &h->lane[i];
        ut_status s = l->status == UT_OK ? give(h, l, final && i + 1 == n, e) : ut_fail(e, l->status, "%s", l->err.text);
        if (s != UT_OK) return s;
    }
    /* the next chunk still needs its left context */
    uint64_t keep = h->chunk * UT_CHUNK_HOP - UT_CHUNK_CONTEXT;
    if (final || keep <= h->start) return UT_OK;
    size_t drop = (size_t)(keep - h->start);
    memmove(h->in, h->in + drop, (h->nin - drop) * sizeof *h->in);
    h->nin -= drop;
    h->start = keep;
    return UT_OK;
}

/* How many chunks can run now: those with all that they want to hear, and more to come. */
static size_t ready(const ut_enhancer *h)
{
    size_t n = 0;
    while (n < h->nlanes && (h->chunk + n + 1) * UT_CHUNK_HOP + UT_CHUNK_FADE + UT_CHUNK_CONTEXT < h->nsamples) n++;
    return n;
}

ut_status ut_enhancer_push(ut_enhancer *h, const int16_t *sample, size_t n, ut_err *e)
{
    if (h->passing) {
        h->nsamples += n;
        return n ? h->sink(h->user, sample, n, e) : UT_OK;
    }
    while (n) {
        size_t m = h->cap - h->nin;
        if (!m) { /* every lane has its chunk, and there is more */
            ut_status s = run(h, h->nlanes, false, e);
            if (s != UT_OK) return s;
            continue;
        }
        if (m > n) m = n;
        memcpy(h->in + h->nin, sample, m * sizeof *sample);
        h->nin += m;
        h->nsamples += m;
        sample += m;
        n -= m;
    }
    return UT_OK;
}

ut_status ut_enhancer_finish(ut_enhancer *h, ut_enhancer_report *report, ut_err *e)
{
    *report = (ut_enhancer_report){ .nsamples = h->nsamples, .snr_in_db = NAN };
    if (h->passing || !h->nsamples) return UT_OK;
    size_t n = ready(h);
    ut_status s = UT_OK;
    if (n == h->nlanes) {
        s = run(h, n, false, e);
        n = ready(h);
    }
    if (s == UT_OK) s = run(h, n + 1, true, e);
    ut_pauses_report(&h->pauses, report);
    return s;
}
