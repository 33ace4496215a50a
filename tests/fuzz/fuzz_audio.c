/* An audio file of foreign bytes. */
#include "media/audio.h"
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    ut_err e = { 0 };
    ut_pcm p;
    ut_status s = ut_audio_read(data, n, "fuzz", &p, &e);
    if ((s == UT_OK) != (p.sample && p.nsamples && p.rate_hz == UT_SPEECH_HZ)) abort();
    if (s != UT_OK && !e.text[0]) abort();
    ut_pcm_free(&p);
    return 0;
}
