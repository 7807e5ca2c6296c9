#include "algorithms/subtree.h"

#include <algorithm>
#include <bit>

#include "algorithms/binomial_tree.h"
#include "algorithms/cyclic_runs.h"

namespace xccl {

int Subtree::level() const {
    return self == 0 ? binomial_levels(n) : std::countr_zero(static_cast<unsigned>(self));
}

int Subtree::max_span() const {
    int span = 1;
    for (int size = 1; size < n; size *= 2) span = std::max(span, std::min(size, n - size) - 1);
    return span;
}

std::vector<Cell> Subtree::messages(int position, int edge_level) const {
    const int count = std::min(1 << edge_level, n - position);
    return cyclic_runs(rank_at(position), count, n, {1});
}

}  // namespace xccl
