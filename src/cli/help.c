#include "cli/cli.h"
#include <string.h>

static const char exit_statuses[] =
    "Exit status: 0 success, 2 wrong usage, 3 unreadable input, 4 does not fit,\n"
    "5 wrong key or nothing hidden, 6 damaged beyond repair, 7 input/output error,\n"
    "8 anything else, 130 interrupted.\n";

void ut_help_print(FILE *f)
{
    fputs("Usage: undertone COMMAND ...\n\n"
          "Hides a voice recording in a photo so that it survives sharing and comes back\n"
          "bit for bit.\n\nCommands:\n",
          f);
    for (size_t i = 0; ut_commands[i]; i++)
        fprintf(f, "  %-10s %s\n", ut_commands[i]->name, ut_commands[i]->summary);
    fputs("\nOptions:\n"
          "  --help     this text; after a command, or 'undertone help COMMAND', that command's\n"
          "  --version  the version\n\n",
          f);
    fputs("Example:\n"
          "  undertone hide voice.wav photo.jpg -o sent.png --to whatsapp\n"
          "  undertone reveal received.jpg -o voice.wav\n\n",
          f);
    fputs(exit_statuses, f);
}

static void print_option(FILE *f, const ut_option *o)
{
    enum { COLUMN = 30 };
    char left[80], letter[8] = "    ";
    int n;
    if (o->letter)
        snprintf(letter, sizeof letter, "-%c, ", o->letter);
    n = snprintf(left, sizeof left, "  %s--%s%s%s", letter, o->name, o->value ? " " : "", o->value ? o->value : "");
    fputs(left, f);
    if (n >= COLUMN - 1) {
        fputc('\n', f);
        n = 0;
    }
    for (const char *p = o->help; *p; n = 0) {
        size_t len = strcspn(p, "\n");
        fprintf(f, "%*s%.*s\n", COLUMN - n, "", (int)len, p);
        p += len + (p[len] == '\n');
    }
}

void ut_help_print_command(FILE *f, const ut_command *c)
{
    fprintf(f, "Usage: %s\n\n%s\n\nOptions:\n", c->usage, c->about);
    for (const ut_option *o = c->options; o->name; o++)
        print_option(f, o);
    fputc('\n', f);
    fputs(exit_statuses, f);
}
