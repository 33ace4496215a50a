/* The codec `spectrum` as a payload, read.  Layout: spec/payload.md. */
#include "stage/payload/payload_internal.h"
#include "stage/payload/spectrum.h"
#include <string.h>

typedef struct spectrum_reader {
    ut_spectrum_state state;
    int64_t overlap[UT_SPECTRUM_HOP]; /* of the last frame decoded */
    uint64_t next;    /* frame behind the last one decoded */
    uint64_t covered; /* samples written */
} spectrum_reader;

/* Frame t completes the samples from 160 (t - 1) on, if frame t - 1 was there. */
static void decode_frames(spectrum_reader *d, const ut_payload_cursor *c, ut_pcm *pcm)
{
    ut_range r;
    ut_spectrum_code f;
    int16_t out[UT_SPECTRUM_HOP];
    bool whole = c->head.first_frame == d->next && d->next;
    ut_spectrum_state_init(&d->state, c->head.quality, c->head.first_frame);
    ut_range_decode_init(&r, c->at, (size_t)(c->end - c->at));
    for (uint64_t i = 0; i < c->head.nframes; i++) {
        uint64_t t = c->head.first_frame + i, at = (t - 1) * UT_SPECTRUM_HOP;
        ut_spectrum_code_frame(&d->state, &r, &f, NULL, out);
        if (i == 0 && whole) ut_spectrum_inverse(f.x, d->overlap, out);
        if (i == 0 && !whole) continue;
        size_t n = pcm->nsamples - at < UT_SPECTRUM_HOP ? (size_t)(pcm->nsamples - at) : UT_SPECTRUM_HOP;
        memcpy(pcm->sample + at, out, n * sizeof *out);
        d->covered += n;
    }
    memcpy(d->overlap, d->state.overlap, sizeof d->overlap);
    d->next = c->head.first_frame + c->head.nframes;
}

ut_status ut_payload_decode_spectrum(const ut_payload_view *v, ut_payload_out *out, ut_err *e)
{
    spectrum_reader d = { .next = 0 };
    uint64_t nframes = v->head.total ? ut_spectrum_nframes(v->head.total) : 0;
    if (v->head.total < 1 || v->head.total > UT_MAX_SAMPLES || nframes > (uint64_t)UT_SPECTRUM_FRAMES_PER_BYTE * v->n)
        return ut_fail(e, UT_E_INPUT, "the message claims a recording of %llu samples, which it cannot hold",
                       (unsigned long long)v->head.total);
    ut_status s = ut_pcm_alloc(&out->pcm, v->head.total, e);
    for (size_t i = 0; i < v->nsegments && s == UT_OK; i++) {
        ut_payload_cursor c;
        if (!ut_payload_has(v, i)) continue;
        ut_payload_cursor_init(&c, v, i);
        const ut_payload_head *h = &c.head;
        uint64_t room = (uint64_t)UT_SPECTRUM_FRAMES_PER_BYTE * (h->nbytes + (size_t)(c.end - c.at));
        bool follows = i == 0 || ut_payload_has(v, i - 1); /* then no frame may be missing */
        if (h->first_frame < d.next || (follows && h->first_frame != d.next) || h->nframes < 1 || h->nframes > room ||
            h->first_frame + h->nframes > nframes)
            s = ut_fail(e, UT_E_INPUT, "the message contradicts itself in segment %zu; it is corrupt", i);
        else decode_frames(&d, &c, &out->pcm);
    }
    if (s == UT_OK && !v->nlost && d.next != nframes) s = ut_fail(e, UT_E_INPUT, "the message is truncated");
    out->lost_s = (double)(v->head.total - d.covered) / UT_SPEECH_HZ;
    ut_wipe(&d, sizeof d);
    return s;
}
