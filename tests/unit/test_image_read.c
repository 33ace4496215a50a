/* Files made by other implementations come out as those say. */
#include "image_vectors.h"

static double mean_difference(const uint8_t *a, const uint8_t *b, size_t n)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++) sum += abs(a[i] - b[i]);
    return sum / (double)n;
}

static void check_near(const char *file, const char *ref, const ut_picture *p)
{
    ut_picture r = read_vector(ref, NULL, NULL);
    size_t n = (size_t)r.width * r.height;
    CHECK(p->width == r.width && p->height == r.height && !p->alpha == !r.alpha, "%s", file);
    double d = mean_difference(p->rgb, r.rgb, n * 3);
    CHECK(d < 2.5, /* subsampled chroma is brought up by different filters */
          "%s is %.2f levels off", file, d);
    if (p->alpha) CHECK(mean_difference(p->alpha, r.alpha, n) < 0.5, "%s: alpha", file);
    ut_picture_free(&r);
}

static void one_vector(const char *line)
{
    char file[64], fmt[16], expected[100], hex[65];
    unsigned w, h, bits, grey, alpha, cmyk, orientation;
    CHECK(sscanf(line, "%63s %u %u %15s %u %u %u %u %u %99s", file, &w, &h, fmt, &bits, &grey, &alpha, &cmyk, &orientation,
                 expected) == 10, "%s", line);
    ut_image_info info;
    ut_jpeg_coefs c;
    ut_picture p = read_vector(file, &c, &info);
    CHECK(p.width == w && p.height == h, "%s: %ux%u", file, p.width, p.height);
    CHECK(strcmp(info.format, fmt) == 0 && info.file_bits == bits, "%s: %s, %u bit", file, info.format, info.file_bits);
    CHECK(p.grey == (grey != 0) && (p.alpha != NULL) == (alpha != 0) && info.was_cmyk == (cmyk != 0), "%s", file);
    CHECK(info.orientation == orientation, "%s: orientation %u", file, info.orientation);
    bool jpeg = strcmp(fmt, "JPEG") == 0;
    bool planes = jpeg && !cmyk && !strstr(file, "rgb.jpg"), turnable = w % 8 == 0 && h % 8 == 0;
    if (orientation == 1) CHECK((c.nplanes != 0) == planes, "%s: %u planes", file, c.nplanes);
    else CHECK(c.nplanes == 0 || (planes && c.nplanes == 1 && c.width == w && c.height == h), "%s: %u planes", file, c.nplanes);
    if (orientation != 1 && planes && turnable) CHECK(c.nplanes == 1, "%s: its luma was not turned", file);
    CHECK(info.lossless == (strcmp(fmt, "PNG") == 0 || strstr(file, "lossless") || strcmp(file, "orientation8.webp") == 0),
          "%s", file);
    if (strncmp(file, "orientation", 11) == 0) CHECK(info.exif_width == 4000 && info.exif_height == 3000, "%s", file);
    hex_sha256(&p, hex);
    if (strncmp(expected, "sha256:", 7) == 0) CHECK(strcmp(hex, expected + 7) == 0, "%s: other pixels", file);
    else check_near(file, expected + 5, &p);
    ut_picture_free(&p);
    ut_jpeg_coefs_free(&c);
}

/* Metadata of other programs' files. */
static void test_metadata(void)
{
    static const char *const files[] = { "icc.jpg", "icc.png" };
    ut_buf icc = load("icc.expected"), exif = load("exif.expected");
    for (int i = 0; i < 2; i++) {
        ut_picture p = read_vector(files[i], NULL, NULL);
        CHECK(p.icc.len == icc.len && memcmp(p.icc.data, icc.data, icc.len) == 0, "%s", files[i]);
        CHECK(p.exif.len == exif.len && memcmp(p.exif.data, exif.data, exif.len) == 0, "%s", files[i]);
        ut_picture_free(&p);
    }
    ut_picture p = read_vector("lossy.webp", NULL, NULL);
    CHECK(p.icc.len == icc.len && memcmp(p.icc.data, icc.data, icc.len) == 0);
    ut_picture_free(&p);
    p = read_vector("photo.heic", NULL, NULL);
    CHECK(p.exif.len == exif.len && memcmp(p.exif.data, exif.data, exif.len) == 0, "heic: %zu bytes of EXIF", p.exif.len);
    ut_picture_free(&p);
    ut_buf_free(&icc);
    ut_buf_free(&exif);
}

int main(void)
{
    ut_buf index = load("index.txt");
    if (ut_buf_append(&index, "", 1, NULL) != UT_OK) return 1;
    int n = 0;
    for (char *line = strtok((char *)index.data, "\n"); line; line = strtok(NULL, "\n"), n++) one_vector(line);
    CHECK(n > 30, "only %d vectors", n);
    ut_buf_free(&index);
    test_metadata();
    return check_end();
}
