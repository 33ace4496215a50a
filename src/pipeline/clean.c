#include "pipeline/clean.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

static void say(ut_cleaning *c, const char *what) { snprintf(c->told->what, sizeof c->told->what, "%s", what); }

ut_status ut_cleaning_open(ut_cleaning *c, bool *idle, ut_err *e)
{
    *idle = false;
    *c->told = (ut_enhancement){ .strength = c->strength, .speech_share = NAN, .noise_removed_db = NAN, .snr_in_db = NAN };
    if (!(c->strength >= 0 && c->strength <= 1)) return ut_fail(e, UT_E_USAGE, "the strength must be from 0 to 1, not %g", c->strength);
    if (c->mode == UT_ENHANCE_OFF || c->strength == 0) {
        *idle = true;
        say(c, c->mode == UT_ENHANCE_OFF ? "off" : "off: strength 0");
        return UT_OK;
    }
    ut_status s = ut_model_open(c->model_name, &c->model, e);
    if (s == UT_E_UNSUPPORTED && c->mode == UT_ENHANCE_AUTO) {
        *idle = true;
        say(c, "off: this build has no model");
        if (e) *e = (ut_err){ 0 };
        return UT_OK;
    }
    return s;
}

void ut_cleaning_decide(ut_cleaning *c)
{
    c->told->speech_share = c->heard.speech_share;
    c->leave_alone = !c->heard.speech && c->mode != UT_ENHANCE_FORCE;
}

ut_status ut_cleaning_start(const ut_cleaning *c, ut_enhance_sink sink, void *user, ut_enhancer **h, ut_err *e)
{
    ut_enhancer_options o = { .strength = (float)c->strength, .nthreads = c->nthreads, .leave_alone = c->leave_alone || !c->model, .heard = &c->heard };
    return ut_enhancer_new(c->model, &o, sink, user, h, e);
}

void ut_cleaning_tell(const ut_cleaning *c, const ut_enhancer_report *r)
{
    ut_enhancement *t = c->told;
    if (!c->model) return;
    if (c->leave_alone) {
        snprintf(t->what, sizeof t->what, "left alone: music or other sounds (%.0f %% of it sounds like speech)", 100 * t->speech_share);
        return;
    }
    t->done = 1;
    t->noise_removed_db = r->noise_removed_db;
    t->snr_in_db = r->snr_in_db;
    ut_model_title(c->model_name, t->model);
    if (isnan(r->noise_removed_db)) snprintf(t->what, sizeof t->what, "done; there are no pauses to measure the noise in");
    else snprintf(t->what, sizeof t->what, "noise lowered by %.1f dB", r->noise_removed_db);
    size_t n = strlen(t->what);
    if (c->strength < 1) snprintf(t->what + n, sizeof t->what - n, ", strength %g", c->strength);
}

void ut_cleaning_free(ut_cleaning *c)
{
    ut_enhance_model_free(c->model);
    c->model = NULL;
}
