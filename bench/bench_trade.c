/* How far the table of payload against PSNR that `capacity` shows is from the truth: as many random bytes as each row says are hidden, and
 * the PSNR that comes out is compared with the row's.
 *
 *   bench_trade [--to CHANNEL] PHOTO...
 */
#include "undertone.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static uint8_t *slurp(const char *path, size_t *n)
{
    FILE *f = fopen(path, "rb");
    if (!f) return NULL;
    fseek(f, 0, SEEK_END);
    long len = ftell(f);
    rewind(f);
    uint8_t *p = malloc(len > 0 ? (size_t)len : 1);
    *n = p && len > 0 ? fread(p, 1, (size_t)len, f) : 0;
    fclose(f);
    return p;
}

typedef struct error {
    size_t n;
    double sum, squares, worst;
} error;

static void count(error *e, double d)
{
    e->n++;
    e->sum += d;
    e->squares += d * d;
    if (fabs(d) > fabs(e->worst)) e->worst = d;
}

static void photo(const char *path, const char *to, error *total)
{
    size_t n;
    uint8_t *data = slurp(path, &n);
    const char *base = strrchr(path, '/') ? strrchr(path, '/') + 1 : path;
    ut_hide_options o;
    ut_capacity_report c;
    ut_hide_options_init(&o);
    o.channels = &to;
    o.nchannels = 1;
    if (!data || ut_capacity(data, n, &o, &c) != UT_OK) {
        fprintf(stderr, "%s: %s\n", path, data ? c.message : "cannot be read");
        free(data);
        return;
    }
    o.codec = UT_CODEC_RAW;
    o.min_psnr_db = 30;
    for (size_t i = 0; i < c.ntrade; i++) {
        const ut_trade *t = &c.trade[i];
        size_t heads = 48 + t->payload_nbytes / 2048 * 8, bytes = t->payload_nbytes > heads ? t->payload_nbytes - heads : 0;
        uint8_t *payload = malloc(bytes + 1);
        ut_hide_report r;
        ut_blob out;
        if (!payload) break;
        for (size_t k = 0; k < bytes; k++) payload[k] = (uint8_t)rand();
        ut_status s = ut_hide(payload, bytes, data, n, &o, &out, &r);
        printf("| %s | %.2f | %zu | %.3f | %s | ", base, t->psnr_db, t->payload_nbytes, t->net_bpp, t->measured ? "measured" : "forecast");
        if (s == UT_OK) printf("%zu | %.2f | %+.2f |\n", r.payload_nbytes, r.psnr_db, r.psnr_db - t->psnr_db);
        else printf("0 | - | %s |\n", r.message);
        if (s == UT_OK && !t->measured) count(&total[i], r.psnr_db - t->psnr_db);
        ut_hide_report_free(&r);
        ut_blob_free(&out);
        free(payload);
    }
    free(data);
}

int main(int argc, char **argv)
{
    const char *to = "whatsapp";
    error total[UT_TRADE_MAX] = { { 0 } };
    int n = 0;
    srand(1);
    for (int i = 1; i < argc; i++) {
        if (!strcmp(argv[i], "--to") && i + 1 < argc) {
            to = argv[++i];
            continue;
        }
        if (!n++) printf("| photo | row's PSNR dB | bytes | bit/pixel | row is | hidden bytes | PSNR dB | difference dB |\n|---|---|---|---|---|---|---|---|\n");
        photo(argv[i], to, total);
    }
    if (!n) {
        fprintf(stderr, "usage: bench_trade [--to CHANNEL] PHOTO...\n");
        return 2;
    }
    for (size_t i = 0; i < UT_TRADE_MAX; i++) {
        const error *e = &total[i];
        if (e->n) printf("row %zu, %s: mean %+.2f dB, rms %.2f, worst %+.2f over %zu photos\n", i + 1, to, e->sum / (double)e->n, sqrt(e->squares / (double)e->n), e->worst, e->n);
    }
    return 0;
}
