/* The first pass: how loud, and is it speech?  The verdict is one for the whole recording, so that it cannot flicker. */
#include "base/buf.h"
#include "stage/enhance/enhancer_internal.h"
#include "stage/enhance/speech.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { BLOCK = UT_SPEECH_BLOCK, LEVELS = 110 };
static const double silent_db = -80, lowest_db = -105, enough = .5; /* most of it */

struct ut_listener {
    ut_speech *speech;
    int16_t last[2 * BLOCK]; /* the block before, then the present one */
    size_t n;                /* of the present one */
    bool before;             /* there is one before */
    ut_heard heard;
    double weight, speech_weight;
    struct {
        double energy;
        uint64_t n;
    } level[LEVELS]; /* 20 ms frames at lowest_db + i dB to 1 dB more */
};

ut_status ut_listener_new(ut_listener **out, ut_err *e)
{
    ut_listener *l = *out = ut_calloc(1, sizeof *l, e);
    if (!l) return UT_E_MEMORY;
    ut_status s = ut_speech_new(&l->speech, e);
    if (s == UT_OK) return UT_OK;
    ut_listener_free(l);
    *out = NULL;
    return s;
}

void ut_listener_free(ut_listener *l)
{
    if (!l) return;
    ut_speech_free(l->speech);
    ut_wipe(l, sizeof *l);
    free(l);
}

/* The present block's frames into the table of levels; gives the number that are not silent, and the block's power. */
static size_t count_levels(ut_listener *l, double *power)
{
    const int16_t *x = l->last + BLOCK;
    size_t sounding = 0;
    *power = 0;
    for (size_t at = 0; at < l->n; at += UT_FRAME) {
        size_t n = l->n - at < UT_FRAME ? l->n - at : UT_FRAME;
        double p = ut_frame_power(x + at, n), db = 10 * log10(p + 1e-12);
        *power += p * (double)n / (double)l->n;
        sounding += db > silent_db;
        if (db < lowest_db) continue;
        int i = (int)fmin(db - lowest_db, LEVELS - 1);
        l->level[i].energy += p;
        l->level[i].n++;
    }
    return sounding;
}

/* A block counts by how much of it sounds and, less than in proportion, by how loud it is: neither long pauses nor one slammed door decide. */
static void end_block(ut_listener *l)
{
    double feature[UT_SPEECH_NFEATURES], power;
    size_t sounding = count_levels(l, &power), length = l->before ? BLOCK : l->n;
    l->heard.sounding_s += (double)sounding * UT_FRAME / UT_ENHANCE_HZ;
    if (sounding && length >= UT_SPEECH_LEAST) {
        double w = (double)sounding * pow(power, .25); /* power^.25: square root of the amplitude */
        ut_speech_features(l->speech, l->last + BLOCK + l->n - length, length, feature);
        l->weight += w;
        l->speech_weight += w * ut_speech_probability(feature);
    }
    memmove(l->last, l->last + l->n, BLOCK * sizeof *l->last);
    l->before = l->n == BLOCK;
    l->n = 0;
}

void ut_listener_push(ut_listener *l, const int16_t *sample, size_t n)
{
    l->heard.nsamples += n;
    while (n) {
        size_t m = BLOCK - l->n < n ? BLOCK - l->n : n;
        memcpy(l->last + BLOCK + l->n, sample, m * sizeof *sample);
        l->n += m;
        sample += m;
        n -= m;
        if (l->n == BLOCK) end_block(l);
    }
}

static double active_level(const ut_listener *l)
{
    int top = LEVELS - 1;
    double energy = 0, n = 0;
    while (top > 0 && !l->level[top].n) top--;
    for (int i = top; i >= 0 && i > top - 40; i--) {
        energy += l->level[i].energy;
        n += (double)l->level[i].n;
    }
    return n > 0 ? 10 * log10(energy / n) : -INFINITY;
}

void ut_listener_finish(ut_listener *l, ut_heard *heard)
{
    if (l->n) end_block(l);
    *heard = l->heard;
    heard->level_db = active_level(l);
    heard->speech_share = l->weight > 0 ? l->speech_weight / l->weight : NAN;
    heard->speech = !(heard->speech_share < enough);
}
