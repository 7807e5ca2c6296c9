// Dissemination barrier: in round k, rank r tells r + 2^k that it has come, and all that it has
// heard of. After the last round everyone has heard of everyone.
//
//     rounds           ceil(log2 n)
//     bytes per rank   a byte in each
//
// n = 4, rank 0: hears from 3; then from 2, who has heard from 1.
//
// Hensgen, Finkel, Manber: Two algorithms for barrier synchronization, 1988.
#include "algorithms/generators.h"

namespace xccl {

Schedule dissemination_barrier(const Shape& shape) {
    const int n = shape.rank_count;
    Schedule schedule = schedule_for(shape, Contract::kBarrier, 1);
    for (int distance = 1; distance < n; distance *= 2) {
        schedule.round({
            send(0, wrap(shape.rank + distance, n)),
            recv_reduce(0, wrap(shape.rank - distance, n)),
        });
    }
    return schedule;
}

}  // namespace xccl
