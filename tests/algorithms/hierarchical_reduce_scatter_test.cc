// Goal: hierarchical_reduce_scatter costs what its first lines say, and its example is right.
#include <gtest/gtest.h>

#include "algorithms/costs.h"

namespace xccl {
namespace {

using testing::Costs;
using testing::costs_of;
using testing::rounds_of;
using testing::shape_of;

TEST(HierarchicalReduceScatter, CostsWhatItSays) {
    for (int nodes : {2, 3, 5, 8}) {
        for (int m : {1, 2, 3, 8}) {
            const Costs costs = costs_of(hierarchical_reduce_scatter, shape_of(nodes * m, 0, m));
            const auto node_count = static_cast<std::uint32_t>(nodes);
            const auto local_count = static_cast<std::uint32_t>(m);
            EXPECT_EQ(costs.rounds, (m > 1 ? 1 : 0) + nodes - 1);
            EXPECT_EQ(costs.most_between, node_count - 1);
            EXPECT_EQ(costs.most_sent - costs.most_between, (local_count - 1) * node_count);
        }
    }
}

TEST(HierarchicalReduceScatter, FollowsItsExample) {
    EXPECT_EQ(rounds_of(hierarchical_reduce_scatter, shape_of(4, 0, 2), 0),
              "round 0: send 1 -> 1; reduce 0 := 0 + <1; send 3 -> 1; reduce 2 := 2 + <1\n"
              "round 1: send 2 -> 2; recv_reduce 0 <- 2\n");
}

}  // namespace
}  // namespace xccl
