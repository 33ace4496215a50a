/* Channels: what a picture goes through on its way, by the real codecs.
 *
 *   spec     = "any-of" list is not here: one channel is one chain
 *   chain    = step *( "+" step )
 *   step     = "png" | "jpeg:" Q [":444" | ":420" | ":422"] | "jpeg:" Q "-" Q [...] | "webp:" Q | "avif:" Q
 *            | "resize:" FACTOR (0.05..4) | "resize:" WIDTH (>= 16: cap on the width, smaller left alone)
 *            | "crop:" SHARE (kept share of each side, centred) | NAME of a profile [":" Q within its range]
 *   profile  = a data file NAME.profile (data/profiles/README): geometry, tables, subsampling, progressive
 *
 * A range ("jpeg:75-95") stands for every quality in it and has several variants to check: both ends and the multiples
 * of five between them; a chain's variants are the product of its steps'.
 */
#ifndef UT_CHANNEL_H
#define UT_CHANNEL_H
#include "base/picture.h"

typedef struct ut_channel ut_channel;

UT_MUST_CHECK ut_status ut_channel_parse(const char *spec, const char *profile_dir, ut_channel **out, ut_err *e);
void ut_channel_free(ut_channel *c);
const char *ut_channel_spec(const ut_channel *c);
const char *ut_channel_note(const ut_channel *c); /* what of its profiles is assumed, one line; NULL: nothing */
size_t ut_channel_nvariants(const ut_channel *c);                             /* >= 1 */
void ut_channel_variant_name(const ut_channel *c, size_t i, char *name, size_t nname); /* "jpeg:80", "whatsapp" */
bool ut_channel_is_lossless(const ut_channel *c);                             /* pixels come back unchanged */
bool ut_channel_is_webp(const ut_channel *c);                                 /* one lossy WebP is all that changes them */

bool ut_channel_moves(const ut_channel *c, uint32_t width, uint32_t height);  /* a picture of that size comes back at another, or cropped */

/* The size to which a picture of width x height must be brought BEFORE embedding so that a platform's own geometry
 * rules leave it alone.  Only profiles ask for this; an explicit "resize:" step is an attack, not a rule to obey. */
void ut_channel_fit(const ut_channel *c, uint32_t width, uint32_t height, uint32_t *fit_width, uint32_t *fit_height);

/* The canvas to which a platform pads a picture that has that fitted size; the size itself where it does not pad. */
void ut_channel_canvas(const ut_channel *c, uint32_t width, uint32_t height, uint32_t *canvas_width, uint32_t *canvas_height);

/* Tables of the JPEG steps, in order (range: of this variant); returns how many there are (up to max). */
typedef struct ut_channel_jpeg {
    uint16_t luma[64], chroma[64]; /* row by row */
    unsigned hsamp, vsamp;         /* luma's sampling factors: 2,2 = 4:2:0 */
    bool progressive;
    bool last;                     /* no lossy step or change of geometry comes after it */
} ut_channel_jpeg;
size_t ut_channel_jpegs(const ut_channel *c, size_t variant, ut_channel_jpeg *out, size_t max);

typedef struct ut_received {
    ut_picture picture;   /* decoded pixels (if asked for) */
    ut_jpeg_coefs jpeg;   /* its coefficients, if the last codec is JPEG (if asked for) */
    ut_buf file;          /* the file a receiver gets (if asked for): that of the last codec, PNG if none */
} ut_received;
void ut_received_free(ut_received *r);
enum { UT_WANT_PICTURE = 1, UT_WANT_JPEG = 2, UT_WANT_FILE = 4 };
/* UT_WANT_JPEG on a channel that does not end in JPEG leaves jpeg empty and gives the picture instead. */
UT_MUST_CHECK ut_status ut_channel_apply(const ut_channel *c, size_t variant, const ut_picture *in, unsigned want,
                                         ut_received *out, ut_err *e);
#endif
