/* What photos carry: seconds of speech at 12.7 kbit/s (WB-PESQ about 4.0, docs/RESULTS.md) and net bits per pixel, measured
 * by trial embeddings of random bytes that came back through the real codec with the sender's margin.
 *
 *   bench_capacity [--table] [--to CHANNEL] [--min-psnr DB] PHOTO...
 */
#include "undertone.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

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

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

int main(int argc, char **argv)
{
    int table = 0, count = 0;
    const char *to = "whatsapp";
    ut_hide_options opt;
    ut_hide_options_init(&opt);
    opt.min_psnr_db = 40;
    for (int i = 1; i < argc; i++) {
        if (!strcmp(argv[i], "--table")) table = 1;
        else if (!strcmp(argv[i], "--to") && i + 1 < argc) to = argv[++i];
        else if (!strcmp(argv[i], "--min-psnr") && i + 1 < argc) opt.min_psnr_db = atof(argv[++i]);
        else {
            size_t n;
            uint8_t *photo = slurp(argv[i], &n);
            ut_capacity_report r;
            const char *base = strrchr(argv[i], '/') ? strrchr(argv[i], '/') + 1 : argv[i];
            opt.channels = &to;
            opt.nchannels = 1;
            double t = now();
            ut_status s = photo ? ut_capacity(photo, n, &opt, &r) : UT_E_IO;
            t = now() - t;
            if (s != UT_OK) fprintf(stderr, "%s: %s\n", argv[i], photo ? r.message : "cannot be read");
            double seconds = s == UT_OK ? ((double)r.payload_nbytes - 60) * 8 / 12700 : 0;
            if (s != UT_OK) memset(&r, 0, sizeof r);
            if (table) {
                if (!count) printf("| photo | sent as | payload bytes | net bit/pixel | PSNR dB | speech at 12.7 kbit/s, s | time s |\n|---|---|---|---|---|---|---|\n");
                printf("| %s | %ux%u | %zu | %.3f | %.2f | %.1f | %.2f |\n", base, r.width, r.height, r.payload_nbytes, r.net_bpp, r.psnr_db, seconds, t);
            } else {
                printf("%s\n  {\"photo\": \"%s\", \"channel\": \"%s\", \"width\": %u, \"height\": %u, \"payload_nbytes\": %zu, \"net_bpp\": %.4f, "
                       "\"psnr_db\": %.3f, \"speech_s\": %.2f, \"seconds\": %.3f}", count ? "," : "{\"capacity\": [", base, to, r.width, r.height,
                       r.payload_nbytes, r.net_bpp, r.psnr_db, seconds, t);
            }
            count++;
            free(photo);
        }
    }
    if (!count) {
        fprintf(stderr, "usage: bench_capacity [--table] [--to CHANNEL] [--min-psnr DB] PHOTO...\n");
        return 2;
    }
    if (!table) printf("\n]}\n");
    return 0;
}
