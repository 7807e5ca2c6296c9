// Goal: binomial_broadcast costs what its first lines say, and its example is right.
#include <gtest/gtest.h>

#include "algorithms/costs.h"

namespace xccl {
namespace {

using testing::Costs;
using testing::costs_of;
using testing::rounds_of;
using testing::shape_of;

TEST(BinomialBroadcast, CostsWhatItSays) {
    for (int n : testing::rank_counts()) {
        const Costs costs = costs_of(binomial_broadcast, shape_of(n, n / 3));
        EXPECT_EQ(costs.rounds, testing::log2_up(n));
        EXPECT_EQ(costs.most_sent, static_cast<std::uint32_t>(testing::log2_up(n)));
        EXPECT_EQ(costs.chunk_count, 1u);
    }
}

TEST(BinomialBroadcast, FollowsItsExample) {
    EXPECT_EQ(rounds_of(binomial_broadcast, shape_of(4), 2),
              "round 0: recv 0 <- 0\n"
              "round 1: send 0 -> 3\n");
}

}  // namespace
}  // namespace xccl
