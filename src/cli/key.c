#include "cli/key.h"
#include "cli/signals.h"
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

enum { MAX_PASSPHRASE = 4096, MAX_KEY_FILE = 4096, MAX_PASSPHRASE_FILE = 1 << 20 };

/* One line without its newline; no echo while it is typed. */
static ut_status ask(int tty, const char *prompt, ut_buf *line, ut_err *e)
{
    struct termios saved, quiet;
    ut_status s = UT_OK;
    char c;
    ssize_t n = 0;
    line->len = 0;
    if (tcgetattr(tty, &saved))
        return ut_fail(e, UT_E_IO, "cannot ask for a passphrase: %s", strerror(errno));
    quiet = saved;
    quiet.c_lflag &= ~(tcflag_t)ECHO;
    quiet.c_lflag |= ECHONL | ICANON | ISIG;
    quiet.c_cc[VSUSP] = _POSIX_VDISABLE; /* a stopped program would leave the terminal without echo */
    ut_signals_guard_terminal(tty, &saved);
    if (tcsetattr(tty, TCSAFLUSH, &quiet) || write(tty, prompt, strlen(prompt)) < 0)
        s = ut_fail(e, UT_E_IO, "cannot ask for a passphrase: %s", strerror(errno));
    while (s == UT_OK && (n = read(tty, &c, 1)) == 1 && c != '\n') {
        if (line->len >= MAX_PASSPHRASE)
            s = ut_fail(e, UT_E_USAGE, "the passphrase is longer than %d bytes; give a shorter one", MAX_PASSPHRASE);
        else
            s = ut_buf_append(line, &c, 1, e);
    }
    if (s == UT_OK && n < 0)
        s = ut_fail(e, UT_E_IO, "cannot read the passphrase: %s", strerror(errno));
    c = 0;
    tcsetattr(tty, TCSAFLUSH, &saved);
    ut_signals_guard_terminal(-1, NULL);
    if (s == UT_OK && !line->len)
        s = ut_fail(e, UT_E_USAGE, "the passphrase is empty; type one, or use --public for no secret");
    return s;
}

static ut_status prompt_for_passphrase(bool twice, ut_buf *out, ut_err *e)
{
    ut_buf again = { 0 };
    ut_status s;
    int tty = open("/dev/tty", O_RDWR | O_NOCTTY | O_CLOEXEC);
    if (tty < 0)
        return ut_fail(e, UT_E_USAGE,
                       "no key given and no terminal to ask at; use --passphrase-file, --key-file or --public");
    s = ask(tty, "Passphrase: ", out, e);
    if (s == UT_OK && twice) {
        s = ask(tty, "Again: ", &again, e);
        if (s == UT_OK && (again.len != out->len || memcmp(again.data, out->data, out->len)))
            s = ut_fail(e, UT_E_USAGE, "the two passphrases differ; try again");
    }
    ut_buf_free(&again);
    close(tty);
    return s;
}

static ut_status first_line(const char *path, ut_buf *b, ut_err *e)
{
    const uint8_t *newline = memchr(b->data, '\n', b->len);
    if (newline)
        b->len = (size_t)(newline - b->data);
    if (b->len && b->data[b->len - 1] == '\r')
        b->len--;
    if (!b->len)
        return ut_fail(e, UT_E_USAGE, "the first line of %s is empty; put the passphrase there", ut_text_name(path));
    if (b->len > MAX_PASSPHRASE)
        return ut_fail(e, UT_E_USAGE, "the first line of %s is longer than %d bytes; is it a passphrase?",
                       ut_text_name(path), MAX_PASSPHRASE);
    return UT_OK;
}

static ut_status too_large(const char *path, const char *what, ut_err *e)
{
    return ut_fail(e, UT_E_INPUT, "%s is too large to be %s; is it the right file?", ut_text_name(path), what);
}

ut_status ut_cli_key_get(const ut_args *a, bool twice, ut_cli_key *k, ut_err *e)
{
    const char *phrase = ut_args_value(a, "passphrase-file"), *file = ut_args_value(a, "key-file");
    bool open_to_all = ut_args_has(a, "public");
    ut_status s = UT_OK;
    *k = (ut_cli_key){ 0 };
    if (!!phrase + !!file + open_to_all > 1)
        return ut_fail(e, UT_E_USAGE, "%s: give only one of --passphrase-file, --key-file and --public",
                       a->command->name);
    if (open_to_all) {
        k->key.kind = UT_KEY_PUBLIC;
        return UT_OK;
    }
    k->key.kind = file ? UT_KEY_FILE : UT_KEY_PASSPHRASE;
    if (file) {
        s = ut_input_read(file, "the key file", &k->bytes, e);
        if (s == UT_OK && k->bytes.len > MAX_KEY_FILE)
            s = too_large(file, "a key file", e);
    } else if (phrase) {
        s = ut_input_read(phrase, "the passphrase file", &k->bytes, e);
        if (s == UT_OK && k->bytes.len > MAX_PASSPHRASE_FILE)
            s = too_large(phrase, "a passphrase file", e);
        if (s == UT_OK)
            s = first_line(phrase, &k->bytes, e);
    } else {
        s = prompt_for_passphrase(twice, &k->bytes, e);
    }
    k->key.data = k->bytes.data;
    k->key.nbytes = k->bytes.len;
    if (s != UT_OK)
        ut_cli_key_free(k);
    return s;
}

void ut_cli_key_free(ut_cli_key *k)
{
    ut_buf_free(&k->bytes);
    *k = (ut_cli_key){ 0 };
}
