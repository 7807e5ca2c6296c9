// Binomial all-reduce: reduce along a binomial tree to rank 0, broadcast along another one.
//
// Few messages in all, at the price of every byte passing the root. Partial results travel, and are
// combined in aligned blocks: the expression is the canonical tree for any number of ranks.
//
//     rounds           2 ceil(log2 n)
//     bytes per rank   log2 n * buffer at the root, about one buffer elsewhere
//
// n = 4: 1 -> 0 and 3 -> 2; 2 -> 0, which has (x0 x1) (x2 x3); 0 -> 2; 0 -> 1 and 2 -> 3.
#include "algorithms/binomial_tree.h"
#include "algorithms/generators.h"

namespace xccl {

Schedule binomial_all_reduce(const Shape& shape) {
    Schedule schedule = schedule_for(shape, Contract::kAllReduce, 1);
    add_binomial_reduce(schedule, 0, 0, 0);
    add_binomial_broadcast(schedule, 0, 0, binomial_levels(shape.rank_count));
    return schedule;
}

}  // namespace xccl
