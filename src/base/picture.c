#include "base/picture.h"
#include <stdlib.h>
#include <string.h>

ut_status ut_picture_alloc(ut_picture *p, uint32_t width, uint32_t height, bool alpha, ut_err *e)
{
    *p = (ut_picture){ 0 };
    if (!width || !height || width > UT_MAX_SIDE || height > UT_MAX_SIDE ||
        (uint64_t)width * height > UT_MAX_PIXELS)
        return ut_fail(e, UT_E_INPUT, "a picture of %ux%u pixels is out of range: at most %u a side and %u megapixels",
                       width, height, UT_MAX_SIDE, UT_MAX_PIXELS / 1000000u);
    size_t n = (size_t)width * height;
    p->rgb = malloc(n * 3);
    if (!p->rgb) return ut_fail_memory(e, n * 3);
    if (alpha && !(p->alpha = malloc(n))) {
        ut_picture_free(p);
        return ut_fail_memory(e, n);
    }
    p->width = width;
    p->height = height;
    return UT_OK;
}

ut_status ut_picture_copy(ut_picture *to, const ut_picture *from, ut_err *e)
{
    ut_status s = ut_picture_alloc(to, from->width, from->height, from->alpha != NULL, e);
    if (s != UT_OK) return s;
    size_t n = (size_t)from->width * from->height;
    memcpy(to->rgb, from->rgb, n * 3);
    if (from->alpha) memcpy(to->alpha, from->alpha, n);
    to->grey = from->grey;
    s = ut_buf_append(&to->icc, from->icc.data, from->icc.len, e);
    if (s == UT_OK) s = ut_buf_append(&to->exif, from->exif.data, from->exif.len, e);
    if (s != UT_OK) ut_picture_free(to);
    return s;
}

void ut_picture_free(ut_picture *p)
{
    if (!p) return;
    free(p->rgb);
    free(p->alpha);
    ut_buf_free(&p->icc);
    ut_buf_free(&p->exif);
    *p = (ut_picture){ 0 };
}

void ut_jpeg_coefs_free(ut_jpeg_coefs *c)
{
    if (!c) return;
    for (unsigned i = 0; i < 4; i++) free(c->plane[i].coef);
    *c = (ut_jpeg_coefs){ 0 };
}
