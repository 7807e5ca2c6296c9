// The reduction kernels for any processor.
#include <algorithm>
#include <cstring>

#if defined(__x86_64__)
#include <emmintrin.h>
#endif

#include "base/limits.h"
#include "device/elements.h"
#include "device/reduce_table.h"
#include "device/taken.h"

namespace xccl {
namespace {
#include "device/lanes.inc"

constexpr std::size_t kLanesBytes = 0;
// 16 bytes past the caches, where that is known to be possible; `to` is aligned to them.
constexpr std::size_t kStreamedBytes = 16;
[[gnu::always_inline]] inline void stream_register(std::byte* to, const std::byte* from) {
#if defined(__x86_64__)
    _mm_stream_si128(reinterpret_cast<__m128i*>(to),
                     _mm_loadu_si128(reinterpret_cast<const __m128i*>(from)));
#else
    std::memcpy(to, from, kStreamedBytes);
#endif
}

#include "device/reduce_kernels.inc"
}  // namespace

const ReduceTable kGenericReduceTable = {"generic", XCCL_REDUCE_KERNELS};
}  // namespace xccl
