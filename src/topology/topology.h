// What is plugged into what, as far as host memory needs: which ranks share a host, a process and
// CPUs, and so what kind of road leads from one rank to another.
//
// A topology is made from what all ranks announced, in rank order, so every rank makes the same
// one. It never looks at the machine itself (host.h does).
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/status.h"
#include "topology/rank_info.h"

namespace xccl {

enum class LinkClass : std::uint8_t {
    kSameRank,
    kSharedMemory,  // threads of a process, or processes of a host
    kTcp,           // different hosts
};

const char* link_class_name(LinkClass link);

struct Topology {
    int rank_count = 0;
    // Nodes (hosts) and processes are numbered in the order of their lowest ranks.
    std::vector<int> node_of_rank;
    std::vector<int> process_of_rank;
    std::vector<std::vector<int>> ranks_of_node;  // ascending
    // CPUs that the ranks of a node may run on, all of them together: the union of their masks,
    // cut to the largest quota. 0: not known.
    std::vector<int> cores_of_node;
    // Machines, numbered likewise: nodes that are containers, or network namespaces, of one machine
    // compete for its CPUs. Elsewhere each node is one.
    std::vector<int> machine_of_rank;
    std::vector<std::vector<int>> ranks_of_machine;  // ascending
    std::vector<int> cores_of_machine;  // as of nodes, and no more than its nodes may use together
    // More ranks must live on this rank's CPUs than there are: whoever spins there keeps a peer
    // from running.
    std::vector<bool> rank_is_crowded;

    int node_count() const { return static_cast<int>(ranks_of_node.size()); }
    const std::vector<int>& local_ranks(int rank) const {
        return ranks_of_node[node_of_rank[rank]];
    }
    int local_index(int rank) const;  // position in local_ranks(rank)
    LinkClass link(int from, int to) const {
        if (from == to) return LinkClass::kSameRank;
        const bool local = node_of_rank[from] == node_of_rank[to];
        return local ? LinkClass::kSharedMemory : LinkClass::kTcp;
    }
    bool operator==(const Topology&) const = default;
};

// `infos` by rank. Fails on an empty list and on empty keys.
Result<Topology> make_topology(std::span<const RankInfo> infos);

// `rank_count` ranks, dealt out to nodes of `ranks_per_node` in order, each with `cores_per_node`
// CPUs: for tests, and for asking what would be on a cluster that nobody here owns.
Topology uniform_topology(int rank_count, int ranks_per_node, int cores_per_node);

}  // namespace xccl
