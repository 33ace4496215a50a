#include "cli/io.h"
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { CHUNK = 1 << 16 };

bool ut_input_is_stdin(const char *path) { return !strcmp(path, "-"); }

static ut_status too_large(const char *name, ut_err *e)
{
    return ut_fail(e, UT_E_INPUT, "%s is larger than 1 GiB, the most that undertone reads", name);
}

static ut_status read_all(int fd, const char *name, size_t expected, ut_buf *out, ut_err *e)
{
    size_t have = 0;
    ut_status s = ut_buf_reserve(out, expected + 1, e); /* one more, so that the end is seen without growing */
    while (s == UT_OK) {
        if (have == out->cap)
            s = ut_buf_reserve(out, have + have / 2 + CHUNK, e);
        if (s != UT_OK)
            break;
        ssize_t n = read(fd, out->data + have, out->cap - have);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return ut_fail(e, UT_E_IO, "cannot read %s: %s", name, strerror(errno));
        if (n == 0)
            break;
        have += (size_t)n;
        out->len = have; /* so that what was read is wiped on failure */
        if (have > UT_INPUT_MAX)
            return too_large(name, e);
    }
    return s;
}

static ut_status open_input(const char *path, const char *what, int *fd, struct stat *st, ut_err *e)
{
    if (ut_input_is_stdin(path)) {
        *fd = STDIN_FILENO;
    } else {
        *fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
        if (*fd < 0)
            return ut_fail(e, UT_E_INPUT, "cannot open %s %s: %s", what, path, strerror(errno));
    }
    if (fstat(*fd, st) < 0)
        return ut_fail(e, UT_E_INPUT, "cannot read %s %s: %s", what, ut_text_name(path), strerror(errno));
    if (S_ISDIR(st->st_mode))
        return ut_fail(e, UT_E_INPUT, "%s is a directory; give a file as %s", ut_text_name(path), what);
    return UT_OK;
}

ut_status ut_input_read(const char *path, const char *what, ut_buf *out, ut_err *e)
{
    const char *name = ut_text_name(path);
    struct stat st = { 0 };
    size_t expected = CHUNK;
    int fd = -1;
    ut_status s;
    *out = (ut_buf){ 0 };
    if (!*path)
        return ut_fail(e, UT_E_USAGE, "the name of %s is empty; give a file", what);
    s = open_input(path, what, &fd, &st, e);
    if (s == UT_OK && S_ISREG(st.st_mode) && st.st_size > (off_t)UT_INPUT_MAX)
        s = too_large(name, e);
    if (s == UT_OK) {
        if (S_ISREG(st.st_mode) && st.st_size > 0)
            expected = (size_t)st.st_size;
        s = read_all(fd, name, expected, out, e);
    }
    if (s == UT_OK && !out->len)
        s = ut_fail(e, UT_E_INPUT, "%s is empty; give %s", name, what);
    if (fd > STDIN_FILENO)
        close(fd);
    if (s != UT_OK)
        ut_buf_free(out);
    return s;
}
