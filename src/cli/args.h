/* Options and operands of one command line. */
#ifndef UT_CLI_ARGS_H
#define UT_CLI_ARGS_H
#include "cli/cli.h"

typedef struct ut_given {
    const ut_option *option;
    const char *value; /* NULL for a flag; borrowed from argv */
} ut_given;

struct ut_args {
    const ut_command *command;
    bool help;            /* --help was seen: nothing after it was looked at */
    const char **operand; /* owned array of borrowed strings */
    size_t noperands;
    ut_given *given; /* owned */
    size_t ngiven;
};

/* argv: what follows the command's name.  "--name VALUE", "--name=VALUE", "-o VALUE", "-oVALUE", "-qv", and "--" before
 * operands that begin with a dash; a lone "-" is an operand.  UT_E_USAGE names the nearest option. */
UT_MUST_CHECK ut_status ut_args_parse(const ut_command *c, int argc, char *const *argv, ut_args *a, ut_err *e);
void ut_args_free(ut_args *a);

bool ut_args_has(const ut_args *a, const char *name);
const char *ut_args_value(const ut_args *a, const char *name); /* NULL if not given */
/* Every value of a repeatable option in order; list: [a->ngiven] or NULL to count. */
size_t ut_args_values(const ut_args *a, const char *name, const char **list);
/* Leaves *out alone where the option is not given; UT_E_USAGE outside lo..hi or for what is no number. */
UT_MUST_CHECK ut_status ut_args_number(const ut_args *a, const char *name, double lo, double hi, double *out,
                                       ut_err *e);
UT_MUST_CHECK ut_status ut_args_integer(const ut_args *a, const char *name, long lo, long hi, long *out, ut_err *e);
/* Index into choices (ends with NULL); leaves *out alone where the option is not given. */
UT_MUST_CHECK ut_status ut_args_choice(const ut_args *a, const char *name, const char *const *choices, int *out,
                                       ut_err *e);

/* The word of the list (nwords entries) that someone who typed `typed` most likely meant; NULL if none is near. */
const char *ut_args_nearest(const char *typed, const char *const *words, size_t nwords);
#endif
