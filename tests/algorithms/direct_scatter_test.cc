// Goal: direct_scatter costs what its first lines say, and its example is right.
#include <gtest/gtest.h>

#include "algorithms/costs.h"

namespace xccl {
namespace {

using testing::Costs;
using testing::costs_of;
using testing::rounds_of;
using testing::shape_of;

TEST(DirectScatter, CostsWhatItSays) {
    for (int n : testing::rank_counts()) {
        const Costs costs = costs_of(direct_scatter, shape_of(n, n / 3));
        EXPECT_EQ(costs.rounds, n > 1 ? 1 : 0);
        EXPECT_EQ(costs.most_sent, n - 1u);
        EXPECT_EQ(costs.least_sent, 0u);
        EXPECT_EQ(costs.chunk_count, static_cast<std::uint32_t>(n));
    }
}

TEST(DirectScatter, FollowsItsExample) {
    EXPECT_EQ(rounds_of(direct_scatter, shape_of(4, 1), 1),
              "round 0: send 2 -> 2; send 3 -> 3; send 0 -> 0\n");
}

}  // namespace
}  // namespace xccl
