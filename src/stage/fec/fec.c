#include "stage/fec/fec.h"
#include "base/parallel.h"
#include "stage/fec/bch.h"
#include "stage/fec/bits.h"
#include "stage/fec/fec_plan.h"
#include "stage/fec/hamming.h"
#include "stage/fec/ldpc.h"
#include "stage/fec/rs.h"
#include <stdatomic.h>
#include <stdlib.h>

#define TASK_NBYTES 4096u       /* payload bytes of a task, so that small blocks share the cost of starting one */

/* The codes of a plan, made once a call, read by all threads; a task adds its own working memory. */
typedef struct coder {
    const ut_fec_plan *plan;
    bool decoder;
    ut_bch bch;
    ut_rs rs;
    ut_hamming hamming;
    size_t work_nbytes; /* of a task */
    size_t task_nblocks;
    /* a call's data */
    const uint8_t *payload_in;
    uint8_t *bits;
    const int8_t *llr;
    uint8_t *payload_out, *block_ok;
    atomic_size_t nlost, ncorrected, nchecked;
    atomic_bool no_memory;
} coder;

static ut_status coder_init(coder *c, const ut_fec_plan *p, bool decoder, ut_err *e)
{
    const ut_fec_step *s = ut_fec_step_at(p->kind, p->rate);
    ut_status st = UT_OK;
    c->plan = p;
    c->decoder = decoder;
    c->task_nblocks = TASK_NBYTES / p->block_payload_nbytes + 1;
    if (p->kind == UT_FEC_RS) return ut_rs_init(&c->rs, s->a, e);
    if (p->kind == UT_FEC_HAMMING) {
        ut_hamming_init(&c->hamming, s->a, s->b, s->overall);
        return UT_OK;
    }
    if (p->kind == UT_FEC_BCH) {
        st = ut_bch_init(&c->bch, UT_FEC_BCH_M, s->a, decoder, e);
        if (st == UT_OK) c->work_nbytes = ut_bch_work_nbytes(&c->bch);
        return st;
    }
    return ut_fail(e, UT_E_INTERNAL, "no coder for this kind");
}

static void coder_free(coder *c)
{
    ut_bch_free(&c->bch);
    ut_rs_free(&c->rs);
}

static void encode_block(const coder *c, size_t block)
{
    const ut_fec_plan *p = c->plan;
    const uint8_t *in = c->payload_in + block * p->block_payload_nbytes;
    uint8_t *out = c->bits + block * p->block_nbits;
    size_t n = ut_fec_block_nbytes(p, block);
    switch (p->kind) {
    case UT_FEC_BCH: ut_bch_encode_bits(&c->bch, in, n, out); break;
    case UT_FEC_RS: ut_rs_encode_bits(&c->rs, in, n, out); break;
    default: ut_hamming_encode_bits(&c->hamming, in, n, out); break;
    }
}

static bool decode_block(const coder *c, size_t block, uint8_t *work, size_t *ncorrected)
{
    const ut_fec_plan *p = c->plan;
    const int8_t *in = c->llr + block * p->block_nbits;
    uint8_t *out = c->payload_out + block * p->block_payload_nbytes;
    size_t n = ut_fec_block_nbytes(p, block);
    bool ok;
    switch (p->kind) {
    case UT_FEC_BCH: ok = ut_bch_decode_llr(&c->bch, in, out, n, work, ncorrected); break;
    case UT_FEC_RS: ok = ut_rs_decode_llr(&c->rs, in, out, n, ncorrected); break;
    default: ok = ut_hamming_decode_llr(&c->hamming, in, out, n, ncorrected); break;
    }
    if (!ok) memset(out, 0, n);
    return ok;
}

