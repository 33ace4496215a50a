#include "pipeline/model.h"
#include "base/buf.h"
#include <errno.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <string.h>

enum { MOST = 256 << 20 };
static const char suffix[] = ".safetensors";

static bool is_path(const char *name)
{
    size_t n = strlen(name), m = sizeof suffix - 1;
    return strchr(name, '/') || (n > m && !strcmp(name + n - m, suffix));
}

void ut_model_title(const char *name, char title[64])
{
    const char *slash = strrchr(name ? name : "enhance", '/'), *base = slash ? slash + 1 : name ? name : "enhance";
    size_t n = strlen(base), m = sizeof suffix - 1;
    if (n > m && !strcmp(base + n - m, suffix)) n -= m;
    snprintf(title, 64, "%.*s", (int)(n < 63 ? n : 63), base);
}

static ut_status read_file(const char *path, ut_buf *b, ut_err *e)
{
    FILE *f = fopen(path, "rb");
    if (!f) return ut_fail(e, errno == ENOENT || errno == ENOTDIR ? UT_E_INPUT : UT_E_IO, "cannot open the model %s: %s", path, strerror(errno));
    ut_status s = UT_OK;
    for (size_t got = 1; s == UT_OK && got;) {
        uint8_t piece[1 << 16];
        got = fread(piece, 1, sizeof piece, f);
        if (got) s = ut_buf_append(b, piece, got, e);
        if (s == UT_OK && b->len > MOST) s = ut_fail(e, UT_E_INPUT, "%s is too large to be a model (%d MiB at most)", path, MOST >> 20);
    }
    if (s == UT_OK && ferror(f)) s = ut_fail(e, UT_E_IO, "cannot read the model %s", path);
    fclose(f);
    return s;
}

static ut_status open_file(const char *path, ut_enhance_model **out, ut_err *e)
{
    ut_buf b = { 0 };
    ut_status s = read_file(path, &b, e);
    if (s == UT_OK) s = ut_enhance_model_load(b.data, b.len, path, out, e);
    ut_buf_free(&b);
    return s;
}

ut_status ut_model_open(const char *name, ut_enhance_model **out, ut_err *e)
{
    static const char *const places[] = { UT_MODEL_DIR, UT_SOURCE_MODEL_DIR };
    *out = NULL;
    if (!name) {
        size_t n;
        const uint8_t *data = ut_builtin_model(&n);
        if (data) return ut_enhance_model_load(data, n, "the built-in model", out, e);
        return ut_fail(e, UT_E_UNSUPPORTED, "this build has no model to enhance with; name one: --model FILE.safetensors");
    }
    if (is_path(name)) return open_file(name, out, e);
    for (size_t i = 0; *name && i < sizeof places / sizeof *places; i++) {
        char path[4096];
        int n = snprintf(path, sizeof path, "%s/%s%s", places[i], name, suffix);
        FILE *f = n > 0 && (size_t)n < sizeof path ? fopen(path, "rb") : NULL;
        if (!f) continue;
        fclose(f);
        return open_file(path, out, e);
    }
    return ut_fail(e, UT_E_INPUT, "there is no model named '%.60s' in %s; give a file, such as ./%.60s%s", name, places[0], name, suffix);
}

ut_status ut_guide_open(const char *path, ut_guide **out, ut_err *e)
{
    ut_buf b = { 0 };
    size_t n;
    const uint8_t *data = ut_builtin_guide(&n);
    *out = NULL;
    if (!path) return data ? ut_guide_load(data, n, "the built-in guide", out, e) : UT_OK;
    ut_status s = read_file(path, &b, e);
    if (s == UT_OK) s = ut_guide_load(b.data, b.len, path, out, e);
    ut_buf_free(&b);
    return s;
}

static ut_status load_inn(const uint8_t *data, size_t n, const char *name, ut_inn **out, ut_err *e)
{
    uint8_t hash[EVP_MAX_MD_SIZE];
    ut_status s = ut_inn_load(data, n, name, out, e);
    if (s != UT_OK) return s;
    if (EVP_Digest(data, n, hash, NULL, EVP_sha256(), NULL) != 1) {
        ut_inn_free(*out);
        *out = NULL;
        return ut_fail(e, UT_E_INTERNAL, "SHA-256 is not to be had");
    }
    memcpy((*out)->id, hash, sizeof (*out)->id);
    return UT_OK;
}

ut_status ut_inn_open(const char *path, ut_inn **out, ut_err *e)
{
    ut_buf b = { 0 };
    size_t n;
    const uint8_t *data = ut_builtin_inn(&n);
    *out = NULL;
    if (!path) return data ? load_inn(data, n, "the built-in network", out, e) : UT_OK;
    ut_status s = read_file(path, &b, e);
    if (s == UT_OK) s = load_inn(b.data, b.len, path, out, e);
    ut_buf_free(&b);
    return s;
}

/* hide-inn-ID.safetensors of that id, where models are installed: a network that an older program hid with.  NULL without an error: it is not there. */
static ut_status open_older(const uint8_t id[4], ut_inn **out, ut_err *e)
{
    static const char *const places[] = { UT_MODEL_DIR, UT_SOURCE_MODEL_DIR };
    *out = NULL;
    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        char path[4096];
        int n = snprintf(path, sizeof path, "%s/hide-inn-%02x%02x%02x%02x%s", places[i], id[0], id[1], id[2], id[3], suffix);
        FILE *f = n > 0 && (size_t)n < sizeof path ? fopen(path, "rb") : NULL;
        if (!f) continue;
        fclose(f);
        return ut_inn_open(path, out, e);
    }
    return UT_OK;
}

ut_status ut_inn_open_as(const char *path, const uint8_t id[4], ut_inn **out, ut_err *e)
{
    ut_status s = UT_OK;
    *out = NULL;
    if (!path) s = open_older(id, out, e);
    if (s == UT_OK && !*out) s = ut_inn_open(path, out, e);
    if (s != UT_OK || (*out && !memcmp((*out)->id, id, sizeof (*out)->id))) return s;
    char have[48] = "has none";
    if (*out) snprintf(have, sizeof have, "has %02x%02x%02x%02x", (*out)->id[0], (*out)->id[1], (*out)->id[2], (*out)->id[3]);
    ut_inn_free(*out);
    *out = NULL;
    return ut_fail(e, UT_E_UNSUPPORTED, "the message was hidden with the network %02x%02x%02x%02x and this program %s; name its weights: --hider-weights FILE.safetensors",
                   id[0], id[1], id[2], id[3], have);
}
