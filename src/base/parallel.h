/* Run fn(arg, i) for i in [0, n) on up to nthreads threads (0: as many as the machine has).  Which thread runs which
 * i is open, so fn must not care; results then do not depend on the thread count. */
#ifndef UT_BASE_PARALLEL_H
#define UT_BASE_PARALLEL_H
#include <stddef.h>
typedef void (*ut_task_fn)(void *arg, size_t i);
void ut_parallel(unsigned nthreads, size_t n, ut_task_fn fn, void *arg);
unsigned ut_cpu_count(void);
#endif
