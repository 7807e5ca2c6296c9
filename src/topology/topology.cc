#include "topology/topology.h"

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <utility>

#include "base/limits.h"

namespace xccl {
namespace {

// Numbers keys in the order in which they are first seen.
template <typename Key>
class Numbering {
  public:
    int number(const Key& key) {
        return numbers_.emplace(key, static_cast<int>(numbers_.size())).first->second;
    }

  private:
    std::map<Key, int> numbers_;
};

// The union of their masks.
int cpus_of(const std::vector<int>& ranks, std::span<const RankInfo> infos) {
    CpuMask mask;
    for (int rank : ranks) mask = united(mask, infos[rank].cpu_mask);
    return cpu_count_of(mask);
}

int cores_of(const std::vector<int>& ranks, std::span<const RankInfo> infos) {
    std::uint32_t quota = 0;
    for (int rank : ranks) quota = std::max(quota, infos[rank].cpu_quota);
    const int cores = cpus_of(ranks, infos);
    if (quota == 0 || cores == 0) return cores;
    return std::min<int>(cores, static_cast<int>(std::min<std::uint32_t>(quota, 1u << 20)));
}

// Counts who cannot go anywhere but to this rank's CPUs. Ranks that may run elsewhere too are not
// counted: the system's scheduler moves them away.
bool crowded(int rank, const std::vector<int>& ranks, int cores, std::span<const RankInfo> infos) {
    if (cores == 0) return true;  // not known: to spin is what could do harm
    if (static_cast<int>(ranks.size()) > cores) return true;
    const CpuMask& mine = infos[rank].cpu_mask;
    const auto confined = std::count_if(ranks.begin(), ranks.end(), [&](int other) {
        return is_subset(infos[other].cpu_mask, mine);
    });
    return confined > cpu_count_of(mine);
}

// Nodes whose machine is not known are machines of their own. Returns the CPUs of each machine.
std::vector<int> find_machines(std::span<const RankInfo> infos, Topology* topology) {
    Numbering<std::pair<bool, std::string>> numbers;
    std::vector<std::set<int>> nodes;  // by machine
    for (int rank = 0; rank < topology->rank_count; ++rank) {
        const RankInfo& info = infos[rank];
        const bool known = !info.machine_key.empty();
        const int machine = numbers.number({known, known ? info.machine_key : info.host_key});
        if (machine == static_cast<int>(nodes.size())) {
            nodes.emplace_back();
            topology->ranks_of_machine.emplace_back();
        }
        nodes[machine].insert(topology->node_of_rank[rank]);
        topology->machine_of_rank.push_back(machine);
        topology->ranks_of_machine[machine].push_back(rank);
    }
    std::vector<int> cpus;
    for (std::size_t machine = 0; machine < nodes.size(); ++machine) {
        int of_nodes = 0;
        for (int node : nodes[machine]) of_nodes += topology->cores_of_node[node];
        cpus.push_back(cpus_of(topology->ranks_of_machine[machine], infos));
        topology->cores_of_machine.push_back(std::min(cpus.back(), of_nodes));
    }
    return cpus;
}

}  // namespace

const char* link_class_name(LinkClass link) {
    switch (link) {
        case LinkClass::kSameRank:
            return "same_rank";
        case LinkClass::kSharedMemory:
            return "shared_memory";
        case LinkClass::kTcp:
            return "tcp";
    }
    return nullptr;
}

int Topology::local_index(int rank) const {
    const std::vector<int>& ranks = local_ranks(rank);
    return static_cast<int>(std::lower_bound(ranks.begin(), ranks.end(), rank) - ranks.begin());
}

Result<Topology> make_topology(std::span<const RankInfo> infos) {
    if (infos.empty() || infos.size() > static_cast<std::size_t>(kMaxRanks)) {
        return invalid_argument("a topology of {} ranks; there must be 1 to {}", infos.size(),
                                kMaxRanks);
    }
    Topology topology;
    topology.rank_count = static_cast<int>(infos.size());
    Numbering<std::string> nodes;
    Numbering<std::pair<int, std::string>> processes;
    for (int rank = 0; rank < topology.rank_count; ++rank) {
        const RankInfo& info = infos[rank];
        if (info.host_key.empty() || info.process_key.empty()) {
            return remote_error("rank {} does not say which host and process it is in", rank);
        }
        const int node = nodes.number(info.host_key);
        topology.node_of_rank.push_back(node);
        topology.process_of_rank.push_back(processes.number({node, info.process_key}));
        if (node == topology.node_count()) topology.ranks_of_node.emplace_back();
        topology.ranks_of_node[node].push_back(rank);
    }
    for (const std::vector<int>& ranks : topology.ranks_of_node) {
        topology.cores_of_node.push_back(cores_of(ranks, infos));
    }
    const std::vector<int> cpus_of_machine = find_machines(infos, &topology);
    for (int rank = 0; rank < topology.rank_count; ++rank) {
        const int node = topology.node_of_rank[rank];
        const int machine = topology.machine_of_rank[rank];
        topology.rank_is_crowded.push_back(
            crowded(rank, topology.ranks_of_node[node], topology.cores_of_node[node], infos) ||
            crowded(rank, topology.ranks_of_machine[machine], cpus_of_machine[machine], infos));
    }
    return topology;
}

Topology uniform_topology(int rank_count, int ranks_per_node, int cores_per_node) {
    std::vector<int> cpus(cores_per_node);
    for (int cpu = 0; cpu < cores_per_node; ++cpu) cpus[cpu] = cpu;
    std::vector<RankInfo> infos;
    infos.reserve(rank_count);
    for (int rank = 0; rank < rank_count; ++rank) {
        infos.push_back({.host_key = std::to_string(rank / ranks_per_node),
                         .process_key = std::to_string(rank),
                         .cpu_mask = cpu_mask_of(cpus),
                         .cpu_quota = 0});
    }
    return make_topology(infos).value();
}

}  // namespace xccl
