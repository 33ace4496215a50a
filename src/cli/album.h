/* hide, reveal and capacity for several photos. */
#ifndef UT_CLI_ALBUM_H
#define UT_CLI_ALBUM_H
#include "cli/args.h"
#include "cli/io.h"

UT_MUST_CHECK ut_status ut_cli_hide_album(ut_cli *cli, const ut_args *a, ut_err *e);
UT_MUST_CHECK ut_status ut_cli_reveal_album(ut_cli *cli, const ut_args *a, ut_err *e);

/* The photos of a command line, opened but not read. */
typedef struct ut_cli_photos {
    const char *const *path; /* [n], borrowed */
    size_t n;
    ut_input *input;         /* [n], owned */
    ut_photo *photo;         /* [n], owned */
} ut_cli_photos;
UT_MUST_CHECK ut_status ut_cli_photos_open(ut_cli_photos *p, const char *const *path, size_t n, const char *what, ut_err *e);
void ut_cli_photos_close(ut_cli_photos *p);

/* Where an album's pictures go: a name for each, in a folder that may have to be made, or as given. */
typedef struct ut_outputs {
    char **path;       /* [n], owned */
    size_t n;
    const char *folder; /* borrowed; NULL: names as given */
    bool made;          /* the folder, by us: gone again if nothing is written */
    int slot;
    ut_output *output;  /* [n], owned: staged pictures */
    size_t *nbytes;     /* [n], owned: of each */
} ut_outputs;
/* From -o, given once (a folder) or n times, and --format; p->photo[].format is set.  All that can be refused now is: names that are not writable, meet,
 * or are an input's. */
UT_MUST_CHECK ut_status ut_outputs_plan(ut_outputs *o, const ut_args *a, ut_cli_photos *p, ut_err *e);
UT_MUST_CHECK ut_status ut_outputs_stage(ut_outputs *o, size_t i, const ut_blob *picture, ut_err *e); /* again for an i: instead of the last */
UT_MUST_CHECK ut_status ut_outputs_commit(ut_outputs *o, ut_err *e); /* all of them take their names */
void ut_outputs_free(ut_outputs *o); /* removes what was not committed */
#endif
