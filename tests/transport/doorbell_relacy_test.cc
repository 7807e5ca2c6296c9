// Goal: nobody sleeps through a message, and nobody pays for a fence but who goes to sleep.
// Method: the doorbell's word (bell_word.h), under the memory-model checker Relacy. Two publishers
// and a sleeper go through the protocol of doorbell.h. If the sleeper ends up asleep, its bell must
// have been rung, unless there was nothing to see.
//
// C++ knows no barrier on other threads, so the checker is told what membarrier does: at some point
// of its program each publisher is interrupted, and its thread and the sleeper's see all that the
// other has done so far (Barrier). The checker tries every such point.
#include <gtest/gtest.h>

#include <string>

#include "transport/bell_word.h"
#include "transport/relacy_memory.h"

namespace xccl::testing {
namespace {

constexpr unsigned kIterations = 200'000;
constexpr unsigned kPublishers = 2;
constexpr std::uint64_t kSocket = 77;

// A barrier of the sleeper on every publisher.
class Barrier {
  public:
    // Between any two accesses of a publisher. May do nothing, even if asked: the interrupt comes
    // when it comes.
    void interrupt(unsigned publisher) {
        if (acknowledged_[publisher].load(std::memory_order_relaxed) != 0) return;
        if (asked_.load(std::memory_order_acquire) == 0) return;
        rl::atomic_thread_fence(rl::mo_seq_cst, $);
        acknowledged_[publisher].store(1, std::memory_order_release);
    }
    void retire(unsigned publisher) {
        acknowledged_[publisher].store(1, std::memory_order_release);
    }
    // Of the sleeper.
    void everywhere() {
        rl::atomic_thread_fence(rl::mo_seq_cst, $);
        asked_.store(1, std::memory_order_release);
        for (unsigned publisher = 0; publisher < kPublishers; ++publisher) {
            while (acknowledged_[publisher].load(std::memory_order_acquire) == 0) rl::yield(1, $);
        }
        rl::atomic_thread_fence(rl::mo_seq_cst, $);
    }

  private:
    RelacyAtomic<std::uint32_t> asked_{0};
    RelacyAtomic<std::uint32_t> acknowledged_[kPublishers];
};

template <Weakened kWeakened, bool kWithBarrier = true>
struct BellSuite : rl::test_suite<BellSuite<kWeakened, kWithBarrier>, kPublishers + 1> {
    using Memory = RelacyMemory<kWeakened>;
    using Bell = BasicBellWord<Memory>;

    RelacyAtomic<std::uint32_t> word{0};
    RelacyPlain<std::uint64_t> socket{0};
    RelacyAtomic<std::uint32_t> flags[kPublishers];
    RelacyAtomic<std::uint32_t> rings{0};
    Barrier barrier;
    bool asleep = false;

    void thread(unsigned index) {
        if (index < kPublishers) return publish(index);
        sleep();
    }
    void publish(unsigned index) {
        barrier.interrupt(index);
        flags[index].store(1, std::memory_order_release);
        barrier.interrupt(index);
        if (Bell::is_armed(word) && Bell::take_to_ring(word)) {
            RL_ASSERT(socket == kSocket);
            rings.store(1, std::memory_order_relaxed);
        }
        barrier.interrupt(index);
        barrier.retire(index);
    }
    void sleep() {
        socket = kSocket;
        Bell::arm(word);
        if (kWithBarrier) barrier.everywhere();
        bool found = false;
        for (auto& flag : flags) found |= flag.load(std::memory_order_acquire) != 0;
        asleep = !found;
        if (found) Bell::disarm(word);
    }
    void after() {
        const bool rung = rings.load(std::memory_order_relaxed) != 0;
        RL_ASSERT(!asleep || rung);  // every publisher has published by now
        if (!asleep) RL_ASSERT(word.load(std::memory_order_relaxed) == 0);
    }
};

TEST(DoorbellUnderRelacy, NoWakeUpIsLost) {
    std::string report;
    EXPECT_EQ(check_memory_model<BellSuite<Weakened::kNothing>>(kIterations, &report),
              rl::test_result_success)
        << report;
}

TEST(DoorbellUnderRelacy, NeedsTheBarrier) {
    std::string report;
    EXPECT_EQ((check_memory_model<BellSuite<Weakened::kNothing, false>>(kIterations, &report)),
              rl::test_result_user_assert_failed)
        << report;
}

TEST(DoorbellUnderRelacy, NeedsEachOfItsOrders) {
    std::string report;
    EXPECT_EQ(check_memory_model<BellSuite<Weakened::kArmStore>>(kIterations, &report),
              rl::test_result_data_race)
        << report;
    EXPECT_EQ(check_memory_model<BellSuite<Weakened::kArmTake>>(kIterations, &report),
              rl::test_result_data_race)
        << report;
}

}  // namespace
}  // namespace xccl::testing
