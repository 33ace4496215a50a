/* How much two pictures differ.  Both figures are sums over strips added in a fixed order, so they do not depend on
 * the thread count; memory is a few rows a strip. */
#include "media/image.h"
#include "base/parallel.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { TAPS = 11, STRIP = 64 };

typedef struct job {
    const ut_picture *a, *b;
    uint64_t *squares; /* [strips] */
    double *ssim;      /* [strips]: sum over the strip's rows */
    bool *failed;      /* [strips]: out of memory */
    double kernel[TAPS];
} job;

static void squares(void *arg, size_t strip)
{
    const job *j = arg;
    size_t row = (size_t)j->a->width * 3, y = strip * STRIP, n = j->a->height - y < STRIP ? j->a->height - y : STRIP;
    const uint8_t *a = j->a->rgb + y * row, *b = j->b->rgb + y * row;
    uint64_t sum = 0;
    while (n--) { /* a row at a time: 65535 * 3 * 255^2 needs 34 bits, a span of 32768 fits in 32 */
        for (size_t at = 0; at < row; at += 32768) {
            size_t m = row - at < 32768 ? row - at : 32768;
            uint32_t s = 0;
            for (size_t i = 0; i < m; i++) {
                int d = a[at + i] - b[at + i];
                s += (uint32_t)(d * d);
            }
            sum += s;
        }
        a += row, b += row;
    }
    j->squares[strip] = sum;
}

/* Luma, Rec. 601, not rounded, less 128: the variances below are differences of squares, and small numbers keep them
 * accurate in single precision. */
static void luma_row(const ut_picture *p, size_t y, float *out)
{
    const uint8_t *c = p->rgb + y * p->width * 3;
    for (size_t x = 0; x < p->width; x++, c += 3) out[x] = 0.299f * c[0] + 0.587f * c[1] + 0.114f * c[2] - 128;
}

/* The five moments of one input row, filtered along the row: mean a, mean b, a^2, b^2, ab; out [5][m]. */
static void filter_row(const double *k, const float *a, const float *b, size_t m, float *out)
{
    float *o[5] = { out, out + m, out + 2 * m, out + 3 * m, out + 4 * m };
    memset(out, 0, 5 * m * sizeof *out);
    for (int t = 0; t < TAPS; t++) {
        float w = (float)k[t];
        const float *pa = a + t, *pb = b + t;
        for (size_t x = 0; x < m; x++) {
            float u = w * pa[x], v = w * pb[x];
            o[0][x] += u;
            o[1][x] += v;
            o[2][x] += u * pa[x];
            o[3][x] += v * pb[x];
            o[4][x] += u * pb[x];
        }
    }
}

static double ssim_row(const double *k, float *const ring[TAPS], size_t first, size_t m, float *acc)
{
    const float c1 = (0.01f * 255) * (0.01f * 255), c2 = (0.03f * 255) * (0.03f * 255);
    memset(acc, 0, 5 * m * sizeof *acc);
    for (size_t t = 0; t < TAPS; t++) {
        const float *r = ring[(first + t) % TAPS];
        float w = (float)k[t];
        for (size_t i = 0; i < 5 * m; i++) acc[i] += w * r[i];
    }
    double sum = 0;
    for (size_t x = 0; x < m; x++) {
        float ma = acc[x], mb = acc[m + x], aa = acc[2 * m + x] - ma * ma, bb = acc[3 * m + x] - mb * mb;
        float ab = acc[4 * m + x] - ma * mb;
        ma += 128;
        mb += 128;
        sum += ((2 * ma * mb + c1) * (2 * ab + c2)) / ((ma * ma + mb * mb + c1) * (aa + bb + c2));
    }
    return sum;
}

static void ssim_strip(void *arg, size_t strip)
{
    job *j = arg;
    size_t w = j->a->width, m = w - TAPS + 1, rows = j->a->height - TAPS + 1, y0 = strip * STRIP;
    size_t y1 = rows - y0 < STRIP ? rows : y0 + STRIP;
    float *mem = calloc(2 * w + 5 * m * (TAPS + 1), sizeof *mem), *ring[TAPS];
    if (!mem) {
        j->failed[strip] = true;
        return;
    }
    float *a = mem, *b = mem + w, *acc = mem + 2 * w;
    for (size_t t = 0; t < TAPS; t++) ring[t] = acc + 5 * m * (t + 1);
    double sum = 0;
    for (size_t y = y0; y < y1 + TAPS - 1; y++) {
        luma_row(j->a, y, a);
        luma_row(j->b, y, b);
        filter_row(j->kernel, a, b, m, ring[y % TAPS]);
        if (y >= y0 + TAPS - 1) sum += ssim_row(j->kernel, ring, (y - (TAPS - 1)) % TAPS, m, acc);
    }
    j->ssim[strip] = sum;
    free(mem);
}

static void make_kernel(double k[TAPS])
{
    double sum = 0;
    for (int i = 0; i < TAPS; i++) sum += k[i] = exp(-(i - 5) * (i - 5) / (2 * 1.5 * 1.5));
    for (int i = 0; i < TAPS; i++) k[i] /= sum;
}

static ut_status mean_ssim(job *j, double *ssim, ut_err *e)
{
    size_t m = (size_t)j->a->width - TAPS + 1, rows = (size_t)j->a->height - TAPS + 1, n = (rows + STRIP - 1) / STRIP;
    j->ssim = ut_calloc(n, sizeof *j->ssim, e);
    j->failed = ut_calloc(n, sizeof *j->failed, e);
    if (!j->ssim || !j->failed) return UT_E_MEMORY;
    make_kernel(j->kernel);
    ut_parallel(0, n, ssim_strip, j);
    double sum = 0;
    for (size_t i = 0; i < n; i++) {
        if (j->failed[i]) return ut_fail_memory(e, (size_t)j->a->width * 62 * sizeof(float));
        sum += j->ssim[i];
    }
    *ssim = sum / ((double)m * (double)rows);
    return UT_OK;
}

ut_status ut_image_compare(const ut_picture *a, const ut_picture *b, double *psnr_db, double *ssim, ut_err *e)
{
    job j = { .a = a, .b = b };
    if (a->width != b->width || a->height != b->height)
        return ut_fail(e, UT_E_USAGE, "the pictures differ in size (%ux%u and %ux%u): bring them to one size first",
                       a->width, a->height, b->width, b->height);
    if (ssim && (a->width < TAPS || a->height < TAPS))
        return ut_fail(e, UT_E_USAGE, "SSIM needs pictures of at least %dx%d pixels", TAPS, TAPS);
    size_t n = (a->height + STRIP - 1) / STRIP;
    j.squares = ut_calloc(n, sizeof *j.squares, e);
    if (!j.squares) return UT_E_MEMORY;
    ut_parallel(0, n, squares, &j);
    uint64_t sum = 0;
    for (size_t i = 0; i < n; i++) sum += j.squares[i];
    double mse = (double)sum / ((double)a->width * a->height * 3);
    *psnr_db = sum ? 10 * log10(255.0 * 255.0 / mse) : (double)INFINITY;
    ut_status s = ssim ? mean_ssim(&j, ssim, e) : UT_OK;
    free(j.squares);
    free(j.ssim);
    free(j.failed);
    return s;
}
