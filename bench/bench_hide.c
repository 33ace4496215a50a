/* Net payload, visibility and exact recovery, photo by photo, through the real codecs.
 *
 *   bench_hide [--table] [-v] [--plain] [--lattice | --networks] [--guide FILE] [--inn FILE] [--json FILE] [--only CHANNEL] [--bpp BPP] DIRECTORY
 *   bench_hide --max [--psnr DB] [-v] [--only CHANNEL] DIRECTORY
 *
 * Each photo gets random bytes that fill the stated rate (payload bits per pixel, sealing and coding on top), is written,
 * sent through the channel (a range jpeg:A-B: through every whole quality in it), and revealed from the file that comes out.
 * Success means that every byte is equal; a photo that fails is counted as such, and its reason is printed to stderr.  --plain hides the
 * same bytes in the plain lattice too, the baseline.  One JSON object on stdout; --table prints a readable table instead,
 * and --json FILE keeps the object as well.  --lattice: no network (--hider lattice); --networks: wherever there is one (--hider inn).  --guide and --inn: hidden with
 * these weights (models/), the one in matched channels and ranges, the other in the robust form.
 *
 * --max: the greatest payload that comes back from each photo at that PSNR (40 dB), by bisection.
 *
 * "Ideal" is a simulated ideal coder: the same payload without redundancy in the same lattice, each carrier turned over with
 * the probability that its cost deserves.  It knows neither margins nor
 * preamble nor pixels of 8 bit. */
#include "photos.h"
#include "pipeline/job.h"
#include <math.h>

typedef struct row {
    const char *channel;
    double bpp, aim_db; /* the mean PSNR that is asked for */
} row;

static const row rows[] = {
    { "whatsapp", .50, 40 },        { "whatsapp", .33, 45 },        { "whatsapp", .17, 51 },
    { "whatsapp", .07, 56 },        { "jpeg:75", .50, 40 },         { "jpeg:75", .33, 45 },
    { "jpeg:75", .17, 51 },         { "jpeg:75", .07, 56 },         { "jpeg:75-95", .25, 40 },
    { "jpeg:50-95", .12, 40 },      { "jpeg:85+jpeg:75", .18, 40 }, { "webp:90", .15, 40 },
    { "webp:80", .06, 40 },         { "webp:75", .03, 40 },         { "avif:60", .01, 40 },
    { "resize:0.75+jpeg:85", .02, 40 }, { "crop:0.9+jpeg:85", .02, 40 }, { "resize:0.5+jpeg:85", .005, 40 },
    { "resize:1.5+jpeg:85", .02, 40 }, { "any", .02, 40 },         { "png", 3.0, 48 },
};
enum { NROWS = sizeof rows / sizeof *rows };

typedef struct settings {
    int table, verbose, plain;
    ut_hider hider;
    const char *guide, *inn; /* weights to hide with; NULL: the lattice */
    double psnr_db;
} settings;

/* What became of one photo. */
typedef struct outcome {
    int hidden, exact;
    double psnr, ssim, bpp, rate, ber, hide_s, reveal_s, ideal_db;
    char fec[32];
} outcome;

typedef struct tally {
    size_t n, hidden, exact;
    outcome sum;
    double least_psnr, worst_ber;
    char worst[256];
} tally;

/* jpeg:A-B alone is checked at every quality; anything else as it is. */
static unsigned range_of(const char *channel, unsigned *lo)
{
    unsigned hi;
    int end = 0;
    if (!strcmp(channel, "any")) channel = "jpeg:50-95";
    if (sscanf(channel, "jpeg:%u-%u%n", lo, &hi, &end) == 2 && !channel[end] && hi >= *lo && hi <= 100) return hi - *lo + 1;
    return 0;
}

static int reveals(const ut_blob *sent, const char *channel, const char *inn, const uint8_t *want, size_t nwant, int verbose, double *seconds)
{
    ut_blob got, out;
    char message[512];
    ut_reveal_options opt;
    ut_reveal_report rep;
    ut_reveal_options_init(&opt);
    opt.inn = inn;
    if (ut_channel_run(sent->data, sent->nbytes, channel, NULL, &got, message) != UT_OK) {
        if (verbose) fprintf(stderr, "  %s: %s\n", channel, message);
        return 0;
    }
    double t = now();
    ut_status s = ut_reveal(got.data, got.nbytes, &opt, &out, &rep);
    *seconds += now() - t;
    int ok = s == UT_OK && out.nbytes == nwant && memcmp(out.data, want, nwant) == 0;
    if (!ok && verbose) fprintf(stderr, "  %s: %s (%s)\n", channel, rep.message, rep.diagnosis);
    ut_blob_free(&got);
    ut_blob_free(&out);
    return ok;
}

