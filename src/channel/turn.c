#include "channel/turn.h"
#include "base/parallel.h"
#include <stdlib.h>
#include <string.h>

enum { TILE = 32 };

/* Upright x runs along the received x or, if swapped, y; an axis that is flipped runs backwards. */
typedef struct turning {
    bool swap, flip_x, flip_y;
} turning;

static turning turning_of(unsigned o)
{
    return (turning){ o >= 5, o == 2 || o == 3 || o == 6 || o == 7, o == 3 || o == 4 || o == 7 || o == 8 };
}

typedef struct pixels {
    const ut_picture *from;
    ut_picture *to;
    ptrdiff_t first, dx, dy; /* source of upright (0, 0), and steps to its neighbours */
} pixels;

/* TILE rows of the result, square by square: both pictures stay in the cache. */
static void turn_rows(void *arg, size_t band)
{
    const pixels *j = arg;
    uint32_t w = j->to->width, top = (uint32_t)band * TILE, end = top + TILE < j->to->height ? top + TILE : j->to->height;
    for (uint32_t left = 0; left < w; left += TILE)
        for (uint32_t y = top; y < end; y++)
            for (uint32_t x = left; x < left + TILE && x < w; x++) {
                size_t to = (size_t)y * w + x, from = (size_t)(j->first + (ptrdiff_t)x * j->dx + (ptrdiff_t)y * j->dy);
                for (unsigned c = 0; c < 3; c++) j->to->rgb[3 * to + c] = j->from->rgb[3 * from + c];
                if (j->to->alpha) j->to->alpha[to] = j->from->alpha[from];
            }
}

ut_status ut_orient(ut_picture *pic, unsigned o, ut_err *e)
{
    if (o < 2 || o > 8) return UT_OK;
    turning t = turning_of(o);
    ptrdiff_t w = pic->width, along = t.swap ? w : 1, down = t.swap ? 1 : w;
    ut_picture to;
    ut_status s = ut_picture_alloc(&to, t.swap ? pic->height : pic->width, t.swap ? pic->width : pic->height, pic->alpha != NULL, e);
    if (s != UT_OK) return s;
    pixels j = { pic, &to, (t.flip_x ? ((ptrdiff_t)to.width - 1) * along : 0) + (t.flip_y ? ((ptrdiff_t)to.height - 1) * down : 0),
                 t.flip_x ? -along : along, t.flip_y ? -down : down };
    ut_parallel(0, (to.height + TILE - 1) / TILE, turn_rows, &j);
    free(pic->rgb);
    free(pic->alpha);
    pic->rgb = to.rgb;
    pic->alpha = to.alpha;
    pic->width = to.width;
    pic->height = to.height;
    return UT_OK;
}

static void turn_block(const int16_t *in, turning t, int16_t *out)
{
    for (unsigned v = 0; v < 8; v++)
        for (unsigned u = 0; u < 8; u++) {
            int16_t c = in[t.swap ? u * 8 + v : v * 8 + u];
            bool negative = (t.flip_x && (u & 1)) != (t.flip_y && (v & 1));
            out[v * 8 + u] = (int16_t)(negative ? -c : c);
        }
}

ut_status ut_orient_luma(const ut_jpeg_coefs *from, unsigned o, ut_jpeg_coefs *to, ut_err *e)
{
    *to = (ut_jpeg_coefs){ 0 };
    if (!from->nplanes || o < 1 || o > 8) return UT_OK;
    const ut_jpeg_plane *a = &from->plane[0];
    turning t = turning_of(o);
    uint32_t w = t.swap ? from->height : from->width, h = t.swap ? from->width : from->height;
    if ((t.flip_x && w % 8) || (t.flip_y && h % 8)) return UT_OK;
    uint32_t bw = (w + 7) / 8, bh = (h + 7) / 8, have_w = t.swap ? a->blocks_h : a->blocks_w, have_h = t.swap ? a->blocks_w : a->blocks_h;
    if (bw > have_w || bh > have_h) return UT_OK;
    ut_jpeg_plane *b = &to->plane[0];
    *b = (ut_jpeg_plane){ .blocks_w = bw, .blocks_h = bh, .hsamp = 1, .vsamp = 1 };
    b->coef = ut_calloc((size_t)bw * bh * 64, sizeof *b->coef, e);
    if (!b->coef) return UT_E_MEMORY;
    for (unsigned i = 0; i < 64; i++) b->quant[i] = a->quant[t.swap ? i % 8 * 8 + i / 8 : i];
    for (uint32_t y = 0; y < bh; y++)
        for (uint32_t x = 0; x < bw; x++) {
            uint32_t p = t.flip_x ? bw - 1 - x : x, q = t.flip_y ? bh - 1 - y : y;
            size_t at = t.swap ? (size_t)p * a->blocks_w + q : (size_t)q * a->blocks_w + p;
            turn_block(a->coef + at * 64, t, b->coef + ((size_t)y * bw + x) * 64);
        }
    to->width = w;
    to->height = h;
    to->nplanes = 1;
    return UT_OK;
}

const char *ut_orient_story(unsigned o)
{
    static const char *const story[9] = { "", "", "was mirrored", "was turned by 180 degrees", "was mirrored upside down",
                                          "was mirrored along its diagonal", "was turned by 90 degrees anticlockwise",
                                          "was mirrored along its other diagonal", "was turned by 90 degrees clockwise" };
    return o <= 8 ? story[o] : "";
}
