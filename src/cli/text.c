#include "cli/cli.h"
#include <math.h>
#include <string.h>

const char *ut_text_count(char text[32], size_t n)
{
    char digits[24];
    int len = snprintf(digits, sizeof digits, "%zu", n), at = 0;
    for (int i = 0; i < len; i++) {
        if (i && (len - i) % 3 == 0)
            text[at++] = ',';
        text[at++] = digits[i];
    }
    text[at] = 0;
    return text;
}

const char *ut_text_duration(char text[32], double seconds)
{
    if (!(seconds >= 0 && seconds < 1e9))
        snprintf(text, 32, "?");
    else if (seconds < 89.95)
        snprintf(text, 32, "%.1f s", seconds);
    else if (seconds < 3599.5)
        snprintf(text, 32, "%d min %02d s", (int)lround(seconds) / 60, (int)lround(seconds) % 60);
    else
        snprintf(text, 32, "%ld h %02ld min", lround(seconds / 60) / 60, lround(seconds / 60) % 60);
    return text;
}

const char *ut_text_db(char text[32], double db)
{
    if (isinf(db) && db > 0)
        snprintf(text, 32, "infinite");
    else
        snprintf(text, 32, "%.2f dB", db);
    return text;
}

void ut_text_steps(FILE *f, const ut_step *steps, size_t nsteps)
{
    for (size_t i = 0; i < nsteps; i++)
        fprintf(f, "  %-20s %7.3f s  %s\n", steps[i].name, steps[i].seconds, steps[i].detail);
}

const char *ut_text_name(const char *path) { return strcmp(path, "-") ? path : "standard input"; }

ut_status ut_cli_fail_named(ut_err *e, ut_status s, const char *message, const char *role, const char *path)
{
    size_t n = strlen(role);
    if (!strncmp(message, role, n))
        return ut_fail(e, s, "%s%s", ut_text_name(path), message + n);
    return ut_fail(e, s, "%s", message);
}
