#include "stage/payload/payload_internal.h"

ut_status ut_payload_encode_flac(const ut_pcm *in, size_t segment_nbytes, ut_buf *payload, ut_pcm *preview,
                                 ut_payload_info *info, ut_err *e)
{
    (void)payload;
    *preview = (ut_pcm){ 0 };
    *info = (ut_payload_info){ 0 };
    ut_status s = ut_payload_check_audio(in, segment_nbytes, e);
    return s != UT_OK ? s : ut_fail(e, UT_E_UNSUPPORTED, "FLAC is not built in yet");
}

ut_status ut_payload_decode_flac(const ut_payload_view *v, ut_payload_out *out, ut_err *e)
{
    (void)v, (void)out;
    return ut_fail(e, UT_E_UNSUPPORTED, "FLAC is not built in yet");
}
