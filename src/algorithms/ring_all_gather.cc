// Ring all-gather: each block travels once around the ring.
//
//     rounds           n - 1
//     bytes per rank   (n - 1) * block     -- the least
//
// n = 4: rank 1 sends on blocks 1, 0 and 3, and receives 0, 3 and 2.
#include "algorithms/generators.h"
#include "algorithms/ring.h"

namespace xccl {

Schedule ring_all_gather(const Shape& shape) {
    const Ring ring(shape);
    Schedule schedule = schedule_for(shape, Contract::kAllGather, ring.rank_count);
    schedule.at(0, copy(ring.rank, input(0)));
    for (int round = 0; round < ring.rank_count - 1; ++round) {
        schedule.at(round, send(ring.at(-round), ring.next()));
        schedule.at(round, recv(ring.at(-round - 1), ring.previous()));
    }
    return schedule;
}

}  // namespace xccl
