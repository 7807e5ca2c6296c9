#include "plan/collective_shape.h"

#include "base/assert.h"

namespace xccl {

CollectiveShape collective_shape(xcclColl_t coll) {
    using enum BufferShape;
    switch (coll) {
        case xcclCollAllReduce:
            return {Contract::kAllReduce, kTile, kTile, kTile, true, false};
        case xcclCollReduce:
            return {Contract::kReduce, kTile, kTile, kTile, true, true};
        case xcclCollBroadcast:
            return {Contract::kBroadcast, kTile, kTile, kTile, false, true};
        case xcclCollAllGather:
            return {Contract::kAllGather, kOneBlock, kBlocks, kBlocks, false, false};
        case xcclCollReduceScatter:
            return {Contract::kReduceScatter, kBlocks, kOneBlock, kBlocks, true, false};
        case xcclCollAlltoAll:
            return {Contract::kAllToAll, kBlocks, kBlocks, kBlocks, false, false};
        case xcclCollGather:
            return {Contract::kGather, kOneBlock, kBlocks, kBlocks, false, true};
        case xcclCollScatter:
            return {Contract::kScatter, kBlocks, kOneBlock, kBlocks, false, true};
        case xcclCollBarrier:
            return {Contract::kBarrier, kTile, kTile, kTile, false, false};
        case xcclCollAllGatherv:
            return {Contract::kAllGather, kOwnEntry, kVector, kVector, false, false};
        case xcclCollReduceScatterv:
            return {Contract::kReduceScatter, kVector, kOwnEntry, kVector, true, false};
        case xcclCollAlltoAllv:
            return {Contract::kAllToAll, kVector, kVector, kUnused, false, false};
        default:
            break;
    }
    XCCL_ASSERT(!"a collective that schedules carry out");
    return {};
}

}  // namespace xccl
