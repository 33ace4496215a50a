#include "channel/exif.h"
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
