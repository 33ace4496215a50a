/* The smaller calls of the public interface: channel, compare, keygen. */
#include "media/audio.h"
#include "media/image.h"
#include "stage/seal/seal.h"
#include <stdio.h>
#include <string.h>

static ut_status tell(char *message, const ut_err *e, ut_status s)
{
    if (message) snprintf(message, 512, "%s", s == UT_OK ? "" : e->text[0] ? e->text : ut_status_text(s));
    return s;
}

static void give(ut_buf *from, ut_blob *to)
{
    to->data = from->data;
    to->nbytes = from->len;
    *from = (ut_buf){ 0 };
}

ut_status ut_channel_run(const uint8_t *image, size_t nimage, const char *channel, const char *profile_dir, ut_blob *out,
                         char *message)
{
    ut_err e = { 0 };
    ut_channel *c = NULL;
    ut_picture p = { 0 };
    ut_image_info info;
    ut_received r = { 0 };
    *out = (ut_blob){ 0 };
    ut_status s = ut_channel_parse(channel, profile_dir, &c, &e);
    if (s == UT_OK && ut_channel_nvariants(c) > 1)
        s = ut_fail(&e, UT_E_USAGE, "channel '%s' stands for several; name one of them, such as jpeg:80", channel);
    if (s == UT_OK) s = ut_image_read(image, nimage, "the picture", &p, NULL, &info, &e);
    if (s == UT_OK) s = ut_channel_apply(c, 0, &p, UT_WANT_FILE, &r, &e);
    if (s == UT_OK) give(&r.file, out);
    ut_received_free(&r);
    ut_picture_free(&p);
    ut_channel_free(c);
    return tell(message, &e, s);
}

static ut_status compare_audio(const uint8_t *a, size_t na, const uint8_t *b, size_t nb, ut_comparison *c, ut_err *e)
{
    ut_pcm x = { 0 }, y = { 0 };
    ut_status s = ut_audio_read(a, na, "the first recording", &x, e);
    if (s == UT_OK) s = ut_audio_read(b, nb, "the second recording", &y, e);
    if (s == UT_OK) s = ut_audio_compare(&x, &y, &c->si_sdr_db, &c->stoi, e);
    if (s == UT_OK) c->identical = x.nsamples == y.nsamples && !memcmp(x.sample, y.sample, x.nsamples * sizeof *x.sample);
    ut_pcm_free(&x);
    ut_pcm_free(&y);
    return s;
}

static ut_status compare_images(const uint8_t *a, size_t na, const uint8_t *b, size_t nb, ut_comparison *c, ut_err *e)
{
    ut_picture x = { 0 }, y = { 0 };
    ut_image_info info;
    ut_status s = ut_image_read(a, na, "the first picture", &x, NULL, &info, e);
    if (s == UT_OK) s = ut_image_read(b, nb, "the second picture", &y, NULL, &info, e);
    if (s == UT_OK) s = ut_image_compare(&x, &y, &c->psnr_db, &c->ssim, e);
    if (s == UT_OK) c->identical = !memcmp(x.rgb, y.rgb, (size_t)x.width * x.height * 3);
    ut_picture_free(&x);
    ut_picture_free(&y);
    return s;
}

ut_status ut_compare(const uint8_t *a, size_t na, const uint8_t *b, size_t nb, ut_comparison *c, char *message)
{
    ut_err e = { 0 };
    *c = (ut_comparison){ .is_audio = ut_audio_sniff(a, na) };
    return tell(message, &e, c->is_audio ? compare_audio(a, na, b, nb, c, &e) : compare_images(a, na, b, nb, c, &e));
}

ut_status ut_keygen(ut_blob *out)
{
    ut_buf b = { 0 };
    *out = (ut_blob){ 0 };
    ut_status s = ut_seal_keygen(&b, NULL);
    if (s == UT_OK) give(&b, out);
    ut_buf_free(&b);
    return s;
}
