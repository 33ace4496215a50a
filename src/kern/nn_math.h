/* exp, log, tanh and the logistic function in single precision, without branches, so that loops over them become vector code.
 * Included once for each instruction set.  Relative error below 3e-7 (test_nn measures it); NaN stays NaN. */
#include <stdint.h>
#include <string.h>

static inline float nn_from_bits(uint32_t u)
{
    float f;
    memcpy(&f, &u, sizeof f);
    return f;
}

static inline uint32_t nn_to_bits(float f)
{
    uint32_t u;
    memcpy(&u, &f, sizeof u);
    return u;
}

/* e^x for x within -87..88, beyond that the value there: x = n ln 2 + r, |r| <= ln(2)/2, and e^r by its series. */
static inline float nn_exp(float x)
{
    const float big = 12582912.0f; /* 1.5 * 2^23: adding it rounds to a whole number in the low bits */
    x = x < -87.0f ? -87.0f : x;
    x = x > 88.0f ? 88.0f : x;
    float z = x * 1.44269504f + big, n = z - big;
    float r = x - n * 0.693359375f + n * 2.12194440e-4f; /* ln 2 in two parts, the first exact in few bits */
    float p = 1.0f / 5040;
    p = p * r + 1.0f / 720;
    p = p * r + 1.0f / 120;
    p = p * r + 1.0f / 24;
    p = p * r + 1.0f / 6;
    p = p * r + 0.5f;
    p = p * r * r + r;
    return nn_from_bits((nn_to_bits(z) - nn_to_bits(big) + 127) << 23) * (p + 1.0f);
}

static inline float nn_sigmoid(float x) { return 1.0f / (1.0f + nn_exp(-x)); }

/* Near zero Lambert's continued fraction, elsewhere (e^2x - 1)/(e^2x + 1). */
static inline float nn_tanh(float x)
{
    float a = x < 0 ? -x : x, q = x * x;
    float e = nn_exp(2.0f * (a > 10.0f ? 10.0f : a));
    float up = a * (135135.0f + q * (17325.0f + q * (378.0f + q))), down = 135135.0f + q * (62370.0f + q * (3150.0f + q * 28.0f));
    up = a < 0.6f ? up : e - 1.0f;
    down = a < 0.6f ? down : e + 1.0f;
    float t = up / down;
    return x < 0 ? -t : t;
}

/* ln x of a normal positive number: x = 2^n m, m within sqrt(1/2)..sqrt(2), and ln m = 2 artanh((m - 1)/(m + 1)) by its series. */
static inline float nn_log(float x)
{
    uint32_t u = nn_to_bits(x) - 0x3f3504f3; /* sqrt(1/2) */
    float n = (float)((int32_t)u >> 23), m = nn_from_bits((u & 0x7fffff) + 0x3f3504f3);
    float t = (m - 1.0f) / (m + 1.0f), q = t * t;
    float p = q * (1.0f / 3 + q * (1.0f / 5 + q * (1.0f / 7 + q * (1.0f / 9))));
    return n * 0.69314718f + 2.0f * (t + t * p);
}
