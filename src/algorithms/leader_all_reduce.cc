// Leader all-reduce: one rank of each node speaks for it.
//
//     1  in each node       binomial reduce to the lowest rank, the leader
//     2  among the leaders  direct all-reduce, or halving and doubling among many
//     3  in each node       binomial broadcast from the leader
//
// The fewest messages between nodes, which cost most, and they cross in one trip: for small
// buffers. The leaders send all that leaves a node, so large ones are better shared among all its
// ranks (hierarchical_all_reduce.cc).
//
//     rounds           2 ceil(log2 m) + 1; among more than 8 nodes as halving and doubling has
//     bytes per rank   the leader's: N - 1 buffers to other nodes, log2 m inside
//
// n = 4, two nodes of two: 1 -> 0 and 3 -> 2; 0 and 2 swap their sums; 0 -> 1 and 2 -> 3.
#include "algorithms/leader_all_reduce.h"

#include <algorithm>

#include "algorithms/binomial_tree.h"
#include "algorithms/compose.h"
#include "algorithms/generators.h"

namespace xccl {
namespace {

constexpr int kMostDirectLeaders = 8;  // beyond, a leader's messages outnumber the rounds of others

Schedule among_leaders(const Shape& leaders) {
    return leaders.rank_count <= kMostDirectLeaders ? direct_all_reduce(leaders)
                                                    : halving_doubling_all_reduce(leaders);
}

}  // namespace

Schedule all_reduce_through_leaders(const Shape& shape, Schedule (*among_leaders)(const Shape&)) {
    Group local, leaders;
    std::size_t largest = 0;
    for (const std::vector<int>& ranks : ranks_by_node(shape)) {
        largest = std::max(largest, ranks.size());
        leaders.ranks.push_back(ranks.front());
        const auto found = std::find(ranks.begin(), ranks.end(), shape.rank);
        if (found == ranks.end()) continue;
        local = {ranks, static_cast<int>(found - ranks.begin())};
        leaders.index = static_cast<int>(leaders.ranks.size()) - 1;
    }
    const Schedule cross = among_leaders(leaders.shape());
    const int scale = static_cast<int>(cross.chunk_count);
    Schedule schedule = schedule_for(shape, Contract::kAllReduce, scale, scale);
    // Rounds have the same numbers on all ranks, also where a node has nothing to do in some.
    auto& rounds = schedule.strands[0].rounds;
    const auto levels = static_cast<std::size_t>(binomial_levels(static_cast<int>(largest)));
    embed(schedule, binomial_reduce(local.shape()), local, scaled_chunks(0, scale));
    rounds.resize(levels);
    if (local.index == 0) embed(schedule, cross, leaders, scaled_chunks(0, 1));
    rounds.resize(levels + cross.strands[0].rounds.size());
    embed(schedule, binomial_broadcast(local.shape()), local, scaled_chunks(0, scale));
    return schedule;
}

Schedule leader_all_reduce(const Shape& shape) {
    return all_reduce_through_leaders(shape, among_leaders);
}

}  // namespace xccl
