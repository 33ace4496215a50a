#define _XOPEN_SOURCE 700 /* realpath */
#include "base/rng.h"
#include "cli/io.h"
#include "cli/signals.h"
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static bool is_stdout(const char *path) { return !strcmp(path, "-"); }

static ut_status cannot_write(const char *path, ut_err *e)
{
    return ut_fail(e, UT_E_IO, "cannot write %s: %s", is_stdout(path) ? "standard output" : path, strerror(errno));
}

/* The directory that holds `path`, with its last slash; "" for the current one.  Owned by the caller. */
static char *directory_of(const char *path, ut_err *e)
{
    const char *slash = strrchr(path, '/');
    size_t n = slash ? (size_t)(slash - path) + 1 : 0;
    char *d = ut_calloc(n + 1, 1, e);
    if (d)
        memcpy(d, path, n);
    return d;
}

static ut_status check_directory(const char *path, ut_err *e)
{
    char *d = directory_of(path, e);
    ut_status s = UT_OK;
    if (!d)
        return UT_E_MEMORY;
    if (access(*d ? d : ".", W_OK | X_OK))
        s = ut_fail(e, UT_E_IO, "cannot write %s: its directory %s: %s", path, *d ? d : ".", strerror(errno));
    free(d);
    return s;
}

ut_status ut_output_check(const char *path, bool binary, ut_err *e)
{
    struct stat st;
    if (!*path)
        return ut_fail(e, UT_E_USAGE, "the output's name is empty; give a file, or \"-\" for standard output");
    if (is_stdout(path)) {
        if (binary && isatty(STDOUT_FILENO))
            return ut_fail(e, UT_E_USAGE, "will not write binary data to a terminal; give a file, or send it to a pipe");
        return UT_OK;
    }
    if (stat(path, &st))
        return errno == ENOENT ? check_directory(path, e) : cannot_write(path, e);
    if (S_ISDIR(st.st_mode))
        return ut_fail(e, UT_E_IO, "cannot write %s: it is a directory; give a file's name", path);
    if (access(path, W_OK))
        return cannot_write(path, e);
    return S_ISREG(st.st_mode) ? check_directory(path, e) : UT_OK;
}

ut_status ut_output_distinct(const char *path, const char *role, const char *const *inputs, size_t ninputs, ut_err *e)
{
    struct stat a, b;
    if (is_stdout(path))
        return UT_OK;
    for (size_t i = 0; i < ninputs; i++) {
        bool same = !strcmp(path, inputs[i]);
        if (!same && !ut_input_is_stdin(inputs[i]) && !stat(path, &a) && !stat(inputs[i], &b))
            same = S_ISREG(a.st_mode) && a.st_dev == b.st_dev && a.st_ino == b.st_ino;
        if (same)
            return ut_fail(e, UT_E_USAGE, "%s names %s, which is used otherwise; give another file", role, path);
    }
    return UT_OK;
}

/* Devices, pipes, and names of open files such as /dev/stdout cannot be replaced, only written to. */
static bool must_write_directly(const char *path, const struct stat *st)
{
    return !S_ISREG(st->st_mode) || !strncmp(path, "/dev/", 5) || !strncmp(path, "/proc/", 6);
}

static ut_status write_all(int fd, const char *path, const uint8_t *p, size_t n, ut_err *e)
{
    while (n) {
        size_t some = n < SSIZE_MAX ? n : SSIZE_MAX;
        ssize_t w = write(fd, p, some);
        if (w < 0 && errno == EINTR)
            continue;
        if (w < 0)
            return cannot_write(path, e);
        p += w;
        n -= (size_t)w;
    }
    return UT_OK;
}

/* A new file beside the target, guarded against signals from the moment it is there. */
static ut_status make_temp(ut_output *o, ut_err *e)
{
    enum { TRIES = 16, NAME_NBYTES = 40 };
    char *d = directory_of(o->target, e);
    size_t room;
    if (!d)
        return UT_E_MEMORY;
    room = strlen(d) + NAME_NBYTES;
    o->temp = ut_calloc(room, 1, e);
    for (int i = 0; o->temp && i < TRIES && o->fd < 0; i++) {
        uint32_t r[2];
        if (ut_random(r, sizeof r, e) != UT_OK)
            break;
        snprintf(o->temp, room, "%s.undertone-%08x%08x.tmp", d, r[0], r[1]);
        ut_signals_block(true);
        o->fd = open(o->temp, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0666);
        if (o->fd >= 0)
            o->slot = ut_signals_guard_file(o->temp);
        ut_signals_block(false);
        if (o->fd < 0 && errno != EEXIST) {
            cannot_write(o->path, e);
            break;
        }
    }
    free(d);
    if (o->fd >= 0)
        return UT_OK;
    free(o->temp);
    o->temp = NULL;
    return e->status != UT_OK ? e->status : cannot_write(o->path, e);
}

