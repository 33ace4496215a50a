/* Renders a photo-like picture: sky and clouds, mountains, a lake that mirrors them, a meadow, and a camera's noise.
 * Usage: render_scene OUT.png [WIDTH HEIGHT [SEED]]
 *
 * For the demonstration and the tests, which need a natural-looking photo of ours: smooth and busy regions, bright and
 * dark ones.  The same arguments give the same picture.  Everything is gradient-free value noise, summed over octaves
 * (fractal noise; Perlin 1985), looked up by position; lengths are in units of the picture's height.
 */
#include "media/image.h"
#include "base/parallel.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct rgb {
    float r, g, b;
} rgb;

typedef struct scene {
    uint32_t width, height, seed;
    uint8_t *out; /* [height][width][3] */
} scene;

static const float horizon = 0.60f, shore = 0.80f, sun_u = 1.02f, sun_v = 0.30f;

static uint32_t hash(uint32_t x, uint32_t y, uint32_t seed)
{
    uint32_t h = x * 0x9e3779b1u ^ y * 0x85ebca77u ^ seed * 0xc2b2ae3du;
    h ^= h >> 15;
    h *= 0x2c1b3c6du;
    h ^= h >> 12;
    h *= 0x297a2d39u;
    return h ^ h >> 15;
}

static float unit(uint32_t h) { return (float)(h >> 8) * (1.0f / 16777216.0f); }
static float clampf(float x, float lo, float hi) { return x < lo ? lo : x > hi ? hi : x; }

static float smooth(float lo, float hi, float x)
{
    float t = clampf((x - lo) / (hi - lo), 0, 1);
    return t * t * (3 - 2 * t);
}

static rgb mix(rgb a, rgb b, float t)
{
    return (rgb){ a.r + (b.r - a.r) * t, a.g + (b.g - a.g) * t, a.b + (b.b - a.b) * t };
}

static rgb scale(rgb a, float k) { return (rgb){ a.r * k, a.g * k, a.b * k }; }

/* Value noise in 0..1, one cell a unit. */
static float noise(float x, float y, uint32_t seed)
{
    float fx = floorf(x), fy = floorf(y), tx = x - fx, ty = y - fy;
    uint32_t ix = (uint32_t)(int32_t)fx, iy = (uint32_t)(int32_t)fy;
    float a = unit(hash(ix, iy, seed)), b = unit(hash(ix + 1, iy, seed));
    float c = unit(hash(ix, iy + 1, seed)), d = unit(hash(ix + 1, iy + 1, seed));
    tx = tx * tx * tx * (tx * (tx * 6 - 15) + 10);
    ty = ty * ty * ty * (ty * (ty * 6 - 15) + 10);
    return (a + (b - a) * tx) * (1 - ty) + (c + (d - c) * tx) * ty;
}

static float fractal(float x, float y, int octaves, uint32_t seed)
{
    float sum = 0, weight = 0.5f, all = 0;
    for (int i = 0; i < octaves; i++) {
        float turned = 0.8f * x - 0.6f * y;
        sum += weight * noise(x, y, seed + (uint32_t)i);
        all += weight;
        y = 2.03f * (0.6f * x + 0.8f * y) + 7.1f;
        x = 2.03f * turned + 3.7f;
        weight *= 0.5f;
    }
    return sum / all;
}

/* Sharp crests, for rock. */
static float ridged(float x, float y, int octaves, uint32_t seed)
{
    float sum = 0, weight = 0.5f, all = 0;
    for (int i = 0; i < octaves; i++) {
        float n = 1 - fabsf(2 * noise(x, y, seed + (uint32_t)i) - 1);
        sum += weight * n * n;
        all += weight;
        x = 2.1f * x + 5.3f;
        y = 2.1f * y + 1.9f;
        weight *= 0.5f;
    }
    return sum / all;
}

static rgb sky(float u, float v, uint32_t seed)
{
    static const rgb high = { 0.16f, 0.36f, 0.72f }, low = { 0.80f, 0.86f, 0.93f }, warm = { 1.0f, 0.86f, 0.62f };
    static const rgb lit = { 1.0f, 0.97f, 0.92f }, shaded = { 0.60f, 0.65f, 0.74f };
    float t = clampf(v / horizon, 0, 1), far = 1 / (horizon - v * 0.92f + 0.06f);
    float d2 = (u - sun_u) * (u - sun_u) + (v - sun_v) * (v - sun_v);
    rgb c = mix(high, low, powf(t, 1.2f));
    c = mix(c, warm, 0.55f * expf(-d2 * 9) + 0.35f * expf(-d2 * 160));
    float x = u * far * 0.9f, y = far * 1.3f;
    float cover = fractal(x, y, 7, seed + 11), toward_sun = fractal(x + 0.10f, y - 0.14f, 5, seed + 11);
    float dense = smooth(0.47f, 0.70f, cover) * smooth(1.02f, 0.75f, t);
    rgb cloud = mix(lit, shaded, clampf(0.25f + 3.2f * (toward_sun - 0.48f), 0, 1));
    return mix(c, cloud, 0.92f * dense);
}

