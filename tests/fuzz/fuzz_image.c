/* Any bytes as an image file.  Seeds: tests/vectors/image.  A header may ask for up to 200 megapixels, so run it with
 * -rss_limit_mb=4096 -timeout=60. */
#include "media/image.h"
#include <stdlib.h>

/* libdav1d 1.0 loses 40 bytes on some damaged AVIF files; that is not ours to mend. */
const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void) { return "leak:libdav1d"; }

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    ut_picture p;
    ut_jpeg_coefs c;
    ut_image_info info;
    ut_err e = { 0 };
    if (n > 1 << 16) return 0;
    if (ut_image_read(data, n, "fuzz", &p, &c, &info, &e) != UT_OK) {
        if (p.rgb || c.nplanes || !e.text[0]) abort(); /* a failure leaves nothing and says why */
        return 0;
    }
    if (!p.rgb || !p.width || !p.height || info.orientation < 1 || info.orientation > 8) abort();
    ut_picture_free(&p);
    ut_jpeg_coefs_free(&c);
    return 0;
}
