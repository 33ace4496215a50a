/* What the benchmarks on folders of photos share. */
#ifndef BENCH_PHOTOS_H
#define BENCH_PHOTOS_H
#include "undertone.h"
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { MAX_FILES = 4096 };

static inline double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static inline uint8_t *slurp(const char *path, size_t *n)
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

static inline int by_name(const void *a, const void *b) { return strcmp(*(char *const *)a, *(char *const *)b); }

/* Paths of a folder's files, in order. */
static inline size_t list(const char *dir, char **names)
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

static inline const char *base_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

/* Photo's size, by hiding nothing: the capacity report would be slow, so a channel that does nothing is asked. */
static inline int photo_size(const uint8_t *photo, size_t n, uint32_t *w, uint32_t *h)
{
    ut_blob png;
    char message[512];
    if (ut_channel_run(photo, n, "png", NULL, &png, message) != UT_OK) return 0;
    *w = (uint32_t)png.data[16] << 24 | (uint32_t)png.data[17] << 16 | (uint32_t)png.data[18] << 8 | png.data[19];
    *h = (uint32_t)png.data[20] << 24 | (uint32_t)png.data[21] << 16 | (uint32_t)png.data[22] << 8 | png.data[23];
    ut_blob_free(&png);
    return 1;
}

static inline void noise(uint8_t *data, size_t n)
{
    uint64_t x = 88172645463325252u + n;
    for (size_t i = 0; i < n; i++) {
        x ^= x << 13;
        x ^= x >> 7;
        x ^= x << 17;
        data[i] = (uint8_t)(x >> 32);
    }
}
#endif
