// The loops of floor_sums.inc with AVX-512, for processors that have it.
#include "floor_sums.h"

#define XCCL_SET compare_avx512
#define XCCL_VECTORS "AVX-512"
#define XCCL_VECTOR_BYTES 64
#define XCCL_STREAM "vmovntps"
#include "floor_sums.inc"
