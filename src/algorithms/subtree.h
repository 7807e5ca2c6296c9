// The binomial tree in which blocks, rather than a result, travel: a rank handles the blocks of its
// whole subtree. Ranks are counted from the root, which is 0; the subtree of v is [v, v + size).
#pragma once

#include <vector>

#include "algorithms/shape.h"

namespace xccl {

struct Subtree {
    int n;
    int root;
    int self;  // counted from the root

    explicit Subtree(const Shape& shape)
        : n(shape.rank_count), root(shape.root), self(wrap(shape.rank - shape.root, n)) {}

    int rank_at(int position) const { return (position + root) % n; }
    // Level of the edge to the parent, counted from the leaves; of the root: that of the tree.
    int level() const;
    int parent() const { return self - (1 << level()); }
    bool has_child(int child_level) const {
        return child_level < level() && self + (1 << child_level) < n;
    }
    int child(int child_level) const { return self + (1 << child_level); }
    // The most blocks in one message, of any rank.
    int max_span() const;

    // The blocks of the subtree of `position`, `edge_level` below its parent, as messages: its own
    // block by itself, since that lives elsewhere than those that pass through.
    std::vector<Cell> messages(int position, int edge_level) const;
};

}  // namespace xccl
