// Goal: bruck_all_gather costs what its first lines say, and its example is right.
#include <gtest/gtest.h>

#include "algorithms/costs.h"

namespace xccl {
namespace {

using testing::Costs;
using testing::costs_of;
using testing::rounds_of;
using testing::shape_of;

TEST(BruckAllGather, CostsWhatItSays) {
    for (int n : testing::rank_counts()) {
        const Costs costs = costs_of(bruck_all_gather, shape_of(n));
        EXPECT_EQ(costs.rounds, std::max(testing::log2_up(n), 1));
        EXPECT_EQ(costs.most_sent, n - 1u);
        EXPECT_EQ(costs.chunk_count, static_cast<std::uint32_t>(n));
    }
}

TEST(BruckAllGather, FollowsItsExample) {
    EXPECT_EQ(rounds_of(bruck_all_gather, shape_of(5), 0),
              "round 0: copy 0 := input 0; send 0 -> 4; recv 1 <- 1\n"
              "round 1: send 0..1 -> 3; recv 2..3 <- 2\n"
              "round 2: send 0 -> 1; recv 4 <- 4\n");
}

}  // namespace
}  // namespace xccl
