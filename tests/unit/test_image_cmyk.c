/* CMYK to RGB, by the plain formula and through a profile made here. */
#include "channel/codec.h"
#include "check.h"
#include <lcms2.h>

/* A device of its own: Lab lightness is what ink leaves of white, a is 40 for pure magenta ink, b 40 for pure yellow. */
static cmsInt32Number device(const cmsUInt16Number in[], cmsUInt16Number out[], void *user)
{
    (void)user;
    double c = in[0] / 65535.0, m = in[1] / 65535.0, y = in[2] / 65535.0, k = in[3] / 65535.0;
    cmsCIELab lab = { .L = 100 * (1 - k) * (1 - (c + m + y) / 4), .a = 40 * (m - c), .b = 40 * (y - (c + m) / 2) };
    cmsFloat2LabEncoded(out, &lab);
    return TRUE;
}

static ut_buf profile(void)
{
    ut_buf b = { 0 };
    cmsHPROFILE p = cmsCreateProfilePlaceholder(NULL);
    cmsSetProfileVersion(p, 4.3);
    cmsSetDeviceClass(p, cmsSigOutputClass);
    cmsSetColorSpace(p, cmsSigCmykData);
    cmsSetPCS(p, cmsSigLabData);
    cmsPipeline *l = cmsPipelineAlloc(NULL, 4, 3);
    cmsStage *clut = cmsStageAllocCLut16bit(NULL, 9, 4, 3, NULL);
    cmsStageSampleCLut16bit(clut, device, NULL, 0);
    cmsPipelineInsertStage(l, cmsAT_BEGIN, cmsStageAllocToneCurves(NULL, 4, NULL));
    cmsPipelineInsertStage(l, cmsAT_END, clut);
    cmsPipelineInsertStage(l, cmsAT_END, cmsStageAllocToneCurves(NULL, 3, NULL));
    CHECK(cmsWriteTag(p, cmsSigAToB0Tag, l));
    cmsPipelineFree(l);
    cmsUInt32Number n = 0;
    CHECK(cmsSaveProfileToMem(p, NULL, &n));
    if (ut_buf_resize(&b, n, NULL) != UT_OK) exit(1);
    CHECK(cmsSaveProfileToMem(p, b.data, &n));
    cmsCloseProfile(p);
    return b;
}

static void convert(const ut_buf *icc, bool inverted, const uint8_t ink[4], uint8_t rgb[3])
{
    ut_err e = { 0 };
    uint8_t in[4];
    for (int i = 0; i < 4; i++) in[i] = inverted ? (uint8_t)(255 - ink[i]) : ink[i];
    ut_cmyk *c = ut_cmyk_new(icc ? icc->data : NULL, icc ? icc->len : 0, inverted, &e);
    CHECK(c != NULL);
    if (!c) exit(1);
    ut_cmyk_row(c, in, rgb, 1);
    ut_cmyk_free(c);
}

int main(void)
{
    static const struct { uint8_t ink[4], plain[3]; } row[] = { { { 0, 0, 0, 0 }, { 255, 255, 255 } },
        { { 255, 0, 0, 0 }, { 0, 255, 255 } }, { { 0, 0, 0, 255 }, { 0, 0, 0 } }, { { 51, 102, 0, 128 }, { 102, 76, 127 } } };
    ut_buf icc = profile(), junk = { 0 };
    uint8_t a[3], b[3];
    if (ut_buf_resize(&junk, 500, NULL) != UT_OK) return 1;
    for (int i = 0; i < 4; i++) {
        convert(NULL, false, row[i].ink, a);
        CHECK(memcmp(a, row[i].plain, 3) == 0, "%d: %d %d %d", i, a[0], a[1], a[2]);
        convert(NULL, true, row[i].ink, b);
        CHECK(memcmp(a, b, 3) == 0);
        convert(&junk, true, row[i].ink, b); /* no profile at all: the plain formula */
        CHECK(memcmp(a, b, 3) == 0);
        convert(&icc, false, row[i].ink, a);
        convert(&icc, true, row[i].ink, b);
        for (int k = 0; k < 3; k++) CHECK(abs(a[k] - b[k]) <= 1, "%d: %d %d", i, a[k], b[k]);
    }
    static const uint8_t white[4] = { 0 }, magenta[4] = { 0, 255, 0, 0 };
    convert(&icc, false, white, a);
    CHECK(a[0] > 250 && a[1] > 250 && a[2] > 250, "%d %d %d", a[0], a[1], a[2]);
    convert(&icc, false, magenta, a); /* L 75, a 40, b -20: scikit-image's lab2rgb gives 240 158 222 */
    CHECK(abs(a[0] - 240) < 6 && abs(a[1] - 158) < 6 && abs(a[2] - 222) < 6, "%d %d %d", a[0], a[1], a[2]);
    ut_buf_free(&icc);
    ut_buf_free(&junk);
    return check_end();
}
