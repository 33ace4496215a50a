#include "stage/enhance/enhancer_internal.h"
#include <math.h>

static const double target_db = -26, most_up_db = 40, most_off_db = 12, within = 1e-4 /* 40 dB */;

double ut_frame_power(const int16_t *x, size_t n)
{
    double sum = 0, squares = 0;
    for (size_t i = 0; i < n; i++) {
        sum += x[i];
        squares += (double)x[i] * x[i];
    }
    if (n >= UT_FRAME) squares -= sum * sum / (double)n;
    return squares / (double)n / (32768.0 * 32768.0);
}

double ut_active_rms(const int16_t *sample, size_t n)
{
    size_t width = n < UT_FRAME ? n : UT_FRAME, active = 0;
    double loudest = 0, sum = 0;
    for (size_t at = 0; width && at + width <= n; at += width) loudest = fmax(loudest, ut_frame_power(sample + at, width));
    for (size_t at = 0; width && at + width <= n; at += width) {
        double p = ut_frame_power(sample + at, width);
        if (p <= loudest * within) continue;
        sum += p;
        active++;
    }
    return active ? sqrt(sum / (double)active) : 0;
}

double ut_level_gain(double active_rms, double whole_db)
{
    if (active_rms <= 0) return 1;
    double up_db = fmin(target_db - 20 * log10(active_rms), most_up_db);
    if (isfinite(whole_db)) {
        double suits_db = fmin(target_db - whole_db, most_up_db);
        up_db = fmax(suits_db - most_off_db, fmin(suits_db + most_off_db, up_db));
    }
    return pow(10, up_db / 20);
}

void ut_keep_silence(const int16_t *in, float *out, size_t n)
{
    enum { EDGE = UT_ENHANCE_HZ / 200 };
    for (size_t at = 0; at < n;) {
        size_t end = at;
        while (end < n && !in[end]) end++;
        if (end - at >= UT_FRAME) {
            /* beyond the ends of the recording there is nothing that would fade */
            for (size_t i = at; i < end; i++) {
                size_t from = at ? i - at + 1 : EDGE, to = end < n ? end - i : EDGE, near = from < to ? from : to;
                out[i] *= near < EDGE ? 1 - (float)near / EDGE : 0;
            }
        }
        at = end + 1;
    }
}
