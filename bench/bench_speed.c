/* The command as a whole process: seconds and peak memory of hide and reveal, verification included.
 *
 *   bench_speed [--table] UNDERTONE PHOTO VOICE WORKDIR
 *
 * Each figure is the median of three runs after one that is not counted; peak memory is the largest seen. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { RUNS = 3 };

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Runs argv; 0 and its wall seconds and peak KiB, or its exit status. */
static int run(char *const argv[], double *seconds, long *kib)
{
    struct timespec a, b;
    struct rusage u;
    int status;
    clock_gettime(CLOCK_MONOTONIC, &a);
    pid_t p = fork();
    if (p == 0) {
        int null = open("/dev/null", O_WRONLY);
        dup2(null, 1);
        execv(argv[0], argv);
        _exit(127);
    }
    if (p < 0 || wait4(p, &status, 0, &u) < 0) return -1;
    clock_gettime(CLOCK_MONOTONIC, &b);
    *seconds = (double)(b.tv_sec - a.tv_sec) + (double)(b.tv_nsec - a.tv_nsec) * 1e-9;
    *kib = u.ru_maxrss;
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static int measure(char *const argv[], double *median, double *mib)
{
    double s[RUNS], t;
    long kib, most = 0;
    for (int i = -1; i < RUNS; i++) {
        if (run(argv, &t, &kib) != 0) return 1;
        if (i >= 0) s[i] = t;
        if (kib > most) most = kib;
    }
    qsort(s, RUNS, sizeof *s, by_value);
    *median = s[RUNS / 2];
    *mib = (double)most / 1024;
    return 0;
}

int main(int argc, char **argv)
{
    static char *const channels[] = { "whatsapp", "jpeg:75" };
    int table = argc > 1 && !strcmp(argv[1], "--table");
    char sent[4096], got[4096], heard[4096];
    argc -= table;
    argv += table;
    if (argc != 5) {
        fprintf(stderr, "usage: bench_speed [--table] UNDERTONE PHOTO VOICE WORKDIR\n");
        return 2;
    }
    snprintf(sent, sizeof sent, "%s/sent.png", argv[4]);
    snprintf(got, sizeof got, "%s/got.jpg", argv[4]);
    snprintf(heard, sizeof heard, "%s/heard.wav", argv[4]);
    if (table) printf("| channel | hide s | hide MiB | reveal s | reveal MiB |\n|---|---|---|---|---|\n");
    for (int i = 0; i < 2; i++) {
        char *hide[] = { argv[1], "hide", argv[3], argv[2], "-o", sent, "--to", channels[i], "--public", "-q", NULL };
        char *channel[] = { argv[1], "channel", sent, got, "--through", channels[i], NULL };
        char *reveal[] = { argv[1], "reveal", got, "-o", heard, "--public", NULL };
        double hs, hm, rs, rm, t;
        long k;
        if (measure(hide, &hs, &hm) || run(channel, &t, &k) || measure(reveal, &rs, &rm)) return 1;
        if (table) printf("| %s | %.2f | %.0f | %.2f | %.0f |\n", channels[i], hs, hm, rs, rm);
        else printf("%s\n  {\"channel\": \"%s\", \"hide_s\": %.3f, \"hide_mib\": %.1f, \"reveal_s\": %.3f, \"reveal_mib\": %.1f}",
                    i ? "," : "{\"speed\": [", channels[i], hs, hm, rs, rm);
    }
    if (!table) printf("\n]}\n");
    return 0;
}
