// Ring all-reduce: a reduce-scatter, then an all-gather, around one ring of n ranks.
//
// The buffer is cut into n chunks. In each round every rank sends one chunk to the next and
// receives another from the previous rank, so all n links are busy all the time.
//
//     rounds           2 (n - 1)
//     bytes per rank   2 (n - 1) / n * buffer     -- the least, unless switches can add
//
// Follow chunk 0, n = 4: it leaves rank 0, gathers a term at 1, at 2, and is complete at 3. So
// rank r ends the first half owning chunk r + 1, and sends that first in the second.
//
// Patarasuk, Yuan: Bandwidth optimal all-reduce algorithms for clusters of workstations, 2009.
#include "algorithms/generators.h"
#include "algorithms/ring.h"

namespace xccl {

Schedule ring_all_reduce(const Shape& shape) {
    const Ring ring(shape);
    Schedule schedule = schedule_for(shape, Contract::kAllReduce, ring.rank_count);
    const int round_count = ring.rank_count - 1;

    // Reduce-scatter. Each partial sum travels the ring collecting one term per hop.
    for (int round = 0; round < round_count; ++round) {
        schedule.round({
            send(ring.at(-round), ring.next()),
            recv_reduce(ring.at(-round - 1), ring.previous()),
        });
    }

    // All-gather. Each finished chunk travels the ring once more, overwriting.
    for (int round = 0; round < round_count; ++round) {
        schedule.round({
            send(ring.at(1 - round), ring.next()),
            recv(ring.at(-round), ring.previous()),
        });
    }
    return schedule;
}

}  // namespace xccl