/* Height of a range's crest above the horizon. */
static float crest(float u, float base, float rise, float frequency, uint32_t seed)
{
    return base + rise * (0.6f * ridged(u * frequency, 0.5f, 6, seed) + 0.4f * fractal(u * frequency * 0.6f, 3, 4, seed + 50));
}

static rgb mountain(float u, float v, float top, uint32_t seed)
{
    static const rgb rock = { 0.36f, 0.34f, 0.36f }, snow = { 0.93f, 0.95f, 0.99f }, haze = { 0.64f, 0.73f, 0.85f };
    const float e = 0.004f;
    float x = u * 7 + v * 2.5f, y = v * 9;
    float here = ridged(x, y, 6, seed), light = (here - ridged(x + e * 9, y - e * 7, 6, seed)) * 5.5f;
    float altitude = (horizon - v) - 0.11f + 0.10f * (fractal(u * 12, v * 12, 5, seed + 9) - 0.5f);
    float white = smooth(0.02f, 0.07f, altitude) * smooth(0.75f, 0.35f, fabsf(light));
    rgb c = scale(mix(rock, snow, white), clampf(0.72f + light, 0.22f, 1.12f));
    float depth = 0.30f + 0.35f * smooth(top, horizon, v);
    return mix(c, haze, depth);
}

static rgb forest(float u, float v, float depth, uint32_t seed)
{
    static const rgb dark = { 0.05f, 0.10f, 0.06f }, light = { 0.23f, 0.33f, 0.13f }, haze = { 0.55f, 0.66f, 0.72f };
    float crowns = fractal(u * 130, v * 75, 4, seed), slope = fractal(u * 6, v * 14, 4, seed + 5);
    rgb c = mix(dark, light, clampf(1.8f * (crowns - 0.30f), 0, 1) * clampf(0.35f + slope, 0, 1));
    return mix(c, haze, depth);
}

/* Crest with the tips of firs. */
static float treeline(float u, float base, float rise, uint32_t seed)
{
    float tip = 0;
    for (int i = 0; i < 2; i++) {
        float x = u * (70 + 45 * (float)i) + (float)i * 0.37f, cell = floorf(x);
        uint32_t h = hash((uint32_t)(int32_t)cell, (uint32_t)i, seed + 77);
        float height = 0.006f + 0.016f * unit(h), at = 0.3f + 0.4f * unit(h * 2654435761u);
        float here = height * (1 - fabsf(x - cell - at) * 2.6f);
        tip = here > tip ? here : tip;
    }
    return base + rise * fractal(u * 2.2f, 1, 5, seed) + tip;
}

static rgb above_water(float u, float v, uint32_t seed)
{
    float far = horizon - crest(u, 0.05f, 0.36f, 1.9f, seed + 100), near = horizon - treeline(u, 0.012f, 0.11f, seed + 200);
    float shoreline = horizon - treeline(u + 5, -0.012f, 0.055f, seed + 300);
    if (v >= shoreline)
        return forest(u, v, 0.05f, seed + 301);
    if (v >= near)
        return forest(u, v, 0.26f, seed + 201);
    if (v >= far)
        return mountain(u, v, far, seed + 101);
    return sky(u, v, seed);
}

static rgb water(float u, float v, uint32_t seed)
{
    static const rgb deep = { 0.05f, 0.14f, 0.19f };
    float near = (v - horizon) / (shore - horizon), f = 1 / (0.08f + near);
    float wave = ridged((u - 0.67f) * 9 * f, (v - horizon) * 120 * f, 4, seed + 400) - 0.5f;
    float mirrored = 2 * horizon - v - 0.055f * wave * (0.25f + near);
    rgb c = above_water(u + 0.012f * wave, clampf(mirrored * 0.96f + 0.02f, 0, horizon), seed);
    float glint = smooth(0.70f, 0.90f, wave + 0.5f) * expf(-(u - sun_u) * (u - sun_u) * 26);
    c = mix(c, deep, 0.20f + 0.42f * near + 0.35f * wave);
    return mix(c, (rgb){ 1, 0.95f, 0.82f }, 0.75f * glint);
}

