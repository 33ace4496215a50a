/* What the error-correcting codes cost and reach: bench_fec [--quick] [--table].  JSON, or with --table Markdown.
 *
 * speed: payload Mbit/s of one thread through fec.h, setting up the code included.
 * gap: Eb/N0 of binary antipodal signals in white noise at which one full LDPC block in a hundred or fewer is lost,
 *   against the least Eb/N0 at which a code of that rate could work (binary input, block length unbounded).
 * design: per raw bit error rate of a binary symmetric channel, the highest rate of each family that loses at most one
 *   block in a thousand: computed exactly for bounded-distance decoding, measured for LDPC.
 * Seeds are fixed; times are not. */
#include "stage/fec/fec.h"
#include "stage/fec/fec_plan.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define BATCH 16u /* blocks a call, which sets up the code anew */

static bool quick, table;
static uint64_t state = 0x9e3779b97f4a7c15u;

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static uint64_t draw(void) /* xorshift64* (Vigna 2016) */
{
    state ^= state >> 12;
    state ^= state << 25;
    state ^= state >> 27;
    return state * 2685821657736338717u;
}
static uint32_t below(uint32_t n) { return (uint32_t)((draw() >> 32) * n >> 32); }
static double uniform(void) { return ((double)(draw() >> 11) + .5) / 9007199254740992.; }

static void die(const char *what)
{
    fprintf(stderr, "bench_fec: %s\n", what);
    exit(1);
}

/* ---- A batch of blocks and its channels ---- */

typedef struct batch {
    ut_fec_plan plan;
    uint8_t *payload, *out, *bits, *ok;
    int8_t *llr;
} batch;

/* As many payload bytes as fill a block of the step to the brim. */
static size_t full_nbytes(ut_fec_kind kind, unsigned rate)
{
    ut_fec_plan p;
    size_t lo = 1, hi = 65536; /* lo fits in one block, hi does not */
    while (hi - lo > 1) {
        size_t mid = (lo + hi) / 2;
        if (ut_fec_plan_init(&p, kind, rate, mid, NULL) != UT_OK) die("no plan");
        if (p.nblocks == 1) lo = mid; else hi = mid;
    }
    return lo;
}

static batch batch_new(ut_fec_kind kind, unsigned rate, size_t nblocks)
{
    batch b;
    size_t n = nblocks * full_nbytes(kind, rate);
    if (ut_fec_plan_init(&b.plan, kind, rate, n, NULL) != UT_OK || b.plan.nblocks != nblocks) die("no plan");
    b.payload = malloc(n);
    b.out = malloc(n);
    b.bits = malloc(b.plan.code_nbits);
    b.llr = malloc(b.plan.code_nbits);
    b.ok = malloc(nblocks);
    if (!b.payload || !b.out || !b.bits || !b.llr || !b.ok) die("out of memory");
    for (size_t i = 0; i < n; i++) b.payload[i] = (uint8_t)below(256);
    if (ut_fec_encode(&b.plan, b.payload, b.bits, 1, NULL) != UT_OK) die("encoding failed");
    return b;
}

static void batch_free(batch *b)
{
    free(b->payload);
    free(b->out);
    free(b->bits);
    free(b->llr);
    free(b->ok);
}

static void send_clean(batch *b)
{
    for (size_t i = 0; i < b->plan.code_nbits; i++) b->llr[i] = b->bits[i] ? -40 : 40;
}

static void send_bsc(batch *b, double p)
{
    send_clean(b);
    double scale = 1 / log1p(-p);
    for (double i = floor(log(uniform()) * scale); i < (double)b->plan.code_nbits; i += 1 + floor(log(uniform()) * scale))
        b->llr[(size_t)i] = (int8_t)-b->llr[(size_t)i];
}

static void send_awgn(batch *b, double sigma)
{
    for (size_t i = 0; i < b->plan.code_nbits; i += 2) {
        double r = sigma * sqrt(-2 * log(uniform())), a = 6.283185307179586 * uniform(), noise[2] = { r * cos(a), r * sin(a) };
        for (size_t k = i; k < i + 2 && k < b->plan.code_nbits; k++) {
            double v = nearbyint(16 * ((b->bits[k] ? -1 : 1) + noise[k - i]) / (sigma * sigma));
            b->llr[k] = (int8_t)fmax(-127, fmin(127, v));
        }
    }
}

