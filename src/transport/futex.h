// The kernel's wait queue on a 32-bit word, between threads or processes that map it.
#pragma once

#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <climits>
#include <cstdint>
#include <ctime>

namespace xccl {

// Sleeps while *word == expected, at most `limit`. May return early for no reason.
inline void futex_wait(std::atomic<std::uint32_t>* word, std::uint32_t expected,
                       std::chrono::nanoseconds limit) {
    constexpr std::int64_t kNanosecondsPerSecond = 1'000'000'000;
    const timespec timeout{static_cast<time_t>(limit.count() / kNanosecondsPerSecond),
                           static_cast<long>(limit.count() % kNanosecondsPerSecond)};
    syscall(SYS_futex, word, FUTEX_WAIT, expected, &timeout, nullptr, 0);
}

inline void futex_wake_all(std::atomic<std::uint32_t>* word) {
    syscall(SYS_futex, word, FUTEX_WAKE, INT_MAX, nullptr, nullptr, 0);
}

}  // namespace xccl
