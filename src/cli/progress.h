/* A progress bar on standard error, for work of more than a second, on a terminal only. */
#ifndef UT_CLI_PROGRESS_H
#define UT_CLI_PROGRESS_H
#include "cli/cli.h"

typedef struct ut_progress {
    bool show, drawn;
    double start_s, last_s;
} ut_progress;

double ut_now_s(void); /* monotonic clock */
/* From here to ut_progress_end the first SIGINT, SIGTERM or SIGHUP makes the callback return 1. */
void ut_progress_begin(ut_progress *p, const ut_cli *cli);
int ut_progress_step(void *p, const char *step, double done); /* a ut_progress_fn */
void ut_progress_end(ut_progress *p);                         /* clears the line */
#endif
