/* A photo's share of an album: what its message says instead of a recording (spec/payload.md, "Share").
 *
 * An album's payload is cut into ndata pieces, from which an erasure code makes symbols; photo i carries nsymbols[i] of them,
 * those after the ones of the photos before it.  All sizes differ with the photos; any `needed` photos have ndata symbols between them.
 */
#ifndef UT_STAGE_PAYLOAD_SHARE_H
#define UT_STAGE_PAYLOAD_SHARE_H
#include "base/buf.h"

enum {
    UT_ALBUM_MAX_PHOTOS = 64,
    UT_ALBUM_ID_NBYTES = 16,
    UT_SHARE_MAX_SYMBOLS = 256,
    UT_SHARE_MAX_HEAD = 1 + UT_ALBUM_ID_NBYTES + 4 + 5 + UT_ALBUM_MAX_PHOTOS
};
#define UT_SHARE_MAX_PAYLOAD ((size_t)1 << 30)

typedef struct ut_share {
    uint8_t album[UT_ALBUM_ID_NBYTES]; /* random, the same in all photos of an album */
    unsigned nphotos, needed;          /* any `needed` of them suffice */
    unsigned index;                    /* this photo's number, from 0 */
    unsigned ndata;                    /* pieces of the payload, 1..256 */
    size_t payload_nbytes;             /* of the album's payload, 1..2^30 */
    uint8_t nsymbols[UT_ALBUM_MAX_PHOTOS]; /* each at least 1; 256 in all at most */
} ut_share;

size_t ut_share_symbol_nbytes(const ut_share *s);
unsigned ut_share_first(const ut_share *s, unsigned photo); /* number of that photo's first symbol; of all for photo = nphotos */
size_t ut_share_head_nbytes(const ut_share *s);

/* Its length. */
size_t ut_share_put(const ut_share *s, uint8_t head[UT_SHARE_MAX_HEAD]);

bool ut_share_is(const uint8_t *plain, size_t n); /* a share, going by its first byte */
/* plain: hostile.  UT_E_INPUT: not a share that holds together, length included.  Its symbols follow *head_nbytes. */
UT_MUST_CHECK ut_status ut_share_get(const uint8_t *plain, size_t n, ut_share *s, size_t *head_nbytes, ut_err *e);
/* Two shares of one album that agree in everything an album's photos have in common. */
bool ut_share_fits(const ut_share *a, const ut_share *b);
#endif
