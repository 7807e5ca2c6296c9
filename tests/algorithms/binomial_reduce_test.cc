// Goal: binomial_reduce costs what its first lines say, and its example is right.
#include <gtest/gtest.h>

#include "algorithms/costs.h"

namespace xccl {
namespace {

using testing::Costs;
using testing::costs_of;
using testing::rounds_of;
using testing::shape_of;

TEST(BinomialReduce, CostsWhatItSays) {
    for (int n : testing::rank_counts()) {
        const Costs costs = costs_of(binomial_reduce, shape_of(n, n / 3));
        EXPECT_EQ(costs.rounds, testing::log2_up(n));
        EXPECT_EQ(costs.most_sent, n > 1 ? 1u : 0u);
        EXPECT_EQ(costs.chunk_count, 1u);
    }
}

TEST(BinomialReduce, FollowsItsExample) {
    EXPECT_EQ(rounds_of(binomial_reduce, shape_of(4, 1), 1),
              "round 0: recv_reduce 0 <- 0\n"
              "round 1: recv_reduce 0 <- 2\n");
}

}  // namespace
}  // namespace xccl
