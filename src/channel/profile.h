/* Platform profiles: what a platform does to a photo, as a small text file (data/profiles/README.md is the format's
 * description for people).  Files are hostile: at most 16 KiB, every key known, every number bounded. */
#ifndef UT_CHANNEL_PROFILE_H
#define UT_CHANNEL_PROFILE_H
#include "channel/channel.h"

typedef enum ut_geometry {
    UT_GEOMETRY_NONE,
    UT_GEOMETRY_WIDTH, /* wider than `width`: shrunk to it; the height has no limit */
    UT_GEOMETRY_FIT,   /* shrunk to fit the box; a box wider than high is turned for portraits, and the reverse */
    UT_GEOMETRY_PAD    /* scaled up or down to touch the box, then padded to it */
} ut_geometry;

typedef struct ut_profile {
    char name[32];
    char note[200];             /* what the user must know of it; empty: nothing */
    bool measured;              /* figures come from files that the platform made */
    ut_geometry geometry;
    uint32_t width, height;     /* of the rule */
    unsigned quality_from, quality_to; /* 0: the tables below */
    uint16_t luma[64], chroma[64];
    unsigned hsamp, vsamp;
    bool progressive;
    unsigned sharpen_256;       /* ut_sharpen's amount */
} ut_profile;

/* Lower-case letters, digits, '-' and '_', 1..31, the first a letter; "any..." is reserved. */
bool ut_profile_name_ok(const char *name);

/* file: what messages call it. */
UT_MUST_CHECK ut_status ut_profile_parse(const char *text, size_t n, const char *name, const char *file,
                                         ut_profile *out, ut_err *e);
/* NAME.profile in dir (may be NULL), in the user's and the installed folder, in the source tree, then the built-in
 * ones.  UT_E_USAGE, with a list of those there are, if it is nowhere. */
UT_MUST_CHECK ut_status ut_profile_find(const char *name, const char *dir, ut_profile *out, ut_err *e);

/* The size after the rule's shrinking or scaling (without padding). */
void ut_profile_size(const ut_profile *p, uint32_t w, uint32_t h, uint32_t *to_w, uint32_t *to_h);
/* The JPEG tables; quality counts only where the profile has a range. */
void ut_profile_tables(const ut_profile *p, unsigned quality, ut_channel_jpeg *t);

/* Compiled in from data/profiles by CMake (cmake/embed_profiles.cmake). */
typedef struct ut_builtin_profile {
    const char *name;
    const char *text;
    size_t nbytes;
} ut_builtin_profile;
extern const ut_builtin_profile ut_builtin_profiles[];
extern const size_t ut_builtin_profiles_count;
#endif
