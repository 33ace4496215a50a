/* SIGINT, SIGTERM and SIGHUP: leave nothing behind.
 *
 * Outside ut_signals_defer() a signal acts at once: guarded files are removed, the terminal is restored, exit status
 * 130.  Inside, the first signal only raises a flag, which the progress callback passes on to the library
 * (UT_E_CANCELLED); a second one acts at once.  The state is global because handlers have no argument.
 */
#ifndef UT_CLI_SIGNALS_H
#define UT_CLI_SIGNALS_H
#include <stdbool.h>
#include <termios.h>

void ut_signals_install(void); /* also ignores SIGPIPE: a broken pipe is a write error */
void ut_signals_defer(bool on);
bool ut_signals_pending(void);

/* Blocks or unblocks the three signals, so that making a file and guarding it is one step. */
void ut_signals_block(bool on);
/* The file, or empty folder, is removed if a signal ends the program.  path must stay valid until unguarded.  Returns a slot, or -1 if
 * all are taken. */
int ut_signals_guard_file(const char *path);
void ut_signals_unguard_file(int slot);
/* The terminal gets these settings back if a signal ends the program; NULL: no longer. */
void ut_signals_guard_terminal(int fd, const struct termios *saved);
#endif
