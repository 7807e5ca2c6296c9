// Direct all-reduce in two phases: a direct reduce-scatter, then a direct all-gather.
//
// Rank r is responsible for chunk r: everyone sends it that chunk, it combines all of them in rank
// order, and sends the result to everyone. As few bytes as a ring in two rounds, if every pair of
// ranks has a road of its own. The result is reproducible.
//
//     rounds           2
//     bytes per rank   2 (n - 1) / n * buffer
//
// n = 4, chunk 2: ranks 3, 0 and 1 send it to 2, which computes (x0 x1) (x2 x3) and sends it back.
#include "algorithms/generators.h"
#include "algorithms/rank_order.h"
#include "algorithms/ring.h"

namespace xccl {

Schedule direct_two_phase_all_reduce(const Shape& shape) {
    const Ring ring(shape);
    const int n = shape.rank_count;
    Schedule schedule = schedule_for(shape, Contract::kAllReduce, n);
    schedule.scratch_count = rank_order_scratch(n, n);
    if (n == 1) return schedule;
    for (int distance = 1; distance < n; ++distance) {
        schedule.at(0, send(ring.at(distance), ring.at(distance)));
    }
    reduce_in_rank_order(schedule, 0, shape.rank);

    for (int distance = 1; distance < n; ++distance) {
        schedule.at(1, send(shape.rank, ring.at(distance)));
    }
    for (int distance = 1; distance < n; ++distance) {
        schedule.at(1, recv(ring.at(-distance), ring.at(-distance)));
    }
    return schedule;
}

}  // namespace xccl
