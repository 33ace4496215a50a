/* Which carriers to turn over: code bits become the parities that say them at the least cost. */
#include "pipeline/sender.h"
#include <stdlib.h>

enum { COST_STEPS = 100, FOLD_COST = 200 }; /* quantised costs: where an ideal coder hesitates; the mean */

static ut_status say(const ut_syndrome *code, const uint8_t *bits, const ut_carriers *c, const int16_t *map, uint8_t *parity, unsigned nthreads, ut_err *e)
{
    int16_t *cost = ut_calloc(c->n, sizeof *cost, e);
    if (!cost) return UT_E_MEMORY;
    for (size_t i = 0; i < c->n; i++) cost[i] = map[c->pos[i]];
    ut_status st = ut_syndrome_forward(code, bits, cost, parity, NULL, nthreads, e);
    free(cost);
    return st;
}

/* The quiet box's code bits become its carriers' parities, at the payload's prices. */
static ut_status choose_quiet(ut_sender *s, const int16_t *map, ut_err *e)
{
    const ut_layout *l = &s->layout;
    const ut_syndrome code = ut_quiet_code(l->quiet);
    ut_buf parity = { 0 };
    ut_status st = ut_buf_resize(&parity, l->header.n, e);
    if (st == UT_OK) st = say(&code, s->header_bits.data, &l->header, map, parity.data, 1, e);
    ut_buf_free(&s->header_bits);
    s->header_bits = parity;
    return st;
}

/* Parities of the payload's carriers: the code bits themselves, or those with that syndrome that cost least. */
static ut_status choose_parities(ut_sender *s, ut_err *e)
{
    const ut_layout *l = &s->layout;
    s->parity.len = 0;
    if (!l->code.height) return ut_buf_append(&s->parity, s->code_bits.data, s->code_bits.len, e);
    ut_status st = ut_buf_resize(&s->parity, l->payload.n, e);
    if (st == UT_OK && !s->model) st = ut_sender_forecast(s, &(ut_forecast){ 0 }, e);
    if (st != UT_OK) return st;
    int16_t *map = ut_calloc(ut_grid_nblocks(s->emb.grid), 64 * sizeof *map, e);
    if (!map) return UT_E_MEMORY;
    double lambda = ut_forecast_lambda(s->model, (double)l->code.nbits, l->nfreq);
    ut_embed_costs(&s->emb, (float)(lambda * COST_STEPS), UT_SYNDROME_COST_MAX, map, s->nthreads);
    st = say(&l->code, s->code_bits.data, &l->payload, map, s->parity.data, s->nthreads, e);
    if (st == UT_OK && l->quiet) st = choose_quiet(s, map, e);
    free(map);
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
