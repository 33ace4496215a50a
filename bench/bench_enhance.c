/* bench_enhance MODEL.safetensors [SECONDS [RUNS [KERNELS]]]: Model 1's network on one thread, on made-up noise; JSON with every run's processor seconds and their
 * median, the real-time factor, and working memory.  train/tools/bench_c.py sets it beside PyTorch. */
#include "stage/enhance/model.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static uint8_t *read_file(const char *path, size_t *n)
{
    FILE *f = fopen(path, "rb");
    long size = f && fseek(f, 0, SEEK_END) == 0 ? ftell(f) : -1;
    uint8_t *p = size >= 0 ? malloc((size_t)size + 1) : NULL;
    *n = (size_t)size;
    if (p && (fseek(f, 0, SEEK_SET) != 0 || fread(p, 1, *n, f) != *n)) {
        free(p);
        p = NULL;
    }
    if (f) fclose(f);
    return p;
}

int main(int argc, char **argv)
{
    double seconds = argc > 2 ? atof(argv[2]) : 10, run[100];
    int nruns = argc > 3 ? atoi(argv[3]) : 5;
    size_t nmodel, n = (size_t)(seconds * UT_ENHANCE_HZ);
    uint8_t *data = argc > 1 ? read_file(argv[1], &nmodel) : NULL;
    if (!data || nruns < 1 || nruns > 100 || n == 0 || n > UT_ENHANCE_SAMPLES) {
        fputs("usage: bench_enhance MODEL.safetensors [SECONDS [RUNS [plain|avx2|avx512]]]\n", stderr);
        return 2;
    }
    ut_err e = { 0 };
    ut_enhance_model *m = NULL;
    ut_enhance_net *net = NULL;
    const ut_nn *kernels = ut_nn_get();
    for (unsigned i = 0; argc > 4 && ut_nn_variant(i); i++)
        if (!strcmp(ut_nn_variant(i)->name, argv[4])) kernels = ut_nn_variant(i);
    float *wave = malloc(n * sizeof *wave), *out = malloc(n * sizeof *out);
    ut_status s = ut_enhance_model_load(data, nmodel, argv[1], &m, &e);
    if (s == UT_OK) s = ut_enhance_net_new(m, n, &net, &e);
    if (s == UT_OK) ut_enhance_net_use(net, kernels);
    unsigned long long seed = 1;
    for (size_t i = 0; i < n; i++) {
        seed = seed * 6364136223846793005ull + 1442695040888963407ull;
        wave[i] = 0.2f * ((float)(seed >> 40) * 0x1p-23f - 1.0f);
    }
    for (int r = -1; r < nruns && s == UT_OK; r++) { /* the first run warms up and is not counted */
        double start = now();
        s = ut_enhance_net_run(net, wave, out, n, &e);
        if (r >= 0) run[r] = now() - start;
    }
    if (s != UT_OK) {
        fprintf(stderr, "bench_enhance: %s\n", e.text);
        return 1;
    }
    qsort(run, (size_t)nruns, sizeof *run, compare);
    printf("{\"seconds\": %.6f, \"rtf\": %.6f, \"audio_seconds\": %g, \"kernels\": \"%s\", \"working_mb\": %.1f, \"runs\": [", run[nruns / 2],
           run[nruns / 2] / seconds, seconds, kernels->name, (double)ut_enhance_net_nbytes(m, n) * 1e-6);
    for (int r = 0; r < nruns; r++) printf("%s%.6f", r ? ", " : "", run[r]);
    puts("]}");
    ut_enhance_net_free(net);
    ut_enhance_model_free(m);
    free(wave);
    free(out);
    free(data);
    return 0;
}
