/* Finds the command, runs it, prints its error, if any, as one line. */
#include "cli/args.h"
#include "cli/json.h"
#include "cli/signals.h"
#include <errno.h>
#include <string.h>

enum { NCOMMANDS = 7 };
const ut_command *const ut_commands[NCOMMANDS + 1] = { &ut_cmd_hide,    &ut_cmd_reveal,  &ut_cmd_capacity, &ut_cmd_enhance,
                                                       &ut_cmd_channel, &ut_cmd_compare, &ut_cmd_keygen,   NULL };

int ut_cli_exit_code(ut_status s)
{
    switch (s) {
    case UT_OK: return UT_EXIT_OK;
    case UT_E_USAGE: return UT_EXIT_USAGE;
    case UT_E_INPUT: return UT_EXIT_INPUT;
    case UT_E_CAPACITY: return UT_EXIT_CAPACITY;
    case UT_E_KEY: return UT_EXIT_KEY;
    case UT_E_DAMAGED: return UT_EXIT_DAMAGED;
    case UT_E_IO: return UT_EXIT_IO;
    case UT_E_CANCELLED: return UT_EXIT_INTERRUPTED;
    case UT_E_MEMORY:
    case UT_E_UNSUPPORTED:
    case UT_E_INTERNAL: break;
    }
    return UT_EXIT_OTHER;
}

static const ut_command *find(const char *name)
{
    for (size_t i = 0; ut_commands[i]; i++)
        if (!strcmp(ut_commands[i]->name, name))
            return ut_commands[i];
    return NULL;
}

static ut_status unknown_command(const char *name, ut_err *e)
{
    const char *words[NCOMMANDS + 1], *near;
    size_t n = 0;
    for (; ut_commands[n]; n++)
        words[n] = ut_commands[n]->name;
    words[n++] = "help";
    near = ut_args_nearest(name, words, n);
    if (near)
        return ut_fail(e, UT_E_USAGE, "unknown command %s; did you mean %s?", name, near);
    return ut_fail(e, UT_E_USAGE, "unknown command %s; see 'undertone help'", name);
}

/* Names and messages may hold bytes that move a terminal's cursor, or line ends: neither must get through. */
static void clean(char *text)
{
    for (unsigned char *p = (unsigned char *)text; *p; p++)
        if (*p < 0x20 || *p == 0x7f)
            *p = '?';
}

static void print_error(const ut_cli *cli, ut_status s, ut_err *e)
{
    clean(e->text);
    if (!e->text[0])
        snprintf(e->text, sizeof e->text, "%s", ut_status_text(s));
    fprintf(stderr, "undertone: %s\n", e->text);
    if (cli->json && !cli->json_done) {
        ut_json j;
        ut_json_begin(&j, stdout);
        ut_json_open(&j, "error", '{');
        ut_json_count(&j, "status", (size_t)ut_cli_exit_code(s));
        ut_json_string(&j, "message", e->text);
        ut_json_close(&j, '}');
        ut_json_end(&j);
    }
}

static ut_status help(int argc, char **argv, ut_err *e)
{
    const ut_command *c;
    if (argc > 1)
        return ut_fail(e, UT_E_USAGE, "help takes one command; see 'undertone help'");
    if (!argc) {
        ut_help_print(stdout);
        return UT_OK;
    }
    c = find(argv[0]);
    if (!c)
        return unknown_command(argv[0], e);
    ut_help_print_command(stdout, c);
    return UT_OK;
}

/* Said at once, not after the first of them has swallowed everything. */
static ut_status check_stdin(const ut_args *a, ut_err *e)
{
    static const char *const readers[] = { "passphrase-file", "key-file" };
    size_t n = 0;
    bool writes_last = a->command == &ut_cmd_channel;
    for (size_t i = 0; i < a->noperands - (writes_last && a->noperands); i++)
        n += !strcmp(a->operand[i], "-");
    for (size_t i = 0; i < sizeof readers / sizeof *readers; i++) {
        const char *path = ut_args_value(a, readers[i]);
        n += path && !strcmp(path, "-");
    }
    if (n > 1)
        return ut_fail(e, UT_E_USAGE, "%s: standard input (\"-\") can be read only once; give files for the others",
                       a->command->name);
    return UT_OK;
}

static ut_status run(ut_cli *cli, const ut_command *c, int argc, char **argv, ut_err *e)
{
    ut_args a;
    ut_status s;
    for (int i = 0; i < argc && strcmp(argv[i], "--"); i++)
        cli->json = cli->json || !strcmp(argv[i], "--json"); /* even where the options cannot be parsed */
    s = ut_args_parse(c, argc, argv, &a, e);
    if (s != UT_OK)
        return s;
    if (a.help) {
        cli->json = false;
        ut_help_print_command(stdout, c);
    } else {
        cli->json = ut_args_has(&a, "json");
        cli->quiet = ut_args_has(&a, "quiet");
        cli->verbose = ut_args_has(&a, "verbose");
        s = check_stdin(&a, e);
        if (s == UT_OK)
            s = c->run(cli, &a, e);
    }
    ut_args_free(&a);
    return s;
}

static ut_status dispatch(ut_cli *cli, int argc, char **argv, ut_err *e)
{
    const ut_command *c;
    if (argc < 2)
        return ut_fail(e, UT_E_USAGE, "no command given; see 'undertone help'");
    if (!strcmp(argv[1], "--version") || !strcmp(argv[1], "-V")) {
        printf("undertone %s\n", ut_version());
        return UT_OK;
    }
    if (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h") || !strcmp(argv[1], "help"))
        return help(argc - 2, argv + 2, e);
    c = find(argv[1]);
    return c ? run(cli, c, argc - 2, argv + 2, e) : unknown_command(argv[1], e);
}

int main(int argc, char **argv)
{
    ut_cli cli = { 0 };
    ut_err e = { 0 };
    ut_status s;
    ut_signals_install();
    s = dispatch(&cli, argc, argv, &e);
    if (s != UT_OK)
        print_error(&cli, s, &e);
    if ((fflush(stdout) || ferror(stdout)) && s == UT_OK) {
        cli.json = false; /* nothing more fits there */
        s = ut_fail(&e, UT_E_IO, "cannot write standard output: %s", strerror(errno));
        print_error(&cli, s, &e);
    }
    return ut_cli_exit_code(s);
}
