#include "channel/codec.h"
#include <stdlib.h>
#include <lcms2.h>

struct ut_cmyk {
    cmsContext ctx;
    cmsHTRANSFORM transform; /* NULL: the plain formula */
    bool inverted;
};

static void on_lcms_error(cmsContext ctx, cmsUInt32Number code, const char *text) { (void)ctx, (void)code, (void)text; }

static cmsHTRANSFORM open_transform(cmsContext ctx, const uint8_t *icc, size_t nicc, bool inverted)
{
    cmsHTRANSFORM t = NULL;
    cmsHPROFILE from = nicc && nicc <= UINT32_MAX ? cmsOpenProfileFromMemTHR(ctx, icc, (cmsUInt32Number)nicc) : NULL;
    cmsHPROFILE to = cmsCreate_sRGBProfileTHR(ctx);
    if (from && to && cmsGetColorSpace(from) == cmsSigCmykData)
        t = cmsCreateTransformTHR(ctx, from, inverted ? TYPE_CMYK_8_REV : TYPE_CMYK_8, to, TYPE_RGB_8,
                                  INTENT_PERCEPTUAL, cmsFLAGS_NOCACHE);
    if (from) cmsCloseProfile(from);
    if (to) cmsCloseProfile(to);
    return t;
}

ut_cmyk *ut_cmyk_new(const uint8_t *icc, size_t nicc, bool inverted, ut_err *e)
{
    ut_cmyk *c = ut_calloc(1, sizeof *c, e);
    if (!c) return NULL;
    c->inverted = inverted;
    c->ctx = nicc ? cmsCreateContext(NULL, NULL) : NULL;
    if (c->ctx) {
        cmsSetLogErrorHandlerTHR(c->ctx, on_lcms_error);
        c->transform = open_transform(c->ctx, icc, nicc, inverted); /* a broken profile: the plain formula */
    }
    return c;
}

void ut_cmyk_row(const ut_cmyk *c, const uint8_t *cmyk, uint8_t *rgb, size_t npixels)
{
    if (c->transform) {
        cmsDoTransform(c->transform, cmyk, rgb, (cmsUInt32Number)npixels);
        return;
    }
    unsigned flip = c->inverted ? 0 : 255;
    for (size_t i = 0; i < npixels; i++, cmyk += 4, rgb += 3) {
        unsigned k = cmyk[3] ^ flip;
        for (int j = 0; j < 3; j++) rgb[j] = (uint8_t)(((cmyk[j] ^ flip) * k + 127) / 255);
    }
}

void ut_cmyk_free(ut_cmyk *c)
{
    if (!c) return;
    if (c->transform) cmsDeleteTransform(c->transform);
    if (c->ctx) cmsDeleteContext(c->ctx);
    free(c);
}
