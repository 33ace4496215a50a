/* JPEG by libjpeg-turbo.  Its errors come as longjmp: each public function sets the jump, does its work in one inner
 * function, and keeps everything that must be released in a struct outside of it. */
#include "channel/codec.h"
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <jpeglib.h>
#include <jerror.h>

enum { ROWS = 16, MAX_SCANS = 400, EXIF_HEAD = 6, MAX_EXIF = 65533 - EXIF_HEAD };

typedef struct errors {
    struct jpeg_error_mgr mgr; /* first: libjpeg gives back a pointer to it */
    jmp_buf jump;
    const char *name; /* of the file */
    ut_err *e;
    ut_status status;
} errors;

static void on_error(j_common_ptr c)
{
    errors *er = (errors *)c->err;
    char text[JMSG_LENGTH_MAX];
    er->mgr.format_message(c, text);
    int code = er->mgr.msg_code;
    if (code == JERR_OUT_OF_MEMORY)
        er->status = ut_fail(er->e, UT_E_MEMORY, "%s: out of memory in the JPEG codec", er->name);
    else if (code == JERR_SOF_UNSUPPORTED || code == JERR_BAD_PRECISION || code == JERR_CONVERSION_NOTIMPL ||
             code == JERR_NOT_COMPILED || code == JERR_ARITH_NOTIMPL)
        er->status = ut_fail(er->e, UT_E_UNSUPPORTED, "%s: this kind of JPEG is not supported (%s); save it as an "
                             "ordinary 8-bit JPEG or PNG", er->name, text);
    else
        er->status = ut_fail(er->e, UT_E_INPUT, "%s: corrupt JPEG (%s)", er->name, text);
    longjmp(er->jump, 1);
}

/* libjpeg fills what it cannot read with grey and warns; here lost data is an error.  Oddities that lose nothing
 * (padding between markers, a strange JFIF version) are let pass. */
static void on_message(j_common_ptr c, int level)
{
    errors *er = (errors *)c->err;
    if (level >= 0) return;
    switch (er->mgr.msg_code) {
    case JWRN_EXTRANEOUS_DATA:
    case JWRN_JFIF_MAJOR:
    case JWRN_ADOBE_XFORM:
    case JWRN_TOO_MUCH_DATA:
    case JWRN_BOGUS_ICC: /* costs the profile, not the picture */
    case JWRN_BOGUS_PROGRESSION: return;
    case JWRN_JPEG_EOF:
    case JWRN_HIT_MARKER:
        er->status = ut_fail(er->e, UT_E_INPUT, "%s: truncated JPEG: the picture data end too early; get the file again",
                             er->name);
        longjmp(er->jump, 1);
    default: on_error(c);
    }
}
static void no_output(j_common_ptr c) { (void)c; }

static void errors_init(errors *er, const char *name, ut_err *e)
{
    jpeg_std_error(&er->mgr);
    er->mgr.error_exit = on_error;
    er->mgr.emit_message = on_message;
    er->mgr.output_message = no_output;
    er->name = name;
    er->e = e;
    er->status = UT_OK;
}

/* --- reading --- */

typedef struct reader {
    struct jpeg_decompress_struct c;
    errors er;
    struct jpeg_progress_mgr progress;
    const uint8_t *data;
    size_t n;
    ut_picture *pic;
    ut_file_info *info;
    ut_jpeg_coefs *coefs;
    uint8_t *row; /* a CMYK row */
    ut_cmyk *cmyk;
} reader;

/* A small progressive file can ask for thousands of passes over a huge picture. */
static void limit_scans(j_common_ptr c)
{
    j_decompress_ptr d = (j_decompress_ptr)c;
    errors *er = (errors *)c->err;
    if (d->input_scan_number <= MAX_SCANS) return;
    er->status = ut_fail(er->e, UT_E_INPUT, "%s: corrupt JPEG: more than %d scans", er->name, (int)MAX_SCANS);
    longjmp(er->jump, 1);
}

