#define ROUND ut_ldpc_round_plain
#include "stage/fec/ldpc_round_impl.h"
