#include "pipeline/model.h"
#include "base/buf.h"
#include <errno.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <string.h>

enum { MOST = 256 << 20, PATH_NBYTES = 4096 };
static const char *const places[] = { UT_MODEL_DIR, UT_SOURCE_MODEL_DIR };
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
    if (s == UT_OK && ferror(f))
        s = errno == EISDIR ? ut_fail(e, UT_E_INPUT, "%s is a folder, not a file of weights", path) : ut_fail(e, UT_E_IO, "cannot read the model %s: %s", path, strerror(errno));
    fclose(f);
    return s;
}

/* The bytes of a file, or (path NULL) those that are built in; data NULL: nothing is.  b keeps the file's. */
typedef struct source {
    ut_buf b;
    const uint8_t *data;
    size_t n;
    const char *name; /* for messages */
} source;

static ut_status source_open(source *s, const char *path, const uint8_t *(*builtin)(size_t *), const char *builtin_name, ut_err *e)
{
    *s = (source){ .name = path ? path : builtin_name };
    if (!path) {
        s->data = builtin(&s->n);
        return UT_OK;
    }
    ut_status st = read_file(path, &s->b, e);
    s->data = s->b.data;
    s->n = s->b.len;
    if (st != UT_OK) ut_buf_free(&s->b);
    return st;
}

/* NAME.safetensors among the installed models, or the source tree's. */
static bool installed(const char *name, char path[PATH_NBYTES])
{
    for (size_t i = 0; *name && i < sizeof places / sizeof *places; i++) {
        int n = snprintf(path, PATH_NBYTES, "%s/%s%s", places[i], name, suffix);
        FILE *f = n > 0 && n < PATH_NBYTES ? fopen(path, "rb") : NULL;
        if (!f) continue;
        fclose(f);
        return true;
    }
    return false;
}

ut_status ut_model_open(const char *name, ut_enhance_model **out, ut_err *e)
{
    char path[PATH_NBYTES];
    source s;
    *out = NULL;
    if (name && !is_path(name)) {
        if (!installed(name, path)) return ut_fail(e, UT_E_INPUT, "there is no model named '%.60s' in %s; give a file, such as ./%.60s%s", name, places[0], name, suffix);
        name = path;
    }
    ut_status st = source_open(&s, name, ut_builtin_model, "the built-in model", e);
    if (st == UT_OK && !s.data && !name) st = ut_fail(e, UT_E_UNSUPPORTED, "this build has no model to enhance with; name one: --model FILE.safetensors");
    if (st == UT_OK) st = ut_enhance_model_load(s.data, s.n, s.name, out, e);
    ut_buf_free(&s.b);
    return st;
}

ut_status ut_guide_open(const char *path, ut_guide **out, ut_err *e)
{
    source s;
    *out = NULL;
    ut_status st = source_open(&s, path, ut_builtin_guide, "the built-in guide", e);
    if (st == UT_OK && (s.data || path)) st = ut_guide_load(s.data, s.n, s.name, out, e);
    ut_buf_free(&s.b);
    return st;
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
    source s;
    *out = NULL;
    ut_status st = source_open(&s, path, ut_builtin_inn, "the built-in network", e);
    if (st == UT_OK && (s.data || path)) st = load_inn(s.data, s.n, s.name, out, e);
    ut_buf_free(&s.b);
    return st;
}

static bool is(const ut_inn *m, const uint8_t id[4]) { return m && !memcmp(m->id, id, sizeof m->id); }

ut_status ut_inn_open_as(const char *path, const uint8_t id[4], ut_inn **out, ut_err *e)
{
    char have[48] = "has none", name[32], older[PATH_NBYTES];
    ut_status s = ut_inn_open(path, out, e);
    if (s != UT_OK || is(*out, id)) return s;
    if (*out) snprintf(have, sizeof have, "has %02x%02x%02x%02x", (*out)->id[0], (*out)->id[1], (*out)->id[2], (*out)->id[3]);
    ut_inn_free(*out);
    *out = NULL;
    snprintf(name, sizeof name, "hide-inn-%02x%02x%02x%02x", id[0], id[1], id[2], id[3]); /* what an older program hid with is kept under that name */
    if (!path && installed(name, older)) s = ut_inn_open(older, out, e);
    if (s != UT_OK || is(*out, id)) return s;
    ut_inn_free(*out);
    *out = NULL;
    return ut_fail(e, UT_E_UNSUPPORTED, "the message was hidden with the network %02x%02x%02x%02x and this program %s; name its weights: --hider-weights FILE.safetensors",
                   id[0], id[1], id[2], id[3], have);
}
