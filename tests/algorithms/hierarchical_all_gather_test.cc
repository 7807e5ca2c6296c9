// Goal: hierarchical_all_gather costs what its first lines say, and its example is right.
#include <gtest/gtest.h>

#include "algorithms/costs.h"

namespace xccl {
namespace {

using testing::Costs;
using testing::costs_of;
using testing::rounds_of;
using testing::shape_of;

TEST(HierarchicalAllGather, CostsWhatItSays) {
    for (int nodes : {2, 3, 5, 8}) {
        for (int m : {1, 2, 3, 8}) {
            const Costs costs = costs_of(hierarchical_all_gather, shape_of(nodes * m, 0, m));
            const auto node_count = static_cast<std::uint32_t>(nodes);
            const auto local_count = static_cast<std::uint32_t>(m);
            EXPECT_EQ(costs.rounds, nodes - 1 + 1);
            EXPECT_EQ(costs.most_between, node_count - 1);
            EXPECT_EQ(costs.most_sent - costs.most_between, (local_count - 1) * node_count);
        }
    }
}

TEST(HierarchicalAllGather, FollowsItsExample) {
    EXPECT_EQ(rounds_of(hierarchical_all_gather, shape_of(4, 0, 2), 0),
              "round 0: send 0 -> 2; recv 2 <- 2; copy 0 := input 0\n"
              "round 1: send 0 -> 1; recv 1 <- 1; send 2 -> 1; recv 3 <- 1\n");
}

}  // namespace
}  // namespace xccl
