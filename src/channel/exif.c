#include "channel/exif.h"
#include <stdlib.h>
#include <string.h>

enum { TAG_ORIENTATION = 0x0112, TAG_EXIF_IFD = 0x8769, TAG_WIDTH = 0xa002, TAG_HEIGHT = 0xa003, SHORT = 3, LONG = 4 };

typedef struct tiff {
    uint8_t *p;
    size_t n;
    bool big; /* "MM" */
} tiff;

static uint32_t get(const tiff *t, size_t at, unsigned nbytes)
{
    uint32_t v = 0;
    for (unsigned i = 0; i < nbytes; i++) v = v << 8 | t->p[at + (t->big ? i : nbytes - 1 - i)];
    return v;
}

/* The value of a SHORT or LONG of count 1 in the entry at `at`; 0 if it is anything else. */
static uint32_t value(const tiff *t, size_t at)
{
    uint32_t type = get(t, at + 2, 2);
    if (get(t, at + 4, 4) != 1) return 0;
    return type == SHORT ? get(t, at + 8, 2) : type == LONG ? get(t, at + 8, 4) : 0;
}

static void set_upright(const tiff *t, size_t at)
{
    bool is_long = get(t, at + 2, 2) == LONG;
    memset(t->p + at + 8, 0, 4);
    t->p[at + 8 + (!t->big ? 0 : is_long ? 3 : 1)] = 1;
}

/* Reads one directory: the first (IFD0), or the EXIF one that it points to. */
static void walk(const tiff *t, uint32_t at, bool first, ut_exif *out, uint32_t *exif_ifd)
{
    if (at < 8 || at > t->n || t->n - at < 2) return;
    uint32_t count = get(t, at, 2);
    size_t entry = (size_t)at + 2;
    for (uint32_t i = 0; i < count; i++, entry += 12) {
        if (t->n - entry < 12) return;
        uint32_t tag = get(t, entry, 2), v = value(t, entry);
        if (first && tag == TAG_ORIENTATION && v) {
            if (v <= 8) out->orientation = v;
            set_upright(t, entry);
        }
        if (first && tag == TAG_EXIF_IFD) *exif_ifd = v;
        if (!first && tag == TAG_WIDTH) out->width = v;
        if (!first && tag == TAG_HEIGHT) out->height = v;
    }
}

ut_exif ut_exif_normalise(uint8_t *p, size_t n)
{
    ut_exif out = { .orientation = 1 };
    tiff t = { p, n, false };
    uint32_t exif_ifd = 0;
    if (n < 14) return out;
    if (memcmp(p, "MM\0*", 4) == 0) t.big = true;
    else if (memcmp(p, "II*\0", 4) != 0) return out;
    walk(&t, get(&t, 4, 4), true, &out, &exif_ifd);
    if (exif_ifd) walk(&t, exif_ifd, false, &out, NULL);
    return out;
}

/* Source pixel of output (x, y); w and h are the source's. */
static size_t source(unsigned o, uint32_t w, uint32_t h, uint32_t x, uint32_t y)
{
    switch (o) {
    case 2: return (size_t)y * w + (w - 1 - x);
    case 3: return (size_t)(h - 1 - y) * w + (w - 1 - x);
    case 4: return (size_t)(h - 1 - y) * w + x;
    case 5: return (size_t)x * w + y;
    case 6: return (size_t)(h - 1 - x) * w + y;
    case 7: return (size_t)(h - 1 - x) * w + (w - 1 - y);
    case 8: return (size_t)x * w + (w - 1 - y);
    default: return (size_t)y * w + x;
    }
}

ut_status ut_orient(ut_picture *pic, unsigned o, ut_err *e)
{
    if (o < 2 || o > 8) return UT_OK;
    ut_picture to;
    bool turned = o >= 5;
    ut_status s = ut_picture_alloc(&to, turned ? pic->height : pic->width, turned ? pic->width : pic->height,
                                   pic->alpha != NULL, e);
    if (s != UT_OK) return s;
    size_t i = 0;
    for (uint32_t y = 0; y < to.height; y++)
        for (uint32_t x = 0; x < to.width; x++, i++) {
            size_t from = source(o, pic->width, pic->height, x, y);
            memcpy(to.rgb + 3 * i, pic->rgb + 3 * from, 3);
            if (to.alpha) to.alpha[i] = pic->alpha[from];
        }
    free(pic->rgb);
    free(pic->alpha);
    pic->rgb = to.rgb;
    pic->alpha = to.alpha;
    pic->width = to.width;
    pic->height = to.height;
    return UT_OK;
}