static int comes_back(const char *name, const ut_blob *sent, const char *inn, const uint8_t *data, size_t n, int verbose, outcome *o)
{
    unsigned lo, nqualities = range_of(name, &lo);
    double seconds = 0;
    int exact = 1;
    for (unsigned q = 0; exact && q < (nqualities ? nqualities : 1); q++) {
        char channel[32];
        snprintf(channel, sizeof channel, "jpeg:%u", lo + q);
        exact = reveals(sent, nqualities ? channel : name, inn, data, n, verbose, &seconds);
    }
    o->reveal_s = seconds / (nqualities ? nqualities : 1);
    if (strcmp(name, "any") != 0) return exact;
    static const char *const all[] = { "webp:80", "resize:0.75+jpeg:85" }; /* and the range, above */
    for (size_t i = 0; exact && i < sizeof all / sizeof *all; i++) exact = reveals(sent, all[i], inn, data, n, verbose, &seconds);
    return exact;
}

/* Hides nbytes and gets them back. */
static outcome one(const char *channel, const char *path, const uint8_t *photo, size_t nphoto, size_t nbytes, double min_db, const settings *set, int plain, int verbose)
{
    outcome o = { 0 };
    uint8_t *data = malloc(nbytes);
    ut_hide_options opt;
    ut_hide_report rep;
    ut_blob sent;
    ut_trial trial = { .plain = plain, .ideal_psnr_db = NAN };
    noise(data, nbytes);
    ut_hide_options_init(&opt);
    opt.channels = &channel;
    opt.nchannels = 1;
    opt.codec = UT_CODEC_RAW;
    opt.min_psnr_db = min_db;
    opt.hider = set->hider;
    if (!plain && (set->guide || set->inn)) opt.hider = UT_HIDER_INN, opt.guide = set->guide, opt.inn = set->inn;
    double t0 = now();
    ut_status s = ut_hide_trial(data, nbytes, photo, nphoto, &opt, &trial, &sent, &rep);
    o.hide_s = now() - t0;
    o.hidden = s == UT_OK;
    if (o.hidden) {
        o.exact = comes_back(channel, &sent, set->inn, data, nbytes, verbose >= 0, &o);
        o.psnr = rep.psnr_db, o.ssim = rep.ssim, o.bpp = rep.net_bpp, o.rate = rep.code_rate, o.ber = rep.worst_ber, o.ideal_db = trial.ideal_psnr_db;
        snprintf(o.fec, sizeof o.fec, "%s", rep.fec);
        if (verbose > 0)
            fprintf(stderr, "%s%s %s: %s %.2f dB (forecast %.2f, ideal %.2f), %s, raw ber %.4f %%, %.2f s\n", channel, plain ? ", plain lattice," : "", base_name(path),
                    o.exact ? "exact" : "FAILED", o.psnr, trial.forecast_psnr_db, o.ideal_db, o.fec, 100 * o.ber, o.hide_s);
    } else if (verbose >= 0) {
        fprintf(stderr, "%s, %s: %s\n", path, channel, rep.message);
    }
    ut_hide_report_free(&rep);
    ut_blob_free(&sent);
    free(data);
    return o;
}

static void count(tally *t, const outcome *o, const char *path)
{
    outcome *s = &t->sum;
    t->n++;
    s->hide_s += o->hide_s;
    t->exact += (size_t)o->exact;
    if (!o->hidden) return;
    t->hidden++;
    s->psnr += o->psnr, s->ssim += o->ssim, s->bpp += o->bpp, s->rate += o->rate, s->ber += o->ber, s->reveal_s += o->reveal_s, s->ideal_db += o->ideal_db;
    if (o->ber > t->worst_ber) t->worst_ber = o->ber;
    if (t->hidden > 1 && o->psnr >= t->least_psnr) return;
    t->least_psnr = o->psnr;
    snprintf(t->worst, sizeof t->worst, "%s", base_name(path));
}

static const char *number(char text[32], double v, const char *format)
{
    if (isfinite(v)) snprintf(text, 32, format, v); /* NOLINT: the formats are below */
    return isfinite(v) ? text : "";
}

