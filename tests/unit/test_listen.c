/* The first pass: levels, lengths, pushes; and its verdict on the recordings of shared/, where they are. */
#include "check.h"
#include "media/audio.h"
#include "stage/enhance/enhance.h"
#include "stage/enhance/speech.h"
#include <dirent.h>
#include <math.h>

static ut_heard hear(const int16_t *x, size_t n, size_t piece)
{
    ut_listener *l;
    ut_heard h;
    if (ut_listener_new(&l, NULL) != UT_OK) abort();
    for (size_t at = 0, m; at < n; at += m) {
        m = n - at < piece ? n - at : piece;
        ut_listener_push(l, x + at, m);
    }
    ut_listener_finish(l, &h);
    ut_listener_free(l);
    return h;
}

enum { N = 200000 };
static int16_t x[N];

static void tone(double level_db, size_t on)
{
    for (size_t i = 0; i < N; i++) x[i] = i < on ? (int16_t)lrint(32768 * pow(10, level_db / 20) * sqrt(2) * sin(.3 * (double)i)) : 0;
}

static void levels(void)
{
    for (double db = -70; db < -5; db += 9) {
        tone(db, N / 2);
        ut_heard h = hear(x, N, N);
        CHECK(fabs(h.level_db - db) < .1, "%.2f, not %.2f", h.level_db, db);
        CHECK(h.nsamples == N && fabs(h.sounding_s - N / 2. / UT_ENHANCE_HZ) < .03, "%.3f s", h.sounding_s);
    }
    memset(x, 0, sizeof x);
    ut_heard h = hear(x, N, N);
    CHECK(isinf(h.level_db) && h.level_db < 0 && h.speech && isnan(h.speech_share) && h.sounding_s == 0, "silence is nothing to spoil");
    h = hear(NULL, 0, 1);
    CHECK(h.nsamples == 0 && h.speech && isnan(h.speech_share));
    tone(-20, N);
    h = hear(x, UT_SPEECH_LEAST - 1, N);
    CHECK(h.speech && isnan(h.speech_share), "too short to tell");
    h = hear(x, UT_SPEECH_LEAST, N);
    CHECK(!h.speech && h.speech_share < .1, "a tone: %.3f", h.speech_share);
}

static void pushes(void)
{
    unsigned long long r = 9;
    for (size_t i = 0; i < N; i++) x[i] = (int16_t)(((int)(check_rand(&r) % 20000) - 10000) / (1 + (int)(i / 9000) % 3 * 4));
    const size_t pieces[] = { 1, 319, 4096, UT_SPEECH_BLOCK, UT_SPEECH_BLOCK + 1, N };
    ut_heard want = hear(x, N, N);
    for (size_t i = 0; i < sizeof pieces / sizeof *pieces; i++) {
        ut_heard h = hear(x, N, pieces[i]);
        CHECK(!memcmp(&h, &want, sizeof h), "pieces of %zu", pieces[i]);
    }
}

/* Nothing that can be in a block gives a figure that is none. */
static void extremes(void)
{
    ut_speech *s;
    if (ut_speech_new(&s, NULL) != UT_OK) abort();
    for (int kind = 0; kind < 5; kind++)
        for (size_t n = UT_SPEECH_LEAST; n <= UT_SPEECH_BLOCK; n += 11999) {
            double f[UT_SPEECH_NFEATURES];
            for (size_t i = 0; i < n; i++) x[i] = kind == 0 ? 0 : kind == 1 ? 32767 : kind == 2 ? -32768 : kind == 3 ? (i / 2 % 2 ? 32767 : -32768) : i == n / 2;
            ut_speech_features(s, x, n, f);
            for (int i = 0; i < UT_SPEECH_NFEATURES; i++) CHECK(isfinite(f[i]), "kind %d, %zu samples, figure %d", kind, n, i);
            double p = ut_speech_probability(f);
            CHECK(p >= 0 && p < .4, "kind %d, %zu samples: speech with %.3f", kind, n, p);
        }
    ut_speech_free(s);
    ut_speech_free(NULL);
    ut_listener_free(NULL);
}

/* How many of a folder's recordings are judged speech; *n: of how many. */
static int judged_speech(const char *folder, int *n)
{
    char path[1024];
    int speech = 0;
    *n = 0;
    snprintf(path, sizeof path, "%s/%s", UT_SHARED_DIR, folder);
    DIR *d = opendir(path);
    for (struct dirent *e; d && (e = readdir(d));) {
        static uint8_t bytes[4 << 20];
        ut_pcm p;
        if (e->d_name[0] == '.') continue;
        snprintf(path, sizeof path, "%s/%s/%s", UT_SHARED_DIR, folder, e->d_name);
        FILE *f = fopen(path, "rb");
        if (!f) continue;
        size_t got = fread(bytes, 1, sizeof bytes, f);
        fclose(f);
        if (ut_audio_read(bytes, got, e->d_name, &p, NULL) != UT_OK) continue;
        ++*n;
        speech += hear(p.sample, p.nsamples, p.nsamples).speech;
        ut_pcm_free(&p);
    }
    if (d) closedir(d);
    return speech;
}

static void verdicts(void)
{
    int n, speech = judged_speech("speech/dev/librispeech", &n);
    if (!n) {
        printf("no recordings in %s: verdicts are not tested\n", UT_SHARED_DIR);
        return;
    }
    CHECK(speech == n, "clean speech: %d of %d", speech, n);
    speech = judged_speech("speech/test/voicebank-demand/noisy", &n);
    CHECK(speech == n && n == 25, "noisy speech: %d of %d", speech, n);
    speech = judged_speech("noise/train/blanket", &n);
    CHECK(n && speech <= n / 4, "noises: %d of %d", speech, n);
}

int main(void)
{
    levels();
    pushes();
    extremes();
    verdicts();
    return check_end();
}
