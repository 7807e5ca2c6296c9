#include "floor_sums.h"

namespace xccl::compare {
#ifndef XCCL_AHEAD
#define XCCL_AHEAD 16
#endif

#pragma GCC push_options
#pragma GCC target("avx512f,prefer-vector-width=512")
namespace floor_avx512 {
#define XCCL_VECTOR_BYTES 64
#define XCCL_STREAM "vmovntps"
#include "floor_sums.inc"
#undef XCCL_VECTOR_BYTES
#undef XCCL_STREAM
}  // namespace floor_avx512
#pragma GCC pop_options

#pragma GCC push_options
#pragma GCC target("avx2")
namespace floor_avx2 {
#define XCCL_VECTOR_BYTES 32
#define XCCL_STREAM "vmovntps"
#include "floor_sums.inc"
#undef XCCL_VECTOR_BYTES
#undef XCCL_STREAM
}  // namespace floor_avx2
#pragma GCC pop_options

namespace floor_sse2 {
#define XCCL_VECTOR_BYTES 16
#define XCCL_STREAM "movntps"
#include "floor_sums.inc"
#undef XCCL_VECTOR_BYTES
#undef XCCL_STREAM
}  // namespace floor_sse2

const FloorKernels& floor_kernels() {
    static const FloorKernels widest =
        __builtin_cpu_supports("avx512f")
            ? FloorKernels{.sum = floor_avx512::sum,
                           .sum_past_caches = floor_avx512::sum_past_caches,
                           .sum_taking = floor_avx512::sum_taking,
                           .copy_taking = floor_avx512::copy_taking,
                           .copy_taking_past_caches = floor_avx512::copy_taking_past_caches,
                           .copy = floor_avx512::copy,
                           .copy_past_caches = floor_avx512::copy_past_caches}
        : __builtin_cpu_supports("avx2")
            ? FloorKernels{.sum = floor_avx2::sum,
                           .sum_past_caches = floor_avx2::sum_past_caches,
                           .sum_taking = floor_avx2::sum_taking,
                           .copy_taking = floor_avx2::copy_taking,
                           .copy_taking_past_caches = floor_avx2::copy_taking_past_caches,
                           .copy = floor_avx2::copy,
                           .copy_past_caches = floor_avx2::copy_past_caches}
            : FloorKernels{.sum = floor_sse2::sum,
                           .sum_past_caches = floor_sse2::sum_past_caches,
                           .sum_taking = floor_sse2::sum_taking,
                           .copy_taking = floor_sse2::copy_taking,
                           .copy_taking_past_caches = floor_sse2::copy_taking_past_caches,
                           .copy = floor_sse2::copy,
                           .copy_past_caches = floor_sse2::copy_past_caches};
    return widest;
}

}  // namespace xccl::compare
