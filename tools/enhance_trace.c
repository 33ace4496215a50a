/* enhance_trace MODEL.safetensors WAVE.f32 FOLDER [KERNELS]: runs Model 1's network on raw 32-bit floats (16 kHz) and writes every intermediate result
 * to FOLDER/NAME.f32, one line "NAME rows frames" each to standard output; "wave 1 nsamples" comes last.  KERNELS: plain, avx2 or avx512. */
#include "stage/enhance/model.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *folder;

static void keep(void *user, const char *name, const float *x, size_t nrows, size_t nframes)
{
    char path[4096];
    bool *good = user;
    snprintf(path, sizeof path, "%s/%s.f32", folder, name);
    FILE *f = fopen(path, "wb");
    bool written = f && fwrite(x, sizeof *x, nrows * nframes, f) == nrows * nframes;
    if (f && fclose(f) != 0) written = false;
    if (!written) {
        fprintf(stderr, "enhance_trace: %s cannot be written\n", path);
        *good = false;
    }
    printf("%s %zu %zu\n", name, nrows, nframes);
}

static void *read_file(const char *path, size_t *n)
{
    FILE *f = fopen(path, "rb");
    long size = f && fseek(f, 0, SEEK_END) == 0 ? ftell(f) : -1;
    void *p = size >= 0 ? malloc((size_t)size + 1) : NULL;
    if (p && (fseek(f, 0, SEEK_SET) != 0 || fread(p, 1, (size_t)size, f) != (size_t)size)) {
        free(p);
        p = NULL;
    }
    if (f) fclose(f);
    if (!p) {
        fprintf(stderr, "enhance_trace: %s cannot be read\n", path);
        exit(1);
    }
    *n = (size_t)size;
    return p;
}

int main(int argc, char **argv)
{
    if (argc < 4 || argc > 5) {
        fputs("usage: enhance_trace MODEL.safetensors WAVE.f32 FOLDER [plain|avx2|avx512]\n", stderr);
        return 2;
    }
    size_t nmodel, nwave;
    void *model = read_file(argv[1], &nmodel);
    float *wave = read_file(argv[2], &nwave);
    bool good = true;
    ut_err e = { 0 };
    ut_enhance_model *m = NULL;
    ut_enhance_net *n = NULL;
    folder = argv[3];
    nwave /= sizeof *wave;
    ut_status s = ut_enhance_model_load(model, nmodel, argv[1], &m, &e);
    if (s == UT_OK) s = ut_enhance_net_new(m, nwave, &n, &e);
    if (s == UT_OK) {
        ut_enhance_net_watch(n, keep, &good);
        for (unsigned i = 0; argc == 5 && ut_nn_variant(i); i++)
            if (!strcmp(ut_nn_variant(i)->name, argv[4])) ut_enhance_net_use(n, ut_nn_variant(i));
        s = ut_enhance_net_run(n, wave, wave, nwave, &e);
    }
    if (s == UT_OK) keep(&good, "wave", wave, 1, nwave);
    else fprintf(stderr, "enhance_trace: %s\n", e.text);
    ut_enhance_net_free(n);
    ut_enhance_model_free(m);
    free(model);
    free(wave);
    return s == UT_OK && good ? 0 : 1;
}
