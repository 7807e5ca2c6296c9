// Hierarchical all-reduce: what crosses between nodes is reduced inside each node first.
//
// A composition of three schedules. With N nodes of m ranks each:
//
//     1  in each node           reduce-scatter over its m ranks; local rank l owns share l
//     2  across nodes           all-reduce of share l among the N ranks with local index l
//     3  in each node           all-gather of the m shares
//
// so each byte of the buffer leaves a node only 2 (N - 1) / N times, however many ranks it has, and
// all ranks share in sending it. Nodes of different sizes have leaders: leader_all_reduce.h.
//
//     rounds           2 + 2 (N - 1); 3 if N = 2
//     bytes per rank   inside 2 (m - 1) / m * buffer, between nodes 2 (N - 1) / N / m * buffer
//
// n = 4, two nodes of two: 0 and 1 swap halves, as do 2 and 3; 0 and 2 all-reduce the first half,
// 1 and 3 the second; then 0 and 1 swap results, as do 2 and 3.
#include "algorithms/compose.h"
#include "algorithms/generators.h"
#include "algorithms/leader_all_reduce.h"
#include "base/limits.h"

namespace xccl {
namespace {

constexpr int kLargestDirectGroup = static_cast<int>(kMaxReduceSources);
constexpr int kLargestRing = 64;  // nodes; beyond, latency and the cost of proofs outgrow it

// Two nodes swap all they have in one round, and send no more than in a ring of two.
Schedule cross_all_reduce(const Shape& inner) {
    if (inner.rank_count == 2) return direct_all_reduce(inner);
    return inner.rank_count <= kLargestRing ? ring_all_reduce(inner)
                                            : halving_doubling_all_reduce(inner);
}

Schedule equal_nodes(const Shape& shape) {
    const NodePlace place = place_among_nodes(shape);
    const Shape local = place.local.shape();
    const bool direct = local.rank_count <= kLargestDirectGroup;
    const Schedule cross = cross_all_reduce(place.cross.shape());
    const int scale = static_cast<int>(cross.chunk_count);

    Schedule schedule = schedule_for(shape, Contract::kAllReduce, local.rank_count * scale, scale);
    const ChunkMap shares = scaled_chunks(0, scale);
    embed(schedule, direct ? direct_reduce_scatter(local) : ring_reduce_scatter(local), place.local,
          shares);
    embed(schedule, cross, place.cross, scaled_chunks(place.local.index * scale, 1));
    embed(schedule, direct ? direct_all_gather(local) : ring_all_gather(local), place.local,
          shares);
    return schedule;
}

}  // namespace

Schedule hierarchical_all_reduce(const Shape& shape) {
    if (has_equal_nodes(shape)) return equal_nodes(shape);
    return all_reduce_through_leaders(shape, cross_all_reduce);
}

}  // namespace xccl
