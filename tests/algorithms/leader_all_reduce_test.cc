// Goal: leader_all_reduce costs what its first lines say, and its example is right.
#include <gtest/gtest.h>

#include "algorithms/binomial_tree.h"
#include "algorithms/costs.h"

namespace xccl {
namespace {

using testing::Costs;
using testing::costs_of;
using testing::rounds_of;
using testing::shape_of;

TEST(LeaderAllReduce, CostsWhatItSays) {
    for (int nodes : {2, 3, 5, 8}) {
        for (int m : {2, 3, 8}) {
            const Costs costs = costs_of(leader_all_reduce, shape_of(nodes * m, 0, m));
            const auto levels = static_cast<std::uint32_t>(binomial_levels(m));
            EXPECT_EQ(costs.rounds, 2 * binomial_levels(m) + 1);
            EXPECT_EQ(costs.chunk_count, 1u);
            EXPECT_EQ(costs.most_between, static_cast<std::uint32_t>(nodes - 1));
            EXPECT_EQ(costs.most_sent, static_cast<std::uint32_t>(nodes - 1) + levels);
        }
    }
}

TEST(LeaderAllReduce, ManyLeadersHalveAndDouble) {
    const Costs costs = costs_of(leader_all_reduce, shape_of(32, 0, 2));
    EXPECT_EQ(costs.rounds, 2 + 2 * 4);
    EXPECT_EQ(costs.chunk_count, 16u);
    EXPECT_EQ(costs.most_between, 2u * 15);
}

TEST(LeaderAllReduce, FollowsItsExample) {
    EXPECT_EQ(rounds_of(leader_all_reduce, shape_of(4, 0, 2), 0),
              "round 0: recv_reduce 0 <- 1\n"
              "round 1: send 0 -> 2; reduce 0 := 0 + <2\n"
              "round 2: send 0 -> 1\n");
    EXPECT_EQ(rounds_of(leader_all_reduce, shape_of(4, 0, 2), 3),
              "round 0: send 0 -> 2\n"
              "round 2: recv 0 <- 2\n");
}

}  // namespace
}  // namespace xccl
