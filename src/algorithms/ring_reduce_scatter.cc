// Ring reduce-scatter: the partial result of each block travels around the ring, collects one term
// at each rank, and arrives complete where it belongs.
//
//     rounds           n - 1
//     bytes per rank   (n - 1) * block     -- the least
//
// n = 4, block 0: leaves rank 1, passes 2 and 3, and is complete at 0.
#include "algorithms/generators.h"
#include "algorithms/ring.h"

namespace xccl {

Schedule ring_reduce_scatter(const Shape& shape) {
    const Ring ring(shape);
    Schedule schedule = schedule_for(shape, Contract::kReduceScatter, ring.rank_count);
    for (int round = 0; round < ring.rank_count - 1; ++round) {
        schedule.round({
            send(ring.at(-round - 1), ring.next()),
            recv_reduce(ring.at(-round - 2), ring.previous()),
        });
    }
    return schedule;
}

}  // namespace xccl
