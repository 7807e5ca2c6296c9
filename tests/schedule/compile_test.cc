// Goal: the passes run in their order, and a failure of one is the failure of all. Method: a ring's
// inner rank, with and without fusing and copies.
#include "schedule/compile.h"

#include <gtest/gtest.h>

#include "base/limits.h"

namespace xccl {
namespace {

// Rank 1 of 3: adds what comes from 0, and passes it on.
Schedule middle_of_a_chain() {
    Schedule schedule;
    schedule.contract = Contract::kReduce;
    schedule.rank = 1;
    schedule.rank_count = 3;
    schedule.root = 2;
    schedule.round({recv_reduce(0, 0)});
    schedule.round({send(0, 2)});
    return schedule;
}

TEST(Compile, FusesAndCopiesAsAsked) {
    const auto plain = compile(middle_of_a_chain(), {.fused = false});
    ASSERT_TRUE(plain.ok());
    EXPECT_EQ(plain->lanes.size(), 1u);
    EXPECT_EQ(plain->lanes[0].steps.size(), 2u);
    EXPECT_EQ(plain->scratch_chunk_count, 1u);

    const auto fused = compile(middle_of_a_chain(), {.copies = 3});
    ASSERT_TRUE(fused.ok());
    EXPECT_EQ(fused->lanes.size(), 3u);
    EXPECT_EQ(fused->lanes[2].steps.size(), 1u);
    EXPECT_EQ(fused->scratch_chunk_count, 0u) << "the partial sum never touches memory";
}

TEST(Compile, PassesFailuresOn) {
    Schedule reads_nothing = middle_of_a_chain();
    reads_nothing.contract = Contract::kBroadcast;
    EXPECT_FALSE(compile(reads_nothing).ok());
    EXPECT_FALSE(compile(middle_of_a_chain(), {.copies = kMaxLanes + 1}).ok());
}

}  // namespace
}  // namespace xccl