static void fail_now(reader *r, ut_status s)
{
    r->er.status = s;
    longjmp(r->er.jump, 1);
}

static void open_header(reader *r, bool markers)
{
    jpeg_create_decompress(&r->c);
    r->progress.progress_monitor = limit_scans;
    r->c.progress = &r->progress;
    jpeg_mem_src(&r->c, r->data, (unsigned long)r->n);
    if (markers) {
        jpeg_save_markers(&r->c, JPEG_APP0 + 1, 0xffff);
        jpeg_save_markers(&r->c, JPEG_APP0 + 2, 0xffff);
    }
    (void)jpeg_read_header(&r->c, TRUE);
    ut_status s = ut_codec_check_size(r->c.image_width, r->c.image_height, r->er.name, r->er.e);
    if (s != UT_OK) fail_now(r, s);
}

static void take_metadata(reader *r)
{
    for (jpeg_saved_marker_ptr m = r->c.marker_list; m; m = m->next) {
        if (m->marker != JPEG_APP0 + 1 || m->data_length <= EXIF_HEAD + 8 || r->pic->exif.len) continue;
        if (memcmp(m->data, "Exif\0", 5) != 0) continue;
        ut_status s = ut_buf_append(&r->pic->exif, m->data + EXIF_HEAD, m->data_length - EXIF_HEAD, r->er.e);
        if (s != UT_OK) fail_now(r, s);
    }
    JOCTET *icc = NULL;
    unsigned nicc = 0;
    if (!jpeg_read_icc_profile(&r->c, &icc, &nicc)) return;
    ut_status s = ut_buf_append(&r->pic->icc, icc, nicc, r->er.e);
    free(icc);
    if (s != UT_OK) fail_now(r, s);
}

static void decode_rows(reader *r)
{
    ut_picture *p = r->pic;
    while (r->c.output_scanline < r->c.output_height) {
        JSAMPROW rows[ROWS];
        JDIMENSION y = r->c.output_scanline, n = 0;
        for (; n < ROWS && y + n < r->c.output_height; n++) rows[n] = p->rgb + (size_t)(y + n) * p->width * 3;
        if (r->cmyk) {
            rows[0] = r->row;
            (void)jpeg_read_scanlines(&r->c, rows, 1);
            ut_cmyk_row(r->cmyk, r->row, p->rgb + (size_t)y * p->width * 3, p->width);
        } else {
            (void)jpeg_read_scanlines(&r->c, rows, n);
        }
    }
}

static void decode_inner(reader *r)
{
    open_header(r, true);
    bool cmyk = r->c.jpeg_color_space == JCS_CMYK || r->c.jpeg_color_space == JCS_YCCK;
    r->c.out_color_space = cmyk ? JCS_CMYK : JCS_RGB;
    *r->info = (ut_file_info){ .kind = UT_FILE_JPEG, .bits = 8, .was_cmyk = cmyk, .orientation = 1 };
    ut_status s = ut_picture_alloc(r->pic, r->c.image_width, r->c.image_height, false, r->er.e);
    if (s != UT_OK) fail_now(r, s);
    r->pic->grey = r->c.jpeg_color_space == JCS_GRAYSCALE;
    take_metadata(r);
    if (cmyk) {
        r->cmyk = ut_cmyk_new(r->pic->icc.data, r->pic->icc.len, r->c.saw_Adobe_marker, r->er.e);
        r->row = ut_calloc(r->pic->width, 4, r->er.e);
        if (!r->cmyk || !r->row) fail_now(r, UT_E_MEMORY);
        ut_buf_free(&r->pic->icc); /* it describes inks that are gone */
    }
    (void)jpeg_start_decompress(&r->c);
    decode_rows(r);
    (void)jpeg_finish_decompress(&r->c);
}

