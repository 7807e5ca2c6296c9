// Direct all-to-all: each rank first sends all its blocks, then receives all.
//
// All messages are under way at once, which is best while they fit their mailboxes.
//
//     rounds           1
//     bytes per rank   (n - 1) * block     -- the least
//
// Blocks of different lengths are no matter: a step whose block is empty does nothing.
#include "algorithms/generators.h"
#include "algorithms/ring.h"

namespace xccl {

Schedule direct_all_to_all(const Shape& shape) {
    const Ring ring(shape);
    Schedule schedule = schedule_for(shape, Contract::kAllToAll, ring.rank_count);
    for (int distance = 1; distance < ring.rank_count; ++distance) {
        schedule.at(0, send(input(ring.at(distance)), ring.at(distance)));
    }
    schedule.at(0, copy(output(ring.rank), input(ring.rank)));
    for (int distance = 1; distance < ring.rank_count; ++distance) {
        schedule.at(0, recv(output(ring.at(-distance)), ring.at(-distance)));
    }
    return schedule;
}

}  // namespace xccl
