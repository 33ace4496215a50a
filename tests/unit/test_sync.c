/* The synchronisation pattern: what it costs, and that scale, place and turning come back from it alone, through real codecs. */
#include "channel/resize.h"
#include "channel/turn.h"
#include "check.h"
#include "pipeline/geometry.h"
#include <math.h>

static const uint8_t key[32] = "a key of thirty-two bytes, fixed", other[32] = "another key of thirty-two bytes!";

#define SURE 12

/* Something like a photo: a falling spectrum with edges and smooth parts. */
static void paint(ut_picture *p, uint32_t w, uint32_t h)
{
    unsigned long long seed = 11;
    if (ut_picture_alloc(p, w, h, false, NULL) != UT_OK) abort();
    for (uint32_t y = 0; y < h; y++)
        for (uint32_t x = 0; x < w; x++) {
            double v = 120 + 40 * sin(x * .011 + y * .004) + 25 * cos(y * .023 - x * .007) + 12 * sin(x * y * .0004) * sin(x * .3);
            if ((x / 90 + y / 70) % 3 == 0) v += 30;
            for (unsigned c = 0; c < 3; c++) p->rgb[3 * ((size_t)y * w + x) + c] = (uint8_t)(v + 10 * c + (check_rand(&seed) & 7));
        }
}

static double mean_square(const ut_picture *a, const ut_picture *b)
{
    double sum = 0;
    size_t n = (size_t)a->width * a->height * 3;
    for (size_t i = 0; i < n; i++) sum += (a->rgb[i] - b->rgb[i]) * (a->rgb[i] - b->rgb[i]);
    return sum / (double)n;
}

static void send(const ut_picture *p, const char *spec, ut_picture *got)
{
    ut_channel *c;
    ut_received r;
    ut_err e = { 0 };
    if (ut_channel_parse(spec, NULL, &c, &e) != UT_OK || ut_channel_apply(c, 0, p, UT_WANT_PICTURE, &r, &e) != UT_OK) abort();
    *got = r.picture;
    r.picture = (ut_picture){ 0 };
    ut_received_free(&r);
    ut_channel_free(c);
}

/* The first place found puts the picture's corners within `slack` pixels of where they belong. */
static void placed(const ut_sync *s, const ut_picture *got, unsigned turn, double x0, double x1, double y0, double y1, double slack, const char *what)
{
    ut_places p = { .n = 0 };
    ut_err e = { 0 };
    CHECK(ut_locate(s, got, 2, &p, &e) == UT_OK, "%s: %s", what, e.text);
    CHECK(p.n > 0, "%s: nothing was found", what);
    if (!p.n) return;
    const ut_sync_fit *f = &p.at[0];
    uint32_t w = turn >= 5 ? got->height : got->width, h = turn >= 5 ? got->width : got->height;
    CHECK(f->score > SURE, "%s: found by a score of %.1f only", what, f->score);
    CHECK(f->turn == turn, "%s: turning %u, not %u", what, f->turn, turn);
    double off[4] = { f->x0 - x0, f->x0 + f->scale_x * w - x1, f->y0 - y0, f->y0 + f->scale_y * h - y1 };
    for (int i = 0; i < 4; i++) {
        double d = fabs(remainder(off[i], UT_SYNC_PERIOD));
        CHECK(d <= slack, "%s: side %d is off by %.3f pixels", what, i, d);
    }
}

static void test_cost(const ut_sync *s, const ut_picture *plain)
{
    ut_picture grey = *plain, marked;
    if (ut_picture_copy(&marked, plain, NULL) != UT_OK) abort();
    CHECK(ut_sync_add(s, &marked, .3, 2, NULL) == UT_OK);
    double d = mean_square(plain, &marked);
    CHECK(fabs(d - .3) < .03, "the pattern costs %.3f", d);
    ut_picture_free(&marked);
    if (ut_picture_copy(&marked, &grey, NULL) != UT_OK) abort();
    for (size_t i = 0; i < (size_t)marked.width * marked.height; i++) marked.rgb[3 * i + 1] = marked.rgb[3 * i + 2] = marked.rgb[3 * i];
    marked.grey = true;
    CHECK(ut_sync_add(s, &marked, .3, 2, NULL) == UT_OK);
    size_t coloured = 0;
    for (size_t i = 0; i < (size_t)marked.width * marked.height; i++)
        coloured += marked.rgb[3 * i + 1] != marked.rgb[3 * i] || marked.rgb[3 * i + 2] != marked.rgb[3 * i];
    CHECK(coloured == 0, "a grey picture has %zu coloured pixels", coloured);
    ut_picture_free(&marked);
}

