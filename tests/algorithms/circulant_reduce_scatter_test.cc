// Goal: circulant_reduce_scatter costs what its first lines say, and its example is right.
#include <gtest/gtest.h>

#include "algorithms/costs.h"

namespace xccl {
namespace {

using testing::Costs;
using testing::costs_of;
using testing::rounds_of;
using testing::shape_of;

TEST(CirculantReduceScatter, CostsWhatItSays) {
    for (int n : testing::rank_counts()) {
        const Costs costs = costs_of(circulant_reduce_scatter, shape_of(n));
        EXPECT_EQ(costs.rounds, testing::log2_up(n));
        EXPECT_EQ(costs.most_sent, n - 1u);
        EXPECT_EQ(costs.chunk_count, static_cast<std::uint32_t>(n));
    }
}

TEST(CirculantReduceScatter, FollowsItsExample) {
    EXPECT_EQ(rounds_of(circulant_reduce_scatter, shape_of(5), 0),
              "round 0: send 4 -> 4; recv_reduce 0 <- 1\n"
              "round 1: send 2 -> 2; recv_reduce 0 <- 3; send 3 -> 2; recv_reduce 1 <- 3\n"
              "round 2: send 1 -> 1; recv_reduce 0 <- 4\n");
}

}  // namespace
}  // namespace xccl
