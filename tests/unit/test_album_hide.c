/* Albums through the public interface: delivery, totals, stopping at every place, and what is refused. */
#include "check.h"
#include "photos.h"
#include "undertone.h"

enum { N = 3 };
static ut_blob cover[N];
static const char words[] = "what is spread here must come back bit for bit; and so it does, from any two of three";

static ptrdiff_t read_blob(void *user, uint64_t at, void *to, size_t n)
{
    const ut_blob *b = user;
    if (at >= b->nbytes) return 0;
    if (n > b->nbytes - at) n = b->nbytes - (size_t)at;
    if (n > 1000) n = 1000; /* in pieces */
    memcpy(to, b->data + at, n);
    return (ptrdiff_t)n;
}

static ut_photo photo_of(ut_blob *b) { return (ut_photo){ .file = { b->nbytes, read_blob, b } }; }

typedef struct taker {
    ut_blob got[N];
    int refuse; /* this photo's picture */
} taker;

static int take(void *user, size_t i, const ut_blob *picture)
{
    taker *t = user;
    CHECK(i < N && picture->nbytes);
    if ((int)i == t->refuse) return 1;
    ut_blob_free(&t->got[i]);
    t->got[i] = (ut_blob){ malloc(picture->nbytes), picture->nbytes };
    memcpy(t->got[i].data, picture->data, picture->nbytes);
    return 0;
}

static void drop(taker *t)
{
    for (int i = 0; i < N; i++) ut_blob_free(&t->got[i]);
}

typedef struct stop {
    int at, calls;
} stop;
static int stop_at(void *user, const char *step, double done)
{
    stop *s = user;
    CHECK(step && step[0] && done >= 0 && done <= 1, "%s %g", step, done);
    return s->calls++ == s->at;
}

static ut_hide_options options(const char *const *to)
{
    ut_hide_options o;
    ut_hide_options_init(&o);
    o.channels = to;
    o.nchannels = 1;
    o.codec = UT_CODEC_RAW;
    o.min_psnr_db = 32;
    return o;
}

static void there_and_back(const char *to)
{
    ut_photo photo[N];
    taker t = { .refuse = -1 };
    ut_hide_options o = options(&to);
    ut_hide_report r, each[N];
    for (int i = 0; i < N; i++) photo[i] = photo_of(&cover[i]);
    photo[1].format = UT_FORMAT_WEBP;
    ut_status s = ut_hide_album((const uint8_t *)words, sizeof words, photo, N, 2, &o, take, &t, &r, each);
    CHECK(s == UT_OK && !r.message[0], "%s: %s", to, r.message);
    size_t sum = 0;
    for (int i = 0; i < N; i++) {
        sum += each[i].sealed_nbytes;
        CHECK(each[i].nverified >= 1 && each[i].psnr_db >= r.psnr_db && each[i].width && !each[i].preview.data);
    }
    CHECK(r.sealed_nbytes == sum && r.psnr_db > 32 && r.payload_nbytes > sizeof words && strlen(r.sha256_hex) == 64);
    for (int a = 0; s == UT_OK && a < N; a++)
        for (int b = 0; b < N; b++) {
            ut_blob back;
            ut_reveal_report rr, one[2];
            ut_photo two[2] = { photo_of(&t.got[a]), photo_of(&t.got[b]) };
            s = ut_reveal_album(two, 2, NULL, &back, &rr, one);
            if (a != b) CHECK(s == UT_OK && rr.exact && back.nbytes == sizeof words && !memcmp(back.data, words, sizeof words) && rr.album_nused == 2, "%s", rr.message);
            else CHECK(s == UT_E_INPUT && !back.data && strstr(rr.message, "1 of 2"), "%s", rr.message);
            ut_blob_free(&back);
            s = ut_reveal(t.got[a].data, t.got[a].nbytes, NULL, &back, &rr);
            CHECK(s == UT_E_INPUT && !back.data && strstr(rr.message, "one more"), "%s", rr.message);
            s = UT_OK;
        }
    drop(&t);
}

static void stopping(void)
{
    const char *to = "jpeg:85";
    ut_photo photo[N];
    int at = 0;
    for (int i = 0; i < N; i++) photo[i] = photo_of(&cover[i]);
    for (;; at++) {
        taker t = { .refuse = -1 };
        stop st = { at, 0 };
        ut_hide_options o = options(&to);
        ut_hide_report r;
        o.progress = stop_at;
        o.user = &st;
        ut_status s = ut_hide_album((const uint8_t *)words, sizeof words, photo, N, 0, &o, take, &t, &r, NULL);
        ut_hide_report_free(&r);
        drop(&t);
        if (st.calls <= at) {
            CHECK(s == UT_OK, "%s", r.message);
            break;
        }
        CHECK(s == UT_E_CANCELLED && r.message[0] && st.calls == at + 1, "call %d: %d", at, s);
    }
    CHECK(at >= 9, "only %d places to stop at", at);
}

static void refused(void)
{
    const char *to = "png";
    ut_photo photo[N];
    taker t = { .refuse = 1 };
    ut_hide_options o = options(&to);
    ut_hide_report r;
    ut_reveal_report rr;
    ut_blob out;
    for (int i = 0; i < N; i++) photo[i] = photo_of(&cover[i]);
    const uint8_t *v = (const uint8_t *)words;
    CHECK(ut_hide_album(v, sizeof words, photo, N, 2, &o, take, &t, &r, NULL) == UT_E_IO && strstr(r.message, "photo 2"), "%s", r.message);
    CHECK(ut_hide_album(v, sizeof words, photo, N, 4, &o, take, &t, &r, NULL) == UT_E_USAGE && r.message[0]);
    CHECK(ut_hide_album(v, sizeof words, photo, 0, 0, &o, take, &t, &r, NULL) == UT_E_USAGE && r.message[0]);
    CHECK(ut_hide_album(v, sizeof words, photo, UT_ALBUM_MAX + 1, 0, &o, take, &t, &r, NULL) == UT_E_USAGE && r.message[0]);
    CHECK(ut_reveal_album(photo, 0, NULL, &out, &rr, NULL) == UT_E_USAGE && rr.message[0]);
    CHECK(ut_reveal_album(photo, N, NULL, &out, &rr, NULL) == UT_E_KEY && !out.data && rr.message[0]);
    photo[2] = photo[0];
    CHECK(ut_hide_album(v, sizeof words, photo, N, 2, &o, take, &t, &r, NULL) == UT_E_USAGE && strstr(r.message, "photo 1 and photo 3"), "%s", r.message);
    /* one photo is as ut_hide has it */
    t.refuse = -1;
    CHECK(ut_hide_album(v, sizeof words, photo, 1, 0, &o, take, &t, &r, NULL) == UT_OK, "%s", r.message);
    CHECK(ut_reveal(t.got[0].data, t.got[0].nbytes, NULL, &out, &rr) == UT_OK && rr.album_nphotos == 0 && out.nbytes == sizeof words);
    ut_blob_free(&out);
    photo[0] = photo_of(&t.got[0]);
    CHECK(ut_reveal_album(photo, 1, NULL, &out, &rr, NULL) == UT_OK && rr.exact, "%s", rr.message);
    ut_blob_free(&out);
    drop(&t);
}

int main(void)
{
    for (unsigned i = 0; i < N; i++) cover[i] = test_photo(160 + 64 * i, 192, i);
    there_and_back("jpeg:85");
    there_and_back("png");
    stopping();
    refused();
    for (int i = 0; i < N; i++) ut_blob_free(&cover[i]);
    return check_end();
}
