#include "cli/args.h"
#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_WORD = 40, MAX_OPTIONS = 64 };

static size_t min3(size_t a, size_t b, size_t c)
{
    size_t m = a < b ? a : b;
    return m < c ? m : c;
}

/* Levenshtein distance; words longer than MAX_WORD count as far. */
static size_t distance(const char *a, const char *b)
{
    size_t na = strlen(a), nb = strlen(b), row[MAX_WORD + 1];
    if (na > MAX_WORD || nb > MAX_WORD)
        return MAX_WORD;
    for (size_t j = 0; j <= nb; j++)
        row[j] = j;
    for (size_t i = 1; i <= na; i++) {
        size_t diagonal = row[0];
        row[0] = i;
        for (size_t j = 1; j <= nb; j++) {
            size_t above = row[j];
            row[j] = min3(above + 1, row[j - 1] + 1, diagonal + (a[i - 1] != b[j - 1]));
            diagonal = above;
        }
    }
    return row[nb];
}

const char *ut_args_nearest(const char *typed, const char *const *words, size_t nwords)
{
    size_t n = strlen(typed), best = 3; /* more than two slips: no suggestion */
    const char *found = NULL;
    for (size_t i = 0; i < nwords; i++) {
        size_t d = distance(typed, words[i]);
        if (n >= 3 && !strncmp(typed, words[i], n))
            d = 1; /* an abbreviation */
        if (d < best && d < strlen(words[i])) {
            best = d;
            found = words[i];
        }
    }
    return found;
}

static const ut_option *find(const ut_command *c, const char *name, size_t n)
{
    for (const ut_option *o = c->options; o->name; o++)
        if (strlen(o->name) == n && !strncmp(o->name, name, n))
            return o;
    return NULL;
}

static const ut_option *find_letter(const ut_command *c, char letter)
{
    for (const ut_option *o = c->options; o->name; o++)
        if (o->letter == letter)
            return o;
    return NULL;
}

static ut_status unknown_option(const ut_command *c, const char *name, size_t n, ut_err *e)
{
    const char *words[MAX_OPTIONS], *near;
    size_t nwords = 0;
    char typed[MAX_WORD + 1];
    for (const ut_option *o = c->options; o->name && nwords < MAX_OPTIONS; o++)
        words[nwords++] = o->name;
    if (n > MAX_WORD)
        n = MAX_WORD;
    memcpy(typed, name, n);
    typed[n] = 0;
    near = ut_args_nearest(typed, words, nwords);
    if (near)
        return ut_fail(e, UT_E_USAGE, "%s: unknown option --%s; did you mean --%s?", c->name, typed, near);
    return ut_fail(e, UT_E_USAGE, "%s: unknown option --%s; see 'undertone help %s'", c->name, typed, c->name);
}

static ut_status give(ut_args *a, const ut_option *o, const char *value, ut_err *e)
{
    if (!o->many && o->value && ut_args_has(a, o->name))
        return ut_fail(e, UT_E_USAGE, "%s: --%s is given twice; once is enough", a->command->name, o->name);
    a->given[a->ngiven++] = (ut_given){ o, value };
    return UT_OK;
}

static ut_status missing_value(const ut_args *a, const ut_option *o, ut_err *e)
{
    return ut_fail(e, UT_E_USAGE, "%s: --%s needs a value (%s)", a->command->name, o->name, o->value);
}

/* "--name", "--name=value" or "--name value"; *used counts the words taken. */
static ut_status parse_long(ut_args *a, int argc, char *const *argv, int *used, ut_err *e)
{
    const char *name = argv[0] + 2, *equals = strchr(name, '=');
    size_t n = equals ? (size_t)(equals - name) : strlen(name);
    const ut_option *o = find(a->command, name, n);
    *used = 1;
    if (!o)
        return unknown_option(a->command, name, n, e);
    if (!o->value && equals)
        return ut_fail(e, UT_E_USAGE, "%s: --%s takes no value", a->command->name, o->name);
    if (!o->value)
        return give(a, o, NULL, e);
    if (equals)
        return give(a, o, equals + 1, e);
    if (argc < 2)
        return missing_value(a, o, e);
    *used = 2;
    return give(a, o, argv[1], e);
}

/* "-q", "-qv", "-oFILE", "-o FILE" */
static ut_status parse_short(ut_args *a, int argc, char *const *argv, int *used, ut_err *e)
{
    *used = 1;
    for (const char *p = argv[0] + 1; *p; p++) {
        const ut_option *o = find_letter(a->command, *p);
        ut_status s;
        if (!o)
            return ut_fail(e, UT_E_USAGE, "%s: unknown option -%c; see 'undertone help %s'", a->command->name, *p,
                           a->command->name);
        if (o->value && p[1])
            return give(a, o, p + 1, e);
        if (o->value && argc < 2)
            return missing_value(a, o, e);
        if (o->value) {
            *used = 2;
            return give(a, o, argv[1], e);
        }
        s = give(a, o, NULL, e);
        if (s != UT_OK)
            return s;
    }
    return UT_OK;
}

