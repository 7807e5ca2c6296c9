// Goal: direct_two_phase_all_reduce costs what its first lines say, and its example is right.
#include <gtest/gtest.h>

#include "algorithms/costs.h"

namespace xccl {
namespace {

using testing::Costs;
using testing::costs_of;
using testing::rounds_of;
using testing::shape_of;

TEST(DirectTwoPhaseAllReduce, CostsWhatItSays) {
    for (int n : testing::rank_counts()) {
        const Costs costs = costs_of(direct_two_phase_all_reduce, shape_of(n));
        EXPECT_EQ(costs.rounds, n > 1 ? 2 : 0);
        EXPECT_EQ(costs.most_sent, 2 * (n - 1u));
        EXPECT_EQ(costs.chunk_count, static_cast<std::uint32_t>(n));
    }
}

TEST(DirectTwoPhaseAllReduce, FollowsItsExample) {
    EXPECT_EQ(
        rounds_of(direct_two_phase_all_reduce, shape_of(4), 2),
        "round 0: send 3 -> 3; send 0 -> 0; send 1 -> 1; reduce 2 := <0 + <1 + 2 + <3\n"
        "round 1: send 2 -> 3; send 2 -> 0; send 2 -> 1; recv 1 <- 1; recv 0 <- 0; recv 3 <- 3\n");
}

}  // namespace
}  // namespace xccl
