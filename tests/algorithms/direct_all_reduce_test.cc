// Goal: direct_all_reduce costs what its first lines say, and its example is right.
#include <gtest/gtest.h>

#include "algorithms/costs.h"

namespace xccl {
namespace {

using testing::Costs;
using testing::costs_of;
using testing::rounds_of;
using testing::shape_of;

TEST(DirectAllReduce, CostsWhatItSays) {
    for (int n : testing::rank_counts()) {
        const Costs costs = costs_of(direct_all_reduce, shape_of(n));
        EXPECT_EQ(costs.rounds, n > 1 ? 1 : 0);
        EXPECT_EQ(costs.most_sent, n - 1u);
        EXPECT_EQ(costs.chunk_count, 1u);
    }
}

TEST(DirectAllReduce, FollowsItsExample) {
    EXPECT_EQ(rounds_of(direct_all_reduce, shape_of(4), 2),
              "round 0: send 0 -> 3; send 0 -> 0; send 0 -> 1; reduce 0 := <0 + <1 + 0 + <3\n");
}

}  // namespace
}  // namespace xccl
