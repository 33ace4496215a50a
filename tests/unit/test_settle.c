/* Settling pixels: the kernel against its definition, every instruction set against the plain one to the last bit, and what polishing
 * promises: coefficients inside their intervals, pixels that are what the coefficients say. */
#include "check.h"
#include "kern/dct8.h"
#include "kern/settle.h"
#include "stage/hide/embed.h"
#include "stage/hide/polish.h"
#include <math.h>

static unsigned long long seed = 23;
static ut_basis basis;

static float uniform(float lo, float hi) { return lo + (hi - lo) * (float)(check_rand(&seed) % 100001) / 100000; }

static void random_block(ut_settle_block *s, int n)
{
    for (int i = 0; i < 64; i++) {
        float w = uniform(0, 4);
        s->c[i] = uniform(-40, 40);
        s->lo[i] = i && check_rand(&seed) % 4 ? s->c[i] + uniform(-4, 4) - w : -1e9f;
        s->hi[i] = s->lo[i] < -1e8f ? 1e9f : s->lo[i] + 2 * w;
        for (int up = 0; up < 2; up++) s->price[up][i] = check_rand(&seed) % 9 ? (float)((int)(check_rand(&seed) % 21) - 10) / 3 : 1e9f;
    }
    if (n % 7 == 0) memset(s->price, 0, sizeof s->price); /* many alike */
}

static double outside(const ut_settle_block *s, double step, const float b[64])
{
    double sum = 0;
    for (int k = 0; k < 64; k++) {
        double v = (double)s->c[k] + step * (double)b[k], x = fmax(fmax((double)s->lo[k] - v, v - (double)s->hi[k]), 0);
        sum += x * x;
    }
    return sum;
}

static void kernels(void)
{
    const ut_settle *set[2] = { ut_settle_plain(), ut_settle_get() };
    unsigned found = 0;
    for (int n = 0; n < 300; n++) {
        ut_settle_block s;
        random_block(&s, n);
        float mu = n % 5 ? .1f / (float)(1 << n % 12) : 0, now = set[0]->outside(&s, 0, basis.of[0]), out[2] = { -1, -1 }, x[2];
        int at[2], pixel = (int)(check_rand(&seed) % 64);
        for (int k = 0; k < 2; k++) {
            x[k] = set[k]->outside(&s, n & 1 ? 1.f : -1.f, basis.of[pixel]);
            at[k] = set[k]->choose(&s, (const float (*)[64])basis.of, mu, now, &out[k]);
        }
        CHECK(!memcmp(&x[0], &x[1], sizeof *x) && at[0] == at[1] && !memcmp(&out[0], &out[1], sizeof *out), "%s: %d %d, %a %a", set[1]->name,
              at[0], at[1], (double)out[0], (double)out[1]);
        double want = outside(&s, n & 1 ? 1 : -1, basis.of[pixel]);
        CHECK(fabs((double)x[0] - want) <= 1e-4 * (want + 1), "%g is not %g", (double)x[0], want);
        if (at[0] < 0) continue;
        found++;
        want = outside(&s, at[0] >> 6 ? 1 : -1, basis.of[at[0] & 63]);
        CHECK(fabs((double)out[0] - want) <= 1e-4 * (want + 1), "%g is not %g", (double)out[0], want);
        CHECK(out[0] + mu * s.price[at[0] >> 6][at[0] & 63] < now, "step %d makes it worse", at[0]);
    }
    CHECK(found > 200, "only %u blocks had a step worth taking", found);
}

static double distance(const uint8_t a[3][64], const uint8_t b[3][64])
{
    double sum = 0;
    for (int i = 0; i < 192; i++) sum += (a[i / 64][i % 64] - b[i / 64][i % 64]) * (a[i / 64][i % 64] - b[i / 64][i % 64]);
    return sum;
}

static void luma(const uint8_t shown[3][64], float c[64])
{
    for (int i = 0; i < 64; i++) c[i] = (float)(ut_luma8(shown[0][i], shown[1][i], shown[2][i]) - 128);
    ut_dct8_get()->forward(c, c);
}

static void blocks(void)
{
    unsigned done = 0;
    for (int n = 0; n < 200; n++) {
        uint8_t cover[3][64], shown[3][64], was[3][64];
        float c[64], lo[64], hi[64];
        bool grey = n % 4 == 0;
        unsigned base = n % 9 ? 20 + (unsigned)(check_rand(&seed) % 200) : 250; /* some next to the limit */
        for (int i = 0; i < 64; i++)
            for (int ch = 0; ch < 3; ch++) {
                unsigned v = base + (unsigned)(check_rand(&seed) % 12);
                cover[ch][i] = grey && ch ? cover[0][i] : (uint8_t)(v > 255 ? 255 : v);
            }
        memcpy(shown, cover, sizeof shown);
        memcpy(was, cover, sizeof was);
        luma((const uint8_t (*)[64])cover, c);
        for (int k = 0; k < 64; k++) {
            bool free = !k || check_rand(&seed) % 3 == 0;
            float at = c[k] + uniform(-2.5f, 2.5f), half = uniform(1, 4);
            lo[k] = free ? -1e9f : at - half;
            hi[k] = free ? 1e9f : at + half;
        }
        if (!ut_polish(&basis, (const uint8_t (*)[64])cover, grey, c, lo, hi, shown)) {
            CHECK(!memcmp(shown, was, sizeof was), "no way found, and yet pixels moved");
            continue;
        }
        done++;
        float got[64];
        luma((const uint8_t (*)[64])shown, got);
        for (int k = 0; k < 64; k++)
            CHECK(got[k] > lo[k] - .002f && got[k] < hi[k] + .002f, "block %d, %d: %g is not in %g..%g", n, k, (double)got[k], (double)lo[k], (double)hi[k]);
        for (int i = 0; grey && i < 64; i++) CHECK(shown[0][i] == shown[1][i] && shown[1][i] == shown[2][i], "grey became coloured");
    }
    CHECK(done > 120, "only %u of 200 blocks were settled", done);
}

/* Colours go back where luma allows, and luma stays. */
static void colours(void)
{
    double before = 0, after = 0;
    for (int n = 0; n < 50; n++) {
        uint8_t cover[3][64], shown[3][64];
        float was[64], is[64];
        for (int i = 0; i < 192; i++) {
            uint8_t *from = &cover[i / 64][i % 64];
            *from = (uint8_t)(check_rand(&seed) % 256);
            int v = *from + (int)(check_rand(&seed) % 5) - 2;
            shown[i / 64][i % 64] = (uint8_t)(v < 0 ? 0 : v > 255 ? 255 : v);
        }
        luma((const uint8_t (*)[64])shown, was);
        double d = distance((const uint8_t (*)[64])shown, (const uint8_t (*)[64])cover);
        ut_recolour((const uint8_t (*)[64])cover, shown);
        luma((const uint8_t (*)[64])shown, is);
        CHECK(!memcmp(was, is, sizeof was), "another colour, another luma");
        CHECK(distance((const uint8_t (*)[64])shown, (const uint8_t (*)[64])cover) <= d, "further from the cover");
        before += d, after += distance((const uint8_t (*)[64])shown, (const uint8_t (*)[64])cover);
    }
    CHECK(after < .9 * before, "colours hardly went back: %g of %g", after, before);
}

int main(void)
{
    ut_basis_init(&basis);
    kernels();
    blocks();
    colours();
    return check_end();
}
