// Binomial broadcast: in each round, every rank that has the data sends it to one that has not.
//
//     rounds           ceil(log2 n)
//     bytes per rank   log2 n * buffer at the root, less elsewhere
//
// n = 4, root 0: 0 -> 2; 0 -> 1 and 2 -> 3.
#include "algorithms/binomial_tree.h"
#include "algorithms/generators.h"

namespace xccl {

Schedule binomial_broadcast(const Shape& shape) {
    Schedule schedule = schedule_for(shape, Contract::kBroadcast, 1);
    add_binomial_broadcast(schedule, 0, shape.root, 0);
    return schedule;
}

}  // namespace xccl
