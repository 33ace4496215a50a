/* Error correction measured: speed on one core, LDPC's distance to the Shannon limit, and the co-design table: which rate of
 * which code survives which raw bit error rate.
 *
 *   bench_fec [--table] [--quick | --deep]
 *
 * --deep: the Shannon section on 3,000 blocks with at most 3 lost, without speeds; minutes.
 *
 * Speeds are payload bits per second of CPU time.  Block failures: counted for LDPC (the number of blocks is printed);
 * for the bounded-distance codes the binomial tail of errors beyond what they correct.  Seeds are fixed. */
#include "stage/fec/fec.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static uint64_t rng = 0x853c49e6748fea9bu;
static uint32_t next(void)
{
    rng ^= rng >> 12;
    rng ^= rng << 25;
    rng ^= rng >> 27;
    return (uint32_t)((rng * 2685821657736338717u) >> 32);
}
static double uniform(void) { return (next() + .5) / 4294967296.0; }
static double gauss(void) { return sqrt(-2 * log(uniform())) * cos(6.283185307179586 * uniform()); }
static double cpu(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

typedef struct rig {
    ut_fec_plan plan;
    uint8_t *payload, *bits, *got, *ok;
    int8_t *llr;
} rig;

static void *need(void *p)
{
    if (!p) exit(1);
    return p;
}

static void rig_open(rig *r, ut_fec_kind kind, unsigned rate, size_t nbytes)
{
    if (ut_fec_plan_init(&r->plan, kind, rate, nbytes, NULL) != UT_OK) exit(1);
    r->payload = need(malloc(nbytes));
    r->got = need(malloc(nbytes));
    r->bits = need(malloc(r->plan.code_nbits));
    r->llr = need(malloc(r->plan.code_nbits));
    r->ok = need(malloc(r->plan.nblocks));
    for (size_t i = 0; i < nbytes; i++) r->payload[i] = (uint8_t)next();
    if (ut_fec_encode(&r->plan, r->payload, r->bits, 1, NULL) != UT_OK) exit(1);
}

static void rig_close(rig *r)
{
    free(r->payload);
    free(r->got);
    free(r->bits);
    free(r->llr);
    free(r->ok);
}

static void send_bsc(rig *r, double p)
{
    uint32_t limit = (uint32_t)(p * 4294967295.0);
    for (size_t i = 0; i < r->plan.code_nbits; i++) r->llr[i] = (r->bits[i] ^ (next() < limit)) ? -64 : 64;
}

static void send_awgn(rig *r, double sigma)
{
    for (size_t i = 0; i < r->plan.code_nbits; i++) {
        double l = 8 * 2 * ((r->bits[i] ? -1 : 1) + sigma * gauss()) / (sigma * sigma);
        r->llr[i] = (int8_t)(l > 127 ? 127 : l < -127 ? -127 : l);
    }
}

/* Exactly n wrong symbols (RS) or bits (other codes) in each block. */
static void send_errors(rig *r, unsigned n)
{
    bool rs = r->plan.kind == UT_FEC_RS;
    for (size_t i = 0; i < r->plan.code_nbits; i++) r->llr[i] = r->bits[i] ? -64 : 64;
    for (size_t b = 0; b + 1 < r->plan.nblocks; b++)
        for (unsigned k = 0; k < n; k++) {
            size_t room = r->plan.block_nbits / (rs ? 8 : 1), at;
            do at = b * r->plan.block_nbits + next() % room * (rs ? 8 : 1);
            while ((r->llr[at] < 0) != r->bits[at]);
            r->llr[at] = (int8_t)-r->llr[at];
        }
}

static size_t blocks_lost(rig *r)
{
    ut_fec_result res;
    ut_status s = ut_fec_decode(&r->plan, r->llr, r->got, r->ok, &res, 1, NULL);
    if (s == UT_OK && memcmp(r->got, r->payload, r->plan.payload_nbytes)) exit(2); /* a wrong word called right */
    return res.nblocks_lost;
}

static unsigned step_named(ut_fec_kind kind, const char *name)
{
    for (unsigned i = 0; i < ut_fec_nrates(kind); i++)
        if (!strcmp(ut_fec_name(kind, i), name)) return i;
    fprintf(stderr, "no code called %s\n", name);
    exit(1);
}

static double decode_mbits(rig *r, double seconds)
{
    double t0 = cpu(), bits = 0;
    do {
        if (blocks_lost(r)) return 0;
        bits += 8.0 * (double)r->plan.payload_nbytes;
    } while (cpu() - t0 < seconds);
    return bits / (cpu() - t0) / 1e6;
}

static double encode_mbits(rig *r, double seconds)
{
    double t0 = cpu(), bits = 0;
    do {
        if (ut_fec_encode(&r->plan, r->payload, r->bits, 1, NULL) != UT_OK) exit(1);
        bits += 8.0 * (double)r->plan.payload_nbytes;
    } while (cpu() - t0 < seconds);
    return bits / (cpu() - t0) / 1e6;
}

static void speed(bool table, double seconds)
{
    static const struct {
        ut_fec_kind kind;
        const char *name;
        unsigned errors;   /* per block; LDPC: 0 */
        double p, target;
    } row[] = {
        { UT_FEC_RS, "rs(255,223)", 0, 0, 0 },  { UT_FEC_RS, "rs(255,223)", 16, 0, 100 }, { UT_FEC_RS, "rs(255,127)", 64, 0, 0 },
        { UT_FEC_BCH, "bch t=64", 0, 0, 0 },    { UT_FEC_BCH, "bch t=64", 64, 0, 40 },    { UT_FEC_BCH, "bch t=256", 256, 0, 0 },
        { UT_FEC_HAMMING, "hamming(72,64)", 1, 0, 0 }, { UT_FEC_LDPC, "ldpc 1/4", 0, .16, 10 },
        { UT_FEC_LDPC, "ldpc 1/2", 0, .085, 10 }, { UT_FEC_LDPC, "ldpc 3/4", 0, .027, 10 },
        { UT_FEC_LDPC, "ldpc 9/10", 0, .0065, 10 }, { UT_FEC_LDPC, "ldpc 19/20", 0, .0015, 10 },
    };
    if (table) printf("| code | wrong per block | encode Mbit/s | decode Mbit/s | aim | ratio |\n|---|---|---|---|---|---|\n");
    else printf("\"speed\": [");
    for (size_t i = 0; i < sizeof row / sizeof *row; i++) {
        rig r;
        char wrong[32], aim[32] = "", ratio[32] = "";
        rig_open(&r, row[i].kind, step_named(row[i].kind, row[i].name), 200000);
        if (row[i].p > 0) send_bsc(&r, row[i].p);
        else send_errors(&r, row[i].errors);
        double d = decode_mbits(&r, seconds), e = encode_mbits(&r, seconds / 2);
        if (row[i].p > 0) snprintf(wrong, sizeof wrong, "%.2f %%", 100 * row[i].p);
        else snprintf(wrong, sizeof wrong, "%u", row[i].errors);
        if (row[i].target > 0) snprintf(aim, sizeof aim, "%.0f", row[i].target), snprintf(ratio, sizeof ratio, "%.1f", d / row[i].target);
        if (table) printf("| %s | %s | %.0f | %.1f | %s | %s |\n", row[i].name, wrong, e, d, aim, ratio);
        else printf("%s\n  {\"code\": \"%s\", \"wrong\": \"%s\", \"encode_mbits\": %.1f, \"decode_mbits\": %.1f}", i ? "," : "", row[i].name, wrong, e, d);
        rig_close(&r);
        fflush(stdout);
    }
    if (!table) printf("\n],\n");
}

/* Information of a binary-input Gaussian channel per use, bits. */
static double awgn_capacity(double sigma)
{
    double sum = 0, step = .01;
    for (double z = -8; z <= 8; z += step) {
        double y = 1 + sigma * z;
        sum += exp(-z * z / 2) / sqrt(6.283185307179586) * log2(1 + exp(-2 * y / (sigma * sigma))) * step;
    }
    return 1 - sum;
}

/* Noise at which the capacity is r. */
static double awgn_limit(double r)
{
    double lo = .05, hi = 20;
    for (int i = 0; i < 60; i++) {
        double mid = sqrt(lo * hi);
        if (awgn_capacity(mid) > r) lo = mid;
        else hi = mid;
    }
    return lo;
}

static void shannon(bool table, size_t nblocks, size_t most_lost)
{
    static const char *const name[] = { "ldpc 1/4", "ldpc 1/2", "ldpc 3/4", "ldpc 9/10", "ldpc 19/20" };
    if (table) printf("\n| code | block | least gap dB (steps of 0.1) | blocks | lost |\n|---|---|---|---|---|\n");
    else printf("\"shannon\": [");
    for (size_t i = 0; i < sizeof name / sizeof *name; i++) {
        unsigned rate = step_named(UT_FEC_LDPC, name[i]);
        size_t nbytes = (size_t)(64800 * ut_fec_rate(UT_FEC_LDPC, rate) / 8);
        rig r;
        rig_open(&r, UT_FEC_LDPC, rate, nbytes);
        double actual = 8.0 * (double)nbytes / (double)r.plan.code_nbits, limit = awgn_limit(actual), gap = .3;
        size_t lost = nblocks;
        for (; gap < 2; gap += .1) {
            lost = 0;
            for (size_t b = 0; b < nblocks && lost <= most_lost; b++) {
                send_awgn(&r, limit / pow(10, gap / 20));
                lost += blocks_lost(&r);
            }
            if (lost <= most_lost) break;
        }
        if (table) printf("| %s | %zu | %.1f | %zu | %zu |\n", name[i], r.plan.code_nbits, gap, nblocks, lost);
        else printf("%s\n  {\"code\": \"%s\", \"block_nbits\": %zu, \"gap_db\": %.1f, \"blocks\": %zu, \"lost\": %zu}", i ? "," : "", name[i], r.plan.code_nbits, gap, nblocks, lost);
        rig_close(&r);
        fflush(stdout);
    }
    if (!table) printf("\n],\n");
}

/* P(more than t of n events of probability p). */
static double tail(double n, double t, double p)
{
    double sum = 0;
    for (double k = 0; k <= t; k++) sum += exp(lgamma(n + 1) - lgamma(k + 1) - lgamma(n - k + 1) + k * log(p) + (n - k) * log1p(-p));
    return sum > 1 ? 0 : 1 - sum;
}

static double failure(ut_fec_kind kind, const char *name, double p)
{
    unsigned a, b;
    if (kind == UT_FEC_RS && sscanf(name, "rs(%u,%u)", &a, &b) == 2) return tail(a, (a - b) / 2, 1 - pow(1 - p, 8));
    if (kind == UT_FEC_BCH && sscanf(name, "bch t=%u", &a) == 1) return tail(8191, a, p);
    if (kind == UT_FEC_HAMMING && sscanf(name, "hamming(%u,%u)", &a, &b) == 2) return 1 - pow(1 - tail(a, 1, p), 512.0 / b); /* per 64 bytes */
    return 1;
}

/* Highest rate of the family that loses at most one block in 1,000 (LDPC: none of nblocks); 0: none. */
static double best_rate(ut_fec_kind kind, double p, size_t nblocks)
{
    double best = 0;
    for (unsigned i = ut_fec_nrates(kind); i-- > 0 && best == 0;) {
        double rate = ut_fec_rate(kind, i);
        if (kind != UT_FEC_LDPC) {
            if (failure(kind, ut_fec_name(kind, i), p) <= 1e-3) best = rate;
            continue;
        }
        double capacity = 1 + p * log2(p) + (1 - p) * log2(1 - p);
        if (rate > capacity) continue;
        rig r;
        rig_open(&r, kind, i, (size_t)(64800 * rate / 8));
        size_t lost = 0;
        for (size_t b = 0; b < nblocks && !lost; b++) {
            send_bsc(&r, p);
            lost += blocks_lost(&r);
        }
        if (!lost) best = rate;
        rig_close(&r);
    }
    return best;
}

static void codesign(bool table, size_t nblocks)
{
    static const double p[] = { .0003, .001, .003, .005, .01, .02, .03, .05, .08, .10, .15, .20 };
    if (table) printf("\n| raw BER | capacity | LDPC (%zu blocks) | BCH | Reed-Solomon | Hamming |\n|---|---|---|---|---|---|\n", nblocks);
    else printf("\"codesign\": [");
    for (size_t i = 0; i < sizeof p / sizeof *p; i++) {
        double c = 1 + p[i] * log2(p[i]) + (1 - p[i]) * log2(1 - p[i]), v[4];
        static const ut_fec_kind kind[] = { UT_FEC_LDPC, UT_FEC_BCH, UT_FEC_RS, UT_FEC_HAMMING };
        for (int k = 0; k < 4; k++) v[k] = best_rate(kind[k], p[i], nblocks);
        if (table) {
            printf("| %.2f %% | %.3f |", 100 * p[i], c);
            for (int k = 0; k < 4; k++) v[k] > 0 ? printf(" %.3f |", v[k]) : printf(" - |");
            printf("\n");
        } else {
            printf("%s\n  {\"ber\": %g, \"capacity\": %.4f, \"ldpc\": %.4f, \"bch\": %.4f, \"rs\": %.4f, \"hamming\": %.4f}", i ? "," : "", p[i], c, v[0], v[1], v[2], v[3]);
        }
        fflush(stdout);
    }
    if (!table) printf("\n]}\n");
}

int main(int argc, char **argv)
{
    bool table = false, quick = false, deep = false;
    for (int i = 1; i < argc; i++) {
        if (!strcmp(argv[i], "--table")) table = true;
        else if (!strcmp(argv[i], "--quick")) quick = true;
        else if (!strcmp(argv[i], "--deep")) deep = true;
        else return fprintf(stderr, "usage: bench_fec [--table] [--quick | --deep]\n"), 2;
    }
    if (!table) printf("{");
    if (!deep) speed(table, quick ? .1 : .5);
    shannon(table, deep ? 3000 : quick ? 20 : 200, deep ? 3 : quick ? 0 : 2);
    codesign(table, deep || quick ? 10 : 100);
    return 0;
}
