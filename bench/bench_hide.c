/* Net payload, visibility and exact recovery, photo by photo, through the real codecs.
 *
 *   bench_hide [--table] [-v] [--only CHANNEL] [--bpp BPP] DIRECTORY
 *
 * Each photo gets random bytes that fill the stated rate (payload bits per pixel, sealing and coding on top), is written,
 * sent through the channel (a range: through every whole quality in it), and revealed from the file that comes out, by the public interface alone.  Success
 * means that every byte is equal.  One JSON object on stdout; --table prints a readable table instead, and --json FILE
 * keeps the object as well. */
#include "undertone.h"
#include <dirent.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

typedef struct row {
    const char *channel;
    double bpp;
    unsigned lo, hi; /* sent through jpeg:lo, ... jpeg:hi, every quality; 0: through the channel itself */
} row;

static row rows[] = {
    { "whatsapp", .50, 0, 0 },     { "whatsapp", .33, 0, 0 },        { "whatsapp", .17, 0, 0 },     { "whatsapp", .07, 0, 0 },
    { "jpeg:75", .50, 0, 0 },      { "jpeg:75", .33, 0, 0 },         { "jpeg:75", .17, 0, 0 },      { "jpeg:75", .07, 0, 0 },
    { "jpeg:75-95", .18, 75, 95 },
    { "jpeg:50-95", .08, 50, 95 }, { "jpeg:85+jpeg:75", .10, 0, 0 }, { "png", 3.0, 0, 0 },
    { "resize:0.75+jpeg:85", .02, 0, 0 }, { "resize:0.5+jpeg:85", .005, 0, 0 }, { "resize:1.5+jpeg:85", .02, 0, 0 }, { "crop:0.9+jpeg:85", .02, 0, 0 },
};
enum { NROWS = sizeof rows / sizeof *rows, MAX_FILES = 4096 };

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static uint8_t *slurp(const char *path, size_t *n)
{
    FILE *f = fopen(path, "rb");
    if (!f) return NULL;
    fseek(f, 0, SEEK_END);
    long len = ftell(f);
    rewind(f);
    uint8_t *p = malloc(len > 0 ? (size_t)len : 1);
    *n = p ? fread(p, 1, (size_t)len, f) : 0;
    fclose(f);
    return p;
}

static int by_name(const void *a, const void *b) { return strcmp(*(char *const *)a, *(char *const *)b); }

static size_t list(const char *dir, char **names)
{
    size_t n = 0;
    DIR *d = opendir(dir);
    if (!d) return 0;
    for (struct dirent *e; (e = readdir(d)) && n < MAX_FILES;) {
        if (e->d_name[0] == '.') continue;
        names[n] = malloc(strlen(dir) + strlen(e->d_name) + 2);
        sprintf(names[n++], "%s/%s", dir, e->d_name);
    }
    closedir(d);
    qsort(names, n, sizeof *names, by_name);
    return n;
}

/* Photo's size, by hiding nothing: the capacity report would be slow, so a channel that does nothing is asked. */
static int photo_size(const uint8_t *photo, size_t n, uint32_t *w, uint32_t *h)
{
    ut_blob png;
    char message[512];
    if (ut_channel_run(photo, n, "png", NULL, &png, message) != UT_OK) return 0;
    *w = (uint32_t)png.data[16] << 24 | (uint32_t)png.data[17] << 16 | (uint32_t)png.data[18] << 8 | png.data[19];
    *h = (uint32_t)png.data[20] << 24 | (uint32_t)png.data[21] << 16 | (uint32_t)png.data[22] << 8 | png.data[23];
    ut_blob_free(&png);
    return 1;
}

typedef struct tally {
    size_t n, exact;
    double psnr, ssim, bpp, rate, ber, hide_s, reveal_s, least_psnr, worst_ber;
    char worst[256];
} tally;

static int reveals(const ut_blob *sent, const char *channel, const uint8_t *want, size_t nwant, double *seconds)
{
    ut_blob got, out;
    char message[512];
    ut_reveal_options opt;
    ut_reveal_report rep;
    ut_reveal_options_init(&opt);
    if (ut_channel_run(sent->data, sent->nbytes, channel, NULL, &got, message) != UT_OK) {
        fprintf(stderr, "%s: %s\n", channel, message);
        return 0;
    }
    double t = now();
    ut_status s = ut_reveal(got.data, got.nbytes, &opt, &out, &rep);
    *seconds += now() - t;
    int ok = s == UT_OK && out.nbytes == nwant && memcmp(out.data, want, nwant) == 0;
    if (!ok) fprintf(stderr, "  %s: %s (%s)\n", channel, rep.message, rep.diagnosis);
    ut_blob_free(&got);
    ut_blob_free(&out);
    return ok;
}

