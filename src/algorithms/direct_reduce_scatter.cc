// Direct reduce-scatter: everyone sends rank r its part of block r, and r combines them in rank
// order. Reproducible.
//
//     rounds           1
//     bytes per rank   (n - 1) * block     -- the least
#include "algorithms/generators.h"
#include "algorithms/rank_order.h"
#include "algorithms/ring.h"

namespace xccl {

Schedule direct_reduce_scatter(const Shape& shape) {
    const Ring ring(shape);
    const int n = ring.rank_count;
    Schedule schedule = schedule_for(shape, Contract::kReduceScatter, n);
    if (n == 1) return schedule;
    schedule.scratch_count = rank_order_scratch(n, n);
    for (int distance = 1; distance < n; ++distance) {
        schedule.at(0, send(ring.at(distance), ring.at(distance)));
    }
    reduce_in_rank_order(schedule, 0, ring.rank);
    return schedule;
}

}  // namespace xccl
