// How each collective of the API looks to a schedule: which contract it asks for, and how its
// buffers are cut into chunks. n ranks, rank r.
//
//     collective         contract         input             output            work
//     all_reduce         kAllReduce       tile              tile              tile
//     reduce             kReduce          tile              tile              tile
//     broadcast          kBroadcast       tile              tile              tile
//     all_gather         kAllGather       1 block           n blocks          n blocks
//     reduce_scatter     kReduceScatter   n blocks          1 block           n blocks
//     all_to_all         kAllToAll        n blocks          n blocks          n blocks
//     gather             kGather          1 block           n blocks (root)   n blocks
//     scatter            kScatter         n blocks (root)   1 block           n blocks
//     barrier            kBarrier         tile of 1 byte    tile of 1 byte    tile of 1 byte
//     all_gatherv        kAllGather       own entry         n entries         n entries
//     reduce_scatterv    kReduceScatter   n entries         own entry         n entries
//     all_to_allv        kAllToAll        n entries         n entries         unused
#pragma once

#include <cstdint>

#include "schedule/schedule.h"
#include "xccl.h"

namespace xccl {

// tile: ChunkLayout::Kind::kTile of `count`. block: kBlocks of `count`. vector: kVector.
enum class BufferShape : std::uint8_t { kTile, kOneBlock, kBlocks, kOwnEntry, kVector, kUnused };

struct CollectiveShape {
    Contract contract;
    BufferShape input;
    BufferShape output;
    BufferShape work;
    bool combines;
    bool rooted;

    bool is_vector() const {
        return output == BufferShape::kVector || output == BufferShape::kOwnEntry;
    }
};

// `coll` is one that a schedule carries out: any but xcclCollSendRecv.
CollectiveShape collective_shape(xcclColl_t coll);

}  // namespace xccl
