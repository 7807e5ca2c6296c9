// One reduction over all ranks in rank order: the canonical tree, whoever evaluates it.
#pragma once

#include <cstdint>

#include "algorithms/shape.h"

namespace xccl {

// Adds, from round `round` on: work chunk `chunk` := the combination of this rank's own value and a
// message from each other rank, in rank order.
//
// A step combines at most kMaxReduceSources messages. With more ranks, each aligned block of so
// many (a power of two, so a subtree of the canonical tree) is combined into a scratch cell first.
void reduce_in_rank_order(Schedule& schedule, int round, int chunk);

// How many scratch cells that takes for this many ranks. Scratch chunk i is as long as chunk i %
// chunk_count, so each block has a row of chunk_count cells, of which it uses one.
std::uint32_t rank_order_scratch(int rank_count, int chunk_count);

}  // namespace xccl
