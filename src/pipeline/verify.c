/* The proof before anything is written: every case decoded as a receiver will, then once more with errors to spare. */
#include "pipeline/robust.h"
#include "base/parallel.h"
#include <pthread.h>
#include <string.h>

typedef struct rehearsal {
    ut_sender *s;
    const ut_as_sent *sent;
    const ut_buf *sealed;
    pthread_mutex_t lock;
    ut_status status;
    ut_err err;
} rehearsal;

/* Exactly what a receiver does, then once more with extra errors. */
static ut_status receive(rehearsal *h, size_t variant, ut_err *e)
{
    ut_sender *s = h->s;
    ut_received r;
    ut_view v;
    ut_found f;
    ut_raw raw = { 0 };
    ut_status st = ut_sender_arrive(s, h->sent, variant, &r, &v, e);
    if (st != UT_OK) return st;
    pthread_mutex_lock(&h->lock);
    st = s->robust  ? ut_message_find_robust(&v, s->ring, &f, e)
         : s->quiet ? ut_message_find_quiet(&v, s->ring, s->header.table, &f, e)
                    : ut_message_find_at(&v, s->ring, s->tier, &f, e);
    pthread_mutex_unlock(&h->lock);
    if (st == UT_OK) st = ut_message_read(&v, &f, 1, &raw, e);
    if (st == UT_OK) st = ut_message_decode(&raw, 1, e);
    if (st == UT_OK && (raw.sealed.len != h->sealed->len || memcmp(raw.sealed.data, h->sealed->data, h->sealed->len)))
        st = UT_E_DAMAGED;
    if (st == UT_OK) {
        double ber = raw.result.nbits_checked ? (double)raw.result.nbits_corrected / (double)raw.result.nbits_checked : 0;
        raw.flip_limit = (uint64_t)(ut_sender_margin(s, ber) * 4294967296.0);
        st = ut_message_decode(&raw, 1, e);
        if (st == UT_OK && memcmp(raw.sealed.data, h->sealed->data, h->sealed->len)) st = UT_E_DAMAGED;
    }
    ut_wipe(&f, sizeof f);
    ut_raw_free(&raw);
    ut_received_free(&r);
    return st;
}

static void rehearse(void *arg, size_t variant)
{
    rehearsal *h = arg;
    ut_err err = { 0 };
    pthread_mutex_lock(&h->lock);
    bool lost = h->status != UT_OK; /* one failure is enough */
    pthread_mutex_unlock(&h->lock);
    if (lost) return;
    ut_status st = receive(h, variant, &err);
    if (st == UT_OK) return;
    pthread_mutex_lock(&h->lock);
    if (h->status == UT_OK) h->status = st, h->err = err;
    pthread_mutex_unlock(&h->lock);
}

ut_status ut_sender_verify(ut_sender *s, const ut_buf *sealed, ut_err *e)
{
    ut_as_sent sent;
    if (ut_sender_tick(s, "verifying", .5)) return ut_fail(e, UT_E_CANCELLED, "cancelled");
    ut_status st = ut_sender_send(s, &s->stego, &sent, e);
    rehearsal h = { .s = s, .sent = &sent, .sealed = sealed, .lock = PTHREAD_MUTEX_INITIALIZER };
    if (st == UT_OK) {
        ut_parallel(s->nthreads, s->route->nvariants + s->route->nbetween, rehearse, &h);
        st = h.status;
        if (st != UT_OK && e) *e = h.err;
    }
    ut_as_sent_free(&sent);
    return st;
}