static void print_table(const row *r, const tally *t, const tally *plain, int first)
{
    const outcome *s = &t->sum;
    double n = (double)t->hidden;
    char a[32], b[32], base[96] = "";
    if (first)
        printf("| channel | net bit/pixel | asked, mean dB | exact | mean PSNR dB | worst photo | reached | ideal coder, dB (distance) | plain lattice: exact, mean (worst) dB "
               "| mean SSIM | code rate | raw BER mean (worst) | hide s | reveal s |\n|---|---|---|---|---|---|---|---|---|---|---|---|---|---|\n");
    if (plain->n)
        snprintf(base, sizeof base, "%zu/%zu%s", plain->exact, plain->n, plain->hidden ? "" : ", nothing hidden");
    if (plain->hidden) {
        size_t at = strlen(base);
        snprintf(base + at, sizeof base - at, ", %.2f (%.2f)", plain->sum.psnr / (double)plain->hidden, plain->least_psnr);
    }
    if (!t->hidden) {
        printf("| %s | %.3f | %.0f | 0/%zu |  |  | **no** |  | %s |  |  |  | %.2f |  |\n", r->channel, r->bpp, r->aim_db, t->n, base, s->hide_s / (double)t->n);
        fflush(stdout);
        return;
    }
    int reached = t->exact == t->n && s->psnr / n >= r->aim_db;
    printf("| %s | %.3f | %.0f | %zu/%zu | %.2f | %.2f (%s) | %s | %s%s | %s | %.4f | %.3f | %.3f %% (%.3f %%) | %.2f | %.2f |\n", r->channel, s->bpp / n, r->aim_db,
           t->exact, t->n, s->psnr / n, t->least_psnr, t->worst, reached ? "yes" : "**no**", number(a, s->ideal_db / n, "%.2f"), number(b, (s->ideal_db - s->psnr) / n, " (%.2f)"),
           base, s->ssim / n, s->rate / n, 100 * s->ber / n, 100 * t->worst_ber, s->hide_s / (double)t->n, s->reveal_s / n);
    fflush(stdout);
}

static void print_json(const row *r, const tally *t, const tally *plain, FILE *f, int first)
{
    const outcome *s = &t->sum;
    double n = t->hidden ? (double)t->hidden : 1;
    char a[32];
    const char *ideal = t->hidden ? number(a, s->ideal_db / n, "%.3f") : "";
    fprintf(f, "%s\n  {\"channel\": \"%s\", \"asked_bpp\": %.3f, \"asked_mean_psnr_db\": %.1f, \"net_bpp\": %.4f, \"photos\": %zu, \"hidden\": %zu, \"exact\": %zu, "
               "\"mean_psnr_db\": %.3f, \"worst_psnr_db\": %.3f, \"worst_photo\": \"%s\", \"ideal_psnr_db\": %s, \"mean_ssim\": %.5f, \"mean_code_rate\": %.4f, "
               "\"mean_raw_ber\": %.6f, \"worst_raw_ber\": %.6f, \"mean_hide_s\": %.3f, \"mean_reveal_s\": %.3f",
            first ? "{\"hide\": [" : ",", r->channel, r->bpp, r->aim_db, s->bpp / n, t->n, t->hidden, t->exact, s->psnr / n, t->least_psnr, t->worst,
            *ideal ? ideal : "null", s->ssim / n, s->rate / n, s->ber / n, t->worst_ber, s->hide_s / (double)(t->n ? t->n : 1), s->reveal_s / n);
    if (plain->n)
        fprintf(f, ", \"plain_exact\": %zu, \"plain_mean_psnr_db\": %.3f, \"plain_worst_psnr_db\": %.3f", plain->exact,
                plain->hidden ? plain->sum.psnr / (double)plain->hidden : 0, plain->least_psnr);
    fprintf(f, "}");
    fflush(f);
}

static void measure(const row *r, char **names, size_t n, const settings *o, tally *t, tally *plain)
{
    for (size_t i = 0; i < n; i++) {
        size_t len = 0;
        uint32_t w, h;
        uint8_t *photo = slurp(names[i], &len);
        if (!photo || !photo_size(photo, len, &w, &h)) {
            fprintf(stderr, "%s: not a photo\n", names[i]);
            count(t, &(outcome){ 0 }, names[i]);
        } else {
            size_t nbytes = (size_t)ceil(r->bpp * w * h / 8);
            outcome x = one(r->channel, names[i], photo, len, nbytes, 25, o, 0, o->verbose);
            count(t, &x, names[i]);
            if (o->plain) x = one(r->channel, names[i], photo, len, nbytes, 20, o, 1, o->verbose), count(plain, &x, names[i]);
        }
        free(photo);
    }
}

/* The greatest payload in bytes that comes back at that PSNR; to one per cent. */
static size_t most(const char *channel, const char *path, const uint8_t *photo, size_t n, size_t guess, const settings *o)
{
    size_t lo = 0, hi = 0, at = guess;
    while (!hi || hi - lo > lo / 100 + 1) {
        outcome x = one(channel, path, photo, n, at, o->psnr_db, o, 0, -1);
        if (x.exact) lo = at;
        else hi = at;
        at = !hi ? lo + lo / 8 + 16 : !lo && hi <= 16 ? hi : lo ? (lo + hi) / 2 : hi * 3 / 4;
        if (hi && at < 16 && !lo) return 0;
    }
    return lo;
}

