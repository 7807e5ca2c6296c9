// Direct all-reduce, in one shot: everyone sends its input to everyone, and combines all of them.
//
// One trip; the fewest latencies, the most bytes. Every rank evaluates the same expression over the
// ranks in their order, so the result is reproducible.
//
//     rounds           1
//     bytes per rank   (n - 1) * buffer
//
// n = 4, rank 2: sends its input to 3, 0 and 1, then computes (x0 x1) (x2 x3).
//
// With more than 4096 ranks, one step cannot combine the blocks: see kMaxReduceSources.
#include "algorithms/generators.h"
#include "algorithms/rank_order.h"

namespace xccl {

Schedule direct_all_reduce(const Shape& shape) {
    const int n = shape.rank_count;
    Schedule schedule = schedule_for(shape, Contract::kAllReduce, 1);
    schedule.scratch_count = rank_order_scratch(n, 1);
    if (n == 1) return schedule;
    for (int distance = 1; distance < n; ++distance) {
        schedule.at(0, send(0, wrap(shape.rank + distance, n)));
    }
    reduce_in_rank_order(schedule, 0, 0);
    return schedule;
}

}  // namespace xccl
