// Direct scatter: the root sends each rank its block.
//
//     rounds           1
//     bytes per rank   (n - 1) * block at the root, none elsewhere
#include "algorithms/generators.h"
#include "algorithms/ring.h"

namespace xccl {

Schedule direct_scatter(const Shape& shape) {
    const Ring ring(shape);
    Schedule schedule = schedule_for(shape, Contract::kScatter, ring.rank_count);
    if (shape.rank != shape.root) {
        schedule.at(0, recv(shape.rank, shape.root));
        return schedule;
    }
    for (int distance = 1; distance < ring.rank_count; ++distance) {
        schedule.at(0, send(ring.at(distance), ring.at(distance)));
    }
    return schedule;
}

}  // namespace xccl
