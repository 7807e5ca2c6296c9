// The loops of streams.inc with AVX-512, for processors that have it.
#include "limits/streams.h"

#define XCCL_SET limits_avx512
#define XCCL_VECTORS "AVX-512"
#define XCCL_VECTOR_BYTES 64
#define XCCL_STREAM "vmovntdq"
#include "limits/streams.inc"
