/* Any bytes as a received picture, revealed with the public key: whatever they are, an answer and no leak.
 * Seeds: tests/vectors/format. */
#include "media/image.h"
#include "undertone.h"
#include <stdlib.h>

/* Looking for a lattice in a large picture takes a second under a sanitizer: a few small ones of each kind are enough. */
static int too_large(const uint8_t *data, size_t n)
{
    ut_picture p;
    ut_image_info info;
    if (ut_image_read(data, n, "fuzz", &p, NULL, &info, NULL) != UT_OK) return 0;
    size_t pixels = (size_t)p.width * p.height;
    ut_picture_free(&p);
    return pixels > 96 * 96;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    ut_reveal_options o;
    ut_reveal_report r;
    ut_blob out;
    if (n > 1 << 16 || too_large(data, n)) return 0;
    ut_reveal_options_init(&o);
    o.nthreads = 1;
    o.partial = n & 1;
    ut_status s = ut_reveal(data, n, &o, &out, &r);
    if (s == UT_E_INTERNAL || s == UT_E_USAGE || s == UT_E_IO || s == UT_E_CAPACITY || s == UT_E_CANCELLED) abort();
    if (s == UT_OK && (!r.exact || r.message[0])) abort();
    if (s != UT_OK && !r.message[0]) abort();
    if (s != UT_OK && out.data && !(s == UT_E_DAMAGED && o.partial)) abort();
    ut_blob_free(&out);
    return 0;
}
