// The word of a doorbell: how many sleep on it, and whether the next publisher must ring.
//
// A template over a Memory policy (memory_policy.h), so that a memory-model checker runs this very
// source (tests/transport/doorbell_relacy_test.cc). What the word is for stands in doorbell.h.
#pragma once

#include <atomic>
#include <cstdint>

#include "transport/memory_policy.h"

namespace xccl {

template <class Memory>
struct BasicBellWord {
    using Word = typename Memory::template Atomic<std::uint32_t>;
    static constexpr std::uint32_t kArmed = 1;
    static constexpr std::uint32_t kOneSleeper = 2;  // sleepers * kOneSleeper + kArmed

    // Of a publisher, after its store. Ordered behind it by the sleeper's barrier alone.
    static bool is_armed(const Word& word) { return word.load(std::memory_order_relaxed) & kArmed; }

    // Of a publisher: whoever disarms it rings it. Pairs with the release of arm(), so that what
    // the sleeper wrote before it slept for the first time is seen.
    static bool take_to_ring(Word& word) {
        return word.fetch_and(~kArmed, Memory::kArmTake) & kArmed;
    }

    // Of a sleeper: one more. Pairs with the acquire of take_to_ring().
    static void arm(Word& word) {
        std::uint32_t seen = word.load(std::memory_order_relaxed);
        while (!word.compare_exchange_weak(seen, (seen + kOneSleeper) | kArmed, Memory::kArmStore,
                                           std::memory_order_relaxed)) {
        }
    }

    // Of a sleeper that leaves. The last one takes the arming with it, so that publishers are not
    // made to ring for nobody. It must not while others sleep.
    static void disarm(Word& word) {
        std::uint32_t seen = word.load(std::memory_order_relaxed);
        std::uint32_t next = 0;
        do {
            next = seen - kOneSleeper;
            if (next == kArmed) next = 0;
        } while (!word.compare_exchange_weak(seen, next, std::memory_order_relaxed,
                                             std::memory_order_relaxed));
    }
};
using BellWord = BasicBellWord<HostMemory>;

}  // namespace xccl
