/* How much noise was removed: by the energy of frames that the network left (nearly) empty. */
#include "stage/enhance/enhancer_internal.h"
#include <math.h>

static const double lowest_db = -120, pause_db = 20; /* a pause: so far below the active level of the output */

void ut_pauses_add(ut_pauses *p, const int16_t *dry, const float *wet, const int16_t *out, size_t n)
{
    for (size_t at = 0; at + UT_FRAME <= n; at += UT_FRAME) {
        double d = ut_frame_power(dry + at, UT_FRAME) * UT_FRAME, o = ut_frame_power(out + at, UT_FRAME) * UT_FRAME, w = 0, off = 0, mean = 0;
        for (size_t i = at; i < at + UT_FRAME; i++) mean += (double)wet[i] / UT_FRAME;
        for (size_t i = at; i < at + UT_FRAME; i++) {
            double x = dry[i] / 32768.0, y = (double)wet[i];
            w += (y - mean) * (y - mean);
            off += (x - y) * (x - y);
        }
        if (d == 0) continue; /* digital silence is no one's pause */
        p->kept += w;
        p->removed += off;
        double level_db = 10 * log10(w / UT_FRAME + 1e-13);
        int i = (int)fmin(fmax(level_db - lowest_db, 0), UT_PAUSE_BINS - 1);
        p->bin[i].dry += d;
        p->bin[i].out += o;
        p->bin[i].n++;
    }
}

void ut_pauses_report(const ut_pauses *p, ut_enhancer_report *r)
{
    int top = UT_PAUSE_BINS - 1, i;
    double active = 0, nactive = 0, dry = 0, out = 0, n = 0;
    r->noise_removed_db = r->snr_in_db = NAN;
    while (top > 0 && !p->bin[top].n) top--;
    for (i = top; i >= 0 && i > top - 40; i--) {
        active += (double)p->bin[i].n * pow(10, (lowest_db + i + .5) / 10);
        nactive += (double)p->bin[i].n;
    }
    if (nactive <= 0) return;
    if (p->kept > 0 || p->removed > 0) r->snr_in_db = p->removed > 0 ? 10 * log10(p->kept / p->removed) : INFINITY;
    double limit_db = 10 * log10(active / nactive) - pause_db;
    for (i = 0; i <= top && lowest_db + i + 1 <= limit_db; i++) {
        dry += p->bin[i].dry;
        out += p->bin[i].out;
        n += (double)p->bin[i].n;
    }
    double rounding = n * UT_FRAME / 12 / (32768.0 * 32768.0); /* what 16 bits can tell from silence */
    if (n > 0) r->noise_removed_db = fmax(0, 10 * log10((dry + rounding) / (out + rounding)));
}