/* Format vectors: who draws other waves, or other phases, is not understood. */
static void test_waves(const ut_sync *s)
{
    ut_sync again, differs;
    CHECK(ut_sync_init(&again, key, NULL) == UT_OK && memcmp(&again, s, sizeof again) == 0);
    CHECK(ut_sync_init(&differs, other, NULL) == UT_OK && memcmp(&differs, s, sizeof differs) != 0);
    for (unsigned l = 0; l < UT_SYNC_NLINES; l++) {
        int r = s->u[l] * s->u[l] + s->v[l] * s->v[l];
        CHECK(r >= 24 * 24 && r <= 52 * 52 && abs(s->u[l]) >= 6 && s->v[l] >= 6, "wave %u", l);
        for (unsigned i = 0; i < l; i++) CHECK(s->u[i] != s->u[l] || s->v[i] != s->v[l], "waves %u and %u", i, l);
    }
}

static void test_places(const ut_sync *s, const ut_picture *marked)
{
    static const unsigned inverse[9] = { 0, 1, 2, 3, 4, 5, 8, 7, 6 };
    ut_picture got, part;
    double w = marked->width, h = marked->height;
    send(marked, "resize:0.75+jpeg:85", &got);
    placed(s, &got, 1, 0, w, 0, h, 0, "three quarters"); /* whole pixels: exact */
    for (unsigned o = 2; o <= 8; o++) {
        char what[16];
        ut_picture turned;
        if (ut_picture_copy(&turned, &got, NULL) != UT_OK || ut_orient(&turned, inverse[o], NULL) != UT_OK) abort();
        snprintf(what, sizeof what, "turning %u", o);
        placed(s, &turned, o, 0, w, 0, h, 0, what);
        ut_picture_free(&turned);
    }
    ut_picture_free(&got);
    if (ut_resize(marked, (uint32_t)(w * .8), (uint32_t)(h * .6), &got, NULL) != UT_OK) abort();
    placed(s, &got, 1, 0, w, 0, h, 0, "squeezed");
    ut_picture_free(&got);
    if (ut_crop(marked, 37, 291, marked->width - 120, marked->height - 333, &part, NULL) != UT_OK) abort();
    send(&part, "jpeg:85", &got);
    placed(s, &got, 1, 37, w - 83, 291, h - 42, 0, "cut");
    ut_picture_free(&got);
    send(&part, "resize:1.3+jpeg:85", &got);
    placed(s, &got, 1, 37, w - 83, 291, h - 42, 0, "cut and enlarged");
    ut_picture_free(&got);
    ut_picture_free(&part);
    if (ut_resize(marked, (uint32_t)(w * .8), (uint32_t)(h * .8), &got, NULL) != UT_OK) abort();
    if (ut_crop(&got, 51, 22, got.width - 60, got.height - 57, &part, NULL) != UT_OK) abort();
    double sx = w / got.width, sy = h / got.height;
    placed(s, &part, 1, 51 * sx, w - 9 * sx, 22 * sy, h - 35 * sy, .5, "reduced and cut");
    ut_picture_free(&got);
    ut_picture_free(&part);
}

/* Chance may suggest a place, but none so strongly. */
static size_t sure(const ut_places *p) { return p->n && p->at[0].score > SURE ? p->n : 0; }

int main(void)
{
    ut_sync s, wrong;
    ut_picture plain, marked;
    ut_places p;
    if (ut_sync_init(&s, key, NULL) != UT_OK || ut_sync_init(&wrong, other, NULL) != UT_OK) abort();
    paint(&plain, 800, 640);
    test_waves(&s);
    test_cost(&s, &plain);
    if (ut_picture_copy(&marked, &plain, NULL) != UT_OK || ut_sync_add(&s, &marked, UT_SYNC_MSE, 2, NULL) != UT_OK) abort();
    test_places(&s, &marked);
    CHECK(ut_locate(&s, &plain, 2, &p, NULL) == UT_OK && sure(&p) == 0, "something was found in a photo that has nothing: %.1f at %.3f", p.at[0].score, p.at[0].scale_x);
    CHECK(ut_locate(&wrong, &marked, 2, &p, NULL) == UT_OK && sure(&p) == 0, "something was found by another key: %.1f at %.3f", p.at[0].score, p.at[0].scale_x);
    ut_picture_free(&plain);
    paint(&plain, 90, 700);
    CHECK(ut_locate(&s, &plain, 2, &p, NULL) == UT_OK && p.n == 0, "too small a picture");
    ut_picture_free(&plain);
    ut_picture_free(&marked);
    return check_end();
}
