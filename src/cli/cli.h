/* The command: what its files share.
 *
 * main.c finds the command and its options (args.h), runs it, and alone prints errors: a command returns a ut_status
 * and one line in a ut_err.  Results go to standard output, errors and the progress bar to standard error.
 */
#ifndef UT_CLI_CLI_H
#define UT_CLI_CLI_H
#include "base/err.h"
#include <stdbool.h>
#include <stdio.h>

/* Exit statuses: pinned, documented in undertone(1). */
enum {
    UT_EXIT_OK = 0,
    UT_EXIT_USAGE = 2,
    UT_EXIT_INPUT = 3,
    UT_EXIT_CAPACITY = 4,
    UT_EXIT_KEY = 5,
    UT_EXIT_DAMAGED = 6,
    UT_EXIT_IO = 7,
    UT_EXIT_OTHER = 8,
    UT_EXIT_INTERRUPTED = 130
};
int ut_cli_exit_code(ut_status s);

typedef struct ut_cli {
    bool json, quiet, verbose;
    bool json_done; /* the command has printed its JSON object; none may follow */
} ut_cli;

typedef struct ut_command ut_command;
typedef struct ut_args ut_args;

/* One option of a command; a table of them ends with a NULL name. */
typedef struct ut_option {
    const char *name;  /* without the dashes */
    char letter;       /* 0: none */
    const char *value; /* the value's name in help ("KBPS"); NULL: a flag */
    bool many;         /* may be given more than once */
    const char *help;  /* one or two lines, separated by '\n' */
} ut_option;

struct ut_command {
    const char *name, *usage, *summary, *about;
    size_t min_operands, max_operands;
    const ut_option *options;
    ut_status (*run)(ut_cli *cli, const ut_args *args, ut_err *e);
};

extern const ut_command ut_cmd_hide, ut_cmd_reveal, ut_cmd_capacity, ut_cmd_enhance, ut_cmd_channel, ut_cmd_compare, ut_cmd_keygen;
extern const ut_command *const ut_commands[]; /* ends with NULL */

/* help.c */
void ut_help_print(FILE *f);
void ut_help_print_command(FILE *f, const ut_command *c);

/* text.c: figures for people. Each returns text. */
const char *ut_text_count(char text[32], size_t n);         /* 71,440 */
const char *ut_text_duration(char text[32], double seconds); /* 45.0 s; 12 min 05 s; 2 h 05 min */
const char *ut_text_db(char text[32], double db);            /* 41.2 dB; infinite */
void ut_text_steps(FILE *f, const ut_step *steps, size_t nsteps);
const char *ut_text_name(const char *path); /* "-" as "standard input" */

/* For calls that cannot be told a file's name: fails with `message`, in which `path` takes the place of `role` ("the
 * picture") if it begins with that. */
ut_status ut_cli_fail_named(ut_err *e, ut_status s, const char *message, const char *role, const char *path);
#endif
