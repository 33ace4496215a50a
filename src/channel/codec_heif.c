/* HEIC and AVIF by libheif.  libheif applies the file's own rotation boxes while decoding. */
#include "channel/codec.h"
#include <string.h>
#include <libheif/heif.h>

enum { MAX_METADATA = 64 << 20 };

/* libheif's messages have line breaks in them. */
static void one_line(char *to, size_t n, const char *from)
{
    size_t at = 0;
    for (; *from && at + 1 < n; from++) {
        char c = *from < ' ' || *from > '~' ? ' ' : *from;
        if (c != ' ' || (at && to[at - 1] != ' ')) to[at++] = c;
    }
    while (at && to[at - 1] == ' ') at--;
    to[at] = 0;
}

static ut_status failed(struct heif_error x, const char *name, ut_err *e)
{
    char text[200];
    one_line(text, sizeof text, x.message ? x.message : "no reason given");
    if (x.subcode == heif_suberror_End_of_data)
        return ut_fail(e, UT_E_INPUT, "%s: truncated HEIC or AVIF: the file ends too early; get it again", name);
    if (x.code == heif_error_Memory_allocation_error && x.subcode != heif_suberror_Security_limit_exceeded)
        return ut_fail(e, UT_E_MEMORY, "%s: out of memory in the HEIF codec", name);
    if (x.code == heif_error_Unsupported_filetype || x.code == heif_error_Unsupported_feature ||
        x.subcode == heif_suberror_Unsupported_codec)
        return ut_fail(e, UT_E_UNSUPPORTED, "%s: this kind of HEIC or AVIF is not supported (%s); save it as JPEG or "
                       "PNG", name, text);
    return ut_fail(e, UT_E_INPUT, "%s: corrupt or truncated HEIC or AVIF (%s)", name, text);
}

static ut_status take_icc(const struct heif_image_handle *h, ut_picture *pic, const char *name, ut_err *e)
{
    size_t n = heif_image_handle_get_raw_color_profile_size(h);
    enum heif_color_profile_type t = heif_image_handle_get_color_profile_type(h);
    if (!n || n > MAX_METADATA || (t != heif_color_profile_type_rICC && t != heif_color_profile_type_prof)) return UT_OK;
    ut_status s = ut_buf_resize(&pic->icc, n, e);
    if (s != UT_OK) return s;
    struct heif_error x = heif_image_handle_get_raw_color_profile(h, pic->icc.data);
    return x.code ? failed(x, name, e) : UT_OK;
}

/* An Exif item starts with the offset (big-endian, 32 bit) of the TIFF header that follows it. */
static ut_status take_exif(const struct heif_image_handle *h, ut_picture *pic, const char *name, ut_err *e)
{
    heif_item_id id;
    ut_buf raw = { 0 };
    if (heif_image_handle_get_list_of_metadata_block_IDs(h, "Exif", &id, 1) != 1) return UT_OK;
    size_t n = heif_image_handle_get_metadata_size(h, id);
    if (n <= 4 || n > MAX_METADATA) return UT_OK;
    ut_status s = ut_buf_resize(&raw, n, e);
    if (s != UT_OK) return s;
    struct heif_error x = heif_image_handle_get_metadata(h, id, raw.data);
    if (x.code) {
        s = failed(x, name, e);
    } else {
        const uint8_t *d = raw.data;
        size_t skip = (size_t)d[0] << 24 | (size_t)d[1] << 16 | (size_t)d[2] << 8 | d[3];
        if (skip < n - 4) s = ut_buf_append(&pic->exif, d + 4 + skip, n - 4 - skip, e);
    }
    ut_buf_free(&raw);
    return s;
}

