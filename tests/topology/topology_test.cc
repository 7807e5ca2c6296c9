// Goal: all ranks make the same picture of who shares what. Method: small worlds written out by
// hand, compared with what a reader would draw.
#include "topology/topology.h"

#include <gtest/gtest.h>

namespace xccl {
namespace {

RankInfo place(std::string host, std::string process, std::vector<int> cpus,
               std::uint32_t quota = 0) {
    return {std::move(host), std::move(process), cpu_mask_of(cpus), quota};
}

Topology made(const std::vector<RankInfo>& infos) {
    auto topology = make_topology(infos);
    EXPECT_TRUE(topology.ok()) << topology.status().text();
    return std::move(topology).value();
}

TEST(Topology, NodesAreNumberedByTheirLowestRank) {
    const Topology t = made({place("b", "1", {0}), place("a", "1", {0}), place("b", "2", {0}),
                             place("c", "1", {0}), place("a", "1", {0})});
    EXPECT_EQ(t.rank_count, 5);
    EXPECT_EQ(t.node_count(), 3);
    EXPECT_EQ(t.node_of_rank, (std::vector{0, 1, 0, 2, 1}));
    EXPECT_EQ(t.ranks_of_node, (std::vector<std::vector<int>>{{0, 2}, {1, 4}, {3}}));
    EXPECT_EQ(t.local_ranks(4), (std::vector{1, 4}));
    EXPECT_EQ(t.local_index(4), 1);
    EXPECT_EQ(t.local_index(3), 0);
}

TEST(Topology, TheSameProcessKeyOnTwoHostsIsTwoProcesses) {
    const Topology t = made({place("a", "7", {0}), place("b", "7", {0}), place("a", "7", {0})});
    EXPECT_EQ(t.process_of_rank, (std::vector{0, 1, 0}));
}

TEST(Topology, LinksFollowHosts) {
    const Topology t = made({place("a", "1", {0}), place("a", "2", {0}), place("b", "1", {0})});
    EXPECT_EQ(t.link(0, 0), LinkClass::kSameRank);
    EXPECT_EQ(t.link(0, 1), LinkClass::kSharedMemory);
    EXPECT_EQ(t.link(1, 2), LinkClass::kTcp);
    EXPECT_STREQ(link_class_name(t.link(2, 0)), "tcp");
}

TEST(Topology, CoresAreTheUnionOfMasksCutToTheQuota) {
    const Topology t = made({place("a", "1", {0, 1}), place("a", "2", {1, 2}),
                             place("b", "1", {0, 1, 2, 3}, 2), place("c", "1", {})});
    EXPECT_EQ(t.cores_of_node, (std::vector{3, 2, 0}));
}

TEST(Topology, RanksPinnedToOneCpuAreCrowdedThoughOthersAreFree) {
    const Topology t = made({place("a", "1", {0}), place("a", "2", {0}), place("a", "3", {1, 2})});
    EXPECT_EQ(t.rank_is_crowded, (std::vector{true, true, false}));
}

TEST(Topology, MoreRanksThanCoresAreAllCrowded) {
    EXPECT_EQ(uniform_topology(4, 4, 2).rank_is_crowded, std::vector<bool>(4, true));
    EXPECT_EQ(uniform_topology(4, 4, 4).rank_is_crowded, std::vector<bool>(4, false));
    EXPECT_EQ(uniform_topology(4, 2, 2).rank_is_crowded, std::vector<bool>(4, false));
}

TEST(Topology, AQuotaCrowdsToo) {
    const Topology t = made({place("a", "1", {0, 1, 2}, 1), place("a", "2", {0, 1, 2}, 1)});
    EXPECT_EQ(t.rank_is_crowded, (std::vector{true, true}));
}

RankInfo on_machine(std::string machine, RankInfo info) {
    info.machine_key = std::move(machine);
    return info;
}

TEST(Topology, NodesOfOneMachineCrowdEachOther) {
    // Three nodes, as namespaces or a transport make them, on the two CPUs of one machine.
    std::vector<RankInfo> infos;
    for (const char* node : {"a", "b", "c"}) {
        infos.push_back(on_machine("m", place(node, "1", {0, 1})));
    }
    infos.push_back(on_machine("other", place("d", "1", {0, 1})));
    const Topology t = made(infos);
    EXPECT_EQ(t.node_count(), 4);
    EXPECT_EQ(t.rank_is_crowded, (std::vector{true, true, true, false}));
    EXPECT_EQ(t.cores_of_node, (std::vector{2, 2, 2, 2}));
    EXPECT_EQ(t.machine_of_rank, (std::vector{0, 0, 0, 1}));
    EXPECT_EQ(t.ranks_of_machine, (std::vector<std::vector<int>>{{0, 1, 2}, {3}}));
    EXPECT_EQ(t.cores_of_machine, (std::vector{2, 2}));
}

TEST(Topology, AQuotaIsOfItsNodeAlone) {
    // Two containers on a machine with four CPUs, each with two of them and two ranks.
    std::vector<RankInfo> infos;
    for (const char* node : {"a", "a", "b", "b"}) {
        infos.push_back(on_machine("m", place(node, "1", {0, 1, 2, 3}, 2)));
    }
    EXPECT_EQ(made(infos).rank_is_crowded, std::vector<bool>(4, false));
    EXPECT_EQ(made(infos).cores_of_machine, std::vector{4});
    infos.resize(2);  // the machine has four, but nobody here may use more than two
    EXPECT_EQ(made(infos).cores_of_machine, std::vector{2});
}

TEST(Topology, UnknownCpusCountAsCrowded) {
    EXPECT_EQ(made({place("a", "1", {})}).rank_is_crowded, std::vector<bool>{true});
}

TEST(Topology, RanksOfAHostNeedNotBeNeighbours) {
    const Topology t =
        made({place("a", "1", {0, 1}), place("b", "1", {0}), place("a", "2", {0, 1})});
    EXPECT_EQ(t.link(0, 2), LinkClass::kSharedMemory);
    EXPECT_EQ(t.local_index(2), 1);
}

TEST(Topology, RefusesWhatIsNoTopology) {
    EXPECT_FALSE(make_topology({}).ok());
    const auto nameless = make_topology(std::vector{place("a", "1", {0}), place("", "1", {0})});
    ASSERT_FALSE(nameless.ok());
    EXPECT_NE(nameless.status().text().find("rank 1"), std::string::npos);
}

TEST(Topology, UniformDealsOutRanksInOrder) {
    const Topology t = uniform_topology(7, 3, 8);
    EXPECT_EQ(t.ranks_of_node, (std::vector<std::vector<int>>{{0, 1, 2}, {3, 4, 5}, {6}}));
    EXPECT_EQ(t.cores_of_node, (std::vector{8, 8, 8}));
}

}  // namespace
}  // namespace xccl
