// Fusing: neighbouring steps become one move, so that bytes go through memory once.
//
//     recv_reduce into c, then send c     one move: combine, and write to c and to the peer
//     recv into c, then send c            one move: forward while storing
//     send c, then send c to another      one move: read once
//     recv_reduce into c, twice           one reduction of three terms
//
// Stores that nobody reads are dropped afterwards: a ring's partial sums never touch memory.
//
// Only neighbours of equal span fuse, so no message overtakes another one. Reductions fuse only
// where the canonical tree over the joined terms is the very expression that the two steps made:
// fusing may take away a rounding, and never changes what is combined with what.
//
// A fused step holds its message until all its destinations have room: see kLeastSlotCount.
//
// Cost: time in proportion to the operands.
#pragma once

#include "schedule/steps.h"

namespace xccl {

Steps fuse(Steps steps);

}  // namespace xccl
