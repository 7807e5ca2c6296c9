// Goal: ring_all_reduce costs what its first lines say, and its example is right.
#include <gtest/gtest.h>

#include "algorithms/costs.h"

namespace xccl {
namespace {

using testing::Costs;
using testing::costs_of;
using testing::rounds_of;
using testing::shape_of;

TEST(RingAllReduce, CostsWhatItSays) {
    for (int n : testing::rank_counts()) {
        const Costs costs = costs_of(ring_all_reduce, shape_of(n));
        EXPECT_EQ(costs.rounds, 2 * (n - 1));
        EXPECT_EQ(costs.most_sent, 2 * (n - 1u));
        EXPECT_EQ(costs.least_sent, costs.most_sent);
        EXPECT_EQ(costs.chunk_count, static_cast<std::uint32_t>(n));
    }
}

TEST(RingAllReduce, FollowsItsExample) {
    EXPECT_EQ(rounds_of(ring_all_reduce, shape_of(4), 1),
              "round 0: send 1 -> 2; recv_reduce 0 <- 0\n"
              "round 1: send 0 -> 2; recv_reduce 3 <- 0\n"
              "round 2: send 3 -> 2; recv_reduce 2 <- 0\n"
              "round 3: send 2 -> 2; recv 1 <- 0\n"
              "round 4: send 1 -> 2; recv 0 <- 0\n"
              "round 5: send 0 -> 2; recv 3 <- 0\n");
}

}  // namespace
}  // namespace xccl
