// Direct reduce: everyone sends to the root, which combines all of it in rank order.
//
//     rounds           1
//     bytes per rank   one buffer
//
// n = 4: the root computes (x0 x1) (x2 x3).
#include "algorithms/generators.h"
#include "algorithms/rank_order.h"

namespace xccl {

Schedule direct_reduce(const Shape& shape) {
    Schedule schedule = schedule_for(shape, Contract::kReduce, 1);
    if (shape.rank_count == 1) return schedule;
    if (shape.rank != shape.root) {
        schedule.at(0, send(0, shape.root));
        return schedule;
    }
    schedule.scratch_count = rank_order_scratch(shape.rank_count, 1);
    reduce_in_rank_order(schedule, 0, 0);
    return schedule;
}

}  // namespace xccl
