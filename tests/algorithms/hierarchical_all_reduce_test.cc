// Goal: hierarchical_all_reduce costs what its first lines say, and its example is right.
#include <gtest/gtest.h>

#include "algorithms/costs.h"

namespace xccl {
namespace {

using testing::Costs;
using testing::costs_of;
using testing::rounds_of;
using testing::shape_of;

TEST(HierarchicalAllReduce, CostsWhatItSays) {
    for (int nodes : {2, 3, 5, 8}) {
        for (int m : {1, 2, 3, 8}) {
            const Costs costs = costs_of(hierarchical_all_reduce, shape_of(nodes * m, 0, m));
            const auto node_count = static_cast<std::uint32_t>(nodes);
            const auto local_count = static_cast<std::uint32_t>(m);
            EXPECT_EQ(costs.rounds, (nodes == 2 ? 2 : 2 * nodes - 1) + (m > 1 ? 1 : 0));
            // In shares of 1 / (N m) of the buffer; with two nodes, of 1 / m.
            const std::uint32_t shares = nodes == 2 ? 1 : node_count;
            EXPECT_EQ(costs.chunk_count, shares * local_count);
            EXPECT_EQ(costs.most_between, nodes == 2 ? 1 : 2 * (node_count - 1));
            EXPECT_EQ(costs.most_sent - costs.most_between, 2 * (local_count - 1) * shares);
        }
    }
}

TEST(HierarchicalAllReduce, FollowsItsExample) {
    EXPECT_EQ(rounds_of(hierarchical_all_reduce, shape_of(4, 0, 2), 1),
              "round 0: send 0 -> 0; reduce 1 := <0 + 1\n"
              "round 1: send 1 -> 3; reduce 1 := 1 + <3\n"
              "round 2: send 1 -> 0; recv 0 <- 0\n");
}

TEST(HierarchicalAllReduce, UnequalNodesHaveLeaders) {
    EXPECT_EQ(rounds_of(hierarchical_all_reduce, testing::shape_of_nodes({3, 1}), 0),
              "round 0: recv_reduce 0 <- 1\n"
              "round 1: recv_reduce 0 <- 2\n"
              "round 2: send 0 -> 3; reduce 0 := 0 + <3\n"
              "round 3: send 0 -> 2\n"
              "round 4: send 0 -> 1\n");
}

}  // namespace
}  // namespace xccl
