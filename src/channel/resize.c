#include "channel/resize.h"
#include "base/parallel.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { BITS = 16, CHUNK = 16 }; /* taps are Q16; |sum of taps| stays below 2^18, times 255 fits in 32 bits */

typedef struct taps {
    uint32_t n;       /* output samples */
    unsigned width;   /* taps a sample */
    uint32_t *first;  /* [n] */
    unsigned *count;  /* [n] */
    int32_t *weight;  /* [n][width], each row sums to exactly 1 << BITS */
} taps;

static void taps_free(taps *t)
{
    free(t->first);
    free(t->count);
    free(t->weight);
    *t = (taps){ 0 };
}

static double lanczos3(double x)
{
    const double pi = 3.14159265358979323846;
    x = fabs(x);
    if (x >= 3) return 0;
    if (x < 1e-9) return 1;
    return 3 * sin(pi * x) * sin(pi * x / 3) / (pi * pi * x * x);
}

/* The weights of one output sample, rounded so that they sum to one: the rest goes to the largest. */
static void one_sample(taps *t, uint32_t i, uint32_t from, double scale, double offset, double support)
{
    double centre = offset + (i + 0.5) * scale, stretch = scale > 1 ? scale : 1;
    int64_t lo = (int64_t)floor(centre - support + 0.5), hi = (int64_t)floor(centre + support + 0.5);
    if (lo < 0) lo = 0;
    if (hi > from) hi = from;
    if (hi < 1) hi = 1;
    if (lo >= hi) lo = hi - 1; /* wholly outside: the edge */
    unsigned n = (unsigned)(hi - lo);
    if (n > t->width) n = t->width;
    int32_t *w = t->weight + (size_t)i * t->width, sum = 0, big = 0;
    double total = 0;
    for (unsigned k = 0; k < n; k++) total += lanczos3(((double)(lo + k) - centre + 0.5) / stretch);
    for (unsigned k = 0; k < n; k++) {
        double v = n > 1 ? lanczos3(((double)(lo + k) - centre + 0.5) / stretch) / total : 1;
        w[k] = (int32_t)lrint(v * (1 << BITS));
        sum += w[k];
        if (w[k] > w[big]) big = (int32_t)k;
    }
    w[big] += (1 << BITS) - sum;
    t->first[i] = (uint32_t)lo;
    t->count[i] = n;
}

static ut_status taps_make(taps *t, uint32_t from, uint32_t to, double scale, double offset, ut_err *e)
{
    double support = 3 * (scale > 1 ? scale : 1);
    *t = (taps){ .n = to, .width = 2 * (unsigned)ceil(support) + 1 };
    t->first = ut_calloc(to, sizeof *t->first, e);
    t->count = ut_calloc(to, sizeof *t->count, e);
    t->weight = ut_calloc(to, t->width * sizeof *t->weight, e);
    if (!t->first || !t->count || !t->weight) {
        taps_free(t);
        return UT_E_MEMORY;
    }
    for (uint32_t i = 0; i < to; i++) one_sample(t, i, from, scale, offset, support);
    return UT_OK;
}

static uint8_t clip(int32_t v)
{
    v = (v + (1 << (BITS - 1))) >> BITS;
    return (uint8_t)(v < 0 ? 0 : v > 255 ? 255 : v);
}

typedef struct pass {
    const taps *t;
    const uint8_t *in;
    uint8_t *out;
    uint32_t in_w, out_w, rows; /* pixels; rows of the output */
    unsigned ch;
} pass;

