// Goal: binomial_all_reduce costs what its first lines say, and its example is right.
#include <gtest/gtest.h>

#include "algorithms/costs.h"

namespace xccl {
namespace {

using testing::Costs;
using testing::costs_of;
using testing::rounds_of;
using testing::shape_of;

TEST(BinomialAllReduce, CostsWhatItSays) {
    for (int n : testing::rank_counts()) {
        const Costs costs = costs_of(binomial_all_reduce, shape_of(n));
        EXPECT_EQ(costs.rounds, 2 * testing::log2_up(n));
        EXPECT_EQ(costs.most_sent, static_cast<std::uint32_t>(testing::log2_up(n)));
        EXPECT_EQ(costs.chunk_count, 1u);
    }
}

TEST(BinomialAllReduce, FollowsItsExample) {
    EXPECT_EQ(rounds_of(binomial_all_reduce, shape_of(4), 2),
              "round 0: recv_reduce 0 <- 3\n"
              "round 1: send 0 -> 0\n"
              "round 2: recv 0 <- 0\n"
              "round 3: send 0 -> 3\n");
}

}  // namespace
}  // namespace xccl
