/* The key from --passphrase-file, --key-file, --public, or the terminal. */
#ifndef UT_CLI_KEY_H
#define UT_CLI_KEY_H
#include "cli/args.h"
#include "cli/io.h"

typedef struct ut_cli_key {
    ut_key key;  /* points into bytes */
    ut_buf bytes; /* owned */
} ut_cli_key;

/* twice: a passphrase typed at the terminal is asked for again.  UT_E_USAGE: more than one kind given, or none and no
 * terminal to ask at. */
UT_MUST_CHECK ut_status ut_cli_key_get(const ut_args *a, bool twice, ut_cli_key *k, ut_err *e);
void ut_cli_key_free(ut_cli_key *k); /* wipes */

#define UT_CLI_KEY_OPTIONS                                                                                             \
    { "passphrase-file", 0, "FILE", false, "the first line of FILE is the passphrase" },                               \
    { "key-file", 0, "FILE", false, "a key made by 'undertone keygen'" },                                              \
    { "public", 0, NULL, false, "no secret: anyone with undertone can reveal;\nwithout any of the three, a passphrase is asked for" }
#endif
