// Goal: who may run, and who may not and why. Method: every algorithm, over worlds and modes.
#include "plan/candidates.h"

#include <gtest/gtest.h>

#include <set>

#include "plan/proofs.h"
#include "plan/tuning/host.h"
#include "worlds.h"

namespace xccl {
namespace {

Candidates candidates_for(const Topology& topology, PlanLimits limits = {}) {
    return Candidates(topology, limits, tuning::kHost, Overrides(), 0);
}

TEST(Candidates, ReproducibleModeLeavesThreePatternsAtEachRankCount) {
    for (int n = 2; n <= 16; ++n) {
        Candidates candidates = candidates_for(nodes_of({n}, 64));
        Request request = all_reduce_of(1000);
        request.reproducible = true;
        int admitted = 0;
        for (const Candidate& candidate : candidates.consider(request)) {
            if (!candidate.refusal.empty()) continue;
            ++admitted;
            // Admitted means proved, not merely declared.
            const ProgramShape program = {candidate.algorithm, candidates.shape_of(0, 0),
                                          candidate.choice.copies};
            const Status status = prove_program(program, {Rounding::kAtOutput, true});
            EXPECT_TRUE(status.ok()) << status.text();
        }
        EXPECT_GE(admitted, 3) << n << " ranks";
    }
}

TEST(Candidates, OnlyRoundingNeedsTheCanonicalOrder) {
    Request request = all_reduce_of(1000);
    EXPECT_FALSE(needs_canonical_order(request));
    request.reproducible = true;
    EXPECT_TRUE(needs_canonical_order(request));
    for (xcclRedOp_t op : {xcclProd, xcclAvg, xcclNumOps}) {  // the last: an operator made later
        request.op = op;
        EXPECT_TRUE(needs_canonical_order(request));
    }
    for (xcclRedOp_t op : {xcclMin, xcclMax}) {
        request.op = op;
        EXPECT_FALSE(needs_canonical_order(request));
    }
    request.op = xcclSum;
    request.type = xcclInt32;
    EXPECT_FALSE(needs_canonical_order(request));
    request.type = xcclFloat32;
    request.coll = xcclCollBroadcast;
    EXPECT_FALSE(needs_canonical_order(request));
}

TEST(Candidates, TheReasonOfARefusalIsTold) {
    Candidates candidates = candidates_for(nodes_of({5}, 64));
    Request request = all_reduce_of(1000);
    request.reproducible = true;
    bool seen = false;
    for (const Candidate& candidate : candidates.consider(request)) {
        if (std::string_view(candidate.algorithm->name) != "ring_all_reduce") continue;
        EXPECT_NE(candidate.refusal.find("canonical"), std::string::npos);
        seen = true;
    }
    EXPECT_TRUE(seen);
}

TEST(Candidates, MessagesThatFitNoSlotAreRefused) {
    // 2 bytes hold no float32.
    PlanLimits limits;
    limits.flagged_payload_bytes = limits.slotted_payload_bytes = 2;
    Candidates candidates = candidates_for(nodes_of({4}, 4), limits);
    for (const Candidate& candidate : candidates.consider(all_reduce_of(10))) {
        EXPECT_FALSE(candidate.refusal.empty());
    }
    const auto choice = candidates.choose(all_reduce_of(10));
    ASSERT_FALSE(choice.ok());
    EXPECT_NE(choice.status().text().find("do not fit"), std::string::npos)
        << choice.status().text();
}

TEST(Candidates, TheCheapestIsChosen) {
    for (const Topology& topology : worlds_of(7)) {
        Candidates candidates = candidates_for(topology);
        for (std::uint64_t count : {1u, 1000u, 1000000u}) {
            const auto choice = candidates.choose(all_reduce_of(count));
            ASSERT_TRUE(choice.ok());
            for (const Candidate& candidate : candidates.consider(all_reduce_of(count))) {
                if (!candidate.refusal.empty()) continue;
                EXPECT_LE(choice.value().predicted_us, candidate.choice.predicted_us);
            }
        }
    }
}

TEST(Candidates, FlaggedMessagesFitOneTrip) {
    const PlanLimits limits;
    Candidates candidates = candidates_for(nodes_of({8}, 64));
    for (std::uint64_t count = 1; count < 5000; count = count * 3 / 2 + 1) {
        for (const Candidate& candidate : candidates.consider(all_reduce_of(count))) {
            if (!candidate.refusal.empty()) continue;
            if (candidate.choice.protocol != Protocol::kFlagged) continue;
            EXPECT_EQ(candidate.choice.tiles.tile_count(), 1u);
            EXPECT_LE(candidate.choice.tiles.largest_piece() * 4, limits.flagged_payload_bytes);
        }
    }
}

TEST(Candidates, VectorVariantsWithUnknownCountsUseLargeSlots) {
    Candidates candidates = candidates_for(nodes_of({4}, 4));
    Request request;
    request.coll = xcclCollAlltoAllv;
    const auto choice = candidates.choose(request);
    ASSERT_TRUE(choice.ok()) << choice.status().text();
    EXPECT_EQ(choice.value().protocol, Protocol::kSlotted);
}

TEST(Candidates, NamesComeShortAndLong) {
    EXPECT_EQ(short_name(*find_algorithm("ring_all_reduce")), "ring");
    const std::vector<std::string_view> names = algorithm_names();
    const std::set<std::string_view> set(names.begin(), names.end());
    EXPECT_EQ(set.size(), names.size());
    EXPECT_TRUE(set.count("ring") && set.count("ring_all_reduce"));
}

TEST(Candidates, ThousandsOfRanksAreProfiledBySample) {
    Candidates candidates = candidates_for(uniform_topology(2048, 8, 8));
    const auto choice = candidates.choose(all_reduce_of(1 << 20));
    ASSERT_TRUE(choice.ok()) << choice.status().text();
    EXPECT_GT(choice.value().predicted_us, 0);
}

}  // namespace
}  // namespace xccl
