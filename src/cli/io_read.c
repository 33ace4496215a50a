#include "cli/io.h"
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
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
    if (!*path)
        return ut_fail(e, UT_E_USAGE, "the name of %s is empty; give a file", what);
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

/* What an open file holds from here on. */
static ut_status read_rest(int fd, const struct stat *st, const char *name, const char *what, ut_buf *out, ut_err *e)
{
    size_t expected = CHUNK;
    ut_status s;
    if (S_ISREG(st->st_mode) && st->st_size > (off_t)UT_INPUT_MAX)
        return too_large(name, e);
    if (S_ISREG(st->st_mode) && st->st_size > 0)
        expected = (size_t)st->st_size;
    s = read_all(fd, name, expected, out, e);
    if (s == UT_OK && !out->len)
        s = ut_fail(e, UT_E_INPUT, "%s is empty; give %s", name, what);
    return s;
}

ut_status ut_input_read(const char *path, const char *what, ut_buf *out, ut_err *e)
{
    struct stat st = { 0 };
    int fd = -1;
    ut_status s;
    *out = (ut_buf){ 0 };
    s = open_input(path, what, &fd, &st, e);
    if (s == UT_OK)
        s = read_rest(fd, &st, ut_text_name(path), what, out, e);
    if (fd > STDIN_FILENO)
        close(fd);
    if (s != UT_OK)
        ut_buf_free(out);
    return s;
}

static ptrdiff_t read_file(void *user, uint64_t at, void *to, size_t n)
{
    const ut_input *in = user;
    ssize_t got;
    do
        got = pread(in->fd, to, n < SSIZE_MAX ? n : SSIZE_MAX, in->base + (off_t)at);
    while (got < 0 && errno == EINTR);
    return got;
}

static ptrdiff_t read_held(void *user, uint64_t at, void *to, size_t n)
{
    const ut_input *in = user;
    if (at >= in->held.len)
        return 0;
    if (n > in->held.len - at)
        n = in->held.len - (size_t)at;
    memcpy(to, in->held.data + at, n);
    return (ptrdiff_t)n;
}

ut_status ut_input_open(ut_input *in, const char *path, const char *what, ut_err *e)
{
    struct stat st = { 0 };
    ut_status s;
    *in = (ut_input){ .fd = -1 };
    s = open_input(path, what, &in->fd, &st, e);
    if (s != UT_OK) {
        ut_input_close(in);
        return s;
    }
    in->base = lseek(in->fd, 0, SEEK_CUR); /* standard input need not be at its beginning */
    if (S_ISREG(st.st_mode) && in->base >= 0 && in->base < st.st_size) {
        in->source = (ut_source){ (uint64_t)(st.st_size - in->base), read_file, in };
        return UT_OK;
    }
    s = read_rest(in->fd, &st, ut_text_name(path), what, &in->held, e);
    in->source = (ut_source){ in->held.len, read_held, in };
    if (s != UT_OK)
        ut_input_close(in);
    return s;
}

void ut_input_close(ut_input *in)
{
    if (in->fd > STDIN_FILENO)
        close(in->fd);
    in->fd = -1;
    ut_buf_free(&in->held);
}
