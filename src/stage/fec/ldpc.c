#include "stage/fec/ldpc.h"
#include "base/parallel.h"
#include "stage/fec/bch.h"
#include "stage/fec/bits.h"
#include "stage/fec/ldpc_decode.h"
#include "stage/fec/ldpc_scale.h"
#include <stdlib.h>

#define OUTER_M 16u
#define OUTER_MAX_T 12u
#define OUTER_SHARE 1600u /* code bits per error that the outer code corrects: its parity is 1 % */
#define MAX_PASSES 60u

/* Degrees up to 3/5 as in EN 302 307, table 5, except for 1/10 and 1/6; from 2/3 on found by trial: more heavy columns
 * than there, which gains 0.1 dB in noise and a tenth to a fifth more errors on a hard channel. */
static const ut_ldpc_profile ladder[] = {
    { "ldpc 1/10", 9, 15, 18, 3 }, { "ldpc 1/6", 10, 24, 30, 3 }, { "ldpc 1/4", 15, 12, 45, 3 },
    { "ldpc 1/3", 20, 12, 60, 3 }, { "ldpc 2/5", 24, 12, 72, 3 }, { "ldpc 1/2", 36, 8, 90, 3 },
    { "ldpc 11/20", 36, 10, 99, 3 }, { "ldpc 3/5", 36, 12, 108, 3 }, { "ldpc 2/3", 22, 12, 120, 3 },
    { "ldpc 7/10", 24, 11, 126, 3 }, { "ldpc 3/4", 25, 11, 135, 3 }, { "ldpc 4/5", 28, 10, 144, 3 },
    { "ldpc 5/6", 28, 9, 150, 3 }, { "ldpc 31/36", 28, 8, 155, 3 }, { "ldpc 8/9", 28, 8, 160, 3 },
    { "ldpc 9/10", 30, 8, 162, 3 }, { "ldpc 11/12", 29, 8, 165, 3 }, { "ldpc 14/15", 28, 8, 168, 3 },
    { "ldpc 19/20", 30, 7, 171, 3 }, { "ldpc 35/36", 40, 5, 175, 3 },
};
#define NRATES ((unsigned)(sizeof ladder / sizeof *ladder))

unsigned ut_ldpc_nrates(void) { return NRATES; }
const char *ut_ldpc_name(unsigned rate) { return rate < NRATES ? ladder[rate].name : "ldpc ?"; }
/* From 14/15 on 192 bits would cost more than they mend. */
static size_t most_t(unsigned rate) { return ladder[rate].ninfo < 168 ? OUTER_MAX_T : 4; }

double ut_ldpc_rate(unsigned rate)
{
    if (rate >= NRATES) return 0;
    return (double)(ladder[rate].ninfo * UT_LDPC_MAX_Z - OUTER_M * most_t(rate)) / (UT_LDPC_COLUMNS * UT_LDPC_MAX_Z);
}

ut_status ut_ldpc_plan(ut_fec_plan *p, unsigned rate, size_t payload_nbytes, ut_err *e)
{
    if (rate >= NRATES || payload_nbytes < 1 || payload_nbytes > UT_FEC_MAX_PAYLOAD)
        return ut_fail(e, UT_E_USAGE, "no LDPC code of step %u for %zu bytes: steps are 0 to %u", rate, payload_nbytes,
                       NRATES - 1);
    size_t ninfo = ladder[rate].ninfo, most = (ninfo * UT_LDPC_MAX_Z - OUTER_M * most_t(rate)) / 8;
    size_t nblocks = (payload_nbytes + most - 1) / most, per = (payload_nbytes + nblocks - 1) / nblocks;
    nblocks = (payload_nbytes + per - 1) / per;
    size_t t = 8 * per * UT_LDPC_COLUMNS / ninfo / OUTER_SHARE;
    if (t > most_t(rate)) t = most_t(rate);
    size_t k = 8 * per + OUTER_M * t, z = (k + ninfo - 1) / ninfo, nparity = (UT_LDPC_COLUMNS - ninfo) * z;
    *p = (ut_fec_plan){ .kind = UT_FEC_LDPC, .rate = rate, .payload_nbytes = payload_nbytes, .nblocks = nblocks,
                        .block_payload_nbytes = per, .z = (unsigned)z, .outer_t = (unsigned)t,
                        .block_nbits = k + nparity };
    p->code_nbits = 8 * payload_nbytes + nblocks * (OUTER_M * t + nparity);
    return UT_OK;
}

