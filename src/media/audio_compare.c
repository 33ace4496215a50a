/* SI-SDR (Le Roux, Wisdom, Erdogan, Hershey 2019, "SDR - half-baked or well done?") and, in audio_stoi.c, STOI. */
#include "media/audio_internal.h"
#include <math.h>

/* Both means are removed first, as is usual.  Infinity where deg is a multiple of ref, NaN where ref is silent. */
static double si_sdr_db(const int16_t *ref, const int16_t *deg, size_t n)
{
    double ms = 0, mx = 0, ss = 0, sx = 0, xx = 0;
    for (size_t i = 0; i < n; i++) {
        ms += ref[i];
        mx += deg[i];
    }
    ms /= (double)n;
    mx /= (double)n;
    for (size_t i = 0; i < n; i++) {
        double s = ref[i] - ms, x = deg[i] - mx;
        ss += s * s;
        sx += s * x;
        xx += x * x;
    }
    if (!(ss > 0)) return NAN;
    double target = sx * sx / ss, noise = 0, scale = sx / ss;
    for (size_t i = 0; i < n; i++) {
        double d = (deg[i] - mx) - scale * (ref[i] - ms);
        noise += d * d;
    }
    if (!(noise > xx * 1e-20)) return target > 0 ? INFINITY : -INFINITY;
    return 10 * log10(target / noise);
}

ut_status ut_audio_compare(const ut_pcm *ref, const ut_pcm *deg, double *si_sdr, double *stoi, ut_err *e)
{
    if (ref->nsamples != deg->nsamples || ref->rate_hz != deg->rate_hz)
        return ut_fail(e, UT_E_USAGE, "the recordings differ in length (%zu and %zu samples); they cannot be compared",
                       ref->nsamples, deg->nsamples);
    if (ref->rate_hz != UT_SPEECH_HZ) return ut_fail(e, UT_E_USAGE, "only recordings at %d Hz are compared", UT_SPEECH_HZ);
    if (si_sdr) *si_sdr = ref->nsamples ? si_sdr_db(ref->sample, deg->sample, ref->nsamples) : NAN;
    return stoi ? ut_stoi(ref->sample, deg->sample, ref->nsamples, stoi, e) : UT_OK;
}