static void find_most(const char *channel, char **names, size_t n, const settings *o, int first)
{
    double sum = 0, least = INFINITY, seconds = now();
    size_t measured = 0, guess = 4000;
    const char *worst = "";
    for (size_t i = 0; i < n; i++) {
        size_t len = 0;
        uint32_t w, h;
        uint8_t *photo = slurp(names[i], &len);
        if (photo && photo_size(photo, len, &w, &h)) {
            size_t bytes = most(channel, names[i], photo, len, guess, o);
            double bpp = 8. * (double)bytes / w / h;
            if (bytes) guess = bytes;
            if (o->verbose) fprintf(stderr, "%s %s: %zu bytes, %.4f bit/pixel\n", channel, base_name(names[i]), bytes, bpp);
            measured++;
            sum += bpp;
            if (bpp < least) least = bpp, worst = base_name(names[i]);
        }
        free(photo);
    }
    if (first) printf("| channel | PSNR dB, at least | photos | net bit/pixel, mean | worst photo | s |\n|---|---|---|---|---|---|\n");
    if (measured) printf("| %s | %.0f | %zu | %.3f | %.3f (%s) | %.0f |\n", channel, o->psnr_db, measured, sum / (double)measured, least, worst, now() - seconds);
    fflush(stdout);
}

int main(int argc, char **argv)
{
    static char *names[MAX_FILES];
    const char *dir = NULL, *only = NULL;
    FILE *json = NULL;
    settings o = { .psnr_db = 40 };
    int max = 0, first = 1;
    double bpp = 0;
    for (int i = 1; i < argc; i++) {
        if (!strcmp(argv[i], "--table")) o.table = 1;
        else if (!strcmp(argv[i], "-v")) o.verbose = 1;
        else if (!strcmp(argv[i], "--plain")) o.plain = 1;
        else if (!strcmp(argv[i], "--max")) max = 1;
        else if (!strcmp(argv[i], "--lattice")) o.hider = UT_HIDER_LATTICE;
        else if (!strcmp(argv[i], "--networks")) o.hider = UT_HIDER_INN;
        else if (!strcmp(argv[i], "--guide") && i + 1 < argc) o.guide = argv[++i];
        else if (!strcmp(argv[i], "--inn") && i + 1 < argc) o.inn = argv[++i];
        else if (!strcmp(argv[i], "--json") && i + 1 < argc) json = fopen(argv[++i], "w");
        else if (!strcmp(argv[i], "--only") && i + 1 < argc) only = argv[++i];
        else if (!strcmp(argv[i], "--bpp") && i + 1 < argc) bpp = atof(argv[++i]);
        else if (!strcmp(argv[i], "--psnr") && i + 1 < argc) o.psnr_db = atof(argv[++i]);
        else dir = argv[i];
    }
    size_t n = dir ? list(dir, names) : 0;
    if (!n) {
        fprintf(stderr, "usage: bench_hide [--table] [-v] [--plain] [--lattice | --networks] [--guide FILE] [--inn FILE] [--json FILE] [--only CHANNEL] [--bpp BPP] [--max [--psnr DB]] DIRECTORY-OF-PHOTOS\n");
        return 2;
    }
    row asked = { only, bpp > 0 ? bpp : .1, o.psnr_db };
    int known = 0;
    for (int i = 0; only && i < NROWS; i++) known |= !strcmp(only, rows[i].channel);
    bool single = only && (max || bpp > 0 || !known);
    for (int i = 0; i < (single ? 1 : NROWS); i++) {
        row r = single ? asked : rows[i];
        tally t = { 0 }, plain = { 0 };
        if (!single && only && strcmp(only, r.channel)) continue;
        if (!single && (max || bpp > 0) && i && !strcmp(r.channel, rows[i - 1].channel)) continue; /* once is enough */
        if (bpp > 0) r.bpp = bpp;
        if (max) {
            find_most(r.channel, names, n, &o, first);
        } else {
            measure(&r, names, n, &o, &t, &plain);
            if (o.table) print_table(&r, &t, &plain, first);
            if (json || !o.table) print_json(&r, &t, &plain, json ? json : stdout, first);
        }
        first = 0;
    }
    if (!max && !first && (json || !o.table)) fprintf(json ? json : stdout, "\n]}\n");
    if (json) fclose(json);
    return 0;
}
