#include "stage/hide/scs.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define PI 3.14159265358979323846
#define UNKNOWN 99 /* as good as no carrier */
enum { HALF = UT_SCS_PHASES / 2 };

void ut_scs_carriers_free(ut_scs_carriers *c)
{
    ut_carriers_free(&c->at);
    free(c->dither);
    free(c->bit);
    *c = (ut_scs_carriers){ 0 };
}

float ut_scs_width(unsigned step) { return (float)(1.5 * exp2(step / 48.)); }

float ut_scs_aim(float c, float width, unsigned dither, unsigned bit, float alpha)
{
    float step = width / HALF, p = c / step + (float)dither - (float)(HALF * bit);
    float off = p - UT_SCS_PHASES * floorf(p / UT_SCS_PHASES + .5f); /* -32..32 from the bit's centre */
    return c - alpha * off * step;
}

void ut_scs_reading_free(ut_scs_reading *r)
{
    free(r->phase);
    free(r->liveliness);
    *r = (ut_scs_reading){ 0 };
}

static int by_size(const void *a, const void *b)
{
    float x = *(const float *)a, y = *(const float *)b;
    return (x > y) - (x < y);
}

/* Bounds between the classes, from a sample of the blocks that are there. */
static void bounds(const float *energy, size_t n, float bound[UT_SCS_NCLASSES - 1])
{
    enum { SAMPLE = 4096 };
    float v[SAMPLE];
    size_t m = n < SAMPLE ? n : SAMPLE;
    size_t have = 0;
    for (size_t i = 0; i < m; i++)
        if (energy[(uint64_t)i * n / m] >= 0) v[have++] = energy[(uint64_t)i * n / m];
    qsort(v, have, sizeof *v, by_size);
    for (size_t k = 0; k + 1 < UT_SCS_NCLASSES; k++) bound[k] = have ? v[(k + 1) * have / UT_SCS_NCLASSES] : 0;
}

ut_status ut_scs_read(const ut_view *v, const ut_scs_carriers *c, float width, ut_scs_reading *r, unsigned nthreads, ut_err *e)
{
    float bound[UT_SCS_NCLASSES - 1];
    size_t nblocks = ut_grid_nblocks(ut_grid_of(ut_view_width(v), ut_view_height(v))), n = c->at.n ? c->at.n : 1;
    *r = (ut_scs_reading){ ut_calloc(n, 1, e), ut_calloc(n, 1, e) };
    float *energy = ut_calloc(nblocks ? nblocks : 1, sizeof *energy, e);
    ut_status s = r->phase && r->liveliness && energy ? UT_OK : UT_E_MEMORY;
    if (s == UT_OK && nblocks) s = ut_extract_steps(v, (float)HALF / width, &c->at, r->phase, energy, nthreads, e);
    if (s == UT_OK && nblocks) bounds(energy, nblocks, bound);
    for (size_t i = 0; i < c->at.n && s == UT_OK; i++) {
        if (r->phase[i] == UT_SCS_LOST) continue;
        r->phase[i] = (uint8_t)((r->phase[i] + c->dither[i]) & (UT_SCS_PHASES - 1));
        float x = energy[c->at.pos[i] / 64];
        for (size_t k = 0; k + 1 < UT_SCS_NCLASSES; k++) r->liveliness[i] = (uint8_t)(r->liveliness[i] + (x >= bound[k]));
    }
    free(energy);
    if (s != UT_OK) ut_scs_reading_free(r);
    return s;
}

/* Density of the phase of bit 0, the carrier blurred by a wrapped Gaussian of that variance (radians squared): Fourier series. */
static void wrapped(double var, const double cosine[2 * UT_SCS_PHASES], double p[UT_SCS_PHASES])
{
    double term[24];
    int n = 1;
    for (; n < 24 && (term[n] = 2 * exp(-var * n * n / 2)) > 1e-9; n++) continue;
    for (int i = 0; i < UT_SCS_PHASES; i++) {
        double sum = 1;
        for (int m = 1; m < n; m++) sum += term[m] * cosine[m * (2 * i + 1) % (2 * UT_SCS_PHASES)];
        p[i] = fmax(sum, 1e-6) / UT_SCS_PHASES;
    }
}

typedef struct blur {
    double var[64][UT_SCS_NCLASSES]; /* radians squared */
} blur;

/* How blurred the carriers are, from the doubled angle, in which both bits coincide: by frequency and class, leaning on what all of the
 * frequency and all of the class say, for few carriers tell little. */
