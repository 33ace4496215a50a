#include "channel/codec.h"
#include "channel/exif.h"
#include "channel/turn.h"
#include <string.h>

/* ISO base media: a box "ftyp" whose brands tell AVIF from HEIC. */
static ut_file_kind sniff_heif(const uint8_t *d, size_t n)
{
    static const char heic[][5] = { "heic", "heix", "heim", "heis", "hevc", "hevx", "mif1", "msf1" };
    if (n < 16 || memcmp(d + 4, "ftyp", 4) != 0) return UT_FILE_UNKNOWN;
    size_t end = (size_t)d[0] << 24 | (size_t)d[1] << 16 | (size_t)d[2] << 8 | d[3];
    if (end > n) end = n;
    bool found = false;
    for (size_t i = 8; i + 4 <= end && i < 256; i += i == 8 ? 8 : 4) {
        if (memcmp(d + i, "avif", 4) == 0 || memcmp(d + i, "avis", 4) == 0) return UT_FILE_AVIF;
        for (size_t k = 0; k < sizeof heic / sizeof heic[0]; k++) found |= memcmp(d + i, heic[k], 4) == 0;
    }
    return found ? UT_FILE_HEIC : UT_FILE_UNKNOWN;
}

ut_file_kind ut_codec_sniff(const uint8_t *d, size_t n)
{
    if (n >= 3 && memcmp(d, "\xff\xd8\xff", 3) == 0) return UT_FILE_JPEG;
    if (n >= 8 && memcmp(d, "\x89PNG\r\n\x1a\n", 8) == 0) return UT_FILE_PNG;
    if (n >= 12 && memcmp(d, "RIFF", 4) == 0 && memcmp(d + 8, "WEBP", 4) == 0) return UT_FILE_WEBP;
    return sniff_heif(d, n);
}

const char *ut_codec_format_name(ut_file_kind k)
{
    switch (k) {
    case UT_FILE_JPEG: return "JPEG";
    case UT_FILE_PNG: return "PNG";
    case UT_FILE_WEBP: return "WebP";
    case UT_FILE_HEIC: return "HEIC";
    case UT_FILE_AVIF: return "AVIF";
    case UT_FILE_UNKNOWN: break;
    }
    return "unknown";
}

ut_status ut_codec_check_size(uint64_t w, uint64_t h, const char *name, ut_err *e)
{
    if (!w || !h) return ut_fail(e, UT_E_INPUT, "%s: the picture has no pixels (%llux%llu)", name,
                                 (unsigned long long)w, (unsigned long long)h);
    if (w > UT_MAX_SIDE || h > UT_MAX_SIDE || w * h > UT_MAX_PIXELS)
        return ut_fail(e, UT_E_INPUT, "%s: %llux%llu pixels are too many: the limit is %u a side and %u megapixels; "
                       "shrink the photo", name, (unsigned long long)w, (unsigned long long)h, UT_MAX_SIDE,
                       UT_MAX_PIXELS / 1000000u);
    return UT_OK;
}

bool ut_picture_is_grey(const ut_picture *p)
{
    if (!p->grey) return false;
    size_t n = (size_t)p->width * p->height;
    unsigned differ = 0;
    for (size_t i = 0; i < n && !differ; i += p->width)
        for (size_t k = i; k < i + p->width; k++)
            differ |= (unsigned)(p->rgb[3 * k] ^ p->rgb[3 * k + 1]) | (unsigned)(p->rgb[3 * k] ^ p->rgb[3 * k + 2]);
    return !differ;
}

static ut_status decode(ut_file_kind k, const uint8_t *data, size_t n, const char *name, ut_picture *pic,
                        ut_file_info *info, ut_err *e)
{
    switch (k) {
    case UT_FILE_JPEG: return ut_jpeg_decode(data, n, name, pic, info, e);
    case UT_FILE_PNG: return ut_png_decode(data, n, name, pic, info, e);
    case UT_FILE_WEBP: return ut_webp_decode(data, n, name, pic, info, e);
    case UT_FILE_HEIC:
    case UT_FILE_AVIF: return ut_heif_decode(data, n, name, pic, info, e);
    case UT_FILE_UNKNOWN: break;
    }
    return ut_fail(e, UT_E_INPUT, "%s: not a picture that can be read here: give a JPEG, PNG, WebP, HEIC or AVIF file",
                   name);
}

static ut_status upright_coefs(const uint8_t *data, size_t n, const char *name, unsigned orientation, ut_jpeg_coefs *jpeg, ut_err *e)
{
    ut_jpeg_coefs as_stored;
    if (orientation == 1) return ut_jpeg_read_coefs(data, n, name, jpeg, e);
    ut_status s = ut_jpeg_read_coefs(data, n, name, &as_stored, e);
    if (s == UT_OK) s = ut_orient_luma(&as_stored, orientation, jpeg, e);
    ut_jpeg_coefs_free(&as_stored);
    return s;
}

ut_status ut_codec_read(const uint8_t *data, size_t n, const char *name, ut_picture *pic, ut_jpeg_coefs *jpeg,
                        ut_file_info *info, ut_err *e)
{
    *pic = (ut_picture){ 0 };
    *info = (ut_file_info){ 0 };
    if (jpeg) *jpeg = (ut_jpeg_coefs){ 0 };
    if (!name) name = "the picture";
    if (!data || !n) return ut_fail(e, UT_E_INPUT, "%s: the file is empty", name);
    ut_file_kind k = ut_codec_sniff(data, n);
    ut_status s = decode(k, data, n, name, pic, info, e);
    if (s != UT_OK) return s;
    info->kind = k;
    ut_exif x = ut_exif_normalise(pic->exif.data, pic->exif.len);
    info->exif_width = x.width;
    info->exif_height = x.height;
    /* HEIF rotates by its own boxes, already applied; its EXIF orientation only repeats them */
    info->orientation = k == UT_FILE_HEIC || k == UT_FILE_AVIF ? 1 : x.orientation;
    if (info->orientation != 1) s = ut_orient(pic, info->orientation, e);
    if (s == UT_OK && jpeg && k == UT_FILE_JPEG) s = upright_coefs(data, n, name, info->orientation, jpeg, e);
    if (s != UT_OK) ut_picture_free(pic);
    return s;
}
