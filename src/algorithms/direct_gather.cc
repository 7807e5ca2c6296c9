// Direct gather: everyone sends its block to the root.
//
//     rounds           1
//     bytes per rank   one block
#include "algorithms/generators.h"
#include "algorithms/ring.h"

namespace xccl {

Schedule direct_gather(const Shape& shape) {
    const Ring ring(shape);
    Schedule schedule = schedule_for(shape, Contract::kGather, ring.rank_count);
    if (shape.rank != shape.root) {
        schedule.at(0, send(shape.rank, shape.root));
        return schedule;
    }
    for (int distance = 1; distance < ring.rank_count; ++distance) {
        schedule.at(0, recv(ring.at(distance), ring.at(distance)));
    }
    return schedule;
}

}  // namespace xccl
