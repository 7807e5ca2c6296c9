// The loops of floor_sums.inc with SSE2, which every x86-64 has.
#include "floor_sums.h"

#define XCCL_SET compare_sse2
#define XCCL_VECTORS "SSE2"
#define XCCL_VECTOR_BYTES 16
#define XCCL_STREAM "movntps"
#include "floor_sums.inc"