/* Exactly n symbols of `width` bits wrong in every block. */
static void send_wrong(batch *b, unsigned n, unsigned width)
{
    static uint8_t hit[65536];
    send_clean(b);
    for (size_t k = 0; k < b->plan.nblocks; k++) {
        int8_t *llr = b->llr + k * b->plan.block_nbits;
        memset(hit, 0, sizeof hit);
        for (unsigned i = 0; i < n; i++) {
            uint32_t at = below((uint32_t)(b->plan.block_nbits / width)), v = width > 1 ? 1 + below((1u << width) - 1) : 1;
            if (hit[at]++) {
                i--;
                continue;
            }
            for (unsigned j = 0; j < width; j++)
                if (v >> j & 1) llr[at * width + j] = (int8_t)-llr[at * width + j];
        }
    }
}

/* Returns blocks lost; a block that was called good must be. */
static size_t receive(batch *b, double *seconds)
{
    ut_fec_result r;
    double t = now();
    ut_status s = ut_fec_decode(&b->plan, b->llr, b->out, b->ok, &r, 1, NULL);
    if (seconds) *seconds += now() - t;
    if (s != UT_OK && s != UT_E_DAMAGED) die("decoding failed");
    size_t n = b->plan.block_payload_nbytes; /* of every block: all are full */
    for (size_t i = 0; i < b->plan.nblocks; i++)
        if (b->ok[i] && memcmp(b->out + i * n, b->payload + i * n, n) != 0) die("a block is wrong and was called good");
    return r.nblocks_lost;
}

/* ---- Theory ---- */

static double entropy(double p) { return p <= 0 || p >= 1 ? 0 : -p * log2(p) - (1 - p) * log2(1 - p); }

/* Bits per use of binary antipodal signals in Gaussian noise: 1 - E[log2(1 + exp(-L))], L ~ N(2/s^2, 4/s^2). */
static double biawgn_capacity(double sigma)
{
    double m = 2 / (sigma * sigma), d = 2 / sigma, sum = 0, weight = 0;
    for (double x = -8; x <= 8; x += 1. / 64) {
        double w = exp(-x * x / 2), l = m + d * x;
        sum += w * (l > 0 ? log1p(exp(-l)) : -l + log1p(exp(l)));
        weight += w;
    }
    return 1 - sum / weight / log(2);
}

static double ebn0_db(double rate, double sigma) { return 10 * log10(1 / (2 * rate * sigma * sigma)); }
static double sigma_at(double rate, double db) { return sqrt(1 / (2 * rate * pow(10, db / 10))); }

static double shannon_db(double rate)
{
    double lo = .05, hi = 20;
    for (int i = 0; i < 60; i++) {
        double mid = sqrt(lo * hi);
        if (biawgn_capacity(mid) > rate) lo = mid; else hi = mid;
    }
    return ebn0_db(rate, lo);
}

/* P(more than t of n go wrong), each with probability p. */
static double tail(unsigned n, double p, unsigned t)
{
    double sum = 0;
    for (unsigned k = t + 1; k <= n; k++)
        sum += exp(lgamma(n + 1.) - lgamma(k + 1.) - lgamma(n - k + 1.) + k * log(p) + (n - k) * log1p(-p));
    return sum > 1 ? 1 : sum;
}

/* How often a full block is lost, or for Hamming codes also wrong. */
static double block_failure(ut_fec_kind kind, unsigned rate, double p)
{
    const ut_fec_step *s = ut_fec_step_at(kind, rate);
    ut_fec_plan plan;
    if (ut_fec_plan_init(&plan, kind, rate, full_nbytes(kind, rate), NULL) != UT_OK) die("no plan");
    if (kind == UT_FEC_BCH) return tail((unsigned)plan.block_nbits, p, s->a);
    if (kind == UT_FEC_RS) return tail(255, 1 - pow(1 - p, 8), s->a / 2);
    double good = 1;
    for (size_t left = 8 * plan.payload_nbytes; left;) {
        unsigned k = left < s->b ? (unsigned)left : s->b;
        good *= 1 - tail(k + s->a + s->overall, p, 1);
        left -= k;
    }
    return 1 - good;
}

/* ---- Parts ---- */

static const char *comma(bool first) { return first ? "" : ","; }

