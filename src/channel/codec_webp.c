/* WebP by libwebp; the RIFF container and its metadata chunks (WebP Container Specification) are handled here. */
#include "channel/codec.h"
#include <stdlib.h>
#include <string.h>
#include <webp/decode.h>
#include <webp/encode.h>

enum { VP8X_ICC = 0x20, VP8X_ALPHA = 0x10, VP8X_EXIF = 0x08 };

/* Copies chunk `id` into out if there is one; a chunk that reaches past the end is an error. */
static ut_status take_chunks(const uint8_t *d, size_t n, const char *name, ut_picture *pic, ut_err *e)
{
    size_t at = 12, end = (size_t)ut_get32(d + 4) + 8;
    ut_status s = UT_OK;
    if (end > n) end = n; /* ut_webp_decode has refused such a file */
    while (s == UT_OK && end > at && end - at >= 8) {
        size_t len = ut_get32(d + at + 4);
        ut_buf *to = memcmp(d + at, "ICCP", 4) == 0 ? &pic->icc : memcmp(d + at, "EXIF", 4) == 0 ? &pic->exif : NULL;
        at += 8;
        if (len > end - at) return ut_fail(e, UT_E_INPUT, "%s: corrupt WebP: a chunk reaches past the end", name);
        const uint8_t *p = d + at;
        size_t m = len;
        if (to == &pic->exif && m > 6 && memcmp(p, "Exif\0\0", 6) == 0) p += 6, m -= 6; /* some writers keep it */
        if (to && !to->len) s = ut_buf_append(to, p, m, e);
        at += len + (len & 1);
    }
    return s;
}

static ut_status decode_failed(VP8StatusCode c, const char *name, ut_err *e)
{
    if (c == VP8_STATUS_OUT_OF_MEMORY) return ut_fail(e, UT_E_MEMORY, "%s: out of memory in the WebP codec", name);
    if (c == VP8_STATUS_NOT_ENOUGH_DATA || c == VP8_STATUS_SUSPENDED)
        return ut_fail(e, UT_E_INPUT, "%s: truncated WebP: the file ends too early; get it again", name);
    return ut_fail(e, UT_E_INPUT, "%s: corrupt WebP (code %d)", name, (int)c);
}

static ut_status decode_alpha(WebPDecoderConfig *c, const uint8_t *data, size_t n, ut_picture *pic, VP8StatusCode *code,
                              ut_err *e)
{
    size_t npix = (size_t)pic->width * pic->height;
    uint8_t *rgba = ut_calloc(npix, 4, e);
    if (!rgba) return UT_E_MEMORY;
    c->output.colorspace = MODE_RGBA;
    c->output.u.RGBA = (WebPRGBABuffer){ .rgba = rgba, .stride = (int)pic->width * 4, .size = npix * 4 };
    *code = WebPDecode(data, n, c);
    for (size_t i = 0; i < npix; i++) {
        memcpy(pic->rgb + 3 * i, rgba + 4 * i, 3);
        pic->alpha[i] = rgba[4 * i + 3];
    }
    free(rgba);
    return UT_OK;
}

ut_status ut_webp_decode(const uint8_t *data, size_t n, const char *name, ut_picture *pic, ut_file_info *info, ut_err *e)
{
    WebPDecoderConfig c;
    *pic = (ut_picture){ 0 };
    if (!WebPInitDecoderConfig(&c)) return ut_fail(e, UT_E_UNSUPPORTED, "%s: the WebP library is of another version", name);
    /* before anything is decoded: a few bytes may promise a huge picture */
    if (n < 12 || (size_t)ut_get32(data + 4) + 8 > n) return decode_failed(VP8_STATUS_NOT_ENOUGH_DATA, name, e);
    VP8StatusCode code = WebPGetFeatures(data, n, &c.input);
    if (code != VP8_STATUS_OK) return decode_failed(code, name, e);
    ut_status s = ut_codec_check_size((uint64_t)c.input.width, (uint64_t)c.input.height, name, e);
    if (s != UT_OK) return s;
    if (c.input.has_animation)
        return ut_fail(e, UT_E_UNSUPPORTED, "%s: an animated WebP is not supported; give a still picture", name);
    *info = (ut_file_info){ .kind = UT_FILE_WEBP, .bits = 8, .orientation = 1, .lossless = c.input.format == 2 };
    bool alpha = c.input.has_alpha != 0;
    s = ut_picture_alloc(pic, (uint32_t)c.input.width, (uint32_t)c.input.height, alpha, e);
    if (s != UT_OK) return s;
    c.output.is_external_memory = 1;
    if (alpha) {
        s = decode_alpha(&c, data, n, pic, &code, e);
    } else {
        size_t row = (size_t)pic->width * 3;
        c.output.colorspace = MODE_RGB;
        c.output.u.RGBA = (WebPRGBABuffer){ .rgba = pic->rgb, .stride = (int)row, .size = row * pic->height };
        code = WebPDecode(data, n, &c);
    }
    WebPFreeDecBuffer(&c.output);
    if (s == UT_OK && code != VP8_STATUS_OK) s = decode_failed(code, name, e);
    if (s == UT_OK) s = take_chunks(data, n, name, pic, e);
    if (s != UT_OK) ut_picture_free(pic);
    return s;
}

