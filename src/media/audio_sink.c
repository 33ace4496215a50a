#include "media/audio_internal.h"
#include <math.h>

/* x: at most UT_AUDIO_CHUNK samples */
static ut_status give(ut_audio_sink *k, const float *x, size_t n, ut_err *e)
{
    if (!n) return UT_OK;
    if (k->nsamples + n > (uint64_t)UT_MAX_SECONDS * UT_SPEECH_HZ)
        return ut_fail(e, UT_E_INPUT, "%s is longer than the limit, %d hours; cut it into parts", k->name,
                       UT_MAX_SECONDS / 3600);
    for (size_t i = 0; i < n; i++) {
        float v = x[i] * 32768.0f;
        k->rounded[i] = v >= 32767 ? 32767 : v <= -32768 ? -32768 : (int16_t)lrintf(v);
    }
    k->nsamples += n;
    return k->take(k->user, k->rounded, n, e);
}

/* in NULL: the end; otherwise at most UT_AUDIO_CHUNK samples */
static ut_status resample(ut_audio_sink *k, const float *in, size_t n, ut_err *e)
{
    for (;;) {
        size_t used = 0, made = 0;
        soxr_error_t err = soxr_process(k->soxr, in, n, &used, k->made, UT_AUDIO_CHUNK, &made);
        if (err) return ut_fail(e, UT_E_INTERNAL, "the resampler failed on %s: %s", k->name, soxr_strerror(err));
        ut_status s = give(k, k->made, made, e);
        if (s != UT_OK) return s;
        if (in) {
            in += used;
            n -= used;
            if (!n) return UT_OK;
            if (!used && !made) return ut_fail(e, UT_E_INTERNAL, "the resampler is stuck on %s", k->name);
        } else if (!made) {
            return UT_OK;
        }
    }
}

ut_status ut_audio_sink_form(ut_audio_sink *k, long long rate_hz, long long channels, ut_err *e)
{
    if (rate_hz == k->rate_hz && channels == k->channels) return UT_OK;
    if (channels < 1 || channels > UT_AUDIO_MAX_CHANNELS)
        return ut_fail(e, UT_E_INPUT, "%s has %lld channels; 1 to %d can be read", k->name, channels,
                       UT_AUDIO_MAX_CHANNELS);
    if (rate_hz < UT_AUDIO_MIN_HZ || rate_hz > UT_AUDIO_MAX_HZ)
        return ut_fail(e, UT_E_INPUT, "%s has %lld samples a second; %d to %d can be read", k->name, rate_hz,
                       UT_AUDIO_MIN_HZ, UT_AUDIO_MAX_HZ);
    k->channels = (unsigned)channels;
    if (rate_hz == k->rate_hz) return UT_OK;
    ut_status s = ut_audio_sink_end(k, e); /* what came at the old rate */
    if (s != UT_OK) return s;
    k->rate_hz = (unsigned)rate_hz;
    if (rate_hz == UT_SPEECH_HZ) return UT_OK;
    soxr_error_t err = NULL;
    soxr_io_spec_t io = soxr_io_spec(SOXR_FLOAT32_I, SOXR_FLOAT32_I);
    soxr_quality_spec_t quality = soxr_quality_spec(SOXR_HQ, 0);
    soxr_runtime_spec_t runtime = soxr_runtime_spec(1);
    k->soxr = soxr_create((double)rate_hz, UT_SPEECH_HZ, 1, &err, &io, &quality, &runtime);
    if (!k->soxr || err)
        return ut_fail(e, UT_E_MEMORY, "the resampler for %s cannot be had: %s", k->name, soxr_strerror(err));
    return UT_OK;
}

ut_status ut_audio_sink_put(ut_audio_sink *k, const float *frames, size_t n, ut_err *e)
{
    while (n) {
        size_t m = n < UT_AUDIO_CHUNK ? n : UT_AUDIO_CHUNK;
        for (size_t i = 0; i < m; i++, frames += k->channels) {
            double sum = 0;
            for (unsigned c = 0; c < k->channels; c++) sum += isfinite(frames[c]) ? (double)frames[c] : 0;
            k->mono[i] = (float)fmax(-4, fmin(4, sum / k->channels));
        }
        ut_status s = k->soxr ? resample(k, k->mono, m, e) : give(k, k->mono, m, e);
        if (s != UT_OK) return s;
        k->frames += m;
        n -= m;
    }
    return UT_OK;
}

ut_status ut_audio_sink_end(ut_audio_sink *k, ut_err *e)
{
    ut_status s = k->soxr ? resample(k, NULL, 0, e) : UT_OK;
    soxr_delete(k->soxr);
    k->soxr = NULL;
    k->rate_hz = 0;
    return s;
}

void ut_audio_sink_free(ut_audio_sink *k)
{
    soxr_delete(k->soxr);
    k->soxr = NULL;
    ut_wipe(k->mono, sizeof k->mono);
    ut_wipe(k->made, sizeof k->made);
    ut_wipe(k->rounded, sizeof k->rounded);
}
