// Topologies and planners for the tests of the planner.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "plan/planner.h"
#include "topology/topology.h"

namespace xccl {

// A node of its own number of ranks each, dealt out in turn if `interleaved`.
inline Topology nodes_of(const std::vector<int>& sizes, int cores, bool interleaved = false) {
    std::vector<int> left = sizes;
    std::vector<int> node_of_rank;
    std::vector<int> cpus(cores);
    for (int cpu = 0; cpu < cores; ++cpu) cpus[cpu] = cpu;
    while (true) {
        bool any = false;
        for (std::size_t node = 0; node < left.size(); ++node) {
            for (int taken = 0; left[node] > 0 && (taken == 0 || !interleaved); ++taken) {
                node_of_rank.push_back(static_cast<int>(node));
                --left[node];
                any = true;
            }
        }
        if (!any) break;
    }
    std::vector<RankInfo> infos;
    for (std::size_t rank = 0; rank < node_of_rank.size(); ++rank) {
        infos.push_back(
            {std::to_string(node_of_rank[rank]), std::to_string(rank), cpu_mask_of(cpus), 0});
    }
    return make_topology(infos).value();
}

// Worlds of n ranks: one host; two, even or not; interleaved; a host for each.
inline std::vector<Topology> worlds_of(int n) {
    std::vector<Topology> worlds = {nodes_of({n}, 64), nodes_of({n}, 2)};
    if (n < 2) return worlds;
    worlds.push_back(nodes_of({n - n / 2, n / 2}, 64));
    worlds.push_back(nodes_of({n - n / 2, n / 2}, 64, true));
    worlds.push_back(nodes_of(std::vector<int>(n, 1), 64));
    if (n > 3) worlds.push_back(nodes_of({n - 3, 1, 2}, 64));
    return worlds;
}

inline std::unique_ptr<Planner> planner_for(const Topology& topology, int rank = 0,
                                            PlannerOptions options = {}) {
    auto planner = Planner::make(topology, rank, PlanLimits{}, options);
    EXPECT_TRUE(planner.ok()) << planner.status().text();
    return std::move(planner).value();
}

inline std::shared_ptr<const Plan> plan_of(Planner& planner, const Request& request) {
    auto plan = planner.plan(request);
    EXPECT_TRUE(plan.ok()) << plan.status().text();
    return plan.ok() ? plan.value() : nullptr;
}

inline Request all_reduce_of(std::uint64_t count, xcclDataType_t type = xcclFloat32) {
    Request request;
    request.count = count;
    request.type = type;
    return request;
}

inline const std::vector<xcclColl_t>& scheduled_collectives() {
    static const std::vector<xcclColl_t> all = {
        xcclCollAllReduce,     xcclCollReduce,     xcclCollBroadcast,      xcclCollAllGather,
        xcclCollReduceScatter, xcclCollAlltoAll,   xcclCollGather,         xcclCollScatter,
        xcclCollBarrier,       xcclCollAllGatherv, xcclCollReduceScatterv, xcclCollAlltoAllv};
    return all;
}

}  // namespace xccl
