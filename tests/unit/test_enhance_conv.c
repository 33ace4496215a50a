/* The convolutions with fewer multiplications against their definition (PyTorch's Conv2d and ConvTranspose2d), in every
 * instruction set, at the ends of frequency and time and across the borders of blocks. */
#include "check.h"
#include "stage/enhance/model.h"
#include <math.h>

static unsigned long long seed = 11;
static float noise(void) { return (float)(check_rand(&seed) % 20001) / 10000 - 1; }

typedef struct weights {
    const float *w; /* [out][in][kernel row][time], the earlier time first */
    size_t nin;
} weights;

static float tap(const void *from, size_t out, size_t in, size_t kernel_row, size_t time)
{
    const weights *w = from;
    return w->w[((out * w->nin + in) * 5 + kernel_row) * 2 + time];
}

static float at(const ut_rows *r, long t, long row, size_t channel, size_t nframes)
{
    if (t < 0 || t >= (long)nframes || row < 0 || row >= (long)r->nrows) return 0;
    return ut_row(r, (size_t)t / UT_BLOCK_FRAMES, (size_t)row, channel)[(size_t)t % UT_BLOCK_FRAMES / 2 + ((size_t)t & 1) * UT_ODD];
}

typedef struct job {
    const ut_enhance_conv *c;
    const weights *w;
    const ut_rows *in;
    size_t nsources, nframes;
    bool ahead;
} job;

static double want(const job *j, size_t out, long row, long t)
{
    double sum = (double)j->c->bias[out];
    for (size_t in = 0; in < j->c->nin; in++)
        for (long kf = 0; kf < 5; kf++) {
            long from = j->c->transposed ? row + 2 - kf : 2 * row + kf - 2; /* padding 2 */
            if (j->c->transposed && from % 2 != 0) continue;
            if (j->c->transposed) from /= 2;
            size_t source = in / j->in[0].nchannels, channel = in % j->in[0].nchannels;
            for (size_t time = 0; time < 2; time++)
                sum += (double)tap(j->w, out, in, (size_t)kf, time) * (double)at(&j->in[source], t + (long)time - !j->ahead, from, channel, j->nframes);
        }
    return j->c->slope && sum <= 0 ? sum * (double)j->c->slope[out] : sum;
}

static float *filled(size_t n)
{
    float *x = malloc((n + 16) * sizeof *x);
    if (!x) exit(1);
    for (size_t i = 0; i < n + 16; i++) x[i] = noise();
    return x;
}

/* Relative to the size of a sum of nin * 10 products. */
static void compare(const job *j, const ut_rows *out, const char *what)
{
    double worst = 0, scale = sqrt((double)j->c->nin * 10);
    for (size_t o = 0; o < j->c->nout; o++)
        for (long row = 0; row < (long)out->nrows; row++)
            for (long t = 0; t < (long)j->nframes; t += t > 4 && t < 90 ? 7 : 1)
                worst = fmax(worst, fabs(want(j, o, row, t) - (double)at(out, t, row, o, j->nframes)) / scale);
    CHECK(worst < 3e-6, "%s, %zu -> %zu, %zu rows, %zu frames: %g", what, j->c->nin, j->c->nout, j->in[0].nrows, j->nframes, worst);
}

static void test(const ut_nn *nn, bool transposed, bool ahead, size_t nin, size_t nout, size_t rows_in, size_t n, size_t nframes)
{
    ut_err e = { 0 };
    size_t nblocks = (nframes + UT_BLOCK_FRAMES - 1) / UT_BLOCK_FRAMES, rows_out = transposed ? rows_in * 2 : rows_in / 2, nsources = transposed ? 2 : 1;
    float *w = filled(nout * nin * 10), *x[2] = { filled(nblocks * rows_in * nin * UT_ROW), filled(nblocks * rows_in * nin * UT_ROW) };
    float *y = filled(nblocks * rows_out * nout * UT_ROW), *bias = filled((nout + 7) / 8 * 8), *slope = filled((nout + 7) / 8 * 8);
    weights from = { w, nin };
    ut_enhance_conv c = { .nin = nin, .nout = nout, .ngroups = (nout + 7) / 8, .transposed = transposed, .bias = bias, .slope = slope };
    ut_enhance_model m = { .c = { .lookahead = ahead } };
    ut_enhance_net net = { .m = &m, .nn = nn, .nframes = nframes, .nblocks = nblocks };
    c.fast = ut_enhance_fast_new(&c, n, tap, &from, &e);
    if (!c.fast) exit(1);
    net.nmixed = ut_enhance_fast_terms(&c);
    net.mixed = filled(net.nmixed * UT_COLS);
    net.mixed_terms = malloc(net.nmixed * sizeof *net.mixed_terms);
    if (!net.mixed_terms) exit(1);
    for (size_t i = 0; i < net.nmixed; i++) net.mixed_terms[i] = net.mixed + i * UT_COLS;
    ut_rows in[2] = { ut_enhance_rows(x[0], rows_in, nin / nsources), ut_enhance_rows(x[1], rows_in, nin / nsources) }, out = ut_enhance_rows(y, rows_out, nout);
    for (size_t i = 0; i < nsources; i++) ut_enhance_finish(&net, &in[i]);
    ut_enhance_layer(&net, &c, in, nsources, &out);
    job j = { &c, &from, in, nsources, nframes, transposed && ahead };
    compare(&j, &out, nn->name);
    for (size_t r = 0; r < rows_out; r++) /* what the next layer sees beyond the frames, and across a border */
        for (size_t o = 0; o < nout; o++) {
            const float *first = ut_row(&out, 0, r, o), *last = ut_row(&out, nblocks - 1, r, o);
            size_t count = nframes - (nblocks - 1) * UT_BLOCK_FRAMES;
            CHECK(first[UT_ODD - 1] == 0 && last[UT_COLS] == 0 && (count == UT_BLOCK_FRAMES || last[(count + 1) / 2] == 0));
            CHECK(nblocks == 1 || (first[UT_COLS] == ut_row(&out, 1, r, o)[0] && ut_row(&out, 1, r, o)[UT_ODD - 1] == first[UT_ODD + UT_COLS - 1]));
        }
    ut_enhance_fast_free(c.fast);
    free(w), free(x[0]), free(x[1]), free(y), free(bias), free(slope), free(net.mixed), free(net.mixed_terms);
}

int main(void)
{
    static const size_t frames[] = { 1, 2, 31, 32, 33, 95, 96, 97, 200 };
    for (unsigned k = 0; ut_nn_variant(k); k++)
        for (size_t i = 0; i < sizeof frames / sizeof *frames; i++)
            for (int ahead = 0; ahead < 2; ahead++) {
                test(ut_nn_variant(k), true, ahead, 8, 5, 2, 2, frames[i]);
                test(ut_nn_variant(k), true, ahead, 12, 17, 4, 4, frames[i]);
                test(ut_nn_variant(k), true, ahead, 4, 8, 8, 4, frames[i]);
                if (ahead) continue; /* of no meaning to the encoder */
                test(ut_nn_variant(k), false, false, 3, 8, 4, 2, frames[i]);
                test(ut_nn_variant(k), false, false, 6, 11, 8, 4, frames[i]);
                test(ut_nn_variant(k), false, false, 2, 3, 16, 4, frames[i]);
                test(ut_nn_variant(k), false, false, 2, 3, 16, 2, frames[i]);
            }
    return check_end();
}
