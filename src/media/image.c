#include "media/image.h"
#include "channel/codec.h"
#include "channel/resize.h"
#include <stdio.h>

ut_status ut_image_read(const uint8_t *data, size_t n, const char *name, ut_picture *pic, ut_jpeg_coefs *jpeg,
                        ut_image_info *info, ut_err *e)
{
    ut_file_info f;
    ut_status s = ut_codec_read(data, n, name, pic, jpeg, &f, e);
    if (!info) return s;
    *info = (ut_image_info){ 0 };
    if (s != UT_OK) return s;
    snprintf(info->format, sizeof info->format, "%s", ut_codec_format_name(f.kind));
    info->lossless = f.lossless;
    info->file_bits = f.bits;
    info->was_cmyk = f.was_cmyk;
    info->exif_width = f.exif_width;
    info->exif_height = f.exif_height;
    info->orientation = f.orientation;
    return s;
}

ut_status ut_image_write_png(const ut_picture *pic, ut_buf *file, ut_err *e)
{
    ut_buf_free(file);
    return ut_png_encode(pic, file, e);
}

ut_status ut_image_write_webp_lossless(const ut_picture *pic, ut_buf *file, ut_err *e)
{
    ut_buf_free(file);
    return ut_webp_encode(pic, -1, file, e);
}

ut_status ut_image_write_jpeg(const ut_picture *pic, const ut_channel_jpeg *tables, ut_buf *file, ut_err *e)
{
    ut_buf_free(file);
    return ut_jpeg_encode(pic, tables, file, e);
}

ut_status ut_image_resize(const ut_picture *in, uint32_t width, uint32_t height, ut_picture *out, ut_err *e)
{
    return ut_resize(in, width, height, out, e);
}
