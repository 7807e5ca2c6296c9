// Bruck's all-gather: whoever has s blocks exchanges them with ranks at distance s, so the number
// of blocks doubles in each round, for any number of ranks.
//
//     rounds           ceil(log2 n)
//     bytes per rank   (n - 1) * block     -- the least
//
// n = 5, rank 0: has 0; receives 1 from 1; 2 and 3 from 2; and 4 from 4.
//
// Bruck, Ho, Kipnis, Upfal, Weathersby: Efficient algorithms for all-to-all communications, 1997.
#include <algorithm>

#include "algorithms/cyclic_runs.h"
#include "algorithms/generators.h"
#include "algorithms/ring.h"

namespace xccl {

Schedule bruck_all_gather(const Shape& shape) {
    const Ring ring(shape);
    const int n = ring.rank_count;
    Schedule schedule = schedule_for(shape, Contract::kAllGather, n);
    schedule.at(0, copy(ring.rank, input(0)));
    int round = 0;
    for (int have = 1; have < n; have *= 2, ++round) {
        const int count = std::min(have, n - have);
        schedule.max_span = std::max(schedule.max_span, static_cast<std::uint32_t>(count));
        const std::vector<Cell> mine = cyclic_runs(ring.rank, count, n);
        const std::vector<Cell> theirs = cyclic_runs(ring.at(have), count, n);
        for (std::size_t i = 0; i < std::max(mine.size(), theirs.size()); ++i) {
            if (i < mine.size()) schedule.at(round, send(mine[i], ring.at(-have)));
            if (i < theirs.size()) schedule.at(round, recv(theirs[i], ring.at(have)));
        }
    }
    return schedule;
}

}  // namespace xccl
