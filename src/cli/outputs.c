/* Where an album's pictures go. */
#include "cli/album.h"
#include "cli/options.h"
#include "cli/signals.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static bool is_folder(const char *path)
{
    struct stat st;
    return !stat(path, &st) && S_ISDIR(st.st_mode);
}

/* FOLDER/NAME.EXTENSION, NAME without its folder and its own extension. */
static char *name_in(const char *folder, const char *photo, ut_format f, ut_err *e)
{
    static const char *const extension[] = { "png", "jpg", "webp" };
    const char *slash = strrchr(photo, '/'), *base = slash ? slash + 1 : photo, *dot = strrchr(base, '.');
    size_t nfolder = strlen(folder), nbase = dot && dot > base ? (size_t)(dot - base) : strlen(base);
    if (!strcmp(photo, "-"))
        base = "photo", nbase = 5;
    char *path = ut_calloc(nfolder + nbase + 8, 1, e);
    if (path)
        snprintf(path, nfolder + nbase + 8, "%s%s%.*s.%s", folder, nfolder && folder[nfolder - 1] == '/' ? "" : "/", (int)nbase, base, extension[f]);
    return path;
}

/* The folder exists and can be written to, or can be made. */
static ut_status check_folder(const char *folder, ut_err *e)
{
    char *bare, *slash;
    ut_format f;
    ut_status s = UT_OK;
    if (is_folder(folder))
        return access(folder, W_OK | X_OK) ? ut_fail(e, UT_E_IO, "cannot write to the folder %s: %s", folder, strerror(errno)) : UT_OK;
    if (!access(folder, F_OK) || ut_cli_format_of_name(folder, &f))
        return ut_fail(e, UT_E_USAGE, "hide: several photos make several pictures: give -o a folder instead of %s, or give one -o for each photo", folder);
    bare = strdup(folder);
    if (!bare)
        return ut_fail_memory(e, strlen(folder));
    for (size_t n = strlen(bare); n > 1 && bare[n - 1] == '/'; n--)
        bare[n - 1] = 0;
    slash = strrchr(bare, '/');
    if (slash)
        slash[slash == bare] = 0;
    if (access(slash ? bare : ".", W_OK | X_OK))
        s = ut_fail(e, UT_E_IO, "cannot make the folder %s: %s", folder, strerror(errno));
    free(bare);
    return s;
}

static ut_status plan_folder(ut_outputs *o, const ut_args *a, ut_cli_photos *p, ut_err *e)
{
    ut_format f;
    ut_status s = ut_cli_format(a, NULL, &f, e);
    if (s == UT_OK)
        s = check_folder(o->folder, e);
    for (size_t i = 0; i < o->n && s == UT_OK; i++) {
        p->photo[i].format = f;
        o->path[i] = name_in(o->folder, p->path[i], f, e);
        if (!o->path[i])
            return UT_E_MEMORY;
        for (size_t k = 0; k < i; k++)
            if (!strcmp(o->path[i], o->path[k]))
                return ut_fail(e, UT_E_USAGE, "hide: %s and %s would both become %s; give one -o for each photo", ut_text_name(p->path[k]),
                               ut_text_name(p->path[i]), o->path[i]);
        if (is_folder(o->folder))
            s = ut_output_check(o->path[i], true, e);
    }
    return s;
}

static ut_status plan_names(ut_outputs *o, const ut_args *a, ut_cli_photos *p, const char *const *given, ut_err *e)
{
    ut_status s = UT_OK;
    for (size_t i = 0; i < o->n && s == UT_OK; i++) {
        if (!strcmp(given[i], "-"))
            return ut_fail(e, UT_E_USAGE, "hide: several pictures cannot go to standard output; give each a file");
        s = ut_cli_format(a, given[i], &p->photo[i].format, e);
        if (s == UT_OK)
            s = ut_output_check(given[i], true, e);
        if (s == UT_OK && !(o->path[i] = strdup(given[i])))
            return ut_fail_memory(e, strlen(given[i]));
        if (s == UT_OK)
            s = ut_output_distinct(given[i], "-o", given, i, e);
    }
    return s;
}

ut_status ut_outputs_plan(ut_outputs *o, const ut_args *a, ut_cli_photos *p, ut_err *e)
{
    ut_status s;
    size_t ngiven = ut_args_values(a, "output", NULL);
    *o = (ut_outputs){ .n = p->n, .slot = -1 };
    if (!ngiven)
        return ut_fail(e, UT_E_USAGE, "hide: say where the pictures go: -o FOLDER, or one -o for each photo");
    if (ngiven != 1 && ngiven != p->n)
        return ut_fail(e, UT_E_USAGE, "hide: %zu photos need one folder, or one -o for each of them; %zu are given", p->n, ngiven);
    const char **given = ut_calloc(a->ngiven, sizeof *given, e);
    o->path = ut_calloc(p->n, sizeof *o->path, e);
    o->output = ut_calloc(p->n, sizeof *o->output, e);
    o->nbytes = ut_calloc(p->n, sizeof *o->nbytes, e);
    if (given && o->path && o->output && o->nbytes) {
        ut_args_values(a, "output", given);
        if (ngiven == 1)
            o->folder = given[0];
        s = !given[0][0] ? ut_output_check("", true, e) : o->folder ? plan_folder(o, a, p, e) : plan_names(o, a, p, given, e);
    } else {
        s = UT_E_MEMORY;
    }
    for (size_t i = 0; i < o->n && s == UT_OK; i++)
        s = ut_output_distinct(o->path[i], "-o", a->operand, a->noperands, e);
    free(given);
    return s;
}

ut_status ut_outputs_stage(ut_outputs *o, size_t i, const ut_blob *picture, ut_err *e)
{
    if (o->folder && !o->made && !is_folder(o->folder)) {
        ut_signals_block(true);
        o->made = !mkdir(o->folder, 0777);
        if (o->made)
            o->slot = ut_signals_guard_file(o->folder);
        ut_signals_block(false);
        if (!o->made)
            return ut_fail(e, UT_E_IO, "cannot make the folder %s: %s", o->folder, strerror(errno));
    }
    ut_output_abort(&o->output[i]);
    o->nbytes[i] = picture->nbytes;
    return ut_output_stage(&o->output[i], o->path[i], picture->data, picture->nbytes, e);
}

ut_status ut_outputs_commit(ut_outputs *o, ut_err *e)
{
    ut_status s = UT_OK;
    ut_signals_defer(true); /* all of them or none */
    for (size_t i = 0; i < o->n && s == UT_OK; i++)
        s = ut_output_commit(&o->output[i], e);
    if (s == UT_OK) {
        ut_signals_unguard_file(o->slot);
        o->slot = -1;
        o->made = false;
    }
    ut_signals_defer(false);
    return s;
}

void ut_outputs_free(ut_outputs *o)
{
    for (size_t i = 0; i < o->n; i++) {
        if (o->output)
            ut_output_abort(&o->output[i]);
        if (o->path)
            free(o->path[i]);
    }
    if (o->made)
        rmdir(o->folder);
    ut_signals_unguard_file(o->slot);
    free(o->path);
    free(o->output);
    free(o->nbytes);
    *o = (ut_outputs){ .slot = -1 };
}
