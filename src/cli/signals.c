#include "cli/signals.h"
#include "cli/cli.h"
#include <signal.h>
#include <string.h>
#include <unistd.h>

enum { NSLOTS = 80 }; /* an album's pictures, their folder, a preview, and some */
static const int numbers[] = { SIGINT, SIGTERM, SIGHUP };
enum { NNUMBERS = sizeof numbers / sizeof *numbers };

/* All of it is changed only while the signals are blocked, or is of type sig_atomic_t. */
static volatile sig_atomic_t deferred, pending;
static const char *volatile files[NSLOTS];
static volatile sig_atomic_t terminal_fd = -1;
static struct termios terminal;

static void on_signal(int number)
{
    static const char message[] = "undertone: interrupted; nothing was written\n";
    (void)number;
    if (deferred && !pending) {
        pending = 1;
        return;
    }
    for (int i = NSLOTS - 1; i >= 0; i--) /* a folder was guarded before its files */
        if (files[i] && unlink(files[i]))
            rmdir(files[i]);
    if (terminal_fd >= 0)
        tcsetattr(terminal_fd, TCSANOW, &terminal);
    if (isatty(STDERR_FILENO) && write(STDERR_FILENO, "\r\033[K", 4) < 0)
        _exit(UT_EXIT_INTERRUPTED);
    if (write(STDERR_FILENO, message, sizeof message - 1) < 0)
        _exit(UT_EXIT_INTERRUPTED);
    _exit(UT_EXIT_INTERRUPTED);
}

void ut_signals_install(void)
{
    struct sigaction act, old;
    memset(&act, 0, sizeof act);
    act.sa_handler = on_signal;
    sigemptyset(&act.sa_mask);
    for (int i = 0; i < NNUMBERS; i++)
        sigaddset(&act.sa_mask, numbers[i]);
    for (int i = 0; i < NNUMBERS; i++)
        if (!sigaction(numbers[i], NULL, &old) && old.sa_handler != SIG_IGN) /* nohup stays nohup */
            sigaction(numbers[i], &act, NULL);
    signal(SIGPIPE, SIG_IGN);
}

void ut_signals_block(bool on)
{
    sigset_t set;
    sigemptyset(&set);
    for (int i = 0; i < NNUMBERS; i++)
        sigaddset(&set, numbers[i]);
    sigprocmask(on ? SIG_BLOCK : SIG_UNBLOCK, &set, NULL);
}

void ut_signals_defer(bool on) { deferred = on; }

bool ut_signals_pending(void) { return pending; }

int ut_signals_guard_file(const char *path)
{
    for (int i = 0; i < NSLOTS; i++)
        if (!files[i]) {
            files[i] = path;
            return i;
        }
    return -1;
}

void ut_signals_unguard_file(int slot)
{
    if (slot >= 0 && slot < NSLOTS)
        files[slot] = NULL;
}

void ut_signals_guard_terminal(int fd, const struct termios *saved)
{
    ut_signals_block(true);
    terminal_fd = -1;
    if (saved) {
        terminal = *saved;
        terminal_fd = fd;
    }
    ut_signals_block(false);
}