static ut_status take_pixels(const struct heif_image *img, bool alpha, ut_picture *pic, const char *name, ut_err *e)
{
    int stride = 0, w = heif_image_get_primary_width(img), h = heif_image_get_primary_height(img);
    const uint8_t *p = heif_image_get_plane_readonly(img, heif_channel_interleaved, &stride);
    unsigned ch = alpha ? 4 : 3;
    if (!p || w <= 0 || h <= 0 || stride < 0 || (size_t)stride < (size_t)w * ch)
        return ut_fail(e, UT_E_INPUT, "%s: corrupt HEIC or AVIF: no pixels", name);
    ut_status s = ut_codec_check_size((uint64_t)w, (uint64_t)h, name, e);
    if (s == UT_OK) s = ut_picture_alloc(pic, (uint32_t)w, (uint32_t)h, alpha, e);
    if (s != UT_OK) return s;
    for (size_t y = 0; y < pic->height; y++) {
        const uint8_t *row = p + y * (size_t)stride;
        uint8_t *to = pic->rgb + y * pic->width * 3;
        if (!alpha) memcpy(to, row, (size_t)pic->width * 3);
        else
            for (size_t x = 0; x < pic->width; x++) {
                memcpy(to + 3 * x, row + 4 * x, 3);
                pic->alpha[y * pic->width + x] = row[4 * x + 3];
            }
    }
    return UT_OK;
}

static ut_status decode_handle(const struct heif_image_handle *h, const char *name, ut_picture *pic, ut_file_info *info,
                               ut_err *e)
{
    int w = heif_image_handle_get_width(h), ht = heif_image_handle_get_height(h);
    ut_status s = ut_codec_check_size(w < 0 ? 0 : (uint64_t)w, ht < 0 ? 0 : (uint64_t)ht, name, e);
    if (s != UT_OK) return s;
    bool alpha = heif_image_handle_has_alpha_channel(h) != 0;
    int bits = heif_image_handle_get_luma_bits_per_pixel(h);
    info->bits = bits < 1 || bits > 16 ? 8 : (unsigned)bits;
    struct heif_image *img = NULL;
    struct heif_error x = heif_decode_image(h, &img, heif_colorspace_RGB,
                                            alpha ? heif_chroma_interleaved_RGBA : heif_chroma_interleaved_RGB, NULL);
    if (x.code) return failed(x, name, e);
    s = take_pixels(img, alpha, pic, name, e);
    heif_image_release(img);
    if (s == UT_OK) s = take_icc(h, pic, name, e);
    if (s == UT_OK) s = take_exif(h, pic, name, e);
    return s;
}

ut_status ut_heif_decode(const uint8_t *data, size_t n, const char *name, ut_picture *pic, ut_file_info *info, ut_err *e)
{
    *pic = (ut_picture){ 0 };
    *info = (ut_file_info){ .kind = ut_codec_sniff(data, n), .bits = 8, .orientation = 1 };
    struct heif_context *c = heif_context_alloc();
    struct heif_image_handle *h = NULL;
    if (!c) return ut_fail(e, UT_E_MEMORY, "%s: out of memory in the HEIF codec", name);
    heif_context_set_maximum_image_size_limit(c, UT_MAX_SIDE);
    struct heif_error x = heif_context_read_from_memory_without_copy(c, data, n, NULL);
    if (!x.code) x = heif_context_get_primary_image_handle(c, &h);
    ut_status s = x.code ? failed(x, name, e) : decode_handle(h, name, pic, info, e);
    if (h) heif_image_handle_release(h);
    heif_context_free(c);
    if (s != UT_OK) ut_picture_free(pic);
    return s;
}

/* --- writing --- */

