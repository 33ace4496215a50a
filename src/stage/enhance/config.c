#include "base/json_read.h"
#include "stage/enhance/model.h"
#include <string.h>

static bool read_variant(ut_json_reader *r, ut_variant *v)
{
    char text[16];
    static const char *const names[] = { "E", "CL", "offline" };
    if (!ut_json_read_string(r, text, sizeof text)) return false;
    for (unsigned i = 0; i < 3; i++)
        if (!strcmp(text, names[i])) {
            *v = (ut_variant)i;
            return true;
        }
    return false;
}

static bool read_channels(ut_json_reader *r, ut_enhance_config *c)
{
    if (!ut_json_read_array(r)) return false;
    for (c->nlayers = 0; ut_json_read_more(r); c->nlayers++)
        if (c->nlayers == UT_ENHANCE_LAYERS || !ut_json_read_size(r, &c->channels[c->nlayers])) return false;
    return !r->bad;
}

static bool read_float(ut_json_reader *r, float *out)
{
    double v;
    if (!ut_json_read_number(r, &v)) return false;
    *out = (float)v;
    return true;
}

/* Which member it is, in the order of the names; reads its value. */
static bool read_member(ut_json_reader *r, const char *key, ut_enhance_config *c, unsigned *seen)
{
    static const char *const names[] = { "variant", "n_fft", "win_length", "hop", "channels", "lstm_hidden", "lstm_layers", "norm", "power", "gain_max", "lookahead", "act" };
    unsigned which = 0;
    char text[16];
    while (which < sizeof names / sizeof *names && strcmp(key, names[which]) != 0) which++;
    if (*seen >> which & 1) return false;
    *seen |= 1u << which;
    switch (which) {
    case 0: return read_variant(r, &c->variant);
    case 1: return ut_json_read_size(r, &c->n_fft);
    case 2: return ut_json_read_size(r, &c->win_length);
    case 3: return ut_json_read_size(r, &c->hop);
    case 4: return read_channels(r, c);
    case 5: return ut_json_read_size(r, &c->hidden);
    case 6: return ut_json_read_size(r, &c->nlstms);
    case 7: return ut_json_read_string(r, text, sizeof text); /* is folded into the weights: of no interest here */
    case 8: return read_float(r, &c->power);
    case 9: return read_float(r, &c->gain_max);
    case 10: return ut_json_read_bool(r, &c->lookahead);
    case 11: return ut_json_read_string(r, text, sizeof text); /* the slopes say it; older files lack the member */
    default: return false;
    }
}

static const char *what_is_wrong(const ut_enhance_config *c)
{
    if (c->n_fft < 16 || c->n_fft > 4096 || (c->n_fft & (c->n_fft - 1))) return "n_fft is not a power of two from 16 to 4096";
    if (c->win_length > c->n_fft || c->hop == 0 || c->hop > c->win_length / 2) return "window and hop do not go together";
    if (c->nlayers == 0 || (c->n_fft / 2) >> c->nlayers == 0) return "the number of layers does not fit n_fft";
    for (size_t i = 0; i < c->nlayers; i++)
        if (c->channels[i] == 0 || c->channels[i] % 2 || c->channels[i] > UT_ENHANCE_CHANNELS) return "a number of channels is odd or out of range";
    if (c->hidden == 0 || c->hidden > UT_ENHANCE_HIDDEN || c->nlstms == 0 || c->nlstms > UT_ENHANCE_LSTMS) return "the LSTM's size is out of range";
    if (!(c->power >= 0.1f && c->power <= 1.0f) || !(c->gain_max > 0 && c->gain_max <= 100.0f)) return "power or gain_max is out of range";
    return NULL;
}

ut_status ut_enhance_config_read(const char *json, const char *name, ut_enhance_config *c, ut_err *e)
{
    ut_json_reader r = ut_json_read(json, strlen(json));
    char key[32];
    unsigned seen = 0;
    *c = (ut_enhance_config){ 0 };
    bool good = ut_json_read_object(&r);
    while (good && ut_json_read_key(&r, key, sizeof key)) good = read_member(&r, key, c, &seen);
    if (!good || !ut_json_read_end(&r) || (seen & 0x7ff) != 0x7ff)
        return ut_fail(e, UT_E_INPUT, "%s: its configuration is not one of Model 1's: a member is missing, unknown, twice there or malformed", name);
    const char *wrong = what_is_wrong(c);
    return wrong ? ut_fail(e, UT_E_INPUT, "%s: not a usable model: %s", name, wrong) : UT_OK;
}