ut_status ut_jpeg_decode(const uint8_t *data, size_t n, const char *name, ut_picture *pic, ut_file_info *info, ut_err *e)
{
    reader r = { .data = data, .n = n, .pic = pic, .info = info };
    *pic = (ut_picture){ 0 };
    r.c.err = &r.er.mgr;
    errors_init(&r.er, name, e);
    if (setjmp(r.er.jump) == 0) decode_inner(&r);
    jpeg_destroy_decompress(&r.c);
    free(r.row);
    ut_cmyk_free(r.cmyk);
    if (r.er.status != UT_OK) ut_picture_free(pic);
    return r.er.status;
}

static void take_plane(reader *r, jvirt_barray_ptr *arrays, int i)
{
    const jpeg_component_info *ci = &r->c.comp_info[i];
    ut_jpeg_plane *p = &r->coefs->plane[i];
    p->blocks_w = ci->width_in_blocks;
    p->blocks_h = ci->height_in_blocks;
    p->hsamp = (unsigned)ci->h_samp_factor;
    p->vsamp = (unsigned)ci->v_samp_factor;
    if (!ci->quant_table) fail_now(r, ut_fail(r->er.e, UT_E_INPUT, "%s: corrupt JPEG: no quantisation table", r->er.name));
    for (int k = 0; k < 64; k++) p->quant[k] = ci->quant_table->quantval[k];
    size_t row = (size_t)p->blocks_w * 64;
    p->coef = ut_calloc(p->blocks_h, row * sizeof *p->coef, r->er.e);
    if (!p->coef) fail_now(r, UT_E_MEMORY);
    for (JDIMENSION y = 0; y < p->blocks_h; y++) {
        JBLOCKARRAY a = r->c.mem->access_virt_barray((j_common_ptr)&r->c, arrays[i], y, 1, FALSE);
        memcpy(p->coef + y * row, a[0], row * sizeof *p->coef);
    }
}

static void coefs_inner(reader *r)
{
    open_header(r, false);
    if (r->c.jpeg_color_space != JCS_GRAYSCALE && r->c.jpeg_color_space != JCS_YCbCr) return;
    jvirt_barray_ptr *arrays = jpeg_read_coefficients(&r->c);
    r->coefs->width = r->c.image_width;
    r->coefs->height = r->c.image_height;
    for (int i = 0; i < r->c.num_components; i++) take_plane(r, arrays, i);
    r->coefs->nplanes = (unsigned)r->c.num_components;
    (void)jpeg_finish_decompress(&r->c);
}

ut_status ut_jpeg_read_coefs(const uint8_t *data, size_t n, const char *name, ut_jpeg_coefs *out, ut_err *e)
{
    _Static_assert(sizeof(JCOEF) == sizeof(int16_t), "libjpeg's coefficients are 16 bit");
    reader r = { .data = data, .n = n, .coefs = out };
    *out = (ut_jpeg_coefs){ 0 };
    r.c.err = &r.er.mgr;
    errors_init(&r.er, name, e);
    if (setjmp(r.er.jump) == 0) coefs_inner(&r);
    jpeg_destroy_decompress(&r.c);
    if (r.er.status != UT_OK) ut_jpeg_coefs_free(out);
    return r.er.status;
}

/* --- writing --- */

typedef struct writer {
    struct jpeg_compress_struct c;
    errors er;
    struct jpeg_destination_mgr dest;
    const ut_picture *pic;
    const ut_channel_jpeg *t;
    ut_buf *file;
} writer;

static void dest_grow(writer *w)
{
    size_t used = w->file->len, more = used ? used / 2 : 1u << 16;
    ut_status s = ut_buf_reserve(w->file, used + more, w->er.e);
    if (s != UT_OK) {
        w->er.status = s;
        longjmp(w->er.jump, 1);
    }
    w->dest.next_output_byte = w->file->data + used;
    w->dest.free_in_buffer = w->file->cap - used;
}
static void dest_init(j_compress_ptr c) { dest_grow(c->client_data); }
static boolean dest_full(j_compress_ptr c)
{
    writer *w = c->client_data;
    w->file->len = w->file->cap; /* libjpeg's contract: the whole buffer is taken as used */
    dest_grow(w);
    return TRUE;
}
static void dest_end(j_compress_ptr c)
{
    writer *w = c->client_data;
    w->file->len = w->file->cap - w->dest.free_in_buffer;
}

