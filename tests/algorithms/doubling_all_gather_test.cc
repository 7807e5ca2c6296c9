// Goal: doubling_all_gather costs what its first lines say, and its example is right.
#include <gtest/gtest.h>

#include <bit>

#include "algorithms/costs.h"

namespace xccl {
namespace {

using testing::Costs;
using testing::costs_of;
using testing::rounds_of;
using testing::shape_of;

TEST(DoublingAllGather, CostsWhatItSays) {
    for (int n : testing::rank_counts()) {
        if (!std::has_single_bit(static_cast<unsigned>(n))) continue;
        const Costs costs = costs_of(doubling_all_gather, shape_of(n));
        EXPECT_EQ(costs.rounds, std::max(testing::log2_up(n), 1));
        EXPECT_EQ(costs.most_sent, n - 1u);
        EXPECT_EQ(costs.chunk_count, static_cast<std::uint32_t>(n));
    }
}

TEST(DoublingAllGather, FollowsItsExample) {
    EXPECT_EQ(rounds_of(doubling_all_gather, shape_of(4), 2),
              "round 0: copy 2 := input 0; send 2 -> 3; recv 3 <- 3\n"
              "round 1: send 2..3 -> 0; recv 0..1 <- 0\n");
}

}  // namespace
}  // namespace xccl
