// Chain broadcast: each rank passes on to the next what it receives, tile after tile.
//
// While a rank forwards one tile the previous one is on its way behind it, so with many tiles all
// links are busy: the pipeline comes from the tiles, one step each.
//
//     rounds           n - 1
//     bytes per rank   one buffer
//
// n = 4, root 2: 2 -> 3 -> 0 -> 1.
#include "algorithms/generators.h"

namespace xccl {

Schedule chain_broadcast(const Shape& shape) {
    const int n = shape.rank_count;
    const int position = wrap(shape.rank - shape.root, n);
    Schedule schedule = schedule_for(shape, Contract::kBroadcast, 1);
    if (position > 0) schedule.at(position - 1, recv(0, wrap(shape.rank - 1, n)));
    if (position < n - 1) schedule.at(position, send(0, wrap(shape.rank + 1, n)));
    return schedule;
}

}  // namespace xccl
