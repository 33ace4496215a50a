#include "stage/fec/ldpc.h"
#if defined(__AVX2__)
#define ROUND ut_ldpc_round_avx2
#include "stage/fec/ldpc_round_impl.h"
#else
bool ut_ldpc_round_avx2(const ut_ldpc *g, const ut_ldpc_state *s, unsigned keep) { return ut_ldpc_round_plain(g, s, keep); }
#endif
