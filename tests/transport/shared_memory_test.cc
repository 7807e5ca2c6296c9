// Goal: links of threads that share a private segment reach each other, and refuse strangers.
// Method: connects both ends and passes a message through every lane. What all transports promise
// alike is in contract_test.cc.
#include "transport/shared_memory.h"

#include <gtest/gtest.h>

#include <cstring>

#include "transport/geometry.h"

namespace xccl {
namespace {

TEST(SharedMemory, EveryLaneOfALinkReachesTheOtherEnd) {
    const SegmentLayout layout = *SegmentLayout::make(3, *choose_geometry(3));
    auto segment = *Segment::create_private(layout);
    EXPECT_TRUE(segment->is_private());
    const std::vector<int> ranks = {4, 7, 9};  // of the communicator
    SharedMemoryTransport first(segment, 4, ranks), last(segment, 9, ranks);
    EXPECT_STREQ(first.name(), "inproc");
    auto there = first.connect(9).value(), back = last.connect(4).value();
    EXPECT_EQ(there->peer, 9);
    EXPECT_EQ(there->doorbell, &segment->doorbell(2));
    for (int lane = 0; lane < layout.geometry().lane_count(); ++lane) {
        std::memcpy(there->senders[lane].reserve(), &lane, sizeof lane);
        there->senders[lane].publish(sizeof lane, 77);
    }
    for (int lane = 0; lane < layout.geometry().lane_count(); ++lane) {
        Message message;
        ASSERT_TRUE(back->receivers[lane].peek(&message));
        EXPECT_EQ(message.signature, 77u);
        EXPECT_EQ(message.byte_count, sizeof lane);
        EXPECT_EQ(std::memcmp(message.payload, &lane, sizeof lane), 0);
        back->receivers[lane].release();
    }
}

TEST(SharedMemory, RanksElsewhereAreRefused) {
    auto segment = *Segment::create_private(*SegmentLayout::make(2, *choose_geometry(2)));
    SharedMemoryTransport transport(segment, 1, {0, 1});
    EXPECT_FALSE(transport.connect(2).ok());
    EXPECT_FALSE(transport.connect(1).ok());
}

}  // namespace
}  // namespace xccl
