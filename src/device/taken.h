// Sources that are taken: read with the right to write their lines.
//
// A line that another core wrote last is fetched to be read, and fetched again, or at least asked
// for, to be written. Who will write there next had better take it so at once. Lines are taken a
// little ahead of the loads.
#pragma once

#include <cstddef>

namespace xccl {

constexpr std::size_t kTakenLineBytes = 64;
// About as many lines as a core waits for at a time. Origin: all-reduces of 16 KiB to 2 MiB between
// 2 ranks with 8, 16, 32 and 64 lines, 2 cores of an Intel Xeon, 2026-11-29: 8 to 16 are best, 64
// take up to 1.08 of the time.
constexpr std::size_t kTakenAheadBytes = 12 * kTakenLineBytes;

inline void take_line(const std::byte* at) {
#if defined(__x86_64__)
    // The compiler's own prefetch to write is one to read where it may not assume this instruction,
    // which processors without it ignore.
    asm volatile("prefetchw %0" : : "m"(*at));
#else
    __builtin_prefetch(at, 1, 3);
#endif
}

inline void take_lines(const std::byte* from, std::size_t bytes) {
    for (std::size_t i = 0; i < bytes; i += kTakenLineBytes) take_line(from + i);
}

// As copy_bytes() (kernels.h).
void copy_bytes_taken(std::byte* destination, const std::byte* source, std::size_t bytes);

}  // namespace xccl