/* What all blocks share. */
typedef struct job {
    const ut_fec_plan *plan;
    ut_ldpc_code code;
    ut_bch bch;
    const uint8_t *payload_in;
    uint8_t *bits, *payload_out, *block_ok;
    const int8_t *llr;
    struct outcome { uint8_t done, ok; uint32_t ncorrected; } *outcome; /* [nblocks], owned */
} job;

static size_t block_nbytes(const ut_fec_plan *p, size_t i)
{
    size_t from = i * p->block_payload_nbytes, left = p->payload_nbytes - from;
    return left < p->block_payload_nbytes ? left : p->block_payload_nbytes;
}

static void job_close(job *j)
{
    ut_ldpc_code_free(&j->code);
    if (j->plan->outer_t) ut_bch_free(&j->bch);
    free(j->outcome);
}

static ut_status job_open(job *j, const ut_fec_plan *p, bool decoder, ut_err *e)
{
    ut_fec_plan same = { 0 };
    *j = (job){ .plan = p };
    ut_status s = ut_ldpc_plan(&same, p->rate, p->payload_nbytes, e);
    if (s != UT_OK) return s;
    if (same.code_nbits != p->code_nbits || same.nblocks != p->nblocks || same.z != p->z ||
        same.outer_t != p->outer_t || same.block_payload_nbytes != p->block_payload_nbytes || same.block_nbits != p->block_nbits)
        return ut_fail(e, UT_E_INTERNAL, "the LDPC plan was changed after it was made");
    j->outcome = ut_calloc(p->nblocks, sizeof *j->outcome, e);
    if (!j->outcome) return UT_E_MEMORY;
    s = ut_ldpc_code_init(&j->code, &ladder[p->rate], p->z, e);
    if (s == UT_OK && p->outer_t) s = ut_bch_init(&j->bch, OUTER_M, p->outer_t, decoder, e);
    if (s != UT_OK) job_close(j);
    return s;
}

/* Payload, outer parity, zeros up to ninfo z, parity: the codeword of one block; codeword: [180 z]. */
static void encode_word(const job *j, const uint8_t *payload, size_t nbytes, uint8_t *word)
{
    size_t k = 8 * nbytes, ninfo = (size_t)j->code.ninfo * j->code.z;
    memset(word, 0, ninfo);
    if (j->plan->outer_t) {
        ut_bch_encode_bits(&j->bch, payload, nbytes, word);
        k += j->bch.nparity;
    } else
        ut_bits_spread(payload, k, word);
    ut_ldpc_code_parity(&j->code, word, word + ninfo);
}

static size_t nsystematic(const job *j, size_t nbytes) { return 8 * nbytes + OUTER_M * j->plan->outer_t; }

static void encode_block(void *arg, size_t i)
{
    job *j = arg;
    const ut_fec_plan *p = j->plan;
    size_t z = p->z, ninfo = j->code.ninfo * z, nbytes = block_nbytes(p, i), k = nsystematic(j, nbytes);
    uint8_t *word = malloc(UT_LDPC_COLUMNS * z), *to = j->bits + i * p->block_nbits;
    if (!word) return;
    encode_word(j, j->payload_in + i * p->block_payload_nbytes, nbytes, word);
    memcpy(to, word, k);
    memcpy(to + k, word + ninfo, j->code.nrows * z);
    free(word);
    j->outcome[i].done = 1;
}

