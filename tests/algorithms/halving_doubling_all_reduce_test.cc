// Goal: halving_doubling_all_reduce costs what its first lines say, and its example is right.
#include <gtest/gtest.h>

#include "algorithms/costs.h"

namespace xccl {
namespace {

using testing::Costs;
using testing::costs_of;
using testing::rounds_of;
using testing::shape_of;

TEST(HalvingDoublingAllReduce, CostsWhatItSays) {
    for (int n : testing::rank_counts()) {
        const Costs costs = costs_of(halving_doubling_all_reduce, shape_of(n));
        const int levels = testing::log2_up(n + 1) - 1;  // of p, the largest power of two in n
        const int p = 1 << levels;
        EXPECT_EQ(costs.rounds, 2 * levels + (n > p ? 2 : 0));
        EXPECT_EQ(costs.chunk_count, static_cast<std::uint32_t>(p));
        EXPECT_EQ(costs.most_sent, 2u * (p - 1) + (n > p ? p : 0));
    }
}

TEST(HalvingDoublingAllReduce, FollowsItsExample) {
    EXPECT_EQ(rounds_of(halving_doubling_all_reduce, shape_of(4), 1),
              "round 0: send 0..1 -> 0; recv_reduce 2..3 <- 0\n"
              "round 1: send 3 -> 3; recv_reduce 2 <- 3\n"
              "round 2: send 2 -> 3; recv 3 <- 3\n"
              "round 3: send 2..3 -> 0; recv 0..1 <- 0\n");
}

TEST(HalvingDoublingAllReduce, RanksBeyondThePowerOfTwoLendTheirInput) {
    EXPECT_EQ(rounds_of(halving_doubling_all_reduce, shape_of(5), 4),
              "round 0: send 0..1 -> 0; send 2..3 -> 0\n"
              "round 5: recv 0..1 <- 0; recv 2..3 <- 0\n");
}

}  // namespace
}  // namespace xccl
