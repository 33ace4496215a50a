/* What reveal does where nothing was found in the picture as it came: turned, at sizes that it may have had, and where the synchronisation
 * pattern says. */
#include "pipeline/geometry.h"
#include "channel/turn.h"
#include <stdio.h>

static ut_status cancelled(const ut_arrival *a, double done, ut_err *e)
{
    const ut_reveal_options *o = a->opt;
    if (o->progress && o->progress(o->user, "trying other geometries", done)) return ut_fail(e, UT_E_CANCELLED, "cancelled");
    return UT_OK;
}

/* UT_OK: it is there, and r stays; else r is freed. */
static ut_status look(ut_keyring *ring, ut_restored *r, ut_found *f, ut_err *e)
{
    ut_status s = ut_message_find(&r->view, ring, false, f, e);
    if (s != UT_OK) ut_restored_free(r);
    return s;
}

/* A turning and a step of the preamble under which something like a salt is seen. */
typedef struct sight {
    unsigned turn, tier, doubt;
} sight;

enum { FIRST_TURN = 2, LAST_TURN = 8, MAX_SIGHTS = (LAST_TURN - FIRST_TURN + 1) * UT_PREAMBLE_NTIERS, DEAR_TRIES = 10, TOO_DOUBTFUL = 22 };

static void insert(sight *list, size_t *n, sight x)
{
    size_t i = (*n)++;
    for (; i && list[i - 1].doubt > x.doubt; i--) list[i] = list[i - 1];
    list[i] = x;
}

/* Every turning is looked at by the locator, which is one key for all, and without a key, but for low bits, which show nothing; then the likeliest are
 * tried. */
static ut_status find_turned(const ut_arrival *a, ut_keyring *ring, ut_restored *r, ut_found *f, ut_err *e)
{
    sight list[MAX_SIGHTS];
    size_t n = 0;
    ut_status s = UT_E_KEY;
    for (unsigned o = FIRST_TURN; o <= LAST_TURN && s == UT_E_KEY; o++) {
        s = cancelled(a, .2 + .02 * o, e);
        if (s == UT_OK) s = ut_restore_turned(a->picture, a->jpeg, a->lossless, o, r, e);
        if (s != UT_OK) break;
        s = ut_message_find_quiet(&r->view, ring, 0, f, e);
        for (unsigned tier = 0; tier < UT_PREAMBLE_NTIERS && s == UT_E_KEY; tier++) {
            sight x = { o, tier, ut_message_doubt(&r->view, tier) };
            if (x.doubt <= TOO_DOUBTFUL) insert(list, &n, x);
        }
        if (s == UT_E_KEY && a->lossless) s = ut_message_find_low_bits(&r->view, ring, f, e);
        if (s != UT_OK) ut_restored_free(r);
    }
    if (ring->key.kind == UT_KEY_PASSPHRASE && n > DEAR_TRIES) n = DEAR_TRIES;
    for (size_t i = 0; i < n && s == UT_E_KEY; i++) {
        s = ut_restore_turned(a->picture, a->jpeg, false, list[i].turn, r, e);
        if (s == UT_OK) s = ut_message_find_at(&r->view, ring, list[i].tier, f, e);
        if (s != UT_OK) ut_restored_free(r);
    }
    return s;
}

/* EXIF may remember the size; platforms have theirs. */
static ut_status find_resized(const ut_arrival *a, ut_keyring *ring, ut_restored *r, ut_found *f, ut_err *e)
{
    static const uint32_t width[] = { 0, 1600, 1280, 2048, 1440 };
    double w = a->picture->width, h = a->picture->height;
    ut_status s = UT_E_KEY;
    for (size_t i = 0; i < sizeof width / sizeof *width && s == UT_E_KEY; i++) {
        uint32_t to_w = i ? width[i] : a->exif_width, to_h = i ? (uint32_t)(width[i] * h / w + .5) : a->exif_height;
        if (to_w < 16 || to_h < 16 || to_w > 8192 || to_h > 8192 || (to_w == a->picture->width && to_h == a->picture->height)) continue;
        s = cancelled(a, .4 + .06 * (double)i, e);
        if (s == UT_OK) s = ut_restore_sized(a->picture, to_w, to_h, r, e);
        if (s == UT_OK) s = look(ring, r, f, e);
    }
    return s;
}

/* What happened to it, now that the size it had is known. */
static void tell(const ut_sync_fit *at, const ut_picture *got, ut_restored *r)
{
    const ut_view *v = &r->view;
    uint32_t w = r->picture.width, h = r->picture.height;
    bool turned = at->turn > 1, cropped = v->x || v->y || w + 1 < v->width || h + 1 < v->height;
    bool resized = w != (at->turn >= 5 ? got->height : got->width) || h != (at->turn >= 5 ? got->width : got->height);
    int n = snprintf(r->story, sizeof r->story, "%s%s", turned ? ut_orient_story(at->turn) : "", turned && (cropped || resized) ? ", " : "");
    if (cropped)
        n += snprintf(r->story + n, sizeof r->story - (size_t)n, "was cropped to %ux%u of %ux%u at (%u,%u)%s", w, h, v->width, v->height, v->x, v->y,
                      resized ? ", " : "");
    if (resized) snprintf(r->story + n, sizeof r->story - (size_t)n, "was resized from %ux%u to %ux%u", w, h, got->width, got->height);
}

static ut_status find_synced(const ut_arrival *a, ut_keyring *ring, ut_restored *r, ut_found *f, ut_err *e)
{
    ut_sync sync;
    ut_places p;
    ut_status s = cancelled(a, .7, e);
    if (s == UT_OK) s = ut_sync_of(ring, &sync, e);
    if (s == UT_OK) s = ut_locate(&sync, a->picture, a->opt->nthreads, &p, e);
    if (s != UT_OK) return s;
    s = UT_E_KEY;
    for (size_t i = 0; i < p.n && s == UT_E_KEY; i++) {
        s = ut_restore_placed(a->picture, &p.at[i], r, e);
        if (s == UT_OK) {
            s = ut_message_find_robust_part(&r->view, UT_SYNC_PERIOD, ring, f, e);
            if (s != UT_OK) ut_restored_free(r);
            else tell(&p.at[i], a->picture, r);
        }
        if (s == UT_E_UNSUPPORTED) s = UT_E_KEY;
    }
    return s;
}

ut_status ut_find_moved(const ut_arrival *a, ut_keyring *ring, ut_restored *r, ut_found *f, ut_err *e)
{
    *r = (ut_restored){ 0 };
    ring->thrifty = true;
    ut_status s = find_turned(a, ring, r, f, e);
    if (s == UT_E_KEY) s = find_resized(a, ring, r, f, e);
    ring->thrifty = false;
    if (s == UT_E_KEY) s = find_synced(a, ring, r, f, e);
    return s;
}
