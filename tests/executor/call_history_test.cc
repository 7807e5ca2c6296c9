// Goal: the last calls can be looked up, and no other.
#include "executor/call_history.h"

#include <gtest/gtest.h>

namespace xccl {
namespace {

TEST(CallHistory, KnowsTheLastCalls) {
    CallHistory history;
    EXPECT_FALSE(history.at(0));
    EXPECT_FALSE(history.at(1));
    for (std::uint64_t sequence = 1; sequence <= 200; ++sequence) {
        history.record({.sequence = sequence, .count = sequence * 10});
        const std::uint64_t first =
            sequence < CallHistory::kDepth ? 1 : sequence - CallHistory::kDepth + 1;
        EXPECT_EQ(history.first(), first);
        EXPECT_EQ(history.last(), sequence);
        EXPECT_EQ(history.at(first)->count, first * 10);
        EXPECT_EQ(history.at(sequence)->count, sequence * 10);
        EXPECT_FALSE(history.at(first - 1));
        EXPECT_FALSE(history.at(sequence + 1));
    }
}

}  // namespace
}  // namespace xccl
