/* Files in and out.
 *
 * Reading: whole files up to UT_INPUT_MAX, "-" is standard input.  Writing: all or nothing.  Bytes go to a new file in
 * the same directory, are synced, and take the output's name only when all are there; what fails leaves no file and
 * the old one untouched.  "-" is standard output; devices and pipes are written directly.
 */
#ifndef UT_CLI_IO_H
#define UT_CLI_IO_H
#include "base/buf.h"
#include "cli/cli.h"
#include <sys/types.h>

#define UT_INPUT_MAX ((size_t)1 << 30)

/* what: "the recording", for messages.  UT_E_INPUT: missing, unreadable, a directory, empty, too large; UT_E_IO. */
UT_MUST_CHECK ut_status ut_input_read(const char *path, const char *what, ut_buf *out, ut_err *e);
bool ut_input_is_stdin(const char *path);

/* An input that is read where it lies if it is a file of any size, or else from memory, as ut_input_read takes it. */
typedef struct ut_input {
    int fd;
    off_t base;  /* where it begins in the file */
    ut_buf held; /* owned */
    ut_source source;
} ut_input;
UT_MUST_CHECK ut_status ut_input_open(ut_input *in, const char *path, const char *what, ut_err *e); /* in must not move afterwards */
void ut_input_close(ut_input *in);

typedef struct ut_output {
    const char *path; /* as given */
    char *target;     /* the name to take, symbolic links resolved; owned */
    char *temp;       /* owned; NULL: written directly to fd */
    int fd, slot;
} ut_output;

/* Would writing work? Asked before the long work begins.  binary: refused on a terminal. */
UT_MUST_CHECK ut_status ut_output_check(const char *path, bool binary, ut_err *e);
/* Refuses `path` if it is the same file as one of the inputs; role: "--preview". */
UT_MUST_CHECK ut_status ut_output_distinct(const char *path, const char *role, const char *const *inputs,
                                           size_t ninputs, ut_err *e);
/* Every byte is on disk under a temporary name; ut_output_commit gives it its own.  Then, or on failure of anything
 * else, ut_output_abort: it removes what was not committed, and is safe on a zeroed or finished output. */
UT_MUST_CHECK ut_status ut_output_stage(ut_output *o, const char *path, const void *data, size_t n, ut_err *e);
/* The same a piece at a time: begin, append any number of times, end. */
UT_MUST_CHECK ut_status ut_output_begin(ut_output *o, const char *path, ut_err *e);
UT_MUST_CHECK ut_status ut_output_append(ut_output *o, const void *data, size_t n, ut_err *e);
UT_MUST_CHECK ut_status ut_output_end(ut_output *o, ut_err *e);
UT_MUST_CHECK ut_status ut_output_commit(ut_output *o, ut_err *e);
void ut_output_abort(ut_output *o);
/* Stage and commit in one. */
UT_MUST_CHECK ut_status ut_output_write(const char *path, const void *data, size_t n, ut_err *e);
/* A file that must not exist yet, readable by its owner only. */
UT_MUST_CHECK ut_status ut_output_create_private(const char *path, const void *data, size_t n, ut_err *e);
#endif
