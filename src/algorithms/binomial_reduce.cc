// Binomial reduce: neighbouring blocks of ranks join until one block is left, held by the root.
//
// Blocks are aligned in global ranks, and a block with the root inside is held by the root: the
// expression is the canonical tree for any root.
//
//     rounds           ceil(log2 n)
//     bytes per rank   one buffer
//
// n = 4, root 1: 0 -> 1 and 3 -> 2; 2 -> 1, which has (x0 x1) (x2 x3).
#include "algorithms/binomial_tree.h"
#include "algorithms/generators.h"

namespace xccl {

Schedule binomial_reduce(const Shape& shape) {
    Schedule schedule = schedule_for(shape, Contract::kReduce, 1);
    add_binomial_reduce(schedule, 0, shape.root, 0);
    return schedule;
}

}  // namespace xccl
