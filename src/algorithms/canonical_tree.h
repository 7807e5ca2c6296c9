// Parts of the canonical tree: the one expression of reproducible mode (docs/reproducible.md).
//
// The tree over n ranks splits them at the largest power of two below n, and so on. Its nodes are
// blocks: ranks [k * 2^i, (k + 1) * 2^i), cut off at n. Who holds all ranks of a block may combine
// them; who holds two blocks that are no neighbours in the tree must keep both.
#pragma once

#include <functional>
#include <span>
#include <vector>

#include "schedule/schedule.h"

namespace xccl {

struct Block {
    int first = 0;
    int last = 0;  // excluded
    bool operator==(const Block&) const = default;
};

// The fewest blocks that make up these ranks (ascending), in order.
std::vector<Block> blocks_of(const std::vector<int>& ranks, int rank_count);

// A block's partial result, as a cell or as a peer's next message.
struct CanonicalTerm {
    Block block;
    Verb::Term term;
};

// Adds: cell := the canonical combination of `terms`, which follow each other and make up a block.
// Takes one reduction where the terms are alike, else one for each inner node, by way of cells from
// `spare`.
void add_canonical(Schedule& schedule, int round, Cell cell, std::span<const CanonicalTerm> terms,
                   const std::function<Cell()>& spare);

}  // namespace xccl
