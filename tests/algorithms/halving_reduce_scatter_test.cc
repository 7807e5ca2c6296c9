// Goal: halving_reduce_scatter costs what its first lines say, and its example is right.
#include <gtest/gtest.h>

#include <bit>

#include "algorithms/costs.h"

namespace xccl {
namespace {

using testing::Costs;
using testing::costs_of;
using testing::rounds_of;
using testing::shape_of;

TEST(HalvingReduceScatter, CostsWhatItSays) {
    for (int n : testing::rank_counts()) {
        if (!std::has_single_bit(static_cast<unsigned>(n))) continue;
        const Costs costs = costs_of(halving_reduce_scatter, shape_of(n));
        EXPECT_EQ(costs.rounds, testing::log2_up(n));
        EXPECT_EQ(costs.most_sent, n - 1u);
        EXPECT_EQ(costs.chunk_count, static_cast<std::uint32_t>(n));
    }
}

TEST(HalvingReduceScatter, FollowsItsExample) {
    EXPECT_EQ(rounds_of(halving_reduce_scatter, shape_of(4), 2),
              "round 0: send 0..1 -> 0; recv_reduce 2..3 <- 0\n"
              "round 1: send 3 -> 3; recv_reduce 2 <- 3\n");
}

}  // namespace
}  // namespace xccl
