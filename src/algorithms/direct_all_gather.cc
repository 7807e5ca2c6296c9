// Direct all-gather: everyone sends its block to everyone.
//
//     rounds           1
//     bytes per rank   (n - 1) * block
#include "algorithms/generators.h"
#include "algorithms/ring.h"

namespace xccl {

Schedule direct_all_gather(const Shape& shape) {
    const Ring ring(shape);
    Schedule schedule = schedule_for(shape, Contract::kAllGather, ring.rank_count);
    schedule.at(0, copy(ring.rank, input(0)));
    for (int distance = 1; distance < ring.rank_count; ++distance) {
        schedule.at(0, send(ring.rank, ring.at(distance)));
    }
    for (int distance = 1; distance < ring.rank_count; ++distance) {
        schedule.at(0, recv(ring.at(-distance), ring.at(-distance)));
    }
    return schedule;
}

}  // namespace xccl
