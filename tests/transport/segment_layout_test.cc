// Goal: everything in a shared segment has a place of its own, memory grows linearly with ranks,
// and what was laid out otherwise is refused.
// Method: plain arithmetic over rank counts; no memory is mapped.
#include "transport/segment_layout.h"

#include <gtest/gtest.h>

#include <cstring>
#include <map>
#include <vector>

#include "layout_of.h"
#include "transport/geometry.h"

namespace xccl {
namespace {

TEST(SegmentLayout, NothingOverlaps) {
    for (const int ranks : {1, 2, 3, 4, 5, 7, 8, 13, 16, 17, 64}) {
        const SegmentLayout layout = layout_of(ranks);
        std::map<std::size_t, std::size_t> ends;  // start -> end
        ends[0] = sizeof(SegmentHeader);
        for (int r = 0; r < ranks; ++r) {
            const std::size_t start = layout.rank_block_offset(r);
            EXPECT_TRUE(ends.emplace(start, start + sizeof(RankBlock)).second);
            EXPECT_LE(start + sizeof(RankBlock), layout.control_bytes());
            if (ranks > 2) {  // else nobody has two peers
                const std::size_t outbox = layout.outbox_offset(r);
                EXPECT_EQ(outbox % 4096, 0u);
                EXPECT_GE(outbox, layout.control_bytes());
                EXPECT_GE(layout.outbox_bytes(), outbox_bytes(layout.geometry()));
                EXPECT_TRUE(ends.emplace(outbox, outbox + layout.outbox_bytes()).second);
            } else {
                EXPECT_EQ(layout.outbox_bytes(), 0u);
            }
            for (int s = 0; s < ranks; ++s) {
                if (s == r) continue;
                const std::size_t pair = layout.pair_offset(r, s);
                EXPECT_EQ(pair % 4096, 0u);
                EXPECT_GE(pair, layout.control_bytes());
                EXPECT_TRUE(ends.emplace(pair, pair + layout.pair_bytes()).second);
            }
        }
        std::size_t last_end = 0;
        for (const auto& [start, end] : ends) {
            EXPECT_GE(start, last_end) << ranks << " ranks";
            last_end = end;
        }
        EXPECT_LE(last_end, layout.total_bytes());
    }
}

TEST(SegmentLayout, HeaderOfAnotherLayoutIsRefused) {
    const SegmentLayout layout = layout_of(4);
    alignas(64) std::byte memory[sizeof(SegmentHeader)] = {};
    auto& header = *reinterpret_cast<SegmentHeader*>(memory);
    EXPECT_EQ(layout.check_header(header).code(), xcclRemoteError);  // all zero
    layout.write_header(&header);
    EXPECT_TRUE(layout.check_header(header).ok());
    EXPECT_FALSE(layout_of(5).check_header(header).ok());
    header.slotted_slot_count *= 2;
    EXPECT_FALSE(layout.check_header(header).ok());
    layout.write_header(&header);
    ++header.version;
    EXPECT_FALSE(layout.check_header(header).ok());
}

TEST(SegmentLayout, RankCountsOutsideTheBoundsAreRefused) {
    for (const int ranks : {-1, 0, 1025}) {
        EXPECT_EQ(
            SegmentLayout::make(ranks, LaneGeometry{.slotted_slot_bytes = 8192}).status().code(),
            xcclInvalidArgument);
    }
}

}  // namespace
}  // namespace xccl
