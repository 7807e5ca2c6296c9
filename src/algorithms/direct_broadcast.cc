// Direct broadcast: the root sends to everyone.
//
//     rounds           1
//     bytes per rank   (n - 1) * buffer at the root, none elsewhere
#include "algorithms/generators.h"

namespace xccl {

Schedule direct_broadcast(const Shape& shape) {
    const int n = shape.rank_count;
    Schedule schedule = schedule_for(shape, Contract::kBroadcast, 1);
    if (shape.rank != shape.root) {
        schedule.at(0, recv(0, shape.root));
        return schedule;
    }
    for (int distance = 1; distance < n; ++distance) {
        schedule.at(0, send(0, wrap(shape.rank + distance, n)));
    }
    return schedule;
}

}  // namespace xccl