static void speed_row(ut_fec_kind kind, unsigned rate, const char *channel, unsigned wrong, double gap_db, bool first)
{
    batch b = batch_new(kind, rate, kind == UT_FEC_LDPC ? 32 : kind == UT_FEC_BCH ? 128 : 1024);
    double real = (double)b.plan.payload_nbytes * 8 / (double)b.plan.code_nbits, most = quick ? .3 : 1.2;
    double encode = 0, decode = 0;
    size_t n = 0, m = 0, lost = 0;
    for (; decode < most; n++) {
        if (kind == UT_FEC_LDPC) send_awgn(&b, sigma_at(real, shannon_db(real) + gap_db));
        else send_wrong(&b, wrong, kind == UT_FEC_RS ? 8 : 1);
        lost += receive(&b, &decode);
    }
    for (double t = now(); encode < most / 2; encode = now() - t, m++)
        if (ut_fec_encode(&b.plan, b.payload, b.bits, 1, NULL) != UT_OK) die("encoding failed");
    double mbits = (double)b.plan.payload_nbytes * 8e-6, enc = mbits * (double)m / encode, dec = mbits * (double)n / decode;
    if (table)
        printf("| %s | %s | %.0f | %.0f | %zu of %zu |\n", ut_fec_name(kind, rate), channel, enc, dec, lost, n * b.plan.nblocks);
    else
        printf("%s\n    { \"code\": \"%s\", \"channel\": \"%s\", \"encode_mbps\": %.2f, \"decode_mbps\": %.2f, \"blocks\": %zu, "
               "\"lost\": %zu }", comma(first), ut_fec_name(kind, rate), channel, enc, dec, n * b.plan.nblocks, lost);
    fflush(stdout);
    batch_free(&b);
}

static unsigned step_named(const char *name)
{
    for (unsigned i = 0; i < ut_fec_nrates(UT_FEC_LDPC); i++)
        if (strcmp(ut_fec_name(UT_FEC_LDPC, i), name) == 0) return i;
    die("no such LDPC step");
    return 0;
}

static void speed(void)
{
    if (table)
        printf("| code | channel | encode Mbit/s | decode Mbit/s | blocks lost |\n|---|---|---|---|---|\n");
    else
        printf("  \"speed\": [");
    speed_row(UT_FEC_HAMMING, 3, "no errors", 0, 0, true);
    speed_row(UT_FEC_RS, 6, "no errors", 0, 0, false);
    speed_row(UT_FEC_RS, 6, "16 symbols wrong", 16, 0, false);
    speed_row(UT_FEC_BCH, 6, "no errors", 0, 0, false);
    speed_row(UT_FEC_BCH, 6, "64 bits wrong", 64, 0, false);
    speed_row(UT_FEC_LDPC, step_named("ldpc 1/2"), "noise, 0.8 dB from Shannon", 0, .8, false);
    speed_row(UT_FEC_LDPC, step_named("ldpc 3/4"), "noise, 0.6 dB from Shannon", 0, .6, false);
    speed_row(UT_FEC_LDPC, step_named("ldpc 9/10"), "noise, 0.6 dB from Shannon", 0, .6, false);
    printf(table ? "\n" : "\n  ],\n");
}

/* Upwards in steps of 0.05 dB to the first where no more than one block in a hundred is lost. */
static void gap_row(unsigned rate, double budget, bool first)
{
    batch b = batch_new(UT_FEC_LDPC, rate, BATCH);
    double real = (double)b.plan.payload_nbytes * 8 / (double)b.plan.code_nbits, limit = shannon_db(real);
    double step = quick ? .1 : .05, gap = .2;
    size_t blocks = 0, lost = 0, most = quick ? 160 : 1600;
    for (;; gap += step) {
        double t = now();
        blocks = lost = 0;
        while (blocks < most && lost * 100 <= most && (now() - t < budget || blocks < 100)) {
            send_awgn(&b, sigma_at(real, limit + gap));
            lost += receive(&b, NULL);
            blocks += BATCH;
        }
        if (lost * 100 <= blocks || gap > 5) break;
    }
    if (table)
        printf("| %s | %.4f | %.2f | %.2f | %.2f | %zu of %zu |\n", ut_fec_name(UT_FEC_LDPC, rate), real, limit, limit + gap, gap,
               lost, blocks);
    else
        printf("%s\n    { \"code\": \"%s\", \"rate\": %.5f, \"shannon_ebn0_db\": %.3f, \"ebn0_db\": %.3f, \"gap_db\": %.2f, "
               "\"blocks\": %zu, \"lost\": %zu }", comma(first), ut_fec_name(UT_FEC_LDPC, rate), real, limit, limit + gap, gap,
               blocks, lost);
    fflush(stdout);
    batch_free(&b);
}

