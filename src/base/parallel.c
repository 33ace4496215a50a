#define _GNU_SOURCE
#include "base/parallel.h"
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>

typedef struct job {
    atomic_size_t next;
    size_t n;
    ut_task_fn fn;
    void *arg;
} job;

unsigned ut_cpu_count(void)
{
    cpu_set_t set;
    if (sched_getaffinity(0, sizeof set, &set) != 0) return 1;
    int n = CPU_COUNT(&set);
    return n < 1 ? 1u : n > 64 ? 64u : (unsigned)n;
}

static void *worker(void *p)
{
    job *j = p;
    for (;;) {
        size_t i = atomic_fetch_add(&j->next, 1);
        if (i >= j->n) return NULL;
        j->fn(j->arg, i);
    }
}

void ut_parallel(unsigned nthreads, size_t n, ut_task_fn fn, void *arg)
{
    job j = { .n = n, .fn = fn, .arg = arg };
    pthread_t id[64];
    unsigned started = 0;
    if (!nthreads) nthreads = ut_cpu_count();
    if (nthreads > 64) nthreads = 64;
    while (started + 1 < nthreads && started + 1 < n && pthread_create(&id[started], NULL, worker, &j) == 0) started++;
    worker(&j);
    for (unsigned i = 0; i < started; i++) pthread_join(id[i], NULL);
}
