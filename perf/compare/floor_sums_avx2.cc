// The loops of floor_sums.inc with AVX2, for processors that have it.
#include "floor_sums.h"

#define XCCL_SET compare_avx2
#define XCCL_VECTORS "AVX2"
#define XCCL_VECTOR_BYTES 32
#define XCCL_STREAM "vmovntps"
#include "floor_sums.inc"
