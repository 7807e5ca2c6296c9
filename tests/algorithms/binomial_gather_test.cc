// Goal: binomial_gather costs what its first lines say, and its example is right.
#include <gtest/gtest.h>

#include "algorithms/costs.h"

namespace xccl {
namespace {

using testing::Costs;
using testing::costs_of;
using testing::rounds_of;
using testing::shape_of;

TEST(BinomialGather, CostsWhatItSays) {
    for (int n : testing::rank_counts()) {
        const Costs costs = costs_of(binomial_gather, shape_of(n, n / 3));
        EXPECT_EQ(costs.rounds, testing::log2_up(n));
        EXPECT_LE(costs.most_sent, n / 2u);
        EXPECT_EQ(costs.chunk_count, static_cast<std::uint32_t>(n));
    }
}

TEST(BinomialGather, FollowsItsExample) {
    EXPECT_EQ(rounds_of(binomial_gather, shape_of(4), 2),
              "round 0: recv 3 <- 3\n"
              "round 1: send 2 -> 0; send 3 -> 0\n");
}

}  // namespace
}  // namespace xccl
