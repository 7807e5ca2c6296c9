// Binomial gather: each rank collects the blocks of its subtree and passes them on.
//
//     rounds           ceil(log2 n)
//     bytes per rank   (n / 2) * block at most
//
// n = 4, root 0: 1 -> 0 and 3 -> 2; 2 -> 0 with blocks 2 and 3.
#include "algorithms/generators.h"
#include "algorithms/subtree.h"

namespace xccl {

Schedule binomial_gather(const Shape& shape) {
    const Subtree tree(shape);
    Schedule schedule = schedule_for(shape, Contract::kGather, tree.n, tree.max_span());
    for (int level = 0; tree.has_child(level); ++level) {
        const int child = tree.child(level);
        for (const Cell& blocks : tree.messages(child, level)) {
            schedule.at(level, recv(blocks, tree.rank_at(child)));
        }
    }
    if (tree.self == 0) return schedule;
    for (const Cell& blocks : tree.messages(tree.self, tree.level())) {
        schedule.at(tree.level(), send(blocks, tree.rank_at(tree.parent())));
    }
    return schedule;
}

}  // namespace xccl
