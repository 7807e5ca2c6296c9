// Goal: copies of strands stand where steps.h says they do. Method: programs of one and two
// strands.
#include "schedule/lanes.h"

#include <gtest/gtest.h>

#include "base/limits.h"

namespace xccl {
namespace {

Steps strands(int count) {
    Steps steps;
    steps.strand_count = static_cast<std::uint32_t>(count);
    steps.lanes.resize(count);
    for (int strand = 0; strand < count; ++strand) {
        steps.lanes[strand].steps.push_back({.round = static_cast<std::uint32_t>(strand)});
    }
    return steps;
}

TEST(Lanes, CopyJOfStrandSIsLaneJTimesStrandsPlusS) {
    for (int strand_count : {1, 2, 3}) {
        for (int copies : {1, 2, 5}) {
            const auto split = split_into_lanes(strands(strand_count), copies);
            ASSERT_TRUE(split.ok()) << split.status().text();
            ASSERT_EQ(split->lanes.size(), static_cast<std::size_t>(strand_count * copies));
            EXPECT_EQ(split->copy_count(), static_cast<std::uint32_t>(copies));
            for (std::uint32_t lane = 0; lane < split->lanes.size(); ++lane) {
                EXPECT_EQ(split->lanes[lane].steps[0].round,
                          lane % static_cast<std::uint32_t>(strand_count));
                EXPECT_EQ(split->copy_of(lane), lane / static_cast<std::uint32_t>(strand_count));
            }
        }
    }
}

TEST(Lanes, TooManyOrTooFewAreRefused) {
    EXPECT_TRUE(split_into_lanes(strands(1), kMaxLanes).ok());
    EXPECT_FALSE(split_into_lanes(strands(1), kMaxLanes + 1).ok());
    EXPECT_FALSE(split_into_lanes(strands(2), kMaxLanes / 2 + 1).ok());
    EXPECT_FALSE(split_into_lanes(strands(1), 0).ok());
    EXPECT_FALSE(split_into_lanes(strands(1), -1).ok());
}

TEST(Lanes, SplittingTwiceIsRefused) {
    auto once = split_into_lanes(strands(2), 2);
    ASSERT_TRUE(once.ok());
    EXPECT_FALSE(split_into_lanes(*once, 2).ok());
    Steps none = strands(1);
    none.strand_count = 0;
    EXPECT_FALSE(split_into_lanes(none, 1).ok());
}

}  // namespace
}  // namespace xccl
