// The loops of streams.inc with AVX2, for processors that have it.
#include "limits/streams.h"

#define XCCL_SET limits_avx2
#define XCCL_VECTORS "AVX2"
#define XCCL_VECTOR_BYTES 32
#define XCCL_STREAM "vmovntdq"
#include "limits/streams.inc"
