// Goal: chain_reduce costs what its first lines say, and its example is right.
#include <gtest/gtest.h>

#include "algorithms/costs.h"

namespace xccl {
namespace {

using testing::Costs;
using testing::costs_of;
using testing::rounds_of;
using testing::shape_of;

TEST(ChainReduce, CostsWhatItSays) {
    for (int n : testing::rank_counts()) {
        const Costs costs = costs_of(chain_reduce, shape_of(n, n / 3));
        EXPECT_EQ(costs.rounds, n - 1);
        EXPECT_EQ(costs.most_sent, n > 1 ? 1u : 0u);
        EXPECT_EQ(costs.chunk_count, 1u);
    }
}

TEST(ChainReduce, FollowsItsExample) {
    EXPECT_EQ(rounds_of(chain_reduce, shape_of(4, 2), 3),
              "round 1: recv_reduce 0 <- 0\n"
              "round 2: send 0 -> 2\n");
}

}  // namespace
}  // namespace xccl
