// Time. cycles() costs a few nanoseconds and stamps recorder lines; now() is for deadlines.
#pragma once

#include <chrono>
#include <cstdint>
#if defined(__x86_64__)
#include <x86intrin.h>
#endif

namespace xccl {

using Clock = std::chrono::steady_clock;

inline std::uint64_t cycles() {
#if defined(__x86_64__)
    return __rdtsc();
#else
    return static_cast<std::uint64_t>(Clock::now().time_since_epoch().count());
#endif
}

// Tells the processor that this is a spin loop.
inline void relax() {
#if defined(__x86_64__)
    _mm_pause();
#elif defined(__aarch64__)
    asm volatile("yield");
#endif
}

}  // namespace xccl
