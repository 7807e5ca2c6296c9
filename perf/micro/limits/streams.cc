#include "limits/streams.h"

namespace xccl::limits {

#pragma GCC push_options
#pragma GCC target("avx512f,prefer-vector-width=512")
namespace avx512 {
#define XCCL_VECTOR_BYTES 64
#define XCCL_STREAM "vmovntdq"
#include "limits/streams.inc"
#undef XCCL_VECTOR_BYTES
#undef XCCL_STREAM
}  // namespace avx512
#pragma GCC pop_options

#pragma GCC push_options
#pragma GCC target("avx2")
namespace avx2 {
#define XCCL_VECTOR_BYTES 32
#define XCCL_STREAM "vmovntdq"
#include "limits/streams.inc"
#undef XCCL_VECTOR_BYTES
#undef XCCL_STREAM
}  // namespace avx2
#pragma GCC pop_options

namespace sse2 {
#define XCCL_VECTOR_BYTES 16
#define XCCL_STREAM "movntdq"
#include "limits/streams.inc"
#undef XCCL_VECTOR_BYTES
#undef XCCL_STREAM
}  // namespace sse2

const Streams& widest_streams() {
    static const Streams widest =
        __builtin_cpu_supports("avx512f") ? Streams{.vectors = "AVX-512",
                                                    .read = avx512::read,
                                                    .write = avx512::write,
                                                    .copy = avx512::copy,
                                                    .write_past_caches = avx512::write_past_caches,
                                                    .copy_past_caches = avx512::copy_past_caches}
        : __builtin_cpu_supports("avx2")  ? Streams{.vectors = "AVX2",
                                                    .read = avx2::read,
                                                    .write = avx2::write,
                                                    .copy = avx2::copy,
                                                    .write_past_caches = avx2::write_past_caches,
                                                    .copy_past_caches = avx2::copy_past_caches}
                                          : Streams{.vectors = "SSE2",
                                                    .read = sse2::read,
                                                    .write = sse2::write,
                                                    .copy = sse2::copy,
                                                    .write_past_caches = sse2::write_past_caches,
                                                    .copy_past_caches = sse2::copy_past_caches};
    return widest;
}

}  // namespace xccl::limits
