#include "stage/fec/fec_plan.h"
#include "stage/fec/bch.h"
#include "stage/fec/hamming.h"
#include "stage/fec/ldpc.h"
#include "stage/fec/rs.h"

static const ut_fec_step bch_steps[] = {
    { "bch t=256", 256, 0, false, 0 }, { "bch t=224", 224, 0, false, 0 }, { "bch t=192", 192, 0, false, 0 },
    { "bch t=160", 160, 0, false, 0 }, { "bch t=128", 128, 0, false, 0 }, { "bch t=96", 96, 0, false, 0 },
    { "bch t=64", 64, 0, false, 0 },   { "bch t=48", 48, 0, false, 0 },   { "bch t=32", 32, 0, false, 0 },
    { "bch t=24", 24, 0, false, 0 },   { "bch t=16", 16, 0, false, 0 },
};
static const ut_fec_step rs_steps[] = {
    { "rs(255,63)", 192, 0, false, 63 },  { "rs(255,95)", 160, 0, false, 95 },
    { "rs(255,127)", 128, 0, false, 127 }, { "rs(255,159)", 96, 0, false, 159 },
    { "rs(255,191)", 64, 0, false, 191 },  { "rs(255,207)", 48, 0, false, 207 },
    { "rs(255,223)", 32, 0, false, 223 },  { "rs(255,239)", 16, 0, false, 239 },
};
static const ut_fec_step hamming_steps[] = { /* whole words in a full block, the second but last one shortened */
    { "hamming(7,4)", 3, 4, false, 8 },    { "hamming(15,11)", 4, 11, false, 11 },
    { "hamming(31,26)", 5, 26, false, 13 }, { "hamming(72,64)", 7, 64, true, 8 },
    { "hamming(127,120)", 7, 120, false, 15 },
};
#define COUNT(a) ((unsigned)(sizeof(a) / sizeof *(a)))

const ut_fec_step *ut_fec_step_at(ut_fec_kind kind, unsigned rate)
{
    if (rate >= ut_fec_nrates(kind)) return NULL;
    switch (kind) {
    case UT_FEC_BCH: return &bch_steps[rate];
    case UT_FEC_RS: return &rs_steps[rate];
    case UT_FEC_HAMMING: return &hamming_steps[rate];
    default: return NULL;
    }
}

unsigned ut_fec_nrates(ut_fec_kind kind)
{
    switch (kind) {
    case UT_FEC_LDPC: return ut_ldpc_nrates();
    case UT_FEC_BCH: return COUNT(bch_steps);
    case UT_FEC_RS: return COUNT(rs_steps);
    case UT_FEC_HAMMING: return COUNT(hamming_steps);
    default: return 0;
    }
}

double ut_fec_rate(ut_fec_kind kind, unsigned rate)
{
    const ut_fec_step *s = ut_fec_step_at(kind, rate);
    unsigned r;
    switch (kind) {
    case UT_FEC_LDPC: return ut_ldpc_rate(rate);
    case UT_FEC_BCH:
        if (!s) return 0;
        r = ut_bch_nparity(UT_FEC_BCH_M, s->a);
        return 1.0 - r / ((((1u << UT_FEC_BCH_M) - 1 - r) / 8) * 8.0 + r);
    case UT_FEC_RS: return s ? s->block_nbytes / 255.0 : 0;
    case UT_FEC_HAMMING: return s ? (double)s->b / (s->b + s->a + s->overall) : 0;
    default: return 0;
    }
}

const char *ut_fec_name(ut_fec_kind kind, unsigned rate)
{
    const ut_fec_step *s = ut_fec_step_at(kind, rate);
    if (kind == UT_FEC_LDPC) return ut_ldpc_name(rate);
    return s ? s->name : "?";
}

size_t ut_fec_block_nbits(const ut_fec_plan *p, size_t nbytes)
{
    const ut_fec_step *s = ut_fec_step_at(p->kind, p->rate);
    if (p->kind == UT_FEC_BCH) return 8 * nbytes + ut_bch_nparity(UT_FEC_BCH_M, s->a);
    if (p->kind == UT_FEC_RS) return 8 * (nbytes + s->a);
    return ut_hamming_nbits(s->a, s->b, s->overall, nbytes);
}

/* Blocks as few as can be and as equal as whole bytes allow. */
static void cut(ut_fec_plan *p)
{
    const ut_fec_step *s = ut_fec_step_at(p->kind, p->rate);
    size_t most = p->kind == UT_FEC_BCH ? ((1u << UT_FEC_BCH_M) - 1 - ut_bch_nparity(UT_FEC_BCH_M, s->a)) / 8
                                          : s->block_nbytes;
    p->nblocks = (p->payload_nbytes - 1) / most + 1;
    p->block_payload_nbytes = (p->payload_nbytes - 1) / p->nblocks + 1;
    if (p->kind == UT_FEC_HAMMING && p->nblocks > 1) p->block_payload_nbytes = most; /* whole words */
    p->nblocks = (p->payload_nbytes - 1) / p->block_payload_nbytes + 1;
}

ut_status ut_fec_plan_init(ut_fec_plan *p, ut_fec_kind kind, unsigned rate, size_t payload_nbytes, ut_err *e)
{
    size_t all;
    *p = (ut_fec_plan){ .kind = kind, .rate = rate, .payload_nbytes = payload_nbytes };
    unsigned nrates = ut_fec_nrates(kind);
    if (!nrates) return ut_fail(e, UT_E_USAGE, "there is no error-correcting code of kind %d", (int)kind);
    if (rate >= nrates)
        return ut_fail(e, UT_E_USAGE, "rate step %u of an error-correcting code that has %u", rate, nrates);
    if (!payload_nbytes || payload_nbytes > UT_FEC_MAX_PAYLOAD)
        return ut_fail(e, UT_E_USAGE, "%zu bytes cannot be protected: at least 1, at most %zu", payload_nbytes,
                       UT_FEC_MAX_PAYLOAD);
    if (kind == UT_FEC_LDPC) return ut_ldpc_plan(p, rate, payload_nbytes, e);
    cut(p);
    p->block_nbits = ut_fec_block_nbits(p, p->block_payload_nbytes);
    size_t last = ut_fec_block_nbits(p, ut_fec_block_nbytes(p, p->nblocks - 1));
    if (!ut_mul(p->nblocks - 1, p->block_nbits, &all) || !ut_add(all, last, &p->code_nbits))
        return ut_fail(e, UT_E_USAGE, "%zu bytes cannot be protected on this machine", payload_nbytes);
    return UT_OK;
}