static void measure_blur(const ut_scs_carriers *c, const ut_scs_reading *r, const uint8_t *trust, blur *b)
{
    double sum[65][UT_SCS_NCLASSES + 1] = { { 0 } }, n[65][UT_SCS_NCLASSES + 1] = { { 0 } }, cosine[UT_SCS_PHASES];
    const unsigned all = UT_SCS_NCLASSES;
    for (int i = 0; i < UT_SCS_PHASES; i++) cosine[i] = cos(4 * PI * (i + .5) / UT_SCS_PHASES);
    for (size_t i = 0; i < c->at.n; i++) {
        if (r->phase[i] == UT_SCS_LOST || (trust && !trust[r->liveliness[i]])) continue;
        unsigned k = c->at.pos[i] & 63, q = r->liveliness[i];
        sum[k][q] += cosine[r->phase[i]];
        n[k][q] += 1;
    }
    for (unsigned k = 0; k < 64; k++)
        for (unsigned q = 0; q < UT_SCS_NCLASSES; q++) {
            sum[k][all] += sum[k][q], sum[64][q] += sum[k][q], sum[64][all] += sum[k][q];
            n[k][all] += n[k][q], n[64][q] += n[k][q], n[64][all] += n[k][q];
        }
    double mean = n[64][all] > 0 ? fmax(sum[64][all] / n[64][all], .01) : .01;
    for (unsigned k = 0; k < 64; k++)
        for (unsigned q = 0; q < UT_SCS_NCLASSES && n[k][all] > 0; q++) {
            const double lean = 1500;
            double of_freq = (sum[k][all] + lean * mean) / (n[k][all] + lean);
            double of_class = (sum[64][q] + lean * mean) / (n[64][q] + lean);
            double guess = of_freq * of_class / mean;
            double x = (sum[k][q] + lean * guess) / (n[k][q] + lean);
            x = fmin(fmax(x, .004), .98);
            b->var[k][q] = -log(x) / 2;
            if (!trust) continue;
            /* what the sender saw of the class, and by how much this frequency is better or worse than the mean */
            double var = -2 * log(fmin(trust[q] / 16. + 1 / 64., .97)) + log(mean / fmax(of_freq, mean / 8)) / 2;
            b->var[k][q] = trust[q] ? fmax(var, .02) : UNKNOWN;
        }
}

ut_status ut_scs_llrs(const ut_scs_carriers *c, const ut_scs_reading *r, const uint8_t trust[UT_SCS_NCLASSES], size_t nbits, int8_t *llr,
                      ut_err *e)
{
    double p[UT_SCS_PHASES], cosine[2 * UT_SCS_PHASES];
    for (int i = 0; i < 2 * UT_SCS_PHASES; i++) cosine[i] = cos(PI * i / UT_SCS_PHASES);
    blur *b = ut_calloc(1, sizeof *b, e);
    float (*table)[UT_SCS_NCLASSES][UT_SCS_PHASES] = ut_calloc(64, sizeof *table, e), *sum = ut_calloc(nbits, sizeof *sum, e);
    ut_status s = b && table && sum ? UT_OK : UT_E_MEMORY;
    if (s == UT_OK) measure_blur(c, r, trust, b);
    for (unsigned k = 1; k < 64 && s == UT_OK; k++)
        for (unsigned q = 0; q < UT_SCS_NCLASSES; q++) {
            if (b->var[k][q] <= 0) continue; /* no such carriers */
            wrapped(b->var[k][q], cosine, p);
            for (int i = 0; i < UT_SCS_PHASES; i++) table[k][q][i] = (float)log(p[i] / p[(i + HALF) % UT_SCS_PHASES]);
        }
    for (size_t i = 0; i < c->at.n && s == UT_OK; i++)
        if (r->phase[i] != UT_SCS_LOST) sum[ut_scs_bit(c, i, nbits)] += table[c->at.pos[i] & 63][r->liveliness[i]][r->phase[i]];
    double mean = 0;
    for (size_t i = 0; i < nbits && s == UT_OK; i++) mean += fabs((double)sum[i]);
    mean = fmax(mean / (double)nbits, 1e-6);
    for (size_t i = 0; i < nbits && s == UT_OK; i++) { /* the mean at a quarter of the range */
        double v = (double)sum[i] * 32 / mean;
        llr[i] = (int8_t)lrint(v > 127 ? 127 : v < -127 ? -127 : v);
    }
    free(b);
    free(table);
    free(sum);
    return s;
}

/* Bits that a symmetric channel brings whose phase, relative to the bit sent, has that density. */
static double information(const double p[UT_SCS_PHASES])
{
    double sum = 0;
    for (int i = 0; i < UT_SCS_PHASES; i++) {
        double a = p[i], b = p[(i + HALF) % UT_SCS_PHASES];
        if (a > 0) sum += a * log2(2 * a / (a + b));
    }
    return sum;
}

double ut_scs_information(double width, double alpha, double sigma)
{
    double p[UT_SCS_PHASES], angle = PI / width, var = sigma * sigma * angle * angle, spread = PI * (1 - alpha);
    for (int i = 0; i < UT_SCS_PHASES; i++) { /* Gaussian and the uniform rest of the sender's, by their Fourier series */
        double sum = 1;
        for (int m = 1; m < 32; m++) {
            double x = m * spread, rest = x > 1e-9 ? sin(x) / x : 1;
            sum += 2 * rest * exp(-var * m * m / 2) * cos(2 * PI * m * (i + .5) / UT_SCS_PHASES);
        }
        p[i] = fmax(sum, 0) / UT_SCS_PHASES;
    }
    return information(p);
}

double ut_scs_measured(const size_t count[UT_SCS_PHASES])
{
    double p[UT_SCS_PHASES], n = 0;
    for (int i = 0; i < UT_SCS_PHASES; i++) n += (double)count[i];
    if (n < 1) return 0;
    for (int i = 0; i < UT_SCS_PHASES; i++) /* symmetric: both sides of the centre count alike */
        p[i] = ((double)count[i] + (double)count[UT_SCS_PHASES - 1 - i]) / (2 * n);
    return fmax(information(p) - (HALF / 2 - 1) / (2 * n * log(2)), 0); /* less what chance alone would show (Miller 1955) */
}
