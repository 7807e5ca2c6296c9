// Goal: every plan is proved, fits its mailboxes, and is the same on all ranks; choices make sense.
// Method: all collectives over worlds of 1 to 16 ranks and sizes from nothing to large; then the
// choices that a reader would expect, without naming thresholds.
#include "plan/planner.h"

#include <gtest/gtest.h>

#include "base/datatypes.h"
#include "plan/explain.h"
#include "plan/tuning/host.h"
#include "worlds.h"

namespace xccl {
namespace {

constexpr std::uint64_t kLarge = 16 << 20;  // float32 elements: 64 MiB

void expect_fits(const Plan& plan, const PlanLimits& limits) {
    const Choice& choice = plan.choice;
    const std::uint64_t message =
        choice.tiles.piece_elements * plan.steps->max_span * choice.wire_bytes;
    EXPECT_GT(choice.tiles.piece_elements, 0u);
    EXPECT_LE(message, limits.payload_bytes(choice.protocol));
    EXPECT_EQ(plan.steps->lanes.size(), plan.steps->strand_count * choice.copies);
    const bool flagged = choice.protocol == Protocol::kFlagged;
    EXPECT_EQ(plan.first_lane, flagged ? 0 : limits.flagged_lanes);
    EXPECT_LE(plan.steps->lanes.size(), static_cast<std::size_t>(limits.lanes(choice.protocol)));
    EXPECT_TRUE(!flagged || choice.tiles.tile_count() <= 1);
}

std::vector<Request> requests(xcclColl_t coll, int n) {
    std::vector<Request> all;
    for (std::uint64_t count : {0ul, 1ul, 60ul, 1021ul, 1ul << 18}) {
        for (bool reproducible : {false, true}) {
            Request request{coll, count, xcclBfloat16, xcclSum, 0, reproducible};
            if (coll == xcclCollAlltoAllv || coll == xcclCollBarrier) request.count = 0;
            if (collective_shape(coll).rooted) request.root = n / 2;
            all.push_back(request);
        }
    }
    return all;
}

class EveryWorld : public testing::TestWithParam<int> {};

TEST_P(EveryWorld, PlansEveryRequestAndProvesIt) {
    const int n = GetParam();
    for (const Topology& topology : worlds_of(n)) {
        for (int rank : {0, n - 1}) {
            const auto planner = planner_for(topology, rank);
            for (xcclColl_t coll : scheduled_collectives()) {
                for (const Request& request : requests(coll, n)) {
                    SCOPED_TRACE(testing::Message()
                                 << coll_name(coll) << " of " << request.count << " over "
                                 << topology.node_count() << " nodes");
                    const auto plan = plan_of(*planner, request);
                    ASSERT_NE(plan, nullptr);
                    EXPECT_EQ(plan->steps->rank, rank);
                    expect_fits(*plan, PlanLimits{});
                }
            }
        }
    }
}

TEST_P(EveryWorld, AllRanksChooseAlike) {
    const int n = GetParam();
    for (const Topology& topology : worlds_of(n)) {
        const auto first = planner_for(topology, 0);
        for (int rank = 1; rank < n; rank += 3) {
            const auto other = planner_for(topology, rank);
            for (xcclColl_t coll : scheduled_collectives()) {
                for (const Request& request : requests(coll, n)) {
                    const auto a = plan_of(*first, request), b = plan_of(*other, request);
                    ASSERT_TRUE(a && b);
                    EXPECT_STREQ(a->name(), b->name());
                    EXPECT_EQ(a->choice.protocol, b->choice.protocol);
                    EXPECT_EQ(a->choice.copies, b->choice.copies);
                    EXPECT_EQ(a->piece_elements(), b->piece_elements());
                    EXPECT_EQ(a->choice.predicted_us, b->choice.predicted_us);
                    EXPECT_EQ(a->steps->max_span, b->steps->max_span);
                }
            }
        }
    }
}

INSTANTIATE_TEST_SUITE_P(Ranks, EveryWorld, testing::Range(1, 17));

TEST(Planner, SmallMessagesTakeFewRoundsAndOneTrip) {
    const auto planner = planner_for(nodes_of({8}, 64));
    const auto plan = plan_of(*planner, all_reduce_of(2));
    EXPECT_EQ(plan->choice.protocol, Protocol::kFlagged);
    EXPECT_LE(plan->choice.rounds, 3);
}

TEST(Planner, LargeMessagesSendNoMoreThanTheyMust) {
    for (int n : {2, 3, 4, 8, 13, 16}) {
        const auto planner = planner_for(nodes_of({n}, 64));
        const auto plan = plan_of(*planner, all_reduce_of(kLarge));
        EXPECT_EQ(plan->choice.protocol, Protocol::kSlotted);
        std::uint64_t most = 0;
        for (int rank = 0; rank < n; ++rank) {
            const auto mine = plan_of(*planner_for(nodes_of({n}, 64), rank), all_reduce_of(kLarge));
            most = std::max(
                most,
                traffic_of(*mine->steps, planner->topology(), mine->choice.tiles, 4).sent_bytes);
        }
        const double least = 2.0 * (n - 1) / n * 4 * kLarge;
        EXPECT_LT(static_cast<double>(most), 1.02 * least) << n << " " << plan->name();
    }
}

TEST(Planner, CrowdedRanksPreferFewerRounds) {
    const auto alone = plan_of(*planner_for(nodes_of({8}, 64)), all_reduce_of(1024));
    const auto crowded = plan_of(*planner_for(nodes_of({8}, 2)), all_reduce_of(1024));
    EXPECT_LE(crowded->choice.rounds, alone->choice.rounds);
}

TEST(Planner, LargerSizesNeverCostLess) {
    for (const Topology& topology : worlds_of(8)) {
        const auto planner = planner_for(topology);
        double last = 0;
        for (std::uint64_t count = 1; count <= kLarge; count *= 4) {
            const auto plan = plan_of(*planner, all_reduce_of(count));
            EXPECT_GE(plan->choice.predicted_us, 0.95 * last) << count;
            last = plan->choice.predicted_us;
        }
    }
}

TEST(Planner, TheSameRequestGivesTheSamePlan) {
    const auto planner = planner_for(nodes_of({4}, 4));
    const auto first = plan_of(*planner, all_reduce_of(100));
    const auto other = plan_of(*planner, all_reduce_of(1 << 20));
    EXPECT_NE(first, other);
    EXPECT_EQ(plan_of(*planner, all_reduce_of(1 << 20)), other);
    EXPECT_EQ(plan_of(*planner, all_reduce_of(100)), first);
}

TEST(Planner, SizesShareTheirSteps) {
    const auto planner = planner_for(nodes_of({4}, 4));
    const auto one = plan_of(*planner, all_reduce_of(kLarge));
    const auto two = plan_of(*planner, all_reduce_of(kLarge + 12345));
    ASSERT_STREQ(one->name(), two->name());
    EXPECT_EQ(one->steps, two->steps);
}

TEST(Planner, EndlesslyNewSizesDoNotFillTheMemory) {
    const auto planner = planner_for(nodes_of({2}, 2));
    const auto first = plan_of(*planner, all_reduce_of(1));
    for (std::uint64_t count = 2; count < 10000; ++count) plan_of(*planner, all_reduce_of(count));
    EXPECT_EQ(first.use_count(), 1);  // the planner let go of it
}

// A message that takes longer to be seen makes one round of more bytes the better choice.
TEST(Planner, PlansWithTheCostsItIsGiven) {
    const Request request = all_reduce_of(4096);
    const auto built_in = planner_for(nodes_of({2}, 2));
    EXPECT_STREQ(plan_of(*built_in, request)->name(), "direct_two_phase_all_reduce");
    PlannerOptions options;
    options.costs.slotted.latency_us *= 8;
    options.costs.origin = "of a slow machine";
    const auto given = planner_for(nodes_of({2}, 2), 0, options);
    EXPECT_STREQ(plan_of(*given, request)->name(), "direct_all_reduce");
    EXPECT_NE(given->explain(request).value().find("\"costs\": \"of a slow machine\""),
              std::string::npos);
    EXPECT_NE(built_in->explain(request).value().find("\"costs\": \"built in\""),
              std::string::npos);
}

TEST(Planner, AUserMayChoose) {
    for (const char* wish :
         {"ring", "ring_all_reduce", "all_reduce:ring", "direct,all_reduce:ring"}) {
        const auto planner = planner_for(nodes_of({8}, 64), 0, {wish, 0});
        EXPECT_STREQ(plan_of(*planner, all_reduce_of(1))->name(), "ring_all_reduce") << wish;
        EXPECT_STREQ(plan_of(*planner, all_reduce_of(kLarge))->name(), "ring_all_reduce") << wish;
    }
}

TEST(Planner, AWishThatCannotBeServedIsLeftToThePlanner) {
    const auto free = planner_for(nodes_of({8}, 64));
    const auto ring = planner_for(nodes_of({8}, 64), 0, {"ring", 0});
    Request barrier;
    barrier.coll = xcclCollBarrier;
    EXPECT_STREQ(plan_of(*ring, barrier)->name(), plan_of(*free, barrier)->name());
    Request reproducible = all_reduce_of(1000);
    reproducible.reproducible = true;
    EXPECT_STRNE(plan_of(*ring, reproducible)->name(), "ring_all_reduce");
}

TEST(Planner, AnUnknownNameIsAnsweredWithTheNearest) {
    const auto refused = Planner::make(nodes_of({2}, 2), 0, {}, {"rnig", 0});
    ASSERT_FALSE(refused.ok());
    EXPECT_EQ(refused.status().code(), xcclInvalidArgument);
    EXPECT_NE(refused.status().text().find("did you mean ring?"), std::string::npos)
        << refused.status().text();
}

TEST(Planner, AUserMayChooseLanes) {
    for (int lanes : {1, 2}) {
        const auto planner = planner_for(nodes_of({4}, 4), 0, {"ring", lanes});
        EXPECT_EQ(plan_of(*planner, all_reduce_of(kLarge))->choice.copies, lanes);
    }
    const auto planner = planner_for(nodes_of({4}, 4), 0, {"ring", 99});  // as many as there are
    EXPECT_EQ(plan_of(*planner, all_reduce_of(kLarge))->choice.copies, PlanLimits{}.slotted_lanes);
}

TEST(Planner, HostsApartAreBridgedByAHierarchy) {
    const Topology topology = nodes_of({4, 4}, 64);
    const auto planner = planner_for(topology);
    const auto plan = plan_of(*planner, all_reduce_of(kLarge));
    EXPECT_STREQ(plan->name(), "hierarchical_all_reduce");
    // Each host must receive the other's sum: once the buffer in each direction.
    Candidates candidates(topology, PlanLimits{}, tuning::kHost, {}, 0);
    const auto traffic = traffic_of_plan(*plan, candidates);
    ASSERT_TRUE(traffic.ok()) << traffic.status().text();
    EXPECT_EQ(traffic.value().between_hosts, 2 * kLarge * 4);
}

// Thousands of ranks: every request has a plan, of which the proof is quick, and can be explained.
TEST(Planner, PlansForThousandsOfRanks) {
    for (int nodes : {32, 128}) {
        const Topology topology = nodes_of(std::vector<int>(nodes, 32), 64);
        const auto planner = planner_for(topology, nodes);
        Candidates candidates(topology, PlanLimits{}, tuning::kHost, {}, 0);
        for (xcclColl_t coll : scheduled_collectives()) {
            for (std::uint64_t count : {2ul, 16384ul, kLarge}) {
                Request request{coll, count, xcclFloat32, xcclSum, 0, false};
                if (coll == xcclCollAlltoAllv || coll == xcclCollBarrier) request.count = 0;
                SCOPED_TRACE(testing::Message() << coll_name(coll) << " of " << count << " over "
                                                << topology.rank_count << " ranks");
                const auto plan = plan_of(*planner, request);
                ASSERT_NE(plan, nullptr);
                expect_fits(*plan, PlanLimits{});
                for (const Candidate& candidate : candidates.consider(request)) {
                    if (candidate.algorithm != plan->choice.algorithm) continue;
                    EXPECT_FALSE(candidate.slow_to_prove) << candidate.algorithm->name;
                }
                if (count != 16384) continue;
                const auto text = planner->explain(request);
                ASSERT_TRUE(text.ok()) << text.status().text();
                EXPECT_NE(text.value().find(plan->name()), std::string::npos);
            }
        }
    }
}

// The grid's proof is slow at 4096 ranks, so it is not made here; it is the only one that may run.
TEST(Planner, ReproducibleReduceScatterScalesAndSaysWhereItEnds) {
    const auto chosen = [](int nodes) {
        Request request{xcclCollReduceScatter, 1024, xcclFloat32, xcclSum, 0, true};
        Candidates candidates(nodes_of(std::vector<int>(nodes, 32), 64), PlanLimits{},
                              tuning::kHost, {}, 0);
        return candidates.choose(request);
    };
    for (int nodes : {32, 64, 128}) {
        const auto choice = chosen(nodes);
        ASSERT_TRUE(choice.ok()) << choice.status().text();
        EXPECT_STREQ(choice.value().algorithm->name, "grid_reduce_scatter");
    }
    const auto refused = chosen(129);
    ASSERT_FALSE(refused.ok());
    EXPECT_EQ(refused.status().code(), xcclInvalidUsage);
    EXPECT_NE(refused.status().text().find("use fewer ranks, or all_reduce"), std::string::npos)
        << refused.status().text();
}

TEST(Planner, ReproducibleLowPrecisionTravelsWide) {
    const auto planner = planner_for(nodes_of({4}, 4));
    Request request = all_reduce_of(1 << 16, xcclBfloat16);
    EXPECT_FALSE(plan_of(*planner, request)->wide_wire);
    request.reproducible = true;
    EXPECT_TRUE(plan_of(*planner, request)->wide_wire);
    EXPECT_EQ(plan_of(*planner, request)->choice.wire_bytes, 4u);
    for (xcclRedOp_t exact : {xcclMax, xcclMin}) {
        request.op = exact;
        EXPECT_FALSE(plan_of(*planner, request)->wide_wire);
    }
    request.op = xcclSum;
    request.coll = xcclCollAllGather;
    EXPECT_FALSE(plan_of(*planner, request)->wide_wire);
}

}  // namespace
}  // namespace xccl
