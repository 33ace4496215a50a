/* The learned hider's networks on a large photo: seconds and peak memory.
 *
 *   bench_hider [--threads N] [--size WxH] [--guide FILE] [--inn FILE]
 *
 * Each network runs once on a synthetic photo (4000x3000 by default), every luma coefficient of the 15 lowest frequencies a carrier.  "hide" is what the sender
 * spends on one embedding (forward and back), "reveal" what the receiver does (trust and forward).  One JSON object on stdout. */
#define _GNU_SOURCE
#include "base/parallel.h"
#include "kern/attend.h"
#include "photos.h"
#include "pipeline/model.h"
#include "stage/hide/extract.h"

static ut_err err;

static void stop_on(ut_status s)
{
    if (s == UT_OK) return;
    fprintf(stderr, "bench_hider: %s\n", err.text);
    exit(1);
}

/* Waves and grain. */
static void paint(ut_picture *p)
{
    unsigned long long r = 7;
    for (uint32_t y = 0; y < p->height; y++)
        for (uint32_t x = 0; x < p->width; x++) {
            r = r * 6364136223846793005ull + 1442695040888963407ull;
            unsigned v = 90 + (x / 3 + y / 5) % 60 + (x * y >> 9) % 50 + (unsigned)(r >> 60);
            for (unsigned c = 0; c < 3; c++) p->rgb[3 * ((size_t)y * p->width + x) + c] = (uint8_t)v;
        }
}

/* Of this program alone: what getrusage says includes whoever started it. */
static double largest_mib(void)
{
    char line[128];
    double kib = 0;
    FILE *f = fopen("/proc/self/status", "r");
    while (f && fgets(line, sizeof line, f))
        if (sscanf(line, "VmHWM: %lf", &kib) == 1) break;
    if (f) fclose(f);
    return kib / 1024;
}

static void time_guide(const char *file, const ut_picture *p, unsigned nthreads)
{
    ut_guide *g;
    stop_on(ut_guide_open(file, &g, &err));
    uint8_t *weight = malloc(ut_grid_nblocks(ut_grid_of(p->width, p->height)) * 64);
    double t = now();
    stop_on(ut_guide_weigh(g, p, weight, nthreads, &err));
    printf("\"guide_s\": %.3f, ", now() - t);
    free(weight);
    ut_guide_free(g);
}

static void time_inn(const char *file, const ut_picture *p, unsigned nthreads)
{
    enum { NFREQ = 15 };
    ut_inn *m;
    ut_grid g = ut_grid_of(p->width, p->height);
    size_t n = ut_grid_nblocks(g);
    ut_view v = { .picture = p };
    stop_on(ut_inn_open(file, &m, &err));
    float *x = malloc(n * 64 * sizeof *x);
    uint8_t *map = calloc(n, 8), *class = malloc(n * 64);
    for (size_t b = 0; b < n; b++) {
        ut_view_block(&v, (uint32_t)(b % g.blocks_w), (uint32_t)(b / g.blocks_w), x + b * 64);
        for (int i = 1; i <= NFREQ; i++) map[b * 8 + ut_zigzag[i] / 8] |= (uint8_t)(1 << ut_zigzag[i] % 8);
    }
    ut_inn_planes planes = { g, x, map };
    double t[4] = { now() };
    stop_on(ut_inn_trust(m, &planes, class, nthreads, &err));
    t[1] = now();
    stop_on(ut_inn_forward(m, &planes, nthreads, &err));
    t[2] = now();
    stop_on(ut_inn_inverse(m, &planes, nthreads, &err));
    t[3] = now();
    printf("\"trust_s\": %.3f, \"forward_s\": %.3f, \"inverse_s\": %.3f, \"hide_s\": %.3f, \"reveal_s\": %.3f, ", t[1] - t[0], t[2] - t[1], t[3] - t[2], t[3] - t[1], t[2] - t[0]);
    free(x);
    free(map);
    free(class);
    ut_inn_free(m);
}

int main(int argc, char **argv)
{
    unsigned w = 4000, h = 3000, nthreads = 2;
    const char *guide = NULL, *inn = NULL;
    size_t n;
    for (int i = 1; i + 1 < argc; i += 2) {
        if (!strcmp(argv[i], "--threads")) nthreads = (unsigned)atoi(argv[i + 1]);
        else if (!strcmp(argv[i], "--size")) (void)!sscanf(argv[i + 1], "%ux%u", &w, &h);
        else if (!strcmp(argv[i], "--guide")) guide = argv[i + 1];
        else if (!strcmp(argv[i], "--inn")) inn = argv[i + 1];
    }
    ut_picture p;
    stop_on(ut_picture_alloc(&p, w, h, false, &err));
    paint(&p);
    printf("{\"width\": %u, \"height\": %u, \"threads\": %u, \"kernels\": \"%s\", ", w, h, nthreads, ut_attend_get()->name);
    if (guide || ut_builtin_guide(&n)) time_guide(guide, &p, nthreads);
    if (inn || ut_builtin_inn(&n)) time_inn(inn, &p, nthreads);
    printf("\"peak_mib\": %.0f}\n", largest_mib());
    ut_picture_free(&p);
    return 0;
}
