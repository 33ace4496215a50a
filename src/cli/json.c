#include "cli/json.h"
#include <math.h>
#include <stdint.h>
#include <string.h>

void ut_json_begin(ut_json *j, FILE *f)
{
    *j = (ut_json){ f, 1, false };
    fputc('{', f);
}

void ut_json_end(ut_json *j)
{
    ut_json_close(j, '}');
    fputc('\n', j->f);
}

/* Length of the well-formed UTF-8 sequence at p (Unicode, table 3-7); 0 if there is none. */
static size_t utf8_length(const unsigned char *p)
{
    unsigned lo = 0x80, hi = 0xbf;
    size_t n;
    if (p[0] < 0x80)
        return 1;
    if (p[0] >= 0xc2 && p[0] <= 0xdf)
        n = 2;
    else if (p[0] >= 0xe0 && p[0] <= 0xef)
        n = 3;
    else if (p[0] >= 0xf0 && p[0] <= 0xf4)
        n = 4;
    else
        return 0;
    if (p[0] == 0xe0)
        lo = 0xa0; /* overlong */
    else if (p[0] == 0xed)
        hi = 0x9f; /* surrogates */
    else if (p[0] == 0xf0)
        lo = 0x90;
    else if (p[0] == 0xf4)
        hi = 0x8f;
    if (p[1] < lo || p[1] > hi)
        return 0;
    for (size_t i = 2; i < n; i++)
        if (p[i] < 0x80 || p[i] > 0xbf)
            return 0;
    return n;
}

static void quote(FILE *f, const char *text)
{
    const unsigned char *p = (const unsigned char *)text;
    fputc('"', f);
    while (*p) {
        size_t n = utf8_length(p);
        if (!n)
            fputs("\\ufffd", f);
        else if (*p == '"' || *p == '\\')
            fprintf(f, "\\%c", *p);
        else if (*p < 0x20 || *p == 0x7f)
            fprintf(f, "\\u%04x", *p);
        else
            fwrite(p, 1, n, f);
        p += n ? n : 1;
    }
    fputc('"', f);
}

static void line(ut_json *j, const char *key)
{
    fprintf(j->f, "%s\n%*s", j->any ? "," : "", 2 * j->depth, "");
    if (key) {
        quote(j->f, key);
        fputs(": ", j->f);
    }
    j->any = true;
}

void ut_json_string(ut_json *j, const char *key, const char *value)
{
    line(j, key);
    if (value)
        quote(j->f, value);
    else
        fputs("null", j->f);
}

void ut_json_number(ut_json *j, const char *key, double value)
{
    char text[40];
    line(j, key);
    if (!isfinite(value)) {
        fputs("null", j->f);
        return;
    }
    snprintf(text, sizeof text, "%.9g", value);
    for (char *p = text; *p; p++)
        if (!strchr("0123456789+-e", *p))
            *p = '.'; /* whatever the locale's decimal sign is */
    fputs(text, j->f);
}

void ut_json_count(ut_json *j, const char *key, size_t value)
{
    line(j, key);
    fprintf(j->f, "%zu", value);
}

void ut_json_bool(ut_json *j, const char *key, bool value)
{
    line(j, key);
    fputs(value ? "true" : "false", j->f);
}

void ut_json_open(ut_json *j, const char *key, char bracket)
{
    line(j, key);
    fputc(bracket, j->f);
    j->depth++;
    j->any = false;
}

void ut_json_close(ut_json *j, char bracket)
{
    j->depth--;
    if (j->any)
        fprintf(j->f, "\n%*s", 2 * j->depth, "");
    fputc(bracket, j->f);
    j->any = true;
}

void ut_json_enhancement(ut_json *j, const ut_enhancement *e)
{
    ut_json_open(j, "enhancement", '{');
    ut_json_bool(j, "done", e->done);
    ut_json_string(j, "what", e->what);
    ut_json_string(j, "model", e->model[0] ? e->model : NULL);
    ut_json_number(j, "strength", e->strength);
    ut_json_number(j, "speech_share", e->speech_share);
    ut_json_number(j, "noise_removed_db", e->noise_removed_db);
    ut_json_number(j, "snr_in_db", e->snr_in_db);
    ut_json_close(j, '}');
}

void ut_json_steps(ut_json *j, const ut_step *steps, size_t nsteps)
{
    ut_json_open(j, "steps", '[');
    for (size_t i = 0; i < nsteps; i++) {
        ut_json_open(j, NULL, '{');
        ut_json_string(j, "name", steps[i].name);
        ut_json_number(j, "seconds", steps[i].seconds);
        ut_json_string(j, "detail", steps[i].detail);
        ut_json_close(j, '}');
    }
    ut_json_close(j, ']');
}

void ut_json_trade(ut_json *j, const ut_trade *t, size_t n)
{
    ut_json_open(j, "trade", '[');
    for (size_t i = 0; i < n; i++) {
        ut_json_open(j, NULL, '{');
        ut_json_number(j, "psnr_db", t[i].psnr_db);
        ut_json_count(j, "payload_bytes", t[i].payload_nbytes);
        ut_json_number(j, "net_bpp", t[i].net_bpp);
        ut_json_number(j, "speech_s", t[i].speech_s);
        ut_json_bool(j, "measured", t[i].measured);
        ut_json_close(j, '}');
    }
    ut_json_close(j, ']');
}
