// Goal: readers see whole operations or none, whatever the writer is doing.
// Method: single-threaded facts, then a reader that checks every descriptor that it gets while a
// writer publishes as fast as it can.
#include "transport/operation_board.h"

#include <gtest/gtest.h>

#include <thread>

namespace xccl {
namespace {

OperationDescriptor operation(std::uint64_t sequence) {
    return {.sequence = sequence,
            .count = sequence * 3,
            .root = static_cast<std::int32_t>(sequence % 1000),
            .coll = static_cast<std::uint8_t>(sequence % 7),
            .datatype = static_cast<std::uint8_t>(sequence % 5)};
}

TEST(OperationBoard, RemembersTheLastSixteen) {
    OperationBoard board;
    EXPECT_FALSE(board.latest());
    EXPECT_FALSE(board.at(0));
    for (std::uint64_t i = 1; i <= 40; ++i) {
        board.publish(operation(i));
        EXPECT_EQ(board.latest(), operation(i));
    }
    EXPECT_FALSE(board.at(24));
    for (std::uint64_t i = 25; i <= 40; ++i) EXPECT_EQ(board.at(i), operation(i));
    EXPECT_FALSE(board.at(41));
}

TEST(OperationBoard, ReadersNeverSeeHalfAnOperation) {
    OperationBoard board;
    std::atomic<bool> stop{false};
    std::thread writer([&] {
        for (std::uint64_t i = 1; !stop.load(std::memory_order_relaxed); ++i) {
            board.publish(operation(i));
        }
    });
    std::uint64_t seen = 0;
    while (seen < 20000) {
        const auto found = board.latest();
        if (!found) continue;
        ASSERT_EQ(*found, operation(found->sequence));
        ++seen;
    }
    stop.store(true);
    writer.join();
}

}  // namespace
}  // namespace xccl
