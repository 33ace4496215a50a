/* Which carriers to turn over: code bits become the parities that say them at the least cost. */
#include "pipeline/sender.h"
#include <stdlib.h>

enum { COST_STEPS = 100, FOLD_COST = 200 }; /* quantised costs: where an ideal coder hesitates; the mean */

/* Parities of the payload's carriers: the code bits themselves, or those with that syndrome that cost least. */
static ut_status choose_parities(ut_sender *s, ut_err *e)
{
    const ut_layout *l = &s->layout;
    uint64_t total;
    s->parity.len = 0;
    if (!l->code.height) return ut_buf_append(&s->parity, s->code_bits.data, s->code_bits.len, e);
    ut_status st = ut_buf_resize(&s->parity, l->payload.n, e);
    if (st == UT_OK && !s->model) st = ut_sender_forecast(s, &(ut_forecast){ 0 }, e);
    if (st != UT_OK) return st;
    int16_t *map = ut_calloc(ut_grid_nblocks(s->emb.grid), 64 * sizeof *map, e), *cost = ut_calloc(l->payload.n, sizeof *cost, e);
    st = map && cost ? UT_OK : UT_E_MEMORY;
    if (st == UT_OK) {
        double lambda = ut_forecast_lambda(s->model, (double)l->code.nbits, l->nfreq);
        ut_embed_costs(&s->emb, (float)(lambda * COST_STEPS), UT_SYNDROME_COST_MAX, map, s->nthreads);
        for (size_t i = 0; i < l->payload.n; i++) cost[i] = map[l->payload.pos[i]];
        st = ut_syndrome_forward(&l->code, s->code_bits.data, cost, s->parity.data, &total, s->nthreads, e);
    }
    free(map);
    free(cost);
    return st;
}

/* A folded box: its code bits become the carriers' parities. */
static ut_status fold(ut_sender *s, const ut_carriers *c, ut_buf *bits, ut_err *e)
{
    ut_syndrome code = ut_message_fold(c->n);
    if (!s->layout.folded || !c->n) return UT_OK;
    ut_buf parity = { 0 };
    int16_t *cost = ut_calloc(c->n, sizeof *cost, e);
    ut_status st = cost ? ut_buf_resize(&parity, c->n, e) : UT_E_MEMORY;
    if (st == UT_OK) {
        ut_embed_costs_at(&s->emb, c, 1, FOLD_COST, UT_SYNDROME_COST_MAX, cost);
        st = ut_syndrome_forward(&code, bits->data, cost, parity.data, NULL, 1, e);
    }
    free(cost);
    ut_buf_free(bits);
    *bits = parity;
    return st;
}

ut_status ut_sender_choose(ut_sender *s, ut_err *e)
{
    ut_status st = choose_parities(s, e);
    if (st == UT_OK) st = fold(s, &s->layout.header, &s->header_bits, e);
    if (st == UT_OK) st = fold(s, &s->layout.table, &s->table_bits, e);
    return st;
}
