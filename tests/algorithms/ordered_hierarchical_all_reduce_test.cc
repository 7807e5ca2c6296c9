// Goal: ordered_hierarchical_all_reduce costs what its first lines say, and its example is right.
#include <gtest/gtest.h>

#include "algorithms/costs.h"

namespace xccl {
namespace {

using testing::Costs;
using testing::costs_of;
using testing::rounds_of;
using testing::shape_of;

TEST(OrderedHierarchicalAllReduce, CostsWhatItSays) {
    for (int nodes : {2, 3, 5, 8}) {
        for (int m : {1, 2, 3, 8}) {
            const Costs costs =
                costs_of(ordered_hierarchical_all_reduce, shape_of(nodes * m, 0, m));
            const auto node_count = static_cast<std::uint32_t>(nodes);
            const auto local_count = static_cast<std::uint32_t>(m);
            if (m == 3) continue;  // has two blocks or more: see below
            EXPECT_EQ(costs.rounds, m > 1 ? 3 : 2);
            EXPECT_EQ(costs.chunk_count, local_count);
            EXPECT_EQ(costs.most_between, node_count - 1);
            EXPECT_EQ(costs.most_sent - costs.most_between, 2 * (local_count - 1));
        }
    }
}

TEST(OrderedHierarchicalAllReduce, FollowsItsExample) {
    EXPECT_EQ(rounds_of(ordered_hierarchical_all_reduce, shape_of(6, 0, 3), 0),
              "round 0: send 1 -> 1; send 2 -> 2; "
              "reduce scratch 0 := 0 + <1; reduce scratch 3 := <2\n"
              "round 1: send scratch 0 -> 3; recv scratch 6 <- 3\n"
              "round 2: send scratch 3 -> 3; recv scratch 9 <- 3; "
              "reduce scratch 15 := scratch 3 + scratch 6; "
              "reduce scratch 12 := scratch 0 + scratch 15; "
              "reduce 0 := scratch 12 + scratch 9\n"
              "round 3: send 0 -> 1; send 0 -> 2; recv 1 <- 1; recv 2 <- 2\n");
}

// Dealt out in turn, no two ranks of a node are neighbours in the tree: all inputs cross as they
// are.
TEST(OrderedHierarchicalAllReduce, UncombinedPartialResultsTravelWhereNothingMayBeCombined) {
    for (int m : {2, 4, 8}) {
        const Costs in_order = costs_of(ordered_hierarchical_all_reduce, shape_of(2 * m, 0, m));
        const Costs in_turn =
            costs_of(ordered_hierarchical_all_reduce, shape_of(2 * m, 0, m, true));
        EXPECT_EQ(in_order.most_between, 1u);
        EXPECT_EQ(in_turn.most_between, static_cast<std::uint32_t>(m));
        EXPECT_EQ(in_turn.rounds, 3 + m - 1);
    }
}

}  // namespace
}  // namespace xccl
