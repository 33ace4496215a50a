/* PNG by libpng, with the same longjmp discipline as codec_jpeg.c. */
#include "channel/codec.h"
#include <stdlib.h>
#include <string.h>
#include <png.h>

typedef struct state {
    png_structp png;
    png_infop info;
    const char *name;
    ut_err *e;
    ut_status status;
    const uint8_t *data;
    size_t n, at;
    ut_picture *pic;
    ut_file_info *file_info;
    uint8_t *rgba; /* one row, or the whole picture if interlaced */
    const ut_picture *in;
    ut_buf *file;
} state;

static void stop(state *s, ut_status st)
{
    s->status = st;
    png_longjmp(s->png, 1);
}
static void on_error(png_structp png, png_const_charp text)
{
    state *s = png_get_error_ptr(png);
    if (s->status == UT_OK)
        s->status = ut_fail(s->e, s->file ? UT_E_INTERNAL : UT_E_INPUT, s->file ? "%s: the PNG encoder failed (%s)"
                            : "%s: corrupt PNG (%s)", s->name, text);
    png_longjmp(png, 1);
}
static void on_warning(png_structp png, png_const_charp text) { (void)png, (void)text; }

static void read_bytes(png_structp png, png_bytep to, size_t n)
{
    state *s = png_get_io_ptr(png);
    if (n > s->n - s->at)
        stop(s, ut_fail(s->e, UT_E_INPUT, "%s: truncated PNG: the file ends too early; get it again", s->name));
    memcpy(to, s->data + s->at, n);
    s->at += n;
}

static void take_metadata(state *s)
{
    png_charp icc_name;
    png_bytep bytes;
    png_uint_32 n = 0;
    int method;
    ut_status st = UT_OK;
    if (png_get_iCCP(s->png, s->info, &icc_name, &method, &bytes, &n) && !s->pic->icc.len)
        st = ut_buf_append(&s->pic->icc, bytes, n, s->e);
    if (st == UT_OK && png_get_eXIf_1(s->png, s->info, &n, &bytes) && !s->pic->exif.len)
        st = ut_buf_append(&s->pic->exif, bytes, n, s->e);
    if (st != UT_OK) stop(s, st);
}

static void split_alpha(ut_picture *p, uint32_t y, const uint8_t *rgba)
{
    uint8_t *rgb = p->rgb + (size_t)y * p->width * 3, *a = p->alpha + (size_t)y * p->width;
    for (uint32_t x = 0; x < p->width; x++) {
        memcpy(rgb + 3 * (size_t)x, rgba + 4 * (size_t)x, 3);
        a[x] = rgba[4 * (size_t)x + 3];
    }
}

static void read_rows(state *s, int passes)
{
    ut_picture *p = s->pic;
    size_t row = (size_t)p->width * (p->alpha ? 4 : 3);
    if (p->alpha && !(s->rgba = ut_calloc(passes > 1 ? p->height : 1, row, s->e))) stop(s, UT_E_MEMORY);
    for (int pass = 0; pass < passes; pass++)
        for (uint32_t y = 0; y < p->height; y++) {
            uint8_t *to = !p->alpha ? p->rgb + y * row : s->rgba + (passes > 1 ? y * row : 0);
            png_read_row(s->png, to, NULL);
            if (p->alpha && pass == passes - 1) split_alpha(p, y, to);
        }
}

static void decode_inner(state *s)
{
    png_set_read_fn(s->png, s, read_bytes);
    png_set_user_limits(s->png, 0x7fffffff, 0x7fffffff); /* our own limit below has the better message */
    png_read_info(s->png, s->info);
    uint32_t w = png_get_image_width(s->png, s->info), h = png_get_image_height(s->png, s->info);
    ut_status st = ut_codec_check_size(w, h, s->name, s->e);
    if (st != UT_OK) stop(s, st);
    int type = png_get_color_type(s->png, s->info);
    bool alpha = (type & PNG_COLOR_MASK_ALPHA) != 0 || png_get_valid(s->png, s->info, PNG_INFO_tRNS);
    *s->file_info = (ut_file_info){ .kind = UT_FILE_PNG, .lossless = true, .orientation = 1,
                                    .bits = png_get_bit_depth(s->png, s->info) };
    png_set_expand(s->png);
    png_set_scale_16(s->png);
    if (!(type & PNG_COLOR_MASK_COLOR)) png_set_gray_to_rgb(s->png);
    int passes = png_set_interlace_handling(s->png);
    png_read_update_info(s->png, s->info);
    size_t want = (size_t)w * (alpha ? 4 : 3);
    if (png_get_rowbytes(s->png, s->info) != want) stop(s, ut_fail(s->e, UT_E_INTERNAL, "%s: odd PNG rows", s->name));
    st = ut_picture_alloc(s->pic, w, h, alpha, s->e);
    if (st != UT_OK) stop(s, st);
    s->pic->grey = !(type & PNG_COLOR_MASK_COLOR);
    take_metadata(s);
    read_rows(s, passes);
    png_read_end(s->png, s->info);
    take_metadata(s); /* eXIf may come after the pixels */
}