static ut_status count_operands(const ut_args *a, ut_err *e)
{
    const ut_command *c = a->command;
    if (a->noperands < c->min_operands)
        return ut_fail(e, UT_E_USAGE, "%s: too few arguments; usage: %s", c->name, c->usage);
    if (a->noperands > c->max_operands)
        return ut_fail(e, UT_E_USAGE, "%s: unexpected argument %s; usage: %s", c->name, a->operand[c->max_operands],
                       c->usage);
    return UT_OK;
}

static ut_status parse_words(ut_args *a, int argc, char *const *argv, ut_err *e)
{
    bool only_operands = false;
    for (int i = 0, used = 1; i < argc && !a->help; i += used) {
        const char *w = argv[i];
        ut_status s = UT_OK;
        used = 1;
        if (!only_operands && !strcmp(w, "--")) {
            only_operands = true;
        } else if (only_operands || w[0] != '-' || !w[1]) {
            a->operand[a->noperands++] = w;
        } else if (w[1] == '-') {
            s = parse_long(a, argc - i, argv + i, &used, e);
        } else {
            s = parse_short(a, argc - i, argv + i, &used, e);
        }
        if (s != UT_OK)
            return s;
        a->help = ut_args_has(a, "help");
    }
    return a->help ? UT_OK : count_operands(a, e);
}

ut_status ut_args_parse(const ut_command *c, int argc, char *const *argv, ut_args *a, ut_err *e)
{
    size_t room = 1;
    *a = (ut_args){ .command = c };
    for (int i = 0; i < argc; i++)
        room += strlen(argv[i]) + 1; /* "-qvqv" is several options in one word */
    a->operand = calloc((size_t)argc + 1, sizeof *a->operand);
    a->given = calloc(room, sizeof *a->given);
    if (!a->operand || !a->given) {
        ut_args_free(a);
        return ut_fail_memory(e, room * sizeof *a->given);
    }
    ut_status s = parse_words(a, argc, argv, e);
    if (s != UT_OK)
        ut_args_free(a);
    return s;
}

void ut_args_free(ut_args *a)
{
    free(a->operand);
    free(a->given);
    *a = (ut_args){ 0 };
}

bool ut_args_has(const ut_args *a, const char *name)
{
    for (size_t i = 0; i < a->ngiven; i++)
        if (!strcmp(a->given[i].option->name, name))
            return true;
    return false;
}

const char *ut_args_value(const ut_args *a, const char *name)
{
    for (size_t i = 0; i < a->ngiven; i++)
        if (!strcmp(a->given[i].option->name, name))
            return a->given[i].value;
    return NULL;
}

size_t ut_args_values(const ut_args *a, const char *name, const char **list)
{
    size_t n = 0;
    for (size_t i = 0; i < a->ngiven; i++)
        if (!strcmp(a->given[i].option->name, name)) {
            if (list)
                list[n] = a->given[i].value;
            n++;
        }
    return n;
}

ut_status ut_args_number(const ut_args *a, const char *name, double lo, double hi, double *out, ut_err *e)
{
    const char *text = ut_args_value(a, name);
    char *end;
    double v;
    if (!text)
        return UT_OK;
    v = strtod(text, &end);
    if (end == text || *end || isspace((unsigned char)*text) || !(v >= lo && v <= hi))
        return ut_fail(e, UT_E_USAGE, "%s: --%s must be a number from %g to %g, not '%s'", a->command->name, name, lo,
                       hi, text);
    *out = v;
    return UT_OK;
}

ut_status ut_args_integer(const ut_args *a, const char *name, long lo, long hi, long *out, ut_err *e)
{
    const char *text = ut_args_value(a, name);
    char *end;
    long v;
    if (!text)
        return UT_OK;
    errno = 0;
    v = strtol(text, &end, 10);
    if (end == text || *end || isspace((unsigned char)*text) || errno || v < lo || v > hi)
        return ut_fail(e, UT_E_USAGE, "%s: --%s must be a whole number from %ld to %ld, not '%s'", a->command->name,
                       name, lo, hi, text);
    *out = v;
    return UT_OK;
}

ut_status ut_args_choice(const ut_args *a, const char *name, const char *const *choices, int *out, ut_err *e)
{
    const char *text = ut_args_value(a, name);
    char all[160] = "";
    if (!text)
        return UT_OK;
    for (int i = 0; choices[i]; i++)
        if (!strcmp(choices[i], text)) {
            *out = i;
            return UT_OK;
        }
    for (int i = 0; choices[i]; i++)
        snprintf(all + strlen(all), sizeof all - strlen(all), "%s%s", i ? ", " : "", choices[i]);
    return ut_fail(e, UT_E_USAGE, "%s: --%s must be one of %s, not '%s'", a->command->name, name, all, text);
}
