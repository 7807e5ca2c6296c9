// Goal: direct_all_gather costs what its first lines say, and its example is right.
#include <gtest/gtest.h>

#include "algorithms/costs.h"

namespace xccl {
namespace {

using testing::Costs;
using testing::costs_of;
using testing::rounds_of;
using testing::shape_of;

TEST(DirectAllGather, CostsWhatItSays) {
    for (int n : testing::rank_counts()) {
        const Costs costs = costs_of(direct_all_gather, shape_of(n));
        EXPECT_EQ(costs.rounds, 1);
        EXPECT_EQ(costs.most_sent, n - 1u);
        EXPECT_EQ(costs.chunk_count, static_cast<std::uint32_t>(n));
    }
}

TEST(DirectAllGather, FollowsItsExample) {
    EXPECT_EQ(rounds_of(direct_all_gather, shape_of(4), 1),
              "round 0: copy 1 := input 0; send 1 -> 2; send 1 -> 3; send 1 -> 0; recv 0 <- 0; "
              "recv 3 <- 3; recv 2 <- 2\n");
}

}  // namespace
}  // namespace xccl
