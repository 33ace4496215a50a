/* The table of payload against PSNR: it falls, it is honest about what was measured, and what it forecasts is nearly so. */
#include "check.h"
#include "photos.h"
#include "pipeline/trade.h"
#include <stdlib.h>

/* capacity's manual page says so much of it */
#define TOLERANCE_DB 1.0

static void falls(const ut_trade *t, size_t n, double pixels)
{
    for (size_t i = 0; i < n; i++) {
        CHECK(t[i].payload_nbytes > 0 && fabs(t[i].net_bpp - 8 * (double)t[i].payload_nbytes / pixels) < 1e-9);
        CHECK(fabs(t[i].speech_s - fmax(0, ((double)t[i].payload_nbytes - 60) * 8 / 12700)) < .01);
        CHECK(!i || t[i].psnr_db > t[i - 1].psnr_db, "%.2f after %.2f dB", t[i].psnr_db, t[i - 1].psnr_db);
        CHECK(!i || t[i].payload_nbytes <= t[i - 1].payload_nbytes, "%zu after %zu bytes", t[i].payload_nbytes, t[i - 1].payload_nbytes);
    }
}

/* Hides what a row says; the PSNR must be the row's. */
static void holds(ut_blob cover, const ut_trade *t, ut_hide_options o, const char *to)
{
    size_t n = t->payload_nbytes - 48 - t->payload_nbytes / 2048 * 8; /* what heads take */
    uint8_t *data = malloc(n);
    ut_hide_report r;
    ut_blob out;
    unsigned long long seed = 3;
    for (size_t i = 0; i < n; i++) data[i] = (uint8_t)check_rand(&seed);
    o.codec = UT_CODEC_RAW;
    o.min_psnr_db = t->psnr_db - TOLERANCE_DB;
    ut_status s = ut_hide(data, n, cover.data, cover.nbytes, &o, &out, &r);
    CHECK(s == UT_OK && fabs(r.psnr_db - t->psnr_db) <= TOLERANCE_DB, "%s: %zu bytes at %.2f dB, not %.2f %s", to, n, r.psnr_db, t->psnr_db, r.message);
    if (s == UT_OK) falls(r.trade, r.ntrade, (double)r.width * r.height);
    size_t measured = 0;
    for (size_t i = 0; s == UT_OK && i < r.ntrade; i++) measured += r.trade[i].measured && r.trade[i].psnr_db == r.psnr_db && r.trade[i].payload_nbytes == r.payload_nbytes;
    CHECK(s != UT_OK || measured == 1);
    ut_hide_report_free(&r);
    ut_blob_free(&out);
    free(data);
}

static void channel(const char *to, double from_db, double to_db)
{
    ut_blob cover = test_photo(448, 320, 1);
    ut_hide_options o;
    ut_capacity_report c;
    ut_hide_options_init(&o);
    o.channels = &to;
    o.nchannels = 1;
    ut_status s = ut_capacity(cover.data, cover.nbytes, &o, &c);
    CHECK(s == UT_OK && c.ntrade >= 5, "%s: %s", to, c.message);
    falls(c.trade, c.ntrade, (double)c.width * c.height);
    size_t nmeasured = 0, nforecast = 0;
    for (size_t i = 0; s == UT_OK && i < c.ntrade; i++) {
        nmeasured += c.trade[i].measured != 0;
        if (c.trade[i].measured || c.trade[i].psnr_db < from_db || c.trade[i].psnr_db > to_db) continue;
        nforecast++;
        holds(cover, &c.trade[i], o, to);
    }
    CHECK(nmeasured >= 1 && nforecast >= 3, "%s: %zu measured, %zu tried", to, nmeasured, nforecast);
    ut_blob_free(&cover);
}

static void lossless(void)
{
    const char *to = "png";
    ut_blob cover = test_photo(120, 90, 2);
    ut_hide_options o;
    ut_capacity_report c;
    ut_hide_options_init(&o);
    o.channels = &to;
    o.nchannels = 1;
    CHECK(ut_capacity(cover.data, cover.nbytes, &o, &c) == UT_OK && c.ntrade == 4, "%s", c.message);
    falls(c.trade, c.ntrade, 120 * 90);
    for (size_t i = 0; i < c.ntrade; i++) {
        CHECK(!c.trade[i].measured);
        if (i) holds(cover, &c.trade[i], o, to);
    }
    ut_blob_free(&cover);
}

int main(void)
{
    channel("jpeg:75", 39, 51);
    channel("whatsapp", 39, 51);
    lossless();
    return check_end();
}
