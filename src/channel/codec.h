/* Image codecs in memory: the one place that turns image files into pixels and back, so that what ut_image_read
 * decodes and what a channel decodes can never differ.  All inputs are hostile.  No temporary files. */
#ifndef UT_CHANNEL_CODEC_H
#define UT_CHANNEL_CODEC_H
#include "channel/channel.h"

typedef enum ut_file_kind {
    UT_FILE_UNKNOWN,
    UT_FILE_JPEG,
    UT_FILE_PNG,
    UT_FILE_WEBP,
    UT_FILE_HEIC,
    UT_FILE_AVIF
} ut_file_kind;

typedef struct ut_file_info {
    ut_file_kind kind;
    bool lossless;                    /* the coding keeps pixels: PNG, lossless WebP */
    unsigned bits;                    /* per sample in the file; more than 8 are rounded to 8 */
    bool was_cmyk;                    /* converted to RGB */
    unsigned orientation;             /* EXIF, 1..8, as found; applied by ut_codec_read */
    uint32_t exif_width, exif_height; /* PixelXDimension, PixelYDimension; 0: absent */
} ut_file_info;

ut_file_kind ut_codec_sniff(const uint8_t *data, size_t n);
const char *ut_codec_format_name(ut_file_kind k); /* "JPEG", ...; "unknown" */

/* Any supported file to pixels, orientation applied to the pixels and reset to 1 in the EXIF bytes.  jpeg may be NULL;
 * it gets the coefficients of a JPEG file (grey or YCbCr) of orientation 1, else nplanes is 0. */
UT_MUST_CHECK ut_status ut_codec_read(const uint8_t *data, size_t n, const char *name, ut_picture *pic,
                                      ut_jpeg_coefs *jpeg, ut_file_info *info, ut_err *e);

/* The tables of jpeg_set_quality(q, force_baseline), q in 1..100 (ITU-T T.81 Annex K.1, K.2, scaled as IJG does), the
 * subsampling 4:2:0, not progressive.  repro: exact. */
void ut_jpeg_quality(unsigned q, ut_channel_jpeg *t);

/* One reader and writer a format.  Readers leave orientation alone and EXIF as found; `name` is what messages call the
 * file.  Files are appended to *file, which must be empty; on failure it is left empty. */
UT_MUST_CHECK ut_status ut_jpeg_decode(const uint8_t *data, size_t n, const char *name, ut_picture *pic,
                                       ut_file_info *info, ut_err *e);
/* blocks_w x blocks_h are the blocks that hold at least one pixel: ceil(ceil(width * hsamp / hmax) / 8).  nplanes stays 0
 * (and the status UT_OK) for RGB and CMYK files, whose planes are not Y, Cb, Cr. */
UT_MUST_CHECK ut_status ut_jpeg_read_coefs(const uint8_t *data, size_t n, const char *name, ut_jpeg_coefs *out,
                                           ut_err *e);
UT_MUST_CHECK ut_status ut_jpeg_encode(const ut_picture *pic, const ut_channel_jpeg *t, ut_buf *file, ut_err *e);

UT_MUST_CHECK ut_status ut_png_decode(const uint8_t *data, size_t n, const char *name, ut_picture *pic,
                                      ut_file_info *info, ut_err *e);
UT_MUST_CHECK ut_status ut_png_encode(const ut_picture *pic, ut_buf *file, ut_err *e);

UT_MUST_CHECK ut_status ut_webp_decode(const uint8_t *data, size_t n, const char *name, ut_picture *pic,
                                       ut_file_info *info, ut_err *e);
/* quality 0..100, method 4; negative: lossless, RGB exact even under full transparency. */
UT_MUST_CHECK ut_status ut_webp_encode(const ut_picture *pic, int quality, ut_buf *file, ut_err *e);

UT_MUST_CHECK ut_status ut_heif_decode(const uint8_t *data, size_t n, const char *name, ut_picture *pic,
                                       ut_file_info *info, ut_err *e);
/* AVIF, quality 0..100, 4:2:0, by libheif's AV1 encoder. */
UT_MUST_CHECK ut_status ut_avif_encode(const ut_picture *pic, unsigned quality, ut_buf *file, ut_err *e);

/* Refuses a header's size before anything is allocated for it. */
UT_MUST_CHECK ut_status ut_codec_check_size(uint64_t width, uint64_t height, const char *name, ut_err *e);
/* The grey flag is set and true of every pixel. */
bool ut_picture_is_grey(const ut_picture *pic);

/* CMYK rows to RGB: inverted: 0 is full ink (Adobe).  icc: the file's profile (used if it is a CMYK one), may be
 * empty.  cmyk: [npixels][4]. */
typedef struct ut_cmyk ut_cmyk;
ut_cmyk *ut_cmyk_new(const uint8_t *icc, size_t nicc, bool inverted, ut_err *e);
void ut_cmyk_row(const ut_cmyk *c, const uint8_t *cmyk, uint8_t *rgb, size_t npixels);
void ut_cmyk_free(ut_cmyk *c);
#endif
