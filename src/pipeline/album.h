/* Albums: one recording over several photos, any so many of which give it back.
 *
 *     hide      recording -> enhance -> encode -> split -> each photo: seal, protect, hide, verify, write
 *     reveal    each photo: find, read, correct, unseal -> join -> decode
 */
#ifndef UT_PIPELINE_ALBUM_H
#define UT_PIPELINE_ALBUM_H
#include "pipeline/job.h"
#include "pipeline/opened.h"
#include "stage/payload/share.h"

_Static_assert(UT_ALBUM_MAX == UT_ALBUM_MAX_PHOTOS, "the interface and the format agree");

typedef struct ut_album_place {
    ut_room room;
    double trust;          /* share of the forecast that is believed: less after it was wrong */
    uint64_t look;         /* of the pixels: photos must differ */
} ut_album_place;

typedef struct ut_album {
    const ut_photo *photo; /* [n], borrowed */
    size_t n;
    unsigned any;
    ut_album_place *place; /* [n], owned */
    ut_hide_report *rep;   /* [n], borrowed */
    ut_album_fn deliver;
    void *user;
} ut_album;

/* How many symbols of which length each photo carries so that any `any` photos hold as many payload bytes as can be.  room: [n], bytes for
 * symbols.  nsymbols: [n], may be NULL.  ndata: pieces of the payload.  Returns the payload bytes; 0: a photo has no room at all. */
size_t ut_album_fit(const size_t *room, size_t n, unsigned any, uint8_t *nsymbols, unsigned *ndata);

const char *ut_photo_name(const ut_photo *p, size_t i, char text[32]);
UT_MUST_CHECK ut_status ut_photo_read(const ut_photo *p, size_t i, ut_buf *file, ut_err *e);
size_t ut_album_budget(const ut_album *a, double psnr_db); /* payload bytes */
UT_MUST_CHECK ut_status ut_album_hide(ut_job *j); /* j->payload over the photos of j->album */

/* One photo at reveal. */
typedef struct ut_member {
    const char *name;      /* borrowed */
    ut_status status;      /* of opening it: UT_OK, UT_E_DAMAGED (some segments), or a reason why it gives nothing */
    ut_opened opened;      /* owned */
    ut_share share;
    size_t head_nbytes;
    bool is_share, used;
    char why[512];         /* not used: the reason */
} ut_member;
bool ut_member_is_share(const ut_member *m); /* going by what was opened; it may still contradict itself */

/* The payload again, with those of its segments that are whole: all, or with opt->partial some.  Tells rep what was used.  UT_E_INPUT: not one album's
 * photos, or too few; UT_E_DAMAGED: photos enough, but too much of them is lost. */
UT_MUST_CHECK ut_status ut_album_join(ut_member *m, size_t n, const ut_reveal_options *opt, ut_reveal_report *rep, ut_opened *joined,
                                      ut_err *e);
/* What join does when the members' shares are known: bytes out of symbols.  UT_OK although segments may be lost. */
UT_MUST_CHECK ut_status ut_album_assemble(const ut_member *m, size_t n, unsigned nthreads, ut_opened *joined, ut_err *e);
#endif