static void across(void *arg, size_t chunk)
{
    const pass *p = arg;
    for (uint32_t y = (uint32_t)chunk * CHUNK; y < p->rows && y < (chunk + 1) * CHUNK; y++) {
        const uint8_t *in = p->in + (size_t)y * p->in_w * p->ch;
        uint8_t *out = p->out + (size_t)y * p->out_w * p->ch;
        for (uint32_t x = 0; x < p->out_w; x++) {
            const int32_t *w = p->t->weight + (size_t)x * p->t->width;
            const uint8_t *a = in + (size_t)p->t->first[x] * p->ch;
            int32_t s[3] = { 0 };
            if (p->ch == 3)
                for (unsigned k = 0; k < p->t->count[x]; k++, a += 3)
                    s[0] += w[k] * a[0], s[1] += w[k] * a[1], s[2] += w[k] * a[2];
            else
                for (unsigned k = 0; k < p->t->count[x]; k++) s[0] += w[k] * a[k];
            for (unsigned c = 0; c < p->ch; c++) *out++ = clip(s[c]);
        }
    }
}

static void down(void *arg, size_t chunk)
{
    const pass *p = arg;
    enum { SPAN = 512 };
    size_t row = (size_t)p->out_w * p->ch;
    for (uint32_t y = (uint32_t)chunk * CHUNK; y < p->rows && y < (chunk + 1) * CHUNK; y++) {
        const int32_t *w = p->t->weight + (size_t)y * p->t->width;
        for (size_t x = 0; x < row; x += SPAN) {
            size_t n = row - x < SPAN ? row - x : SPAN;
            int32_t s[SPAN] = { 0 };
            for (unsigned k = 0; k < p->t->count[y]; k++) {
                const uint8_t *a = p->in + (p->t->first[y] + (size_t)k) * row + x;
                for (size_t i = 0; i < n; i++) s[i] += w[k] * a[i];
            }
            for (size_t i = 0; i < n; i++) p->out[y * row + x + i] = clip(s[i]);
        }
    }
}

static ut_status plane(const uint8_t *in, uint32_t w, uint32_t h, const taps *tx, const taps *ty, unsigned ch,
                       uint8_t *out, ut_err *e)
{
    uint8_t *mid = ut_calloc((size_t)tx->n * h, ch, e);
    if (!mid) return UT_E_MEMORY;
    pass a = { tx, in, mid, w, tx->n, h, ch }, b = { ty, mid, out, tx->n, tx->n, ty->n, ch };
    ut_parallel(0, (h + CHUNK - 1) / CHUNK, across, &a);
    ut_parallel(0, (ty->n + CHUNK - 1) / CHUNK, down, &b);
    free(mid);
    return UT_OK;
}

static ut_status copy_extras(const ut_picture *in, ut_picture *out, ut_err *e)
{
    out->grey = in->grey;
    ut_status s = ut_buf_append(&out->icc, in->icc.data, in->icc.len, e);
    if (s == UT_OK) s = ut_buf_append(&out->exif, in->exif.data, in->exif.len, e);
    return s;
}

ut_status ut_resize(const ut_picture *in, uint32_t width, uint32_t height, ut_picture *out, ut_err *e)
{
    taps tx = { 0 }, ty = { 0 };
    if (width == in->width && height == in->height) return ut_picture_copy(out, in, e);
    ut_status s = ut_picture_alloc(out, width, height, in->alpha != NULL, e);
    if (s != UT_OK) return s;
    s = taps_make(&tx, in->width, width, (double)in->width / width, 0, e);
    if (s == UT_OK) s = taps_make(&ty, in->height, height, (double)in->height / height, 0, e);
    if (s == UT_OK) s = plane(in->rgb, in->width, in->height, &tx, &ty, 3, out->rgb, e);
    if (s == UT_OK && in->alpha) s = plane(in->alpha, in->width, in->height, &tx, &ty, 1, out->alpha, e);
    if (s == UT_OK) s = copy_extras(in, out, e);
    taps_free(&tx);
    taps_free(&ty);
    if (s != UT_OK) ut_picture_free(out);
    return s;
}

