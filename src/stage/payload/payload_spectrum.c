/* The codec `spectrum` as a payload, written: frames of 10 ms in segments that stand alone.  Layout: spec/payload.md.
 *
 * A segment holds whole frames; range coder, contexts and what was learned begin anew in each, so that a lost one
 * costs its own time and no more.  What that costs is measured by bench/bench_payload. */
#include "stage/payload/payload_internal.h"
#include "stage/payload/spectrum.h"
#include <math.h>
#include <string.h>

enum {
    QUALITY_BEST = 0,
    QUALITY_WORST = 255
};

/* Writes one segment from frame `first` on; *first: the frame behind it.  Where not even one frame fits, it is coded
 * more coarsely. */
static ut_status put_segment(ut_payload_writer *w, ut_spectrum_encoder *enc, uint32_t quality, size_t nframes, size_t *first, ut_err *e)
{
    size_t start = w->out->len, got = 0;
    w->head.first_frame = *first;
    for (; !got; quality += quality < QUALITY_WORST) {
        w->out->len = start;
        w->head.quality = (uint8_t)quality;
        w->head.nframes = nframes; /* the longest it may take, put right below */
        ut_status s = ut_payload_put_head(w, e);
        if (s != UT_OK) return s;
        size_t head = w->out->len - start, most = UT_SPECTRUM_FRAMES_PER_BYTE * w->segment_nbytes;
        got = ut_spectrum_encode_segment(enc, quality, *first, most, w->segment_nbytes - head, w->out);
        if (!got && quality == QUALITY_WORST) return ut_fail(e, UT_E_INTERNAL, "a frame does not fit a segment, or memory ran out");
        if (!got) continue;
        uint8_t fixed[UT_PAYLOAD_MAX_HEAD];
        w->head.nframes = got;
        size_t shorter = ut_payload_make_head(fixed, &w->head, start == 0);
        memmove(w->out->data + start + shorter, w->out->data + start + head, w->out->len - start - head);
        memcpy(w->out->data + start, fixed, shorter);
        w->out->len -= head - shorter;
    }
    *first += got;
    size_t least = *first < nframes ? w->segment_nbytes : (got + UT_SPECTRUM_FRAMES_PER_BYTE - 1) / UT_SPECTRUM_FRAMES_PER_BYTE;
    return w->out->len - start < least ? ut_buf_resize(w->out, start + least, e) : UT_OK;
}

/* The whole payload at one quality; *nbits: without the heads. */
static ut_status write_payload(ut_payload_writer *w, ut_spectrum_encoder *enc, uint32_t quality, double *nbits, ut_err *e)
{
    size_t nframes = ut_spectrum_nframes(w->head.total), heads = 0;
    w->out->len = 0;
    for (size_t at = 0; at < nframes;) {
        bool first = at == 0;
        ut_status s = put_segment(w, enc, quality, nframes, &at, e);
        if (s != UT_OK) return s;
        heads += ut_payload_head_nbytes(&w->head, first);
    }
    *nbits = 8 * (double)(w->out->len - heads);
    return UT_OK;
}

/* Halves the rate about every 24 steps of quality: looks for the one nearest to the asked rate. */
static ut_status hit_rate(ut_payload_writer *w, ut_spectrum_encoder *enc, double kbps, ut_err *e)
{
    double want = kbps * 1000 * (double)w->head.total / UT_SPEECH_HZ, nbits = 0;
    int low = QUALITY_BEST, high = QUALITY_WORST, q = (int)lrint(fmax(20, fmin(230, 190 - 24 * log2(kbps))));
    int done = -1, best = q;
    double best_error = INFINITY;
    ut_status s = UT_OK;
    while (low <= high && s == UT_OK) {
        s = write_payload(w, enc, (uint32_t)q, &nbits, e);
        done = q;
        double error = log2(fmax(nbits, 1) / want);
        if (fabs(error) < best_error) {
            best_error = fabs(error);
            best = q;
        }
        if (fabs(error) < .02) break;
        if (error > 0) low = q + 1;
        else high = q - 1;
        q += (int)lrint(error > 0 ? ceil(20 * error) : floor(20 * error));
        q = q < low ? low : q > high ? high : q;
    }
    return s != UT_OK || done == best ? s : write_payload(w, enc, (uint32_t)best, &nbits, e);
}

ut_status ut_payload_encode_spectrum(const ut_pcm *in, double kbps, size_t segment_nbytes, ut_buf *payload,
                                     ut_pcm *preview, ut_payload_info *info, ut_err *e)
{
    ut_payload_writer w = { payload, segment_nbytes, { .codec = UT_CODEC_SPECTRUM, .total = in->nsamples }, 0 };
    *preview = (ut_pcm){ 0 };
    *info = (ut_payload_info){ 0 };
    payload->len = 0;
    ut_status s = ut_payload_check_audio(in, segment_nbytes, e);
    if (s != UT_OK) return s;
    if (!(kbps >= 3 && kbps <= 64))
        return ut_fail(e, UT_E_USAGE, "a spectrum rate of %g kbit/s is out of range; choose 3 to 64", kbps);
    ut_spectrum_encoder *enc = ut_spectrum_encoder_new(in->sample, in->nsamples, NULL);
    if (!enc) return ut_fail_memory(e, in->nsamples * sizeof(float));
    s = hit_rate(&w, enc, kbps, e);
    ut_spectrum_encoder_free(enc);
    if (s == UT_OK) s = ut_payload_finish(payload, segment_nbytes, preview, info, e);
    if (s != UT_OK) payload->len = 0;
    return s;
}
