// Binomial scatter: each rank receives the blocks of its subtree and hands them down.
//
//     rounds           ceil(log2 n)
//     bytes per rank   (n - 1) * block at the root, (n / 2 - 1) at most elsewhere
//
// n = 4, root 0: 0 -> 2 with blocks 2 and 3; 0 -> 1 and 2 -> 3.
#include "algorithms/binomial_tree.h"
#include "algorithms/generators.h"
#include "algorithms/subtree.h"

namespace xccl {

Schedule binomial_scatter(const Shape& shape) {
    const Subtree tree(shape);
    Schedule schedule = schedule_for(shape, Contract::kScatter, tree.n, tree.max_span());
    const int top = binomial_levels(tree.n) - 1;
    if (tree.self != 0) {
        for (const Cell& blocks : tree.messages(tree.self, tree.level())) {
            schedule.at(top - tree.level(), recv(blocks, tree.rank_at(tree.parent())));
        }
    }
    for (int level = tree.level() - 1; level >= 0; --level) {
        if (!tree.has_child(level)) continue;
        const int child = tree.child(level);
        for (const Cell& blocks : tree.messages(child, level)) {
            schedule.at(top - level, send(blocks, tree.rank_at(child)));
        }
    }
    return schedule;
}

}  // namespace xccl
