/* What stage/enhance makes of samples from standard input (16 kHz mono, 16 bit), for train/tools/fit_speech.py:
 *   speech_features NSAMPLES   a line of features (stage/enhance/speech.h) for each block of NSAMPLES samples
 *   speech_features whole      share of speech and verdict (stage/enhance/enhance.h) for everything there is */
#include "stage/enhance/speech.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int16_t block[UT_SPEECH_BLOCK];

static int whole(void)
{
    ut_listener *l;
    ut_heard h;
    ut_err e;
    if (ut_listener_new(&l, &e) != UT_OK) return 1;
    for (size_t n; (n = fread(block, sizeof *block, UT_SPEECH_BLOCK, stdin)) > 0;) ut_listener_push(l, block, n);
    ut_listener_finish(l, &h);
    ut_listener_free(l);
    printf("%.6f %d %.2f\n", h.speech_share, h.speech, h.level_db);
    return 0;
}

int main(int argc, char **argv)
{
    ut_speech *s;
    ut_err e;
    if (argc == 2 && !strcmp(argv[1], "whole")) return whole();
    size_t n = argc == 2 ? strtoul(argv[1], NULL, 10) : 0;
    if (n < UT_SPEECH_LEAST || n > UT_SPEECH_BLOCK) {
        fprintf(stderr, "usage: speech_features NSAMPLES|whole <SAMPLES, with %d to %d samples a block\n", UT_SPEECH_LEAST, UT_SPEECH_BLOCK);
        return 2;
    }
    if (ut_speech_new(&s, &e) != UT_OK) return 1;
    while (fread(block, sizeof *block, n, stdin) == n) {
        double f[UT_SPEECH_NFEATURES];
        ut_speech_features(s, block, n, f);
        for (int i = 0; i < UT_SPEECH_NFEATURES; i++) printf("%.6g%c", f[i], i + 1 < UT_SPEECH_NFEATURES ? ' ' : '\n');
    }
    ut_speech_free(s);
    return 0;
}
