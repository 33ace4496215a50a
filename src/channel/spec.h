/* A channel's specification, parsed: private to channel/. */
#ifndef UT_CHANNEL_SPEC_H
#define UT_CHANNEL_SPEC_H
#include "channel/profile.h"

enum { UT_CHANNEL_STEPS = 16, UT_CHANNEL_VARIANTS = 1000, UT_CHANNEL_SPEC = 256, UT_MILLION = 1000000 };

typedef enum ut_step_kind {
    UT_STEP_PNG,
    UT_STEP_JPEG,
    UT_STEP_WEBP,
    UT_STEP_AVIF,
    UT_STEP_FACTOR, /* resize by ppm */
    UT_STEP_CAP,    /* resize to a width of cap, smaller left alone */
    UT_STEP_CROP,   /* ppm of each side kept */
    UT_STEP_PROFILE
} ut_step_kind;

typedef struct ut_channel_step {
    ut_step_kind kind;
    unsigned from, to; /* qualities; equal if there is no choice */
    unsigned hsamp, vsamp;
    bool sampling_named; /* for the variant's name */
    uint32_t ppm, cap;
    ut_profile *profile; /* owned */
} ut_channel_step;

struct ut_channel {
    char spec[UT_CHANNEL_SPEC];
    char note[256];
    size_t nsteps, nvariants;
    ut_channel_step step[UT_CHANNEL_STEPS];
};

size_t ut_step_nvariants(const ut_channel_step *s);
unsigned ut_step_quality(const ut_channel_step *s, size_t i); /* the i-th quality of the range */
/* Which of step k's variants belongs to variant i of the whole: the last step counts fastest. */
size_t ut_step_variant(const ut_channel *c, size_t k, size_t i);
#endif