static rgb meadow(float u, float v, uint32_t seed)
{
    static const rgb shade = { 0.05f, 0.085f, 0.025f }, blade = { 0.40f, 0.47f, 0.15f }, dry = { 0.58f, 0.50f, 0.26f };
    static const rgb petals[3] = { { 0.95f, 0.93f, 0.90f }, { 0.93f, 0.74f, 0.16f }, { 0.62f, 0.30f, 0.62f } };
    float near = (v - shore) / (1 - shore), f = 1 / (0.35f + near);
    float lean = 0.06f * (fractal(u * 5, v * 5, 3, seed + 500) - 0.5f);
    float blades = 0.75f * ridged((u - 0.67f + lean) * 95 * f, v * 22 * f, 5, seed + 501) + 0.25f * fractal(u * 40, v * 60, 4, seed + 504);
    float patch = fractal(u * 4, v * 9, 5, seed + 502);
    rgb c = mix(shade, mix(blade, dry, smooth(0.45f, 0.75f, patch)), clampf(1.9f * (blades - 0.26f), 0, 1));
    c = scale(c, 0.55f + 0.75f * patch);
    float x = (u - 0.67f) * 60 * f, y = v * 70 * f, cx = floorf(x), cy = floorf(y);
    uint32_t h = hash((uint32_t)(int32_t)cx, (uint32_t)(int32_t)cy, seed + 503);
    float dx = x - cx - 0.3f - 0.4f * unit(h * 3), dy = (y - cy - 0.3f - 0.4f * unit(h * 5)) * 1.2f;
    if (unit(h) < 0.16f * smooth(0.35f, 0.6f, patch) && dx * dx + dy * dy < 0.035f)
        c = scale(petals[h % 3], 0.75f + 0.3f * blades);
    return c;
}

static rgb look(float u, float v, uint32_t seed)
{
    float edge = shore + 0.045f * (fractal(u * 3, 8, 5, seed + 600) - 0.5f) + 0.012f * (noise(u * 120, 2, seed + 601) - 0.5f);
    if (v >= edge)
        return meadow(u, v, seed);
    return v >= horizon ? water(u, v, seed) : above_water(u, v, seed);
}

/* Sum of four uniform numbers: near enough to a normal one of deviation 1. */
static float gauss(uint32_t x, uint32_t y, uint32_t seed)
{
    float s = 0;
    for (uint32_t i = 0; i < 4; i++)
        s += unit(hash(x, y, seed + i)) - 0.5f;
    return s * 1.732f;
}

/* Vignette, tone curve, then noise that grows with the light, as a sensor's does. */
static void develop(const scene *s, uint32_t x, uint32_t y, rgb c)
{
    float aspect = (float)s->width / (float)s->height;
    float du = ((float)x / (float)s->width - 0.5f) * aspect, dv = (float)y / (float)s->height - 0.5f;
    float light[3] = { c.r, c.g, c.b }, dim = 1 - 0.22f * (du * du + dv * dv);
    for (uint32_t k = 0; k < 3; k++) {
        float v = clampf(light[k] * dim, 0, 1);
        v = v * v * (3 - 2 * v) * 0.35f + v * 0.65f;
        float grain = gauss(x, y, s->seed + 900 + 8 * k) * (0.0035f + 0.0060f * sqrtf(v));
        s->out[((size_t)y * s->width + x) * 3 + k] = (uint8_t)lrintf(clampf(v + grain, 0.004f, 0.996f) * 255);
    }
}

static void render_row(void *arg, size_t y)
{
    const scene *s = arg;
    float h = (float)s->height;
    for (uint32_t x = 0; x < s->width; x++) {
        rgb a = look(((float)x + 0.25f) / h, ((float)y + 0.25f) / h, s->seed);
        rgb b = look(((float)x + 0.75f) / h, ((float)y + 0.75f) / h, s->seed);
        develop(s, x, (uint32_t)y, mix(a, b, 0.5f));
    }
}

int main(int argc, char **argv)
{
    unsigned long size[3] = { 1600, 1200, 1 };
    ut_picture pic;
    ut_buf file = { 0 };
    ut_err e = { 0 };
    if (argc < 2 || argc == 3 || argc > 5) {
        fprintf(stderr, "usage: render_scene OUT.png [WIDTH HEIGHT [SEED]]\n");
        return 2;
    }
    for (int i = 2; i < argc; i++)
        size[i - 2] = strtoul(argv[i], NULL, 10);
    if (size[0] < 1 || size[0] > UT_MAX_SIDE || size[1] < 1 || size[1] > UT_MAX_SIDE ||
        ut_picture_alloc(&pic, (uint32_t)size[0], (uint32_t)size[1], false, &e) != UT_OK) {
        fprintf(stderr, "render_scene: %s\n", e.text[0] ? e.text : "width and height must be 1 to 65535");
        return 2;
    }
    scene s = { pic.width, pic.height, (uint32_t)size[2] * 7919u, pic.rgb };
    ut_parallel(0, pic.height, render_row, &s);
    ut_status status = ut_image_write_png(&pic, &file, &e);
    FILE *f = status == UT_OK ? fopen(argv[1], "wb") : NULL;
    int failed = !f || fwrite(file.data, 1, file.len, f) != file.len;
    failed |= f && fclose(f);
    if (failed)
        fprintf(stderr, "render_scene: cannot write %s: %s\n", argv[1], e.text);
    ut_picture_free(&pic);
    ut_buf_free(&file);
    return failed ? 7 : 0;
}
