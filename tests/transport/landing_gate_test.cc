// Goal: once a rank has withdrawn its buffers, nobody writes into them; and who withdraws waits for
// those who are at it, not for the others, and not for ever.
// Method: a segment of threads, with a peer in each of the states; and writers against one who
// withdraws, many times.
#include "transport/landing_gate.h"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "layout_of.h"
#include "transport/segment.h"

namespace xccl {
namespace {

std::shared_ptr<Segment> segment_of(int ranks) {
    auto segment = *Segment::create_private(layout_of(ranks));
    for (int rank = 0; rank < ranks; ++rank) EXPECT_TRUE(segment->enrol(rank).ok());
    return segment;
}

TEST(LandingGate, IsOpenUntilItIsWithdrawn) {
    const auto segment = segment_of(2);
    const PeerHeap::Places places = segment->heap_places(0, 1);
    if (places.their_gate == nullptr) GTEST_SKIP() << "the kernel has no barriers";
    EXPECT_FALSE(places.their_gate->is_withdrawn());
    EXPECT_EQ(segment->withdraw_buffers(1, Deadline::after_ms(0)), -1);
    EXPECT_TRUE(places.their_gate->is_withdrawn());
    EXPECT_FALSE(segment->heap_places(1, 0).their_gate->is_withdrawn()) << "another rank's";
}

TEST(LandingGate, NamesWhoIsStillWritingWhenTheDeadlineHasPassed) {
    const auto segment = segment_of(3);
    LandingGate* const writer = segment->heap_places(2, 0).my_gate;
    if (writer == nullptr) GTEST_SKIP() << "the kernel has no barriers";
    writer->begin_writing();
    writer->begin_writing();  // into another peer's buffer, in the same step
    EXPECT_EQ(segment->withdraw_buffers(0, Deadline::after_ms(5)), 2);
    writer->end_writing();
    writer->end_writing();
    EXPECT_EQ(segment->withdraw_buffers(0, Deadline::after_ms(0)), -1);
}

TEST(LandingGate, HoldsWhoWithdrawsUntilTheLastWriteIsThere) {
    for (int turn = 0; turn < 200; ++turn) {
        const auto segment = segment_of(2);
        const PeerHeap::Places places = segment->heap_places(1, 0);
        if (places.my_gate == nullptr) GTEST_SKIP() << "the kernel has no barriers";
        std::atomic<int> buffer{0}, started{0};
        std::thread writer([&] {
            for (int i = 1;; ++i) {
                places.my_gate->begin_writing();
                const bool withdrawn = places.their_gate->is_withdrawn();
                if (!withdrawn) buffer.store(i, std::memory_order_relaxed);
                places.my_gate->end_writing();
                started.store(1, std::memory_order_relaxed);
                if (withdrawn) return;
            }
        });
        while (started.load() == 0) std::this_thread::yield();
        EXPECT_EQ(segment->withdraw_buffers(0, Deadline::never()), -1);
        buffer.store(-1, std::memory_order_relaxed);
        writer.join();
        ASSERT_EQ(buffer.load(), -1) << "written after it was withdrawn, turn " << turn;
    }
}

}  // namespace
}  // namespace xccl
