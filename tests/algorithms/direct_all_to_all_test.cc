// Goal: direct_all_to_all costs what its first lines say, and its example is right.
#include <gtest/gtest.h>

#include "algorithms/costs.h"

namespace xccl {
namespace {

using testing::Costs;
using testing::costs_of;
using testing::rounds_of;
using testing::shape_of;

TEST(DirectAllToAll, CostsWhatItSays) {
    for (int n : testing::rank_counts()) {
        const Costs costs = costs_of(direct_all_to_all, shape_of(n));
        EXPECT_EQ(costs.rounds, 1);
        EXPECT_EQ(costs.most_sent, n - 1u);
        EXPECT_EQ(costs.chunk_count, static_cast<std::uint32_t>(n));
    }
}

TEST(DirectAllToAll, FollowsItsExample) {
    EXPECT_EQ(rounds_of(direct_all_to_all, shape_of(3), 1),
              "round 0: send input 2 -> 2; send input 0 -> 0; copy output 1 := input 1; recv "
              "output 0 <- 0; recv output 2 <- 2\n");
}

}  // namespace
}  // namespace xccl
