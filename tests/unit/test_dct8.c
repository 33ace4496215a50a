/* The 8x8 DCT against its defining sum, the inverse, and every instruction set against the plain one. */
#include "check.h"
#include "kern/dct8.h"
#include <math.h>

int main(void)
{
    unsigned long long seed = 7;
    const ut_dct8 *sets[2] = { ut_dct8_plain(), ut_dct8_get() };
    for (int n = 0; n < 50; n++) {
        float in[64], back[64];
        double want[64];
        for (int i = 0; i < 64; i++) in[i] = (float)(check_rand(&seed) % 256) - 128;
        for (int v = 0; v < 8; v++)
            for (int u = 0; u < 8; u++) {
                double s = 0, pi = acos(-1);
                for (int y = 0; y < 8; y++)
                    for (int x = 0; x < 8; x++)
                        s += in[y * 8 + x] * cos((2 * x + 1) * u * pi / 16) * cos((2 * y + 1) * v * pi / 16);
                want[v * 8 + u] = s * (u ? 1 : sqrt(.5)) * (v ? 1 : sqrt(.5)) / 4;
            }
        for (int k = 0; k < 2; k++) {
            float got[64];
            sets[k]->forward(in, got);
            sets[k]->inverse(got, back);
            for (int i = 0; i < 64; i++) {
                CHECK(fabs(got[i] - want[i]) < 1e-3, "%s %d: %f %f", sets[k]->name, i, (double)got[i], want[i]);
                CHECK(fabsf(back[i] - in[i]) < 1e-3f, "%s", sets[k]->name);
            }
        }
    }
    return check_end();
}
