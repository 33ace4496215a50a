/* Included by dct8.c and dct8_avx2.c with UT_DCT8(name) defined.  One pass transforms the eight columns at once: each
 * statement works on eight lanes, which compilers turn into vector code; a transpose between the passes does rows. */
#include <string.h>

typedef float UT_DCT8(v8)[8];

#define LANES for (int i = 0; i < 8; i++)

/* cos(k*pi/16)/2 */
static const float UT_DCT8(c)[8] = { 0.35355339f, 0.49039264f, 0.46193977f, 0.41573481f,
                                     0.35355339f, 0.27778512f, 0.19134172f, 0.09754516f };

static inline void UT_DCT8(transpose)(float m[64])
{
    for (int r = 0; r < 8; r++)
        for (int c = r + 1; c < 8; c++) {
            float t = m[r * 8 + c];
            m[r * 8 + c] = m[c * 8 + r];
            m[c * 8 + r] = t;
        }
}

static inline void UT_DCT8(columns)(float m[64])
{
    const float *c = UT_DCT8(c);
    UT_DCT8(v8) s[4], d[4], e[2], o[2];
    for (int k = 0; k < 4; k++) LANES
    {
        s[k][i] = m[k * 8 + i] + m[(7 - k) * 8 + i];
        d[k][i] = m[k * 8 + i] - m[(7 - k) * 8 + i];
    }
    for (int k = 0; k < 2; k++) LANES
    {
        e[k][i] = s[k][i] + s[3 - k][i];
        o[k][i] = s[k][i] - s[3 - k][i];
    }
    LANES m[0 * 8 + i] = c[4] * (e[0][i] + e[1][i]);
    LANES m[4 * 8 + i] = c[4] * (e[0][i] - e[1][i]);
    LANES m[2 * 8 + i] = c[2] * o[0][i] + c[6] * o[1][i];
    LANES m[6 * 8 + i] = c[6] * o[0][i] - c[2] * o[1][i];
    LANES m[1 * 8 + i] = c[1] * d[0][i] + c[3] * d[1][i] + c[5] * d[2][i] + c[7] * d[3][i];
    LANES m[3 * 8 + i] = c[3] * d[0][i] - c[7] * d[1][i] - c[1] * d[2][i] - c[5] * d[3][i];
    LANES m[5 * 8 + i] = c[5] * d[0][i] - c[1] * d[1][i] + c[7] * d[2][i] + c[3] * d[3][i];
    LANES m[7 * 8 + i] = c[7] * d[0][i] - c[5] * d[1][i] + c[3] * d[2][i] - c[1] * d[3][i];
}

static inline void UT_DCT8(columns_back)(float m[64])
{
    const float *c = UT_DCT8(c);
    UT_DCT8(v8) e[4], o[4];
    LANES
    {
        float a = c[4] * (m[0 * 8 + i] + m[4 * 8 + i]), b = c[4] * (m[0 * 8 + i] - m[4 * 8 + i]);
        float p = c[2] * m[2 * 8 + i] + c[6] * m[6 * 8 + i], q = c[6] * m[2 * 8 + i] - c[2] * m[6 * 8 + i];
        e[0][i] = a + p;
        e[3][i] = a - p;
        e[1][i] = b + q;
        e[2][i] = b - q;
    }
    LANES o[0][i] = c[1] * m[8 + i] + c[3] * m[24 + i] + c[5] * m[40 + i] + c[7] * m[56 + i];
    LANES o[1][i] = c[3] * m[8 + i] - c[7] * m[24 + i] - c[1] * m[40 + i] - c[5] * m[56 + i];
    LANES o[2][i] = c[5] * m[8 + i] - c[1] * m[24 + i] + c[7] * m[40 + i] + c[3] * m[56 + i];
    LANES o[3][i] = c[7] * m[8 + i] - c[5] * m[24 + i] + c[3] * m[40 + i] - c[1] * m[56 + i];
    for (int k = 0; k < 4; k++) LANES
    {
        m[k * 8 + i] = e[k][i] + o[k][i];
        m[(7 - k) * 8 + i] = e[k][i] - o[k][i];
    }
}

static inline void UT_DCT8(forward)(const float in[64], float out[64])
{
    if (in != out) memcpy(out, in, 64 * sizeof *out);
    UT_DCT8(columns)(out);
    UT_DCT8(transpose)(out);
    UT_DCT8(columns)(out);
    UT_DCT8(transpose)(out);
}

static inline void UT_DCT8(inverse)(const float in[64], float out[64])
{
    if (in != out) memcpy(out, in, 64 * sizeof *out);
    UT_DCT8(columns_back)(out);
    UT_DCT8(transpose)(out);
    UT_DCT8(columns_back)(out);
    UT_DCT8(transpose)(out);
}
#undef LANES
