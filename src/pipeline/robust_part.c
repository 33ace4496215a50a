/* Finding the robust form in a part of the picture that it was hidden in: its box repeats, its header says how large the picture was. */
#include "pipeline/message.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { BLOCK = 8, SLACK = BLOCK - 1 }; /* a picture put back may be longer by rounding than the whole was; no whole block is */

enum { ENOUGH = 2048 }; /* pixels a side that most often show the box well enough; all of a large picture takes long */

/* As if the picture lay at (x, y) of one that ends where it does, or after so many pixels. */
static ut_view lying_at(const ut_view *v, uint32_t x, uint32_t y, uint32_t most)
{
    ut_view w = *v;
    w.x = x;
    w.y = y;
    w.width = x + (v->picture->width < most ? v->picture->width : most);
    w.height = y + (v->picture->height < most ? v->picture->height : most);
    return w;
}

static ut_status open_at(const ut_view *w, bool dense, const ut_seal_keys *locator, ut_keyring *ring, ut_found *f, ut_err *e)
{
    ut_scs_carriers c;
    size_t nbits;
    ut_status s = ut_robust_box_nbits(&nbits, e);
    if (s == UT_OK) s = ut_robust_box(&c, ut_grid_of(w->width, w->height), dense, 0, 0, nbits, locator->carrier, NULL, e);
    if (s != UT_OK) return s;
    s = c.at.n ? ut_robust_open_box(w, &c, NULL, locator, ring, f, e) : UT_E_KEY;
    ut_scs_carriers_free(&c);
    return s;
}

/* How much the payload's phases keep to their cells' centres, which of the two does not matter: mean cosine of the doubled angle. */
static ut_status coherence(const ut_view *v, const ut_found *f, double *mean, ut_err *e)
{
    const double pi = 3.14159265358979323846;
    ut_robust_layout l;
    ut_scs_reading r = { 0 };
    double sum = 0;
    size_t n = 0;
    ut_status s = ut_robust_layout_init(&l, v->width, v->height, &f->locator, e);
    if (s != UT_OK) return s == UT_E_CAPACITY ? UT_E_KEY : s;
    s = ut_robust_layout_payload(&l, f->header.table, &f->keys, e);
    if (s == UT_OK) s = ut_message_read_robust(v, f, &l.payload, &r, 0, e);
    for (size_t i = 0; s == UT_OK && i < l.payload.at.n; i++) {
        if (r.phase[i] == UT_SCS_LOST) continue;
        sum += cos(4 * pi * (r.phase[i] + .5) / UT_SCS_PHASES);
        n++;
    }
    *mean = n ? sum / (double)n : -1;
    ut_scs_reading_free(&r);
    ut_robust_layout_free(&l);
    return s;
}

/* The header tells the size; of the places that it leaves, one tile apart, the one where the payload can be seen. */
static ut_status settle(ut_view *v, uint32_t x0, uint32_t y0, uint32_t tile, const ut_found *f, ut_err *e)
{
    enum { PLACES = 64 };
    const ut_picture *p = v->picture;
    uint32_t w = f->header.width, h = f->header.height;
    double best = -2, mean = 0;
    unsigned n = 0;
    ut_status s = UT_OK;
    for (uint32_t y = y0; y + p->height <= h + SLACK && s == UT_OK; y += tile)
        for (uint32_t x = x0; x + p->width <= w + SLACK && s == UT_OK && n < PLACES; x += tile, n++) {
            ut_view at = *v;
            at.x = x, at.y = y, at.width = w, at.height = h;
            bool only = x == x0 && y == y0 && x + tile + p->width > w + SLACK && y + tile + p->height > h + SLACK;
            if (!only) s = coherence(&at, f, &mean, e);
            if (s == UT_OK && mean > best) best = mean, *v = at;
        }
    return s != UT_OK ? s : n ? UT_OK : UT_E_KEY;
}

static ut_status find_part(ut_view *v, unsigned period, uint32_t most, const ut_seal_keys *locator, ut_keyring *ring, ut_found *f, ut_err *e)
{
    uint32_t x = v->x % period, y = v->y % period;
    ut_status s = UT_E_KEY;
    for (unsigned dense = 0; dense < 2 && s == UT_E_KEY; dense++) {
        uint32_t tile = BLOCK * (dense ? UT_ROBUST_DENSE_TILE : UT_ROBUST_TILE), n = tile / period;
        for (uint32_t i = 0; i < n * n && s == UT_E_KEY; i++) {
            ut_view at = lying_at(v, x + i % n * period, y + i / n * period, most);
            s = open_at(&at, dense, locator, ring, f, e);
            if (s == UT_OK) s = settle(v, at.x, at.y, tile, f, e);
        }
    }
    return s;
}

ut_status ut_message_find_robust_part(ut_view *v, unsigned period, ut_keyring *ring, ut_found *f, ut_err *e)
{
    ut_seal_keys locator;
    bool large = v->picture->width > ENOUGH || v->picture->height > ENOUGH;
    *f = (ut_found){ 0 };
    ut_status s = ut_keyring_locator(ring, &locator, e);
    if (s == UT_OK) s = find_part(v, period, ENOUGH, &locator, ring, f, e);
    if (s == UT_E_KEY && large) s = find_part(v, period, UT_MAX_SIDE, &locator, ring, f, e);
    ut_wipe(&locator, sizeof locator);
    return s == UT_E_KEY ? ut_fail(e, s, "the header did not come back") : s;
}
