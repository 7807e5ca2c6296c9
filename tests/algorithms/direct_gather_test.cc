// Goal: direct_gather costs what its first lines say, and its example is right.
#include <gtest/gtest.h>

#include "algorithms/costs.h"

namespace xccl {
namespace {

using testing::Costs;
using testing::costs_of;
using testing::rounds_of;
using testing::shape_of;

TEST(DirectGather, CostsWhatItSays) {
    for (int n : testing::rank_counts()) {
        const Costs costs = costs_of(direct_gather, shape_of(n, n / 3));
        EXPECT_EQ(costs.rounds, n > 1 ? 1 : 0);
        EXPECT_EQ(costs.most_sent, n > 1 ? 1u : 0u);
        EXPECT_EQ(costs.chunk_count, static_cast<std::uint32_t>(n));
    }
}

TEST(DirectGather, FollowsItsExample) {
    EXPECT_EQ(rounds_of(direct_gather, shape_of(4, 1), 1),
              "round 0: recv 2 <- 2; recv 3 <- 3; recv 0 <- 0\n");
}

}  // namespace
}  // namespace xccl