static ut_status all_done(const job *j, ut_err *e)
{
    for (size_t i = 0; i < j->plan->nblocks; i++)
        if (!j->outcome[i].done) return ut_fail_memory(e, UT_LDPC_COLUMNS * (size_t)j->plan->z);
    return UT_OK;
}

ut_status ut_ldpc_encode(const ut_fec_plan *p, const uint8_t *payload, uint8_t *bits, unsigned nthreads, ut_err *e)
{
    job j;
    ut_status s = job_open(&j, p, false, e);
    if (s != UT_OK) return s;
    j.payload_in = payload;
    j.bits = bits;
    ut_parallel(nthreads, p->nblocks, encode_block, &j);
    s = all_done(&j, e);
    job_close(&j);
    return s;
}

typedef struct scratch {
    ut_ldpc_decoder decoder;
    uint8_t *word;   /* [180 z] decoded, then encoded again */
    int8_t *llr;     /* [180 z] */
    uint8_t *payload, *outer, *bch_work;
} scratch;

static bool scratch_open(scratch *s, const job *j)
{
    size_t n = UT_LDPC_COLUMNS * (size_t)j->plan->z;
    *s = (scratch){ 0 };
    if (ut_ldpc_decoder_init(&s->decoder, &j->code, NULL) != UT_OK) return false;
    s->word = malloc(n);
    s->llr = malloc(n);
    s->payload = calloc(1, n / 8 + 1);
    s->outer = calloc(1, OUTER_M * OUTER_MAX_T / 8);
    if (j->plan->outer_t) s->bch_work = malloc(ut_bch_work_nbytes(&j->bch));
    return s->word && s->llr && s->payload && s->outer && (s->bch_work || !j->plan->outer_t);
}

static void scratch_close(scratch *s)
{
    ut_ldpc_decoder_free(&s->decoder);
    free(s->word);
    free(s->llr);
    free(s->payload);
    free(s->outer);
    free(s->bch_work);
}

static void pack(const uint8_t *bits, size_t nbits, uint8_t *p)
{
    memset(p, 0, (nbits + 7) / 8);
    for (size_t i = 0; i < nbits; i++) p[i / 8] = (uint8_t)(p[i / 8] | bits[i] << (7 - i % 8));
}

/* Known zeros take part as sure bits. */
static void arrange(const job *j, const int8_t *llr, size_t k, int8_t *out)
{
    size_t z = j->plan->z, ninfo = j->code.ninfo * z, nparity = j->code.nrows * z;
    uint64_t rate = 65536 * k / (k + nparity);
    ut_ldpc_scale(llr, k + nparity, (unsigned)(rate + rate * (65536 - rate) / 65536 * 3 / 8), out); /* by trial */
    memmove(out + ninfo, out + k, nparity);
    memset(out + k, 127, ninfo - k);
}

/* Parity bits that speak for the word less those against, weighted, as a share of all.  A wrong word gets about 0, the
 * right one in a channel near the limit from 0.35 (rate 1/10) to 0.99: ask for 0.1 + rate / 2. */
static bool plausible(const job *j, const int8_t *llr, const uint8_t *parity)
{
    int64_t sum = 0, all = 0;
    for (size_t i = 0; i < (size_t)j->code.nrows * j->code.z; i++) {
        sum += parity[i] ? -llr[i] : llr[i];
        all += llr[i] < 0 ? -llr[i] : llr[i];
    }
    return sum * 2 * UT_LDPC_COLUMNS > all * (int64_t)(UT_LDPC_COLUMNS / 5 + j->code.ninfo);
}

/* Headers, of which a reader tries many where there is none.  Longer blocks get every chance: theirs may be few sure bits among many doubtful ones. */
enum { SMALL_NBITS = 2100 };