/* --- writing --- */

static ut_status put_chunk(ut_buf *f, const char id[5], const uint8_t *p, size_t n, ut_err *e)
{
    uint8_t head[8], zero = 0;
    if (n > 0x7fffff00 || f->len > 0x7fffff00 - n) return ut_fail(e, UT_E_USAGE, "too large for a WebP file");
    memcpy(head, id, 4);
    ut_put32(head + 4, (uint32_t)n);
    ut_status s = ut_buf_append(f, head, 8, e);
    if (s == UT_OK) s = ut_buf_append(f, p, n, e);
    if (s == UT_OK && (n & 1)) s = ut_buf_append(f, &zero, 1, e);
    return s;
}

/* The extended container: VP8X, profile, the image chunks as the encoder made them, EXIF. */
static ut_status wrap(const ut_picture *p, const uint8_t *plain, size_t n, ut_buf *f, ut_err *e)
{
    uint8_t head[12] = "RIFF\0\0\0\0WEBP", x[10] = { 0 };
    bool wrapped = n >= 30 && memcmp(plain + 12, "VP8X", 4) == 0;
    if (!p->icc.len && !p->exif.len) return ut_buf_append(f, plain, n, e);
    if (n < 20) return ut_fail(e, UT_E_INTERNAL, "the WebP encoder made too short a file");
    size_t body = wrapped ? 30 : 12;
    x[0] = (uint8_t)((p->icc.len ? VP8X_ICC : 0) | (p->exif.len ? VP8X_EXIF : 0) | (p->alpha ? VP8X_ALPHA : 0));
    uint32_t w = p->width - 1, h = p->height - 1;
    x[4] = (uint8_t)w, x[5] = (uint8_t)(w >> 8), x[6] = (uint8_t)(w >> 16);
    x[7] = (uint8_t)h, x[8] = (uint8_t)(h >> 8), x[9] = (uint8_t)(h >> 16);
    ut_status s = ut_buf_append(f, head, 12, e);
    if (s == UT_OK) s = put_chunk(f, "VP8X", x, sizeof x, e);
    if (s == UT_OK && p->icc.len) s = put_chunk(f, "ICCP", p->icc.data, p->icc.len, e);
    if (s == UT_OK) s = ut_buf_append(f, plain + body, n - body, e);
    if (s == UT_OK && p->exif.len) s = put_chunk(f, "EXIF", p->exif.data, p->exif.len, e);
    if (s == UT_OK) ut_put32(f->data + 4, (uint32_t)(f->len - 8));
    return s;
}

static bool import(const ut_picture *p, WebPPicture *w, ut_err *e)
{
    size_t n = (size_t)p->width * p->height;
    if (!p->alpha) return WebPPictureImportRGB(w, p->rgb, (int)p->width * 3) != 0;
    uint8_t *rgba = ut_calloc(n, 4, e);
    if (!rgba) return false;
    for (size_t i = 0; i < n; i++) {
        memcpy(rgba + 4 * i, p->rgb + 3 * i, 3);
        rgba[4 * i + 3] = p->alpha[i];
    }
    bool ok = WebPPictureImportRGBA(w, rgba, (int)p->width * 4) != 0;
    free(rgba);
    return ok;
}

ut_status ut_webp_encode(const ut_picture *pic, int quality, ut_buf *file, ut_err *e)
{
    WebPConfig c;
    WebPPicture w;
    WebPMemoryWriter m;
    if (pic->width > WEBP_MAX_DIMENSION || pic->height > WEBP_MAX_DIMENSION)
        return ut_fail(e, UT_E_USAGE, "a picture of %ux%u pixels is too large for WebP: at most %d a side", pic->width,
                       pic->height, WEBP_MAX_DIMENSION);
    if (!WebPConfigInit(&c) || !WebPPictureInit(&w))
        return ut_fail(e, UT_E_UNSUPPORTED, "the WebP library is of another version than the one built against");
    if (quality < 0) {
        if (!WebPConfigLosslessPreset(&c, 3)) return ut_fail(e, UT_E_INTERNAL, "the WebP preset is refused");
        c.exact = 1;
    } else {
        c.quality = (float)quality;
        c.method = 4;
    }
    w.use_argb = quality < 0;
    w.width = (int)pic->width;
    w.height = (int)pic->height;
    WebPMemoryWriterInit(&m);
    w.writer = WebPMemoryWrite;
    w.custom_ptr = &m;
    ut_status s = UT_OK;
    if (!import(pic, &w, e) || !WebPEncode(&c, &w))
        s = w.error_code == VP8_ENC_OK || w.error_code == VP8_ENC_ERROR_OUT_OF_MEMORY ||
                    w.error_code == VP8_ENC_ERROR_BITSTREAM_OUT_OF_MEMORY
                ? ut_fail(e, UT_E_MEMORY, "out of memory in the WebP encoder")
                : ut_fail(e, UT_E_INTERNAL, "the WebP encoder failed (code %d)", (int)w.error_code);
    WebPPictureFree(&w);
    if (s == UT_OK) s = wrap(pic, m.mem, m.size, file, e);
    WebPMemoryWriterClear(&m);
    if (s != UT_OK) ut_buf_free(file);
    return s;
}
