// Goal: double_tree_all_reduce costs what its first lines say, and its example is right.
#include <gtest/gtest.h>

#include "algorithms/costs.h"

namespace xccl {
namespace {

using testing::Costs;
using testing::costs_of;
using testing::rounds_of;
using testing::shape_of;

TEST(DoubleTreeAllReduce, CostsWhatItSays) {
    for (int n : testing::rank_counts()) {
        const Costs costs = costs_of(double_tree_all_reduce, shape_of(n));
        EXPECT_EQ(costs.rounds, 2 * (testing::log2_up(n + 1) - 1));
        EXPECT_EQ(costs.chunk_count, 2u);
        EXPECT_LE(costs.most_buffers(), 2.0);
    }
}

TEST(DoubleTreeAllReduce, FollowsItsExample) {
    EXPECT_EQ(rounds_of(double_tree_all_reduce, shape_of(4), 1),
              "strand 0\n"
              "round 0: recv_reduce 0 <- 0; recv_reduce 0 <- 2\n"
              "round 1: send 0 -> 3\n"
              "round 2: recv 0 <- 3\n"
              "round 3: send 0 -> 0; send 0 -> 2\n"
              "strand 1\n"
              "round 0: send 1 -> 2\n"
              "round 3: recv 1 <- 2\n");
}

// What the second tree is for: no rank works in both.
TEST(DoubleTreeAllReduce, NoRankIsAnInnerNodeOfBothTrees) {
    for (int n : testing::rank_counts()) {
        if (n < 2) continue;
        for (int rank = 0; rank < n; ++rank) {
            Shape shape = shape_of(n);
            shape.rank = rank;
            const Schedule schedule = double_tree_all_reduce(shape);
            int inner = 0;
            for (const Strand& strand : schedule.strands) {
                bool adds = false;
                for (const Round& round : strand.rounds) {
                    for (const Verb& verb : round) adds |= verb.kind == Verb::Kind::kRecvReduce;
                }
                inner += adds;
            }
            EXPECT_LE(inner, 1) << "rank " << rank << " of " << n;
        }
    }
}

}  // namespace
}  // namespace xccl
