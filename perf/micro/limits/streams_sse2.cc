// The loops of streams.inc with SSE2, which every x86-64 has.
#include "limits/streams.h"

#define XCCL_SET limits_sse2
#define XCCL_VECTORS "SSE2"
#define XCCL_VECTOR_BYTES 16
#define XCCL_STREAM "movntdq"
#include "limits/streams.inc"
