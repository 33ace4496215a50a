/* The decoder of `spectrum` and nothing else, for exact.sh, which builds it with every compiler and for every processor that
 * it finds: decode_spectrum PAYLOAD writes the samples to standard output, 16-bit little-endian. */
#include "stage/payload/payload_internal.h"
#include <stdio.h>
#include <stdlib.h>

ut_status ut_pcm_alloc(ut_pcm *p, uint64_t nsamples, ut_err *e)
{
    *p = (ut_pcm){ calloc((size_t)nsamples, sizeof *p->sample), (size_t)nsamples, UT_SPEECH_HZ };
    return p->sample ? UT_OK : ut_fail(e, UT_E_MEMORY, "no memory");
}

int main(int argc, char **argv)
{
    static uint8_t data[1 << 20];
    ut_payload_view v;
    ut_payload_out out = { 0 };
    ut_err e = { 0 };
    FILE *f = argc == 2 ? fopen(argv[1], "rb") : NULL;
    if (!f) return fprintf(stderr, "usage: decode_spectrum PAYLOAD\n"), 2;
    size_t n = fread(data, 1, sizeof data, f);
    fclose(f);
    ut_status s = ut_payload_view_init(&v, data, n, 2048, NULL, &e);
    if (s == UT_OK && v.head.codec == UT_CODEC_SPECTRUM) s = ut_payload_decode_spectrum(&v, &out, &e);
    if (s != UT_OK) return fprintf(stderr, "%s: %s\n", argv[1], e.text), 1;
    for (size_t i = 0; i < out.pcm.nsamples; i++) {
        putchar(out.pcm.sample[i] & 255);
        putchar(out.pcm.sample[i] >> 8 & 255);
    }
    free(out.pcm.sample);
    return fflush(stdout) != 0;
}