ut_status ut_png_decode(const uint8_t *data, size_t n, const char *name, ut_picture *pic, ut_file_info *info, ut_err *e)
{
    state s = { .name = name, .e = e, .data = data, .n = n, .pic = pic, .file_info = info };
    *pic = (ut_picture){ 0 };
    s.png = png_create_read_struct(PNG_LIBPNG_VER_STRING, &s, on_error, on_warning);
    s.info = s.png ? png_create_info_struct(s.png) : NULL;
    if (!s.info) {
        png_destroy_read_struct(&s.png, NULL, NULL);
        return ut_fail(e, UT_E_MEMORY, "%s: out of memory in the PNG codec", name);
    }
    if (setjmp(png_jmpbuf(s.png)) == 0) decode_inner(&s);
    png_destroy_read_struct(&s.png, &s.info, NULL);
    free(s.rgba);
    if (s.status != UT_OK) ut_picture_free(pic);
    return s.status;
}

static void write_bytes(png_structp png, png_bytep from, size_t n)
{
    state *s = png_get_io_ptr(png);
    ut_status st = ut_buf_append(s->file, from, n, s->e);
    if (st != UT_OK) stop(s, st);
}
static void flush_nothing(png_structp png) { (void)png; }

static void pack_row(const ut_picture *p, uint32_t y, bool grey, uint8_t *to)
{
    const uint8_t *rgb = p->rgb + (size_t)y * p->width * 3, *a = p->alpha ? p->alpha + (size_t)y * p->width : NULL;
    for (uint32_t x = 0; x < p->width; x++, rgb += 3) {
        *to++ = rgb[0];
        if (!grey) *to++ = rgb[1], *to++ = rgb[2];
        if (a) *to++ = a[x];
    }
}

static void encode_inner(state *s)
{
    const ut_picture *p = s->in;
    bool grey = ut_picture_is_grey(p);
    png_set_write_fn(s->png, s, write_bytes, flush_nothing);
    png_set_user_limits(s->png, 0x7fffffff, 0x7fffffff);
    png_set_benign_errors(s->png, 1); /* a profile that PNG forbids is dropped, not fatal */
    png_set_compression_level(s->png, 2);
    png_set_IHDR(s->png, s->info, p->width, p->height, 8,
                 (grey ? 0 : PNG_COLOR_MASK_COLOR) | (p->alpha ? PNG_COLOR_MASK_ALPHA : 0), PNG_INTERLACE_NONE,
                 PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
    if (p->icc.len && p->icc.len <= 0x7fffffff)
        png_set_iCCP(s->png, s->info, "icc", PNG_COMPRESSION_TYPE_BASE, p->icc.data, (png_uint_32)p->icc.len);
    if (p->exif.len && p->exif.len <= 0x7fffffff)
        png_set_eXIf_1(s->png, s->info, (png_uint_32)p->exif.len, p->exif.data);
    png_write_info(s->png, s->info);
    if (grey || p->alpha) {
        s->rgba = ut_calloc(p->width, 4, s->e);
        if (!s->rgba) stop(s, UT_E_MEMORY);
    }
    for (uint32_t y = 0; y < p->height; y++) {
        uint8_t *row = s->rgba;
        if (row) pack_row(p, y, grey, row);
        else row = p->rgb + (size_t)y * p->width * 3;
        png_write_row(s->png, row);
    }
    png_write_end(s->png, s->info);
}

ut_status ut_png_encode(const ut_picture *pic, ut_buf *file, ut_err *e)
{
    state s = { .name = "the PNG encoder", .e = e, .in = pic, .file = file };
    s.png = png_create_write_struct(PNG_LIBPNG_VER_STRING, &s, on_error, on_warning);
    s.info = s.png ? png_create_info_struct(s.png) : NULL;
    if (!s.info) {
        png_destroy_write_struct(&s.png, NULL);
        return ut_fail(e, UT_E_MEMORY, "out of memory in the PNG codec");
    }
    if (setjmp(png_jmpbuf(s.png)) == 0) encode_inner(&s);
    png_destroy_write_struct(&s.png, &s.info);
    free(s.rgba);
    if (s.status != UT_OK) ut_buf_free(file);
    return s.status;
}
