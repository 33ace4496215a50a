#include "cli/progress.h"
#include "cli/signals.h"
#include <time.h>
#include <unistd.h>

static const double silence_s = 1.0, redraw_s = 0.1;
enum { WIDTH = 28 };

double ut_now_s(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

void ut_progress_begin(ut_progress *p, const ut_cli *cli)
{
    *p = (ut_progress){ .show = !cli->quiet && isatty(STDERR_FILENO), .start_s = ut_now_s() };
    ut_signals_defer(true);
}

static void draw(const char *step, double done)
{
    char bar[WIDTH + 1];
    int full = (int)(done * WIDTH);
    for (int i = 0; i < WIDTH; i++)
        bar[i] = i < full ? '#' : '.';
    bar[WIDTH] = 0;
    fprintf(stderr, "\r\033[K  %s %3d %%  %.40s", bar, (int)(done * 100), step);
    fflush(stderr);
}

int ut_progress_step(void *user, const char *step, double done)
{
    ut_progress *p = user;
    if (p->show) {
        double now = ut_now_s();
        done = done >= 0 ? done : 0; /* also what is not a number */
        done = done <= 1 ? done : 1;
        if (now - p->start_s >= silence_s && now - p->last_s >= redraw_s) {
            draw(step, done);
            p->drawn = true;
            p->last_s = now;
        }
    }
    return ut_signals_pending();
}

void ut_progress_end(ut_progress *p)
{
    if (p->drawn) {
        fputs("\r\033[K", stderr);
        fflush(stderr);
    }
    p->drawn = false;
    ut_signals_defer(false);
}
