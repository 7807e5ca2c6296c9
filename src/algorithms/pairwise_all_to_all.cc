// Pairwise all-to-all: in round d, rank r sends to r + d and receives from r - d.
//
// One message each way at a time, so no rank is flooded and no road is shared by two pairs.
//
//     rounds           n - 1
//     bytes per rank   (n - 1) * block     -- the least
//
// n = 4, rank 1: sends to 2 while 0 sends to it; to 3 while 3 does; to 0 while 2 does.
#include "algorithms/generators.h"
#include "algorithms/ring.h"

namespace xccl {

Schedule pairwise_all_to_all(const Shape& shape) {
    const Ring ring(shape);
    Schedule schedule = schedule_for(shape, Contract::kAllToAll, ring.rank_count);
    schedule.at(0, copy(output(ring.rank), input(ring.rank)));
    for (int distance = 1; distance < ring.rank_count; ++distance) {
        const int to = ring.at(distance), from = ring.at(-distance);
        schedule.at(distance - 1, send(input(to), to));
        schedule.at(distance - 1, recv(output(from), from));
    }
    return schedule;
}

}  // namespace xccl
