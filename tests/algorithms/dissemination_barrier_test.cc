// Goal: dissemination_barrier costs what its first lines say, and its example is right.
#include <gtest/gtest.h>

#include "algorithms/costs.h"

namespace xccl {
namespace {

using testing::Costs;
using testing::costs_of;
using testing::rounds_of;
using testing::shape_of;

TEST(DisseminationBarrier, CostsWhatItSays) {
    for (int n : testing::rank_counts()) {
        const Costs costs = costs_of(dissemination_barrier, shape_of(n));
        EXPECT_EQ(costs.rounds, testing::log2_up(n));
        EXPECT_EQ(costs.most_sent, static_cast<std::uint32_t>(testing::log2_up(n)));
        EXPECT_EQ(costs.chunk_count, 1u);
    }
}

TEST(DisseminationBarrier, FollowsItsExample) {
    EXPECT_EQ(rounds_of(dissemination_barrier, shape_of(4), 0),
              "round 0: send 0 -> 1; recv_reduce 0 <- 3\n"
              "round 1: send 0 -> 2; recv_reduce 0 <- 2\n");
}

}  // namespace
}  // namespace xccl
