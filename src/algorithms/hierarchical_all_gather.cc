// Hierarchical all-gather: ranks with the same index in their nodes exchange blocks first, then
// each node shares out what has arrived. So a block enters each node once.
//
// N nodes of m ranks each:
//
//     rounds           (N - 1) + 1
//     bytes per rank   (N - 1) * block between nodes, (m - 1) N * block inside
//
// n = 4, two nodes of two: 0 and 2 swap blocks, as do 1 and 3; then 0 gives 1 blocks 0 and 2 for
// blocks 1 and 3.
#include "algorithms/compose.h"
#include "algorithms/generators.h"

namespace xccl {

Schedule hierarchical_all_gather(const Shape& shape) {
    const NodePlace place = place_among_nodes(shape);
    const auto nodes = ranks_by_node(shape);
    Schedule schedule = schedule_for(shape, Contract::kAllGather, shape.rank_count);
    embed(schedule, ring_all_gather(place.cross.shape()), place.cross,
          [&](int node) { return std::vector<int>{nodes[node][place.local.index]}; });
    embed(schedule, direct_all_gather(place.local.shape()), place.local, [&](int local) {
        std::vector<int> blocks;
        blocks.reserve(nodes.size());
        for (const auto& ranks : nodes) blocks.push_back(ranks[local]);
        return blocks;
    });
    schedule.at(0, copy(shape.rank, input(0)));
    return schedule;
}

}  // namespace xccl
