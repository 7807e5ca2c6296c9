// Composition: a schedule over a group of ranks becomes part of a schedule over all of them.
#pragma once

#include <functional>
#include <vector>

#include "algorithms/shape.h"

namespace xccl {

// Ranks that run an inner schedule among themselves.
struct Group {
    std::vector<int> ranks;  // by inner rank
    int index = 0;           // this rank's inner rank

    Shape shape(int inner_root = 0) const {
        Shape inner;
        inner.rank = index;
        inner.rank_count = static_cast<int>(ranks.size());
        inner.root = inner_root;
        return inner;
    }
};

// The outer work chunks that stand for an inner one.
using ChunkMap = std::function<std::vector<int>(int inner_chunk)>;

// Inner chunk c is the outer chunks [first + c * scale, + scale).
ChunkMap scaled_chunks(int first, int scale);

// Appends `inner`, which may name work chunks only, to `outer`. A verb over several outer chunks
// becomes one verb for each run of consecutive ones, of at most outer.max_span chunks; the verbs of
// a round take turns, run by run, so that no rank sends more than one run ahead of its receives.
// (Copies of an own block into place are left out: in the outer schedule it is there.)
void embed(Schedule& outer, const Schedule& inner, const Group& group, const ChunkMap& chunks);

// The ranks of each node, in rank order; nodes in the order of their lowest ranks.
std::vector<std::vector<int>> ranks_by_node(const Shape& shape);

// Where a rank stands among equal nodes.
struct NodePlace {
    Group local;  // the ranks of this node
    Group cross;  // the ranks of all nodes with this rank's index in their node
    int local_count() const { return static_cast<int>(local.ranks.size()); }
    int node_count() const { return static_cast<int>(cross.ranks.size()); }
};
bool has_equal_nodes(const Shape& shape);  // of which there are at least two
NodePlace place_among_nodes(const Shape& shape);

}  // namespace xccl