static void gap(void)
{
    static const char *name[] = { "ldpc 1/10", "ldpc 1/4", "ldpc 1/2", "ldpc 3/4", "ldpc 9/10", "ldpc 35/36" };
    if (table)
        printf("| code | rate | Shannon Eb/N0 dB | reached dB | gap dB | blocks lost there |\n|---|---|---|---|---|---|\n");
    else
        printf("  \"gap\": [");
    for (size_t i = quick ? 2 : 0; i < (quick ? 5u : 6u); i++) gap_row(step_named(name[i]), quick ? .8 : 6, i == (quick ? 2u : 0u));
    printf(table ? "\n" : "\n  ],\n");
}

typedef struct best {
    const char *name;
    double rate;
    size_t blocks, lost; /* LDPC */
} best;

static best best_computed(ut_fec_kind kind, double p)
{
    best a = { .name = "none" };
    for (unsigned i = 0; i < ut_fec_nrates(kind); i++)
        if (ut_fec_rate(kind, i) > a.rate && block_failure(kind, i, p) <= 1e-3)
            a = (best){ .name = ut_fec_name(kind, i), .rate = ut_fec_rate(kind, i) };
    return a;
}

/* Downwards to the first that loses no more than one in a thousand of the blocks that time allows. */
static best best_ldpc(double p, unsigned *from, double budget)
{
    for (unsigned i = *from + 1; i-- > 0;) {
        if (ut_fec_rate(UT_FEC_LDPC, i) >= 1 - entropy(p)) continue; /* cannot be */
        batch b = batch_new(UT_FEC_LDPC, i, BATCH);
        size_t blocks = 0, lost = 0, most = quick ? 96 : 2000;
        double t = now();
        while (blocks < most && lost * 1000 <= most && (now() - t < budget || blocks < 32)) {
            send_bsc(&b, p);
            lost += receive(&b, NULL);
            blocks += BATCH;
        }
        batch_free(&b);
        if (lost * 1000 > blocks) continue;
        *from = i;
        return (best){ .name = ut_fec_name(UT_FEC_LDPC, i), .rate = ut_fec_rate(UT_FEC_LDPC, i), .blocks = blocks, .lost = lost };
    }
    return (best){ .name = "none" };
}

static void table_cell(best b) { b.rate > 0 ? printf(" %.3f %s |", b.rate, b.name) : printf(" none |"); }

static void design(void)
{
    static const double percent[] = { .03, .1, .3, .5, 1, 2, 3, 5, 8, 10, 15, 20 };
    unsigned from = ut_fec_nrates(UT_FEC_LDPC) - 1;
    if (table)
        printf("| raw BER %% | capacity | Hamming | RS | BCH | LDPC | LDPC blocks lost |\n|---|---|---|---|---|---|---|\n");
    else
        printf("  \"design\": [");
    for (size_t i = 0; i < sizeof percent / sizeof *percent; i++) {
        double p = percent[i] / 100;
        best h = best_computed(UT_FEC_HAMMING, p), r = best_computed(UT_FEC_RS, p), b = best_computed(UT_FEC_BCH, p);
        best l = best_ldpc(p, &from, quick ? .3 : 4);
        if (table) {
            printf("| %g | %.3f |", percent[i], 1 - entropy(p));
            table_cell(h);
            table_cell(r);
            table_cell(b);
            table_cell(l);
            printf(" %zu of %zu |\n", l.lost, l.blocks);
        } else
            printf("%s\n    { \"ber\": %g, \"capacity\": %.5f, \"hamming\": %.5f, \"rs\": %.5f, \"bch\": %.5f, \"ldpc\": %.5f, "
                   "\"ldpc_blocks\": %zu, \"ldpc_lost\": %zu }", comma(i == 0), p, 1 - entropy(p), h.rate, r.rate, b.rate, l.rate,
                   l.blocks, l.lost);
        fflush(stdout);
    }
    printf(table ? "\n" : "\n  ]\n");
}

int main(int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--quick") == 0) quick = true;
        else if (strcmp(argv[i], "--table") == 0) table = true;
        else return fprintf(stderr, "usage: bench_fec [--quick] [--table]\n"), 2;
    }
    if (!table) printf("{ \"quick\": %s,\n", quick ? "true" : "false");
    speed();
    gap();
    design();
    if (!table) printf("}\n");
    return 0;
}
