#include "cli/album.h"
#include <stdlib.h>

ut_status ut_cli_photos_open(ut_cli_photos *p, const char *const *path, size_t n, const char *what, ut_err *e)
{
    ut_status s = UT_OK;
    *p = (ut_cli_photos){ .path = path };
    p->input = ut_calloc(n, sizeof *p->input, e);
    p->photo = ut_calloc(n, sizeof *p->photo, e);
    if (!p->input || !p->photo)
        return UT_E_MEMORY;
    for (size_t i = 0; i < n && s == UT_OK; i++) {
        s = ut_input_open(&p->input[i], path[i], what, e);
        p->n += s == UT_OK;
        if (s == UT_OK && p->input[i].source.nbytes > UT_INPUT_MAX)
            s = ut_fail(e, UT_E_INPUT, "%s is larger than 1 GiB, the most that undertone reads", path[i]);
        p->photo[i] = (ut_photo){ .file = p->input[i].source, .name = ut_text_name(path[i]) };
    }
    return s;
}

void ut_cli_photos_close(ut_cli_photos *p)
{
    for (size_t i = 0; i < p->n; i++)
        ut_input_close(&p->input[i]);
    free(p->input);
    free(p->photo);
    *p = (ut_cli_photos){ 0 };
}
