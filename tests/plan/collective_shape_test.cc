// Goal: every collective has a shape that its contract can be fulfilled with. Method: what the
// contract says of the buffers' chunks, against what the shape says.
#include "plan/collective_shape.h"

#include <gtest/gtest.h>

#include "schedule/contract.h"

namespace xccl {
namespace {

TEST(CollectiveShape, BuffersHaveTheChunksOfTheContract) {
    const int n = 5;
    for (int c = 0; c < xcclNumColls; ++c) {
        const auto coll = static_cast<xcclColl_t>(c);
        if (coll == xcclCollSendRecv) continue;
        SCOPED_TRACE(c);
        const CollectiveShape shape = collective_shape(coll);
        const Party root{shape.contract, 2, n, 2, n};
        const auto one = [](BufferShape s) {
            return s == BufferShape::kOneBlock || s == BufferShape::kOwnEntry;
        };
        EXPECT_EQ(one(shape.input), input_chunk_count(root) == 1);
        EXPECT_EQ(one(shape.output), output_chunk_count(root) == 1);
        EXPECT_EQ(shape.rooted, is_rooted(shape.contract));
        // A barrier combines arrivals, and no numbers.
        EXPECT_EQ(shape.combines || coll == xcclCollBarrier, is_combining(shape.contract));
    }
}

TEST(CollectiveShape, OnlyTheVariantsHaveEntries) {
    for (xcclColl_t coll : {xcclCollAllGatherv, xcclCollReduceScatterv, xcclCollAlltoAllv}) {
        EXPECT_TRUE(collective_shape(coll).is_vector());
    }
    for (xcclColl_t coll : {xcclCollAllReduce, xcclCollAllGather, xcclCollReduceScatter,
                            xcclCollAlltoAll, xcclCollGather, xcclCollScatter, xcclCollBarrier}) {
        EXPECT_FALSE(collective_shape(coll).is_vector());
    }
}

}  // namespace
}  // namespace xccl
