// Binomial trees over ranks, shared by the algorithms that reduce or broadcast along one.
#pragma once

#include "algorithms/shape.h"

namespace xccl {

// Levels of a binomial tree: the least k with 2^k >= rank_count.
int binomial_levels(int rank_count);

// Adds the combination of `cell` at `root`, in rounds [round, round + levels).
//
// The ranks are cut into aligned blocks of 2^k. A block's partial result is held by its lowest
// rank, or by the root if that is inside; two neighbouring blocks join in round k. So the
// expression is the canonical tree over global ranks, whichever the root.
void add_binomial_reduce(Schedule& schedule, Cell cell, int root, int round);

// Adds the broadcast of `cell` from `root`, in rounds [round, round + levels): in each round every
// rank that has it sends it to one that has not.
void add_binomial_broadcast(Schedule& schedule, Cell cell, int root, int round);

}  // namespace xccl
