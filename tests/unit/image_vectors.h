/* Reading tests/vectors/image (tools/gen_image_vectors.py). */
#ifndef IMAGE_VECTORS_H
#define IMAGE_VECTORS_H
#include "check.h"
#include "media/image.h"
#include <openssl/evp.h>

static inline ut_buf load(const char *name)
{
    char path[1024];
    ut_buf b = { 0 };
    snprintf(path, sizeof path, "%s/vectors/image/%s", UT_TEST_DIR, name);
    FILE *f = fopen(path, "rb");
    CHECK(f != NULL, "%s is missing", path);
    if (!f) exit(1);
    if (ut_buf_resize(&b, 1 << 20, NULL) != UT_OK) exit(1);
    b.len = fread(b.data, 1, b.len, f);
    fclose(f);
    return b;
}

static inline ut_picture read_vector(const char *name, ut_jpeg_coefs *c, ut_image_info *info)
{
    ut_buf b = load(name);
    ut_picture p = { 0 };
    ut_err e = { 0 };
    CHECK(ut_image_read(b.data, b.len, name, &p, c, info, &e) == UT_OK, "%s", e.text);
    ut_buf_free(&b);
    if (!p.rgb) exit(1);
    return p;
}

static inline bool same_pixels(const ut_picture *a, const ut_picture *b)
{
    size_t n = (size_t)a->width * a->height;
    if (a->width != b->width || a->height != b->height || !a->alpha != !b->alpha) return false;
    return memcmp(a->rgb, b->rgb, n * 3) == 0 && (!a->alpha || memcmp(a->alpha, b->alpha, n) == 0);
}

static inline void hex_sha256(const ut_picture *p, char hex[65])
{
    size_t n = (size_t)p->width * p->height;
    unsigned char d[32];
    EVP_MD_CTX *m = EVP_MD_CTX_new();
    EVP_DigestInit_ex(m, EVP_sha256(), NULL);
    EVP_DigestUpdate(m, p->rgb, n * 3);
    if (p->alpha) EVP_DigestUpdate(m, p->alpha, n);
    EVP_DigestFinal_ex(m, d, NULL);
    EVP_MD_CTX_free(m);
    for (int i = 0; i < 32; i++) sprintf(hex + 2 * i, "%02x", d[i]);
}
#endif
