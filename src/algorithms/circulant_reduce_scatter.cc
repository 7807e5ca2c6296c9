// Circulant reduce-scatter: Bruck's all-gather backwards, so it takes ceil(log2 n) rounds for any
// number of ranks.
//
// Where the all-gather receives s blocks from distance s, this one sends s partial results there,
// the farthest first. A rank never keeps more than the blocks that it still has to pass on.
//
//     rounds           ceil(log2 n)
//     bytes per rank   (n - 1) * block     -- the least
//
// n = 5, rank 0: sends block 4 to 4; then 2 and 3 to 2; then 1 to 1; what it receives in turn is
// for blocks 0; 0 and 1; and 0.
//
// Traff: Optimal, non-pipelined reduce-scatter and allreduce algorithms, 2024.
#include <algorithm>
#include <bit>

#include "algorithms/cyclic_runs.h"
#include "algorithms/generators.h"
#include "algorithms/ring.h"

namespace xccl {

Schedule circulant_reduce_scatter(const Shape& shape) {
    const Ring ring(shape);
    const int n = ring.rank_count;
    Schedule schedule = schedule_for(shape, Contract::kReduceScatter, n);
    const int farthest = static_cast<int>(std::bit_ceil(static_cast<unsigned>(n)) / 2);
    // After the first round, blocks at offsets below `partial` are partial results, the others
    // still inputs; both ends of the second round cut there, each at its own offset.
    const int partial = n - farthest;
    int round = 0;
    for (int distance = farthest; distance > 0; distance /= 2, ++round) {
        const int count = std::min(distance, n - distance);
        schedule.max_span = std::max(schedule.max_span, static_cast<std::uint32_t>(count));
        std::vector<int> cuts;
        if (2 * distance == farthest) cuts = {partial, partial - distance};
        const std::vector<Cell> theirs = cyclic_runs(ring.at(distance), count, n, cuts);
        const std::vector<Cell> mine = cyclic_runs(ring.rank, count, n, cuts);
        for (std::size_t i = 0; i < std::max(mine.size(), theirs.size()); ++i) {
            if (i < theirs.size()) schedule.at(round, send(theirs[i], ring.at(distance)));
            if (i < mine.size()) schedule.at(round, recv_reduce(mine[i], ring.at(-distance)));
        }
    }
    return schedule;
}

}  // namespace xccl
