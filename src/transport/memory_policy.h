// What the protocols over shared memory are templates over: the kinds of words, and the order of
// each access that orders something.
//
// The policy names the orders one by one, so that a memory-model checker can weaken each of them
// alone, and must notice (tests/transport/mailbox_relacy_test.cc).
#pragma once

#include <atomic>

namespace xccl {

// The host's own memory.
struct HostMemory {
    template <typename T>
    using Atomic = std::atomic<T>;
    template <typename T>
    using Plain = T;  // what the atomics above order; a checker watches each access

    // mailbox.h
    static constexpr auto kFlagStore = std::memory_order_release;
    static constexpr auto kFlagLoad = std::memory_order_acquire;
    static constexpr auto kConsumedStore = std::memory_order_release;
    static constexpr auto kConsumedLoad = std::memory_order_acquire;
    // failure_record.h
    static constexpr auto kFailureStore = std::memory_order_release;
    static constexpr auto kFailureLoad = std::memory_order_acquire;
    // bell_word.h
    static constexpr auto kArmStore = std::memory_order_release;
    static constexpr auto kArmTake = std::memory_order_acquire;
};

}  // namespace xccl
