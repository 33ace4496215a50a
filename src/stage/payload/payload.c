#include "stage/payload/payload.h"
#include "stage/payload/payload_internal.h"
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

const char *ut_codec_name(ut_codec c)
{
    static const char *const name[] = { "auto", "opus", "flac", "raw", "spectrum" };
    return name[c];
}

void ut_pcm_free(ut_pcm *p)
{
    if (!p) return;
    if (p->sample) ut_wipe(p->sample, p->nsamples * sizeof *p->sample);
    free(p->sample);
    *p = (ut_pcm){ 0 };
}

void ut_payload_out_free(ut_payload_out *o)
{
    if (!o) return;
    ut_pcm_free(&o->pcm);
    ut_buf_free(&o->raw);
    *o = (ut_payload_out){ 0 };
}

ut_status ut_pcm_alloc(ut_pcm *p, uint64_t nsamples, ut_err *e)
{
    *p = (ut_pcm){ .rate_hz = UT_SPEECH_HZ };
    p->sample = ut_calloc((size_t)nsamples, sizeof *p->sample, e);
    if (!p->sample) return UT_E_MEMORY;
    p->nsamples = (size_t)nsamples;
    return UT_OK;
}

ut_status ut_sha256_bytes(const uint8_t *p, size_t n, uint8_t out[UT_SHA256_NBYTES], ut_err *e)
{
    if (EVP_Digest(n ? p : out, n, out, NULL, EVP_sha256(), NULL) == 1) return UT_OK;
    return ut_fail(e, UT_E_INTERNAL, "SHA-256 is not available from OpenSSL");
}

ut_status ut_sha256_pcm(const ut_pcm *pcm, uint8_t out[UT_SHA256_NBYTES], ut_err *e)
{
    uint8_t le[4096];
    EVP_MD_CTX *c = EVP_MD_CTX_new();
    bool ok = c && EVP_DigestInit_ex(c, EVP_sha256(), NULL) == 1;
    for (size_t at = 0; ok && at < pcm->nsamples;) {
        size_t m = pcm->nsamples - at < sizeof le / 2 ? pcm->nsamples - at : sizeof le / 2;
        for (size_t i = 0; i < m; i++) ut_put16(le + 2 * i, (uint16_t)pcm->sample[at + i]);
        ok = EVP_DigestUpdate(c, le, 2 * m) == 1;
        at += m;
    }
    ok = ok && EVP_DigestFinal_ex(c, out, NULL) == 1;
    EVP_MD_CTX_free(c);
    ut_wipe(le, sizeof le);
    return ok ? UT_OK : ut_fail(e, UT_E_INTERNAL, "SHA-256 is not available from OpenSSL");
}

/* Everything but the judgement whether the result is exact. */
static ut_status decode_body(const ut_payload_view *v, ut_payload_out *out, ut_err *e)
{
    ut_status s = UT_E_INTERNAL;
    *out = (ut_payload_out){ .info.codec = v->head.codec };
    switch (v->head.codec) {
    case UT_CODEC_OPUS: s = ut_payload_decode_opus(v, out, e); break;
    case UT_CODEC_SPECTRUM: s = ut_payload_decode_spectrum(v, out, e); break;
    case UT_CODEC_FLAC: s = ut_payload_decode_flac(v, out, e); break;
    case UT_CODEC_RAW: s = ut_payload_decode_raw(v, out, e); break;
    case UT_CODEC_AUTO: break;
    }
    if (s == UT_OK) {
        bool raw = v->head.codec == UT_CODEC_RAW;
        out->info.nsamples = out->pcm.nsamples;
        if (!raw) out->info.kbps = (double)v->n * 8.0 * UT_SPEECH_HZ / 1000.0 / (double)out->pcm.nsamples;
        s = raw ? ut_sha256_bytes(out->raw.data, out->raw.len, out->info.sha256, e)
                : ut_sha256_pcm(&out->pcm, out->info.sha256, e);
    }
    if (s != UT_OK) ut_payload_out_free(out);
    return s;
}

ut_status ut_payload_finish(ut_buf *payload, size_t segment_nbytes, ut_pcm *preview, ut_payload_info *info, ut_err *e)
{
    ut_payload_view v;
    ut_payload_out out = { 0 };
    ut_status s = ut_payload_view_init(&v, payload->data, payload->len, segment_nbytes, NULL, e);
    if (s == UT_OK) s = decode_body(&v, &out, e);
    if (s != UT_OK) /* what was just written must be readable */
        return s == UT_E_MEMORY ? s : ut_fail(e, UT_E_INTERNAL, "the coded recording cannot be decoded");
    ut_payload_set_sha256(payload, out.info.sha256);
    *info = out.info;
    *preview = out.pcm;
    out.pcm = (ut_pcm){ 0 };
    ut_payload_out_free(&out);
    return UT_OK;
}

ut_status ut_payload_decode(const uint8_t *payload, size_t n, size_t segment_nbytes, const uint8_t *segment_ok,
                            ut_payload_out *out, ut_err *e)
{
    ut_payload_view v;
    *out = (ut_payload_out){ 0 };
    ut_status s = ut_payload_check_segment(segment_nbytes, e);
    if (s == UT_OK) s = ut_payload_view_init(&v, payload, n, segment_nbytes, segment_ok, e);
    if (s == UT_OK) s = decode_body(&v, out, e);
    if (s != UT_OK) return s;
    out->exact = v.head.sha256 && memcmp(v.head.sha256, out->info.sha256, UT_SHA256_NBYTES) == 0;
    if (out->exact) return UT_OK;
    if (v.nlost)
        return ut_fail(e, UT_E_DAMAGED, "%zu of the message's %zu segments are lost; %.2f s are silent", v.nlost,
                       v.nsegments, out->lost_s);
    return ut_fail(e, UT_E_DAMAGED, "the result is not what the sender previewed: the SHA-256 differs");
}
