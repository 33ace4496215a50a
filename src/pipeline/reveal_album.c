/* reveal for albums: each photo opened in turn -> join -> decode. */
#include "pipeline/album.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct turn {
    const ut_reveal_options *opt;
    size_t i, n;
} turn;

static int progress(void *user, const char *step, double done)
{
    const turn *t = user;
    char text[64];
    snprintf(text, sizeof text, "photo %zu of %zu: %s", t->i + 1, t->n, step);
    return t->opt->progress(t->opt->user, text, fmin(1, ((double)t->i + done) / (double)t->n));
}

/* UT_OK: go on, whatever became of this photo. */
static ut_status open_one(const ut_photo *photo, turn *t, ut_member *m, ut_reveal_report *rep, char name[32], ut_err *e)
{
    ut_reveal_options o = *t->opt;
    ut_buf file = { 0 };
    ut_err err = { 0 };
    o.image_name = m->name = ut_photo_name(photo, t->i, name);
    if (o.progress) o.progress = progress, o.user = t;
    ut_status s = ut_photo_read(photo, t->i, &file, &err);
    if (s == UT_OK) s = ut_reveal_open(file.data, file.len, &o, rep, &m->opened, &err);
    ut_buf_free(&file);
    m->status = s;
    if (s != UT_OK && s != UT_E_DAMAGED) {
        const char *text = err.text[0] ? err.text : ut_status_text(s);
        size_t k = strlen(m->name);
        if (!strncmp(text, m->name, k) && !strncmp(text + k, ": ", 2)) text += k + 2;
        snprintf(m->why, sizeof m->why, "%s", text);
    }
    if (s == UT_E_INPUT || s == UT_E_KEY || s == UT_E_UNSUPPORTED || s == UT_E_DAMAGED || s == UT_OK) return UT_OK;
    *e = err;
    return s;
}

/* What the photos that are used have in common. */
static void sum_up(const ut_member *m, const ut_reveal_report *each, size_t n, ut_reveal_report *r)
{
    r->ncodewords = r->ncodewords_lost = 0;
    for (size_t i = 0; i < n; i++) {
        if (!m[i].used) continue;
        r->ber = fmax(r->ber, each[i].ber);
        r->ncodewords += each[i].ncodewords;
        r->ncodewords_lost += each[i].ncodewords_lost;
    }
}

static ut_status run(const ut_photo *photos, size_t n, const ut_reveal_options *opt, ut_member *m, char (*name)[32], ut_reveal_report *each,
                     ut_reveal_report *rep, ut_buf *result, ut_err *e)
{
    ut_opened joined = { 0 };
    ut_status s = UT_OK;
    for (size_t i = 0; i < n && s == UT_OK; i++) {
        turn t = { opt, i, n };
        double t0 = ut_now();
        s = open_one(&photos[i], &t, &m[i], &each[i], name[i], e);
        ut_step_add(rep->steps, &rep->nsteps, "open photo", t0, "%s: %s", m[i].name, m[i].status == UT_OK ? "whole" : m[i].why);
    }
    double t0 = ut_now();
    if (s == UT_OK) s = ut_album_join(m, n, opt, rep, &joined, e);
    for (size_t i = 0; i < n; i++) snprintf(each[i].message, sizeof each[i].message, "%s", m[i].used ? "" : m[i].why);
    if (s == UT_OK) {
        sum_up(m, each, n, rep);
        ut_step_add(rep->steps, &rep->nsteps, "join", t0, "%u of the album's %u photos, %zu bytes", rep->album_nused, rep->album_nphotos,
                    joined.plain.len);
        s = ut_reveal_decode(&joined, opt, rep, result, e);
    }
    ut_opened_free(&joined);
    return s;
}

static ut_status alone(const ut_photo *photo, const ut_reveal_options *opt, ut_blob *out, ut_reveal_report *rep, ut_reveal_report *each)
{
    ut_reveal_options o = *opt;
    ut_buf file = { 0 };
    ut_err e = { 0 };
    char name[32];
    o.image_name = photo->name ? photo->name : opt->image_name ? opt->image_name : ut_photo_name(photo, 0, name);
    ut_status s = ut_photo_read(photo, 0, &file, &e);
    if (s == UT_OK) s = ut_reveal(file.data, file.len, &o, out, rep);
    else snprintf(rep->message, sizeof rep->message, "%s", e.text);
    ut_buf_free(&file);
    if (each) *each = *rep;
    return s;
}

ut_status ut_reveal_album(const ut_photo *photos, size_t n, const ut_reveal_options *opt, ut_blob *out, ut_reveal_report *rep,
                          ut_reveal_report *photo_rep)
{
    ut_reveal_options defaults;
    ut_buf result = { 0 };
    ut_err e = { 0 };
    *out = (ut_blob){ 0 };
    memset(rep, 0, sizeof *rep);
    rep->ber = -1;
    if (!opt) {
        ut_reveal_options_init(&defaults);
        opt = &defaults;
    }
    if (n == 1) return alone(photos, opt, out, rep, photo_rep);
    if (!n || n > UT_ALBUM_MAX) {
        ut_status s = ut_fail(&e, UT_E_USAGE, "an album has 1 to %d photos, not %zu", UT_ALBUM_MAX, n);
        return ut_reveal_finish(s, &result, opt, out, rep, &e);
    }
    ut_member *m = ut_calloc(n, sizeof *m, &e);
    ut_reveal_report *each = ut_calloc(n, sizeof *each, &e);
    char (*name)[32] = ut_calloc(n, sizeof *name, &e);
    ut_status s = m && each && name ? run(photos, n, opt, m, name, each, rep, &result, &e) : UT_E_MEMORY;
    for (size_t i = 0; m && i < n; i++) ut_opened_free(&m[i].opened);
    if (photo_rep && each) memcpy(photo_rep, each, n * sizeof *each);
    free(name);
    free(each);
    free(m);
    return ut_reveal_finish(s, &result, opt, out, rep, &e);
}