ut_status ut_resample(const ut_picture *in, ut_axis x, ut_axis y, ut_picture *out, ut_err *e)
{
    taps tx = { 0 }, ty = { 0 };
    *out = (ut_picture){ 0 };
    if (!(x.step > 0 && x.step < 64 && y.step > 0 && y.step < 64)) return ut_fail(e, UT_E_INTERNAL, "a picture is resampled by a senseless step");
    ut_status s = ut_picture_alloc(out, x.n, y.n, false, e);
    if (s != UT_OK) return s;
    s = taps_make(&tx, in->width, x.n, x.step, x.first, e);
    if (s == UT_OK) s = taps_make(&ty, in->height, y.n, y.step, y.first, e);
    if (s == UT_OK) s = plane(in->rgb, in->width, in->height, &tx, &ty, 3, out->rgb, e);
    out->grey = in->grey;
    taps_free(&tx);
    taps_free(&ty);
    if (s != UT_OK) ut_picture_free(out);
    return s;
}

ut_status ut_crop(const ut_picture *in, uint32_t x, uint32_t y, uint32_t width, uint32_t height, ut_picture *out,
                  ut_err *e)
{
    *out = (ut_picture){ 0 };
    if (x > in->width || y > in->height || width > in->width - x || height > in->height - y)
        return ut_fail(e, UT_E_INTERNAL, "a crop reaches outside the picture");
    ut_status s = ut_picture_alloc(out, width, height, in->alpha != NULL, e);
    if (s != UT_OK) return s;
    for (uint32_t r = 0; r < height; r++) {
        size_t from = (size_t)(y + r) * in->width + x, to = (size_t)r * width;
        memcpy(out->rgb + 3 * to, in->rgb + 3 * from, 3 * (size_t)width);
        if (in->alpha) memcpy(out->alpha + to, in->alpha + from, width);
    }
    s = copy_extras(in, out, e);
    if (s != UT_OK) ut_picture_free(out);
    return s;
}

ut_status ut_pad(const ut_picture *in, uint32_t width, uint32_t height, ut_picture *out, ut_err *e)
{
    *out = (ut_picture){ 0 };
    if (in->width > width || in->height > height) return ut_fail(e, UT_E_INTERNAL, "a picture is padded to less");
    ut_status s = ut_picture_alloc(out, width, height, false, e);
    if (s != UT_OK) return s;
    uint32_t x = (width - in->width) / 2, y = (height - in->height) / 2;
    memset(out->rgb, 0, (size_t)width * height * 3);
    for (uint32_t r = 0; r < in->height; r++)
        memcpy(out->rgb + ((size_t)(y + r) * width + x) * 3, in->rgb + (size_t)r * in->width * 3, (size_t)in->width * 3);
    s = copy_extras(in, out, e);
    if (s != UT_OK) ut_picture_free(out);
    return s;
}

static void sharpen_row(const ut_picture *in, uint32_t y, int amount, uint8_t *out)
{
    size_t row = (size_t)in->width * 3;
    const uint8_t *r[3] = { in->rgb + (y ? y - 1 : 0) * row, in->rgb + y * row,
                            in->rgb + (y + 1 < in->height ? y + 1 : y) * row };
    for (size_t i = 0; i < row; i++) {
        size_t a = i < 3 ? i : i - 3, b = i + 3 < row ? i + 3 : i;
        int blur = r[0][a] + 2 * r[0][i] + r[0][b] + 2 * (r[1][a] + 2 * r[1][i] + r[1][b]) + r[2][a] + 2 * r[2][i] +
                   r[2][b];
        int v = (r[1][i] * 4096 + amount * (16 * r[1][i] - blur) + 2048) >> 12;
        out[i] = (uint8_t)(v < 0 ? 0 : v > 255 ? 255 : v);
    }
}

ut_status ut_sharpen(const ut_picture *in, unsigned amount_256, ut_picture *out, ut_err *e)
{
    ut_status s = ut_picture_copy(out, in, e);
    if (s != UT_OK) return s;
    for (uint32_t y = 0; y < in->height; y++)
        sharpen_row(in, y, (int)amount_256, out->rgb + (size_t)y * in->width * 3);
    return UT_OK;
}