static void one(const row *r, const char *path, tally *t, int verbose)
{
    size_t n;
    uint8_t *photo = slurp(path, &n);
    uint32_t w, h;
    t->n++;
    if (!photo || !photo_size(photo, n, &w, &h)) {
        fprintf(stderr, "%s: not a photo\n", path);
        free(photo);
        return;
    }
    size_t nbytes = (size_t)ceil(r->bpp * w * h / 8);
    uint8_t *data = malloc(nbytes);
    uint64_t x = 88172645463325252u + nbytes;
    for (size_t i = 0; i < nbytes; i++) {
        x ^= x << 13;
        x ^= x >> 7;
        x ^= x << 17;
        data[i] = (uint8_t)(x >> 32);
    }
    ut_hide_options opt;
    ut_hide_report rep;
    ut_blob sent;
    ut_hide_options_init(&opt);
    opt.channels = &r->channel;
    opt.nchannels = 1;
    opt.codec = UT_CODEC_RAW;
    opt.min_psnr_db = 25;
    double t0 = now();
    ut_status s = ut_hide(data, nbytes, photo, n, &opt, &sent, &rep);
    t->hide_s += now() - t0;
    int exact = s == UT_OK;
    if (s != UT_OK) fprintf(stderr, "%s, %s: %s\n", path, r->channel, rep.message);
    double reveal_s = 0;
    unsigned n_sent = 0;
    for (unsigned q = r->lo; exact && q <= r->hi; q++, n_sent++) {
        char channel[32];
        snprintf(channel, sizeof channel, "jpeg:%u", q);
        exact = reveals(&sent, r->lo ? channel : r->channel, data, nbytes, &reveal_s);
    }
    if (n_sent) t->reveal_s += reveal_s / n_sent;
    if (verbose)
        fprintf(stderr, "%s %s: %s %.2f dB, %s, raw ber %.4f %%, %.2f s\n", r->channel, path, exact ? "exact" : "FAILED", rep.psnr_db,
                rep.fec, 100 * rep.worst_ber, now() - t0);
    if (s == UT_OK) {
        t->psnr += rep.psnr_db;
        t->ssim += rep.ssim;
        t->bpp += rep.net_bpp;
        t->rate += rep.code_rate;
        t->ber += rep.worst_ber;
        if (rep.worst_ber > t->worst_ber) t->worst_ber = rep.worst_ber;
        if (!t->worst[0] || rep.psnr_db < t->least_psnr) {
            const char *base = strrchr(path, '/');
            t->least_psnr = rep.psnr_db;
            snprintf(t->worst, sizeof t->worst, "%s", base ? base + 1 : path);
        }
    }
    t->exact += (size_t)exact;
    ut_hide_report_free(&rep);
    ut_blob_free(&sent);
    free(data);
    free(photo);
}

static void print(const row *r, const tally *t, int table, FILE *json, int first)
{
    double n = t->n ? (double)t->n : 1;
    if (table) {
        if (first) printf("| channel | net bit/pixel | exact | mean PSNR dB | worst photo | mean SSIM | code rate | raw BER mean (worst) | hide s | reveal s |\n|---|---|---|---|---|---|---|---|---|---|\n");
        printf("| %s | %.3f | %zu/%zu | %.2f | %.2f (%s) | %.4f | %.3f | %.3f %% (%.3f %%) | %.2f | %.2f |\n", r->channel, t->bpp / n,
               t->exact, t->n, t->psnr / n, t->least_psnr, t->worst, t->ssim / n, t->rate / n, 100 * t->ber / n,
               100 * t->worst_ber, t->hide_s / n, t->reveal_s / n);
    }
    if (json || !table) {
        fprintf(json ? json : stdout, "%s\n  {\"channel\": \"%s\", \"asked_bpp\": %.3f, \"net_bpp\": %.4f, \"photos\": %zu, \"exact\": %zu, \"mean_psnr_db\": %.3f, "
               "\"worst_psnr_db\": %.3f, \"worst_photo\": \"%s\", \"mean_ssim\": %.5f, \"mean_code_rate\": %.4f, \"mean_raw_ber\": %.6f, "
               "\"worst_raw_ber\": %.6f, \"mean_hide_s\": %.3f, \"mean_reveal_s\": %.3f}", first ? "{\"hide\": [" : ",", r->channel,
               r->bpp, t->bpp / n, t->n, t->exact, t->psnr / n, t->least_psnr, t->worst, t->ssim / n, t->rate / n, t->ber / n,
               t->worst_ber, t->hide_s / n, t->reveal_s / n);
    }
    fflush(stdout);
}

int main(int argc, char **argv)
{
    static char *names[MAX_FILES];
    const char *dir = NULL, *only = NULL;
    FILE *json = NULL;
    int table = 0, verbose = 0, first = 1;
    double bpp = 0;
    for (int i = 1; i < argc; i++) {
        if (!strcmp(argv[i], "--table")) table = 1;
        else if (!strcmp(argv[i], "-v")) verbose = 1;
        else if (!strcmp(argv[i], "--json") && i + 1 < argc) json = fopen(argv[++i], "w");
        else if (!strcmp(argv[i], "--only") && i + 1 < argc) only = argv[++i];
        else if (!strcmp(argv[i], "--bpp") && i + 1 < argc) bpp = atof(argv[++i]);
        else dir = argv[i];
    }
    size_t n = dir ? list(dir, names) : 0;
    if (!n) {
        fprintf(stderr, "usage: bench_hide [--table] [-v] [--only CHANNEL] [--bpp BPP] DIRECTORY-OF-PHOTOS\n");
        return 2;
    }
    for (int i = 0; i < NROWS; i++) {
        if (only && strcmp(only, rows[i].channel)) continue;
        if (bpp > 0 && i && !strcmp(rows[i].channel, rows[i - 1].channel)) continue; /* once is enough */
        tally t = { 0 };
        if (bpp > 0) rows[i].bpp = bpp;
        for (size_t k = 0; k < n; k++) one(&rows[i], names[k], &t, verbose);
        print(&rows[i], &t, table, json, first);
        first = 0;
    }
    if (json || !table) fprintf(json ? json : stdout, "\n]}\n");
    if (json) fclose(json);
    return 0;
}
