/* Image files in and out.  Every reader treats its input as hostile. */
#ifndef UT_MEDIA_IMAGE_H
#define UT_MEDIA_IMAGE_H
#include "channel/channel.h"

typedef struct ut_image_info {
    char format[16];       /* "JPEG", "PNG", "WebP", "HEIC", "AVIF" */
    bool lossless;         /* the file's coding keeps pixels (PNG, lossless WebP) */
    unsigned file_bits;    /* per sample in the file; more than 8 were rounded to 8 */
    bool was_cmyk;         /* converted to RGB */
    uint32_t exif_width, exif_height; /* PixelXDimension/PixelYDimension, 0 if absent */
    unsigned orientation;  /* as found, 1..8; already applied to the pixels */
} ut_image_info;

/* JPEG (grey, CMYK, progressive), PNG (16 bit, palette, alpha), WebP, HEIC, AVIF, by content, not by name.
 * jpeg: may be NULL; where the file is a JPEG it gets the coefficients, otherwise nplanes is 0; where EXIF had the picture turned, luma's alone,
 * turned alike, if whole blocks allow.
 * name: what messages call the file.  UT_E_INPUT: empty, truncated, corrupt, too large; UT_E_UNSUPPORTED. */
UT_MUST_CHECK ut_status ut_image_read(const uint8_t *data, size_t n, const char *name, ut_picture *pic,
                                      ut_jpeg_coefs *jpeg, ut_image_info *info, ut_err *e);

/* Metadata in pic goes into the file.  grey pictures make grey PNG and JPEG files. */
UT_MUST_CHECK ut_status ut_image_write_png(const ut_picture *pic, ut_buf *file, ut_err *e);
UT_MUST_CHECK ut_status ut_image_write_webp_lossless(const ut_picture *pic, ut_buf *file, ut_err *e);
/* tables: the channel's own. alpha is dropped. */
UT_MUST_CHECK ut_status ut_image_write_jpeg(const ut_picture *pic, const ut_channel_jpeg *tables, ut_buf *file,
                                            ut_err *e);

/* Lanczos-3, in gamma space as the platforms do; alpha too; metadata is kept. */
UT_MUST_CHECK ut_status ut_image_resize(const ut_picture *in, uint32_t width, uint32_t height, ut_picture *out,
                                        ut_err *e);

/* RGB PSNR in dB (infinity if equal) and luma SSIM (Wang et al. 2004: 11x11 Gaussian, sigma 1.5, K 0.01 0.03, valid
 * region, no subsampling).  Same size, else UT_E_USAGE.  ssim may be NULL (it is slower). */
UT_MUST_CHECK ut_status ut_image_compare(const ut_picture *a, const ut_picture *b, double *psnr_db, double *ssim,
                                         ut_err *e);
#endif
