#include "pipeline/trade.h"
#include <math.h>

static const double level_db[] = { 38, 40, 42, 45, 48, 51, 55 };
enum { NLEVELS = sizeof level_db / sizeof *level_db };
#define NEAR_DB .3         /* a level so near to what was measured says nothing new */
#define FAR_DB 3
#define GOOD_KBPS 12.7     /* WB-PESQ about 4.0 (docs/RESULTS.md) */
#define FAINT_DB 45        /* from here on the unavoidable error shows */
#define FULL_DB 46.37       /* two bits in every sample: a square error of 1.5 */

static double mse_of(double psnr_db) { return 65025 / pow(10, psnr_db / 10); }

/* Low bits: half of the bits in a first plane of samples change one step, in a second plane two more of the square. */
static double lossless_share(double mse) { return mse < .5 ? mse : mse < 1.5 ? .5 + (mse - .5) / 2 : 1; }

/* The forecast, bent: less unavoidable error by `give` (per sample; negative: more), then scaled. */
typedef struct curve {
    const ut_room *room;
    double give, scale;
} curve;

static double at(const curve *c, double psnr_db)
{
    const ut_room *r = c->room;
    double mse = mse_of(psnr_db);
    if (r->lossless) return (double)ut_room_nbytes(r, psnr_db) * lossless_share(mse);
    return c->scale * (double)ut_room_nbytes(r, 10 * log10(65025 / (mse + c->give)));
}

static double floor_of(const ut_forecast *f) { return f->fixed + (f->height ? f->stay * 63 * f->share : 0); }

static void scale_to(curve *c, const ut_tried *t)
{
    c->scale = 1;
    double n = at(c, t->psnr_db);
    c->scale = n > 0 ? (double)t->nbytes / n : 1;
}

static curve fit(const ut_room *r, const ut_tried *tried, size_t ntried)
{
    curve c = { r, 0, 1 };
    if (r->lossless || !ntried) return c;
    double most = .95 * floor_of(&r->forecast);
    if (ntried == 1 && tried->psnr_db >= FAINT_DB) { /* what is wrong there is the unavoidable error */
        double lo = -.5 * mse_of(tried->psnr_db), hi = most;
        for (int i = 0; i < 30; i++) {
            c.give = (lo + hi) / 2;
            if (at(&c, tried->psnr_db) < (double)tried->nbytes) lo = c.give;
            else hi = c.give;
        }
    } else if (ntried == 2) {
        double lo = -.5 * mse_of(tried[1].psnr_db), hi = most;
        for (int i = 0; i < 30; i++) {
            c.give = (lo + hi) / 2;
            scale_to(&c, &tried[0]);
            if (at(&c, tried[1].psnr_db) < (double)tried[1].nbytes) lo = c.give;
            else hi = c.give;
        }
    }
    scale_to(&c, &tried[0]);
    return c;
}

double ut_trade_nbytes(const ut_room *r, const ut_tried *tried, double psnr_db)
{
    curve c = fit(r, tried, 1);
    return at(&c, psnr_db);
}

static void add(const ut_room *r, double psnr_db, double nbytes, int measured, ut_trade t[UT_TRADE_MAX], size_t *n)
{
    double pixels = (double)r->width * r->height;
    if (*n && nbytes > (double)t[*n - 1].payload_nbytes) nbytes = (double)t[*n - 1].payload_nbytes;
    if (*n == UT_TRADE_MAX || nbytes < 1) return;
    t[(*n)++] = (ut_trade){ .psnr_db = psnr_db, .payload_nbytes = (size_t)nbytes, .net_bpp = 8 * floor(nbytes) / pixels,
                            .speech_s = fmax(0, (nbytes - 60) * 8 / (GOOD_KBPS * 1000)), .measured = measured };
}

void ut_trade_fill(const ut_room *r, const ut_tried *tried, size_t ntried, ut_trade t[UT_TRADE_MAX], size_t *n)
{
    curve c = fit(r, tried, ntried);
    size_t next = 0;
    *n = 0;
    if (r->lossless) add(r, FULL_DB, at(&c, FULL_DB), 0, t, n);
    for (size_t i = 0; i < NLEVELS; i++) {
        bool said = r->lossless && level_db[i] < FULL_DB;
        for (size_t k = 0; k < ntried; k++) said = said || fabs(tried[k].psnr_db - level_db[i]) < NEAR_DB;
        for (; next < ntried && tried[next].psnr_db < level_db[i] + NEAR_DB; next++) add(r, tried[next].psnr_db, (double)tried[next].nbytes, 1, t, n);
        /* trials of the robust form teach little of what is far from them */
        bool far = r->noisy && ntried && fabs(tried[0].psnr_db - level_db[i]) > FAR_DB;
        if (!said && !far) add(r, level_db[i], at(&c, level_db[i]), 0, t, n);
    }
    for (; next < ntried; next++) add(r, tried[next].psnr_db, (double)tried[next].nbytes, 1, t, n);
}