static void decode_block(void *arg, size_t i)
{
    job *j = arg;
    const ut_fec_plan *p = j->plan;
    size_t nbytes = block_nbytes(p, i), k = nsystematic(j, nbytes), ninfo = (size_t)j->code.ninfo * p->z;
    const int8_t *llr = j->llr + i * p->block_nbits;
    uint8_t *to = j->payload_out + i * p->block_payload_nbytes;
    scratch s;
    memset(to, 0, nbytes);
    if (scratch_open(&s, j)) {
        arrange(j, llr, k, s.llr);
        unsigned passes = p->block_nbits <= SMALL_NBITS && ut_ldpc_hopeless(&j->code, s.llr) ? 0 : MAX_PASSES;
        bool ok = ut_ldpc_decode_block(&s.decoder, ut_ldpc_pass_get(), passes, s.llr, s.word);
        pack(s.word, 8 * nbytes, s.payload);
        if (p->outer_t) {
            pack(s.word + 8 * nbytes, j->bch.nparity, s.outer);
            int n = ut_bch_decode(&j->bch, s.payload, nbytes, s.outer, s.bch_work);
            if (n < 0)
                ok = false;
            else if (!ok || n > 0) {
                encode_word(j, s.payload, nbytes, s.word);
                ok = plausible(j, llr + k, s.word + ninfo);
            }
        }
        if (ok) {
            struct outcome *o = &j->outcome[i];
            for (size_t b = 0; b < k; b++) o->ncorrected += (llr[b] > 0 && s.word[b]) || (llr[b] < 0 && !s.word[b]);
            for (size_t b = 0; b < (size_t)j->code.nrows * p->z; b++)
                o->ncorrected += (llr[k + b] > 0 && s.word[ninfo + b]) || (llr[k + b] < 0 && !s.word[ninfo + b]);
            o->ok = 1;
            memcpy(to, s.payload, nbytes);
        }
        j->outcome[i].done = 1;
    }
    scratch_close(&s);
}

ut_status ut_ldpc_broken_shares(const ut_fec_plan *p, const int8_t *llr, size_t n, float *share, ut_err *e)
{
    job j;
    ut_status s = job_open(&j, p, false, e);
    if (s != UT_OK) return s;
    int8_t *word = malloc(UT_LDPC_COLUMNS * (size_t)p->z);
    for (size_t i = 0; i < n && word; i++) {
        size_t known, broken;
        arrange(&j, llr + i * p->code_nbits, nsystematic(&j, block_nbytes(p, 0)), word);
        broken = ut_ldpc_broken(&j.code, word, &known);
        share[i] = known ? (float)broken / (float)known : .5f;
    }
    s = word ? UT_OK : ut_fail_memory(e, UT_LDPC_COLUMNS * (size_t)p->z);
    free(word);
    job_close(&j);
    return s;
}

ut_status ut_ldpc_decode(const ut_fec_plan *p, const int8_t *llr, uint8_t *payload, uint8_t *block_ok, ut_fec_result *r,
                         unsigned nthreads, ut_err *e)
{
    job j;
    *r = (ut_fec_result){ 0 };
    ut_status s = job_open(&j, p, true, e);
    if (s != UT_OK) return s;
    j.llr = llr;
    j.payload_out = payload;
    ut_parallel(nthreads, p->nblocks, decode_block, &j);
    s = all_done(&j, e);
    for (size_t i = 0; i < p->nblocks; i++) {
        if (block_ok) block_ok[i] = j.outcome[i].ok;
        if (j.outcome[i].ok) {
            r->nbits_corrected += j.outcome[i].ncorrected;
            r->nbits_checked += nsystematic(&j, block_nbytes(p, i)) + (size_t)j.code.nrows * p->z;
        } else
            r->nblocks_lost++;
    }
    job_close(&j);
    if (s == UT_OK && r->nblocks_lost)
        s = ut_fail(e, UT_E_DAMAGED, "%zu of %zu blocks of the message have more errors than the code corrects",
                    r->nblocks_lost, p->nblocks);
    return s;
}
