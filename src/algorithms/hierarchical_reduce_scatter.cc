// Hierarchical reduce-scatter: each node combines its ranks' contributions first, then ranks with
// the same index in their nodes exchange partial results. So each block leaves a node once.
//
// N nodes of m ranks each:
//
//     rounds           1 + (N - 1)
//     bytes per rank   (m - 1) N * block inside, (N - 1) * block between nodes
//
// n = 4, two nodes of two: 0 gives 1 its blocks 1 and 3 for blocks 0 and 2; then 0 and 2 swap
// partial results, as do 1 and 3.
#include "algorithms/compose.h"
#include "algorithms/generators.h"
#include "base/limits.h"

namespace xccl {

Schedule hierarchical_reduce_scatter(const Shape& shape) {
    const NodePlace place = place_among_nodes(shape);
    const auto nodes = ranks_by_node(shape);
    Schedule schedule = schedule_for(shape, Contract::kReduceScatter, shape.rank_count);
    const Shape local = place.local.shape();
    const bool direct = local.rank_count <= static_cast<int>(kMaxReduceSources);

    embed(schedule, direct ? direct_reduce_scatter(local) : ring_reduce_scatter(local), place.local,
          [&](int owner) {
              std::vector<int> blocks;
              blocks.reserve(nodes.size());
              for (const auto& ranks : nodes) blocks.push_back(ranks[owner]);
              return blocks;
          });
    embed(schedule, ring_reduce_scatter(place.cross.shape()), place.cross,
          [&](int node) { return std::vector<int>{nodes[node][place.local.index]}; });
    return schedule;
}

}  // namespace xccl
