// Goal: ring_reduce_scatter costs what its first lines say, and its example is right.
#include <gtest/gtest.h>

#include "algorithms/costs.h"

namespace xccl {
namespace {

using testing::Costs;
using testing::costs_of;
using testing::rounds_of;
using testing::shape_of;

TEST(RingReduceScatter, CostsWhatItSays) {
    for (int n : testing::rank_counts()) {
        const Costs costs = costs_of(ring_reduce_scatter, shape_of(n));
        EXPECT_EQ(costs.rounds, n - 1);
        EXPECT_EQ(costs.most_sent, n - 1u);
        EXPECT_EQ(costs.chunk_count, static_cast<std::uint32_t>(n));
    }
}

TEST(RingReduceScatter, FollowsItsExample) {
    EXPECT_EQ(rounds_of(ring_reduce_scatter, shape_of(4), 1),
              "round 0: send 0 -> 2; recv_reduce 3 <- 0\n"
              "round 1: send 3 -> 2; recv_reduce 2 <- 0\n"
              "round 2: send 2 -> 2; recv_reduce 1 <- 0\n");
}

}  // namespace
}  // namespace xccl
