// Goal: an embedded schedule does in its group what it would do alone, in the outer one's names.
// Method: small groups, as the printer shows them; the whole is proved in registry_test.cc.
#include "algorithms/compose.h"

#include <gtest/gtest.h>

#include "algorithms/generators.h"
#include "algorithms/proving.h"
#include "schedule/print.h"

namespace xccl {
namespace {

std::string rounds_of(const Schedule& schedule) {
    const std::string text = print(schedule);
    return text.substr(text.find('\n') + 1);
}

TEST(Compose, RanksAndChunksAreRenamed) {
    Schedule outer = schedule_for({5, 8, 0, {}}, Contract::kAllReduce, 8);
    const Group group = {{1, 5, 7}, 1};
    embed(outer, ring_reduce_scatter(group.shape()), group, scaled_chunks(2, 1));
    EXPECT_EQ(rounds_of(outer),
              "round 0: send 2 -> 7; recv_reduce 4 <- 1\n"
              "round 1: send 4 -> 7; recv_reduce 3 <- 1\n");
}

TEST(Compose, SpansAreRunsThatTakeTurns) {
    Schedule outer = schedule_for({0, 4, 0, {}}, Contract::kAllReduce, 8, 2);
    const Group group = {{0, 1}, 0};
    embed(outer, direct_all_gather(group.shape()), group, [](int c) {
        return std::vector<int>{4 * c, 4 * c + 1, 4 * c + 3};
    });
    EXPECT_EQ(rounds_of(outer),
              "round 0: send 0..1 -> 1; recv 4..5 <- 1; send 3 -> 1; recv 7 <- 1\n");
}

TEST(Compose, ReductionsKeepTheirOrder) {
    Schedule outer = schedule_for({6, 8, 0, {}}, Contract::kAllReduce, 2);
    const Group group = {{3, 6}, 1};
    embed(outer, direct_all_reduce(group.shape()), group, scaled_chunks(1, 1));
    EXPECT_EQ(rounds_of(outer), "round 0: send 1 -> 3; reduce 1 := <3 + 1\n");
}

TEST(Compose, NodesAreNumberedByTheirLowestRank) {
    Shape shape = testing::shape_of(5);
    EXPECT_EQ(ranks_by_node(shape).size(), 1u);
    shape.node_of_rank = {9, 4, 9, 4, 7};
    EXPECT_EQ(ranks_by_node(shape), (std::vector<std::vector<int>>{{0, 2}, {1, 3}, {4}}));
    EXPECT_FALSE(has_equal_nodes(shape));
    shape.rank_count = 4;
    shape.node_of_rank.pop_back();
    EXPECT_TRUE(has_equal_nodes(shape));
    shape.rank = 3;
    const NodePlace place = place_among_nodes(shape);
    EXPECT_EQ(place.local.ranks, (std::vector<int>{1, 3}));
    EXPECT_EQ(place.local.index, 1);
    EXPECT_EQ(place.cross.ranks, (std::vector<int>{2, 3}));
    EXPECT_EQ(place.cross.index, 1);
    EXPECT_FALSE(has_equal_nodes(testing::shape_of(4))) << "one node is no hierarchy";
}

}  // namespace
}  // namespace xccl