static ut_status to_heif(const ut_picture *pic, struct heif_image **out, ut_err *e)
{
    bool alpha = pic->alpha != NULL;
    int w = (int)pic->width, h = (int)pic->height, stride = 0;
    struct heif_error x = heif_image_create(w, h, heif_colorspace_RGB,
                                            alpha ? heif_chroma_interleaved_RGBA : heif_chroma_interleaved_RGB, out);
    if (!x.code) x = heif_image_add_plane(*out, heif_channel_interleaved, w, h, 8);
    uint8_t *p = x.code ? NULL : heif_image_get_plane(*out, heif_channel_interleaved, &stride);
    if (!p) return ut_fail(e, UT_E_MEMORY, "out of memory in the AVIF encoder");
    for (size_t y = 0; y < pic->height; y++) {
        const uint8_t *row = pic->rgb + y * pic->width * 3;
        uint8_t *to = p + y * (size_t)stride;
        if (!alpha) memcpy(to, row, (size_t)pic->width * 3);
        else
            for (size_t i = 0; i < pic->width; i++) {
                memcpy(to + 4 * i, row + 3 * i, 3);
                to[4 * i + 3] = pic->alpha[y * pic->width + i];
            }
    }
    return UT_OK;
}

static struct heif_error on_bytes(struct heif_context *c, const void *p, size_t n, void *user)
{
    (void)c;
    struct heif_error ok = { heif_error_Ok, heif_suberror_Unspecified, "ok" };
    struct heif_error no = { heif_error_Memory_allocation_error, heif_suberror_Unspecified, "out of memory" };
    return ut_buf_append(user, p, n, NULL) == UT_OK ? ok : no;
}

static struct heif_error encode_with(struct heif_context *c, struct heif_encoder *enc, const struct heif_image *img,
                                     const ut_picture *pic, unsigned quality, ut_buf *file)
{
    struct heif_image_handle *h = NULL;
    struct heif_encoding_options *opt = heif_encoding_options_alloc();
    struct heif_error x = heif_encoder_set_lossy_quality(enc, (int)quality);
    /* libaom's own range is 0 to 9 (fastest); 6 is what encoders of photos commonly take */
    if (!x.code) x = heif_encoder_set_parameter_integer(enc, "speed", 6);
    if (!x.code) x = heif_encoder_set_parameter_string(enc, "chroma", "420");
    /* a fixed number, so that the file cannot depend on the machine */
    if (!x.code) x = heif_encoder_set_parameter_integer(enc, "threads", 4);
    if (!x.code) x = heif_context_encode_image(c, img, enc, opt, &h);
    if (!x.code && pic->exif.len && pic->exif.len < MAX_METADATA)
        x = heif_context_add_exif_metadata(c, h, pic->exif.data, (int)pic->exif.len);
    if (!x.code) {
        struct heif_writer w = { .writer_api_version = 1, .write = on_bytes };
        x = heif_context_write(c, &w, file);
    }
    if (h) heif_image_handle_release(h);
    heif_encoding_options_free(opt);
    return x;
}

ut_status ut_avif_encode(const ut_picture *pic, unsigned quality, ut_buf *file, ut_err *e)
{
    struct heif_image *img = NULL;
    struct heif_encoder *enc = NULL;
    struct heif_context *c = heif_context_alloc();
    if (!c) return ut_fail(e, UT_E_MEMORY, "out of memory in the AVIF encoder");
    ut_status s = to_heif(pic, &img, e);
    struct heif_error x = { 0 };
    if (s == UT_OK && pic->icc.len)
        x = heif_image_set_raw_color_profile(img, "prof", pic->icc.data, pic->icc.len);
    if (s == UT_OK && !x.code) {
        x = heif_context_get_encoder_for_format(c, heif_compression_AV1, &enc);
        if (x.code) s = ut_fail(e, UT_E_UNSUPPORTED, "avif: libheif has no AV1 encoder on this machine");
    }
    if (s == UT_OK && !x.code) x = encode_with(c, enc, img, pic, quality, file);
    if (s == UT_OK && x.code) {
        char text[200];
        one_line(text, sizeof text, x.message ? x.message : "no reason given");
        s = ut_fail(e, UT_E_INTERNAL, "the AVIF encoder failed (%s)", text);
    }
    if (enc) heif_encoder_release(enc);
    if (img) heif_image_release(img);
    heif_context_free(c);
    if (s != UT_OK) ut_buf_free(file);
    return s;
}
