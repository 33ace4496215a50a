/* Prints src/stage/fec/thresholds.inc: the raw bit error rate at which each LDPC step still gives a block back but 1 time
 * in 10,000, on a channel with hard decisions.  Takes a few minutes:  gen_fec_thresholds > src/stage/fec/thresholds.inc
 *
 * A block's failure rate against the raw error rate is close to a Gaussian's distribution function.  Its middle and its
 * width are measured (where half and where a sixth of the blocks fail), and 3.72 widths below the middle lies 1e-4. */
#include "stage/fec/fec.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

static const unsigned lengths[] = { 64800, 16200, 4050, 1080 }; /* code bits, about */
static unsigned long long state = 0x7e57ab1e;
static double uniform(void)
{
    state ^= state >> 12;
    state ^= state << 25;
    state ^= state >> 27;
    return (double)((state * 2685821657736338717ull) >> 11) * 0x1p-53;
}

static double failures(const ut_fec_plan *p, const uint8_t *bits, double ber, unsigned ntrials)
{
    int8_t *llr = malloc(p->code_nbits);
    uint8_t *out = malloc(p->payload_nbytes);
    ut_fec_result r;
    ut_err e;
    size_t lost = 0, all = 0;
    for (unsigned t = 0; t < ntrials && llr && out; t++) {
        for (size_t i = 0; i < p->code_nbits; i++) llr[i] = (bits[i] ^ (uniform() < ber)) ? -32 : 32;
        ut_status s = ut_fec_decode(p, llr, out, NULL, &r, 2, &e);
        if (s != UT_OK && s != UT_E_DAMAGED) exit(1);
        lost += r.nblocks_lost;
        all += p->nblocks;
    }
    free(llr);
    free(out);
    return (double)lost / (double)all;
}

/* The error rate at which the channel's capacity falls to `rate`: no code does better. */
static double limit(double rate)
{
    double low = 1e-9, high = .5;
    for (int i = 0; i < 50; i++) {
        double p = (low + high) / 2, capacity = 1 + p * log2(p) + (1 - p) * log2(1 - p);
        if (capacity > rate) low = p;
        else high = p;
    }
    return low;
}

/* The error rate in [low, high] where the share `want` fails. */
static double crossing(const ut_fec_plan *p, const uint8_t *bits, double low, double high, double want, unsigned nblocks)
{
    unsigned ntrials = (nblocks - 1) / (unsigned)p->nblocks + 1;
    for (int i = 0; i < 7; i++) {
        double mid = (low + high) / 2;
        if (failures(p, bits, mid, ntrials) > want) high = mid;
        else low = mid;
    }
    return (low + high) / 2;
}

int main(void)
{
    printf("/* tools/gen_fec_thresholds.c; code bits a block:");
    for (unsigned i = 0; i < 4; i++) printf(" %u", lengths[i]);
    printf(" */\n");
    for (unsigned r = 0; r < ut_fec_nrates(UT_FEC_LDPC); r++) {
        double rate = ut_fec_rate(UT_FEC_LDPC, r);
        printf("{ ");
        for (unsigned i = 0; i < 4; i++) {
            ut_fec_plan p;
            ut_err e;
            /* several blocks to a message, so that building the code costs little */
            size_t nblocks = i == 0 ? 16 : 1, nbytes = (size_t)(lengths[i] * rate / 8) * nblocks;
            if (ut_fec_plan_init(&p, UT_FEC_LDPC, r, nbytes, &e) != UT_OK) return 1;
            uint8_t *payload = calloc(nbytes, 1), *bits = malloc(p.code_nbits);
            for (size_t k = 0; payload && k < nbytes; k++) payload[k] = (uint8_t)(uniform() * 256);
            if (!payload || !bits || ut_fec_encode(&p, payload, bits, 2, &e) != UT_OK) return 1;
            double top = limit(8 * (double)nbytes / (double)p.code_nbits);
            double mid = crossing(&p, bits, .3 * top, top, .5, i < 2 ? 16 : 100);
            double low = crossing(&p, bits, mid * (i < 2 ? .9 : .6), mid, .1587, i < 2 ? 32 : 200);
            double at = mid - 3.72 * (mid - low);
            printf("%.5f%s", at > 0 ? at : 0, i < 3 ? ", " : " },\n");
            free(payload);
            free(bits);
        }
        fflush(stdout);
    }
    return 0;
}