/* The file that the name stands for: a symbolic link stays one. */
static ut_status resolve(ut_output *o, ut_err *e)
{
    struct stat st;
    if (!lstat(o->path, &st) && S_ISLNK(st.st_mode))
        o->target = realpath(o->path, NULL);
    if (!o->target)
        o->target = strdup(o->path);
    return o->target ? UT_OK : ut_fail_memory(e, strlen(o->path));
}

static ut_status begin_temp(ut_output *o, const struct stat *old, ut_err *e)
{
    ut_status s = resolve(o, e);
    if (s == UT_OK)
        s = make_temp(o, e);
    if (s == UT_OK && old && fchmod(o->fd, old->st_mode & 0777))
        return cannot_write(o->path, e);
    return s;
}

ut_status ut_output_begin(ut_output *o, const char *path, ut_err *e)
{
    struct stat st;
    bool exists;
    ut_status s;
    *o = (ut_output){ .path = path, .fd = -1, .slot = -1 };
    if (is_stdout(path)) {
        o->fd = STDOUT_FILENO;
        return UT_OK;
    }
    exists = !stat(path, &st);
    if (exists && S_ISDIR(st.st_mode))
        return ut_output_check(path, true, e);
    if (exists && must_write_directly(path, &st)) {
        o->fd = open(path, O_WRONLY | O_CLOEXEC | O_NOCTTY);
        return o->fd < 0 ? cannot_write(path, e) : UT_OK;
    }
    s = begin_temp(o, exists ? &st : NULL, e);
    if (s != UT_OK)
        ut_output_abort(o);
    return s;
}

ut_status ut_output_append(ut_output *o, const void *data, size_t n, ut_err *e) { return write_all(o->fd, o->path, data, n, e); }

ut_status ut_output_end(ut_output *o, ut_err *e)
{
    int failed;
    if (o->temp)
        return fsync(o->fd) && errno != EINVAL && errno != ENOSYS ? cannot_write(o->path, e) : UT_OK;
    if (o->fd == STDOUT_FILENO)
        return UT_OK;
    failed = close(o->fd);
    o->fd = -1;
    return failed ? cannot_write(o->path, e) : UT_OK;
}

ut_status ut_output_stage(ut_output *o, const char *path, const void *data, size_t n, ut_err *e)
{
    ut_status s = ut_output_begin(o, path, e);
    if (s == UT_OK)
        s = ut_output_append(o, data, n, e);
    if (s == UT_OK)
        s = ut_output_end(o, e);
    if (s != UT_OK)
        ut_output_abort(o);
    return s;
}

/* The name itself must reach the disk as well; a file system that cannot do that is no reason to fail. */
static void sync_directory(const char *target)
{
    char *d = directory_of(target, NULL);
    int fd = d ? open(*d ? d : ".", O_RDONLY | O_CLOEXEC | O_DIRECTORY) : -1;
    free(d);
    if (fd < 0)
        return;
    (void)fsync(fd);
    close(fd);
}

ut_status ut_output_commit(ut_output *o, ut_err *e)
{
    int failed;
    if (!o->temp)
        return UT_OK;
    failed = close(o->fd);
    o->fd = -1;
    if (failed)
        return cannot_write(o->path, e);
    ut_signals_block(true);
    failed = rename(o->temp, o->target);
    if (!failed) {
        ut_signals_unguard_file(o->slot);
        o->slot = -1;
    }
    ut_signals_block(false);
    if (failed)
        return cannot_write(o->path, e);
    free(o->temp);
    o->temp = NULL;
    sync_directory(o->target);
    return UT_OK;
}

void ut_output_abort(ut_output *o)
{
    if (!o->path)
        return;
    if (o->fd >= 0 && o->fd != STDOUT_FILENO)
        close(o->fd);
    ut_signals_block(true);
    if (o->temp)
        unlink(o->temp);
    ut_signals_unguard_file(o->slot);
    ut_signals_block(false);
    free(o->temp);
    free(o->target);
    *o = (ut_output){ 0 };
}

ut_status ut_output_write(const char *path, const void *data, size_t n, ut_err *e)
{
    ut_output o;
    ut_status s = ut_output_stage(&o, path, data, n, e);
    if (s == UT_OK)
        s = ut_output_commit(&o, e);
    ut_output_abort(&o);
    return s;
}

ut_status ut_output_create_private(const char *path, const void *data, size_t n, ut_err *e)
{
    int fd, slot = -1;
    ut_status s;
    ut_signals_block(true);
    fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd >= 0)
        slot = ut_signals_guard_file(path);
    ut_signals_block(false);
    if (fd < 0 && errno == EEXIST)
        return ut_fail(e, UT_E_IO, "%s exists already and will not be overwritten; give a new name", path);
    if (fd < 0)
        return cannot_write(path, e);
    s = write_all(fd, path, data, n, e);
    if (s == UT_OK && fsync(fd) && errno != EINVAL && errno != ENOSYS)
        s = cannot_write(path, e);
    if (close(fd) && s == UT_OK)
        s = cannot_write(path, e);
    ut_signals_block(true);
    if (s != UT_OK)
        unlink(path);
    ut_signals_unguard_file(slot);
    ut_signals_block(false);
    return s;
}