static void set_table(writer *w, int slot, const uint16_t table[64])
{
    unsigned v[64];
    bool wide = false;
    for (int i = 0; i < 64; i++) {
        v[i] = table[i];
        wide |= table[i] > 255;
    }
    jpeg_add_quant_table(&w->c, slot, v, 100, wide ? FALSE : TRUE);
}

static void encode_inner(writer *w)
{
    const ut_picture *p = w->pic;
    jpeg_create_compress(&w->c);
    w->c.client_data = w;
    w->dest = (struct jpeg_destination_mgr){ .init_destination = dest_init, .empty_output_buffer = dest_full,
                                             .term_destination = dest_end };
    w->c.dest = &w->dest;
    w->c.image_width = p->width;
    w->c.image_height = p->height;
    w->c.input_components = 3;
    w->c.in_color_space = JCS_RGB;
    jpeg_set_defaults(&w->c);
    jpeg_set_colorspace(&w->c, ut_picture_is_grey(p) ? JCS_GRAYSCALE : JCS_YCbCr);
    set_table(w, 0, w->t->luma);
    set_table(w, 1, w->t->chroma);
    if (w->c.num_components == 3) {
        w->c.comp_info[0].h_samp_factor = (int)w->t->hsamp;
        w->c.comp_info[0].v_samp_factor = (int)w->t->vsamp;
    }
    if (w->t->progressive) jpeg_simple_progression(&w->c);
    jpeg_start_compress(&w->c, TRUE);
    if (p->exif.len) {
        jpeg_write_m_header(&w->c, JPEG_APP0 + 1, (unsigned)p->exif.len + EXIF_HEAD);
        for (int i = 0; i < EXIF_HEAD; i++) jpeg_write_m_byte(&w->c, "Exif\0\0"[i]);
        for (size_t i = 0; i < p->exif.len; i++) jpeg_write_m_byte(&w->c, p->exif.data[i]);
    }
    if (p->icc.len) jpeg_write_icc_profile(&w->c, p->icc.data, (unsigned)p->icc.len);
    while (w->c.next_scanline < p->height) {
        JSAMPROW rows[ROWS];
        JDIMENSION y = w->c.next_scanline, n = 0;
        for (; n < ROWS && y + n < p->height; n++) rows[n] = p->rgb + (size_t)(y + n) * p->width * 3;
        (void)jpeg_write_scanlines(&w->c, rows, n);
    }
    jpeg_finish_compress(&w->c);
}

ut_status ut_jpeg_encode(const ut_picture *pic, const ut_channel_jpeg *t, ut_buf *file, ut_err *e)
{
    writer w = { .pic = pic, .t = t, .file = file };
    if (pic->width > JPEG_MAX_DIMENSION || pic->height > JPEG_MAX_DIMENSION)
        return ut_fail(e, UT_E_USAGE, "a picture of %ux%u pixels is too large for JPEG: at most %ld a side; use PNG",
                       pic->width, pic->height, JPEG_MAX_DIMENSION);
    if (pic->exif.len > MAX_EXIF)
        return ut_fail(e, UT_E_USAGE, "the photo's EXIF data are too large for JPEG (%zu bytes, at most %d): strip them",
                       pic->exif.len, (int)MAX_EXIF);
    if (pic->icc.len > 255u * 65519u)
        return ut_fail(e, UT_E_USAGE, "the photo's colour profile is too large for JPEG (%zu bytes): strip it",
                       pic->icc.len);
    w.c.err = &w.er.mgr;
    errors_init(&w.er, "the JPEG encoder", e);
    if (setjmp(w.er.jump) == 0) encode_inner(&w);
    jpeg_destroy_compress(&w.c);
    if (w.er.status != UT_OK) ut_buf_free(file);
    return w.er.status;
}