static void run_task(void *arg, size_t task)
{
    coder *c = arg;
    const ut_fec_plan *p = c->plan;
    size_t first = task * c->task_nblocks, end = first + c->task_nblocks;
    if (end > p->nblocks) end = p->nblocks;
    uint8_t *work = c->work_nbytes ? malloc(c->work_nbytes) : NULL;
    if (c->work_nbytes && !work) {
        atomic_store(&c->no_memory, true);
        return;
    }
    for (size_t b = first; b < end; b++) {
        size_t n = 0, corrected = 0;
        if (!c->decoder) {
            encode_block(c, b);
            continue;
        }
        bool ok = decode_block(c, b, work, &corrected);
        if (c->block_ok) c->block_ok[b] = ok;
        if (ok) {
            n = ut_bits_nonzero(c->llr + b * p->block_nbits, ut_fec_block_nbits(p, ut_fec_block_nbytes(p, b)));
            atomic_fetch_add(&c->ncorrected, corrected);
            atomic_fetch_add(&c->nchecked, n);
        } else {
            atomic_fetch_add(&c->nlost, 1);
        }
    }
    ut_wipe(work, c->work_nbytes);
    free(work);
}

/* Plans come from ut_fec_plan_init and nowhere else. */
static ut_status check_plan(const ut_fec_plan *p, ut_err *e)
{
    ut_fec_plan q;
    ut_status s = ut_fec_plan_init(&q, p->kind, p->rate, p->payload_nbytes, e);
    if (s != UT_OK) return s;
    if (q.code_nbits != p->code_nbits || q.nblocks != p->nblocks || q.block_payload_nbytes != p->block_payload_nbytes ||
        q.z != p->z || q.outer_t != p->outer_t || q.block_nbits != p->block_nbits)
        return ut_fail(e, UT_E_USAGE, "a plan for error correction that ut_fec_plan_init did not make");
    return UT_OK;
}

static ut_status run(coder *c, const ut_fec_plan *p, bool decoder, unsigned nthreads, ut_err *e)
{
    ut_status s = check_plan(p, e);
    if (s != UT_OK) return s;
    s = coder_init(c, p, decoder, e);
    if (s == UT_OK) {
        ut_parallel(nthreads, (p->nblocks - 1) / c->task_nblocks + 1, run_task, c);
        if (atomic_load(&c->no_memory)) s = ut_fail_memory(e, c->work_nbytes);
    }
    coder_free(c);
    return s;
}

ut_status ut_fec_encode(const ut_fec_plan *p, const uint8_t *payload, uint8_t *bits, unsigned nthreads, ut_err *e)
{
    if (p->kind == UT_FEC_LDPC) return ut_ldpc_encode(p, payload, bits, nthreads, e);
    coder c = { .payload_in = payload, .bits = bits };
    return run(&c, p, false, nthreads, e);
}

ut_status ut_fec_broken(const ut_fec_plan *p, const int8_t *llr, size_t n, float *share, ut_err *e)
{
    if (p->kind != UT_FEC_LDPC || p->nblocks != 1) return ut_fail(e, UT_E_INTERNAL, "only an LDPC code of one block has its checks counted");
    return ut_ldpc_broken_shares(p, llr, n, share, e);
}

ut_status ut_fec_decode(const ut_fec_plan *p, const int8_t *llr, uint8_t *payload, uint8_t *block_ok,
                        ut_fec_result *r, unsigned nthreads, ut_err *e)
{
    if (p->kind == UT_FEC_LDPC) return ut_ldpc_decode(p, llr, payload, block_ok, r, nthreads, e);
    coder c = { .llr = llr, .payload_out = payload, .block_ok = block_ok };
    *r = (ut_fec_result){ 0 };
    ut_status s = run(&c, p, true, nthreads, e);
    if (s != UT_OK) return s;
    *r = (ut_fec_result){ .nblocks_lost = atomic_load(&c.nlost),
                          .nbits_corrected = atomic_load(&c.ncorrected),
                          .nbits_checked = atomic_load(&c.nchecked) };
    if (!r->nblocks_lost) return UT_OK;
    return ut_fail(e, UT_E_DAMAGED, "%zu of %zu blocks are damaged beyond what %s corrects", r->nblocks_lost, p->nblocks,
                   ut_fec_name(p->kind, p->rate));
}
