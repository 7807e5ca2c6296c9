// Chain reduce: a partial result travels along all ranks to the root and collects one term at each,
// tile after tile.
//
//     rounds           n - 1
//     bytes per rank   one buffer
//
// n = 4, root 2: 1 -> 0 -> 3 -> 2, which has ((x1 x0) x3) x2.
#include "algorithms/generators.h"

namespace xccl {

Schedule chain_reduce(const Shape& shape) {
    const int n = shape.rank_count;
    const int hops_left = wrap(shape.rank - shape.root, n);
    Schedule schedule = schedule_for(shape, Contract::kReduce, 1);
    const int round = n - 1 - hops_left;
    if (hops_left < n - 1) schedule.at(round - 1, recv_reduce(0, wrap(shape.rank + 1, n)));
    if (hops_left > 0) schedule.at(round, send(0, wrap(shape.rank - 1, n)));
    return schedule;
}

}  // namespace xccl
