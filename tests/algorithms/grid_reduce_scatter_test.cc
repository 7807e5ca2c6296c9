// Goal: grid_reduce_scatter costs what its first lines say, and its example is right.
#include <gtest/gtest.h>

#include "algorithms/costs.h"

namespace xccl {
namespace {

using testing::Costs;
using testing::costs_of;
using testing::rounds_of;
using testing::shape_of;

TEST(GridReduceScatter, CostsWhatItSays) {
    for (int n : testing::rank_counts()) {
        int width = 1;
        while (width * width < n) width *= 2;
        const int rows = (n + width - 1) / width;
        const int shortest = n - (rows - 1) * width;
        const int turns = (width + shortest - 1) / shortest;
        const Costs costs = costs_of(grid_reduce_scatter, shape_of(n));
        EXPECT_LE(costs.rounds, 1 + turns) << n;
        EXPECT_LE(costs.most_sent, static_cast<std::uint32_t>(n + turns * rows)) << n;
        EXPECT_EQ(costs.chunk_count, static_cast<std::uint32_t>(n));
    }
    const Costs costs = costs_of(grid_reduce_scatter, shape_of(64));
    EXPECT_EQ(costs.rounds, 2);
    EXPECT_EQ(costs.most_sent, 7u * 8 + 8)
        << "a piece to each of its row, then a block to each row";
    EXPECT_EQ(costs.least_sent, 7u * 8 + 7) << "who handles its own block keeps that";
}

// A row and one or two of each other: not everyone.
TEST(GridReduceScatter, MeetsFewRanks) {
    for (int n : {64, 256, 1024}) {
        int width = 1;
        while (width * width < n) width *= 2;
        for (int rank : {0, n / 3, n - 1}) {
            Shape shape = shape_of(n);
            shape.rank = rank;
            const Steps steps = compile(grid_reduce_scatter(shape)).value();
            EXPECT_LE(steps.peers.size(), static_cast<std::size_t>(3 * width)) << n << " " << rank;
        }
    }
}

TEST(GridReduceScatter, FollowsItsExample) {
    EXPECT_EQ(rounds_of(grid_reduce_scatter, shape_of(6), 1),
              "round 0: send 4..5 -> 2; send 0..1 -> 0; reduce 2..3 := <0 + 2..3 + <2 + <3\n"
              "round 2: send 2 -> 2; send 3 -> 3; reduce 1 := <0 + <4\n");
    EXPECT_EQ(rounds_of(grid_reduce_scatter, shape_of(6), 2),
              "round 0: send 0..1 -> 0; send 2..3 -> 1; reduce 4..5 := <0 + <1 + 4..5 + <3\n"
              "round 2: send 4 -> 4; send 5 -> 5; reduce 2 := <1 + <5\n");
}

}  // namespace
}  // namespace xccl
