// Goal: the proof by rotation proves what the proof over all ranks does, and no more. Method: a
// ring and an all_to_all against verify(); the same ones spoiled; ranks that are no rotations.
// tests/algorithms/registry_test.cc does this for every algorithm that declares the symmetry.
#include "schedule/verify_symmetric.h"

#include <gtest/gtest.h>

#include <functional>

#include "executor/handmade_steps.h"

namespace xccl {
namespace {

VerifyOptions options_for(Contract contract, std::uint32_t slots = kLeastSlotCount) {
    VerifyOptions options;
    options.contract = contract;
    options.slot_count = slots;
    return options;
}

Steps ring(int rank, int n) {
    return *testing::ring_all_reduce_by_hand(rank, n, 2);
}
// Messages are named by the rank that they are for.
Steps all_to_all(int rank, int n) {
    testing::StepsBuilder b(rank, n, static_cast<std::uint32_t>(n));
    const auto self = static_cast<std::uint32_t>(rank);
    b.step({b.input(self)}, {b.output(self)});
    for (int distance = 1; distance < n; ++distance) {
        const int to = (rank + distance) % n, from = (rank + n - distance) % n;
        const auto to_chunk = static_cast<std::uint32_t>(to);
        b.step({b.input(to_chunk)}, {b.slot(to, to_chunk)});
        b.step({b.slot(from, self)}, {b.output(static_cast<std::uint32_t>(from))});
    }
    return *b.build();
}

void expect_agreement(Steps (*program)(int, int), int n, const VerifyOptions& options) {
    std::vector<Steps> ranks;
    for (int rank = 0; rank < n; ++rank) ranks.push_back(program(rank, n));
    const auto full = verify(ranks, options);
    const auto symmetric = verify_rotation(ranks[0], options);
    ASSERT_TRUE(full.ok()) << full.status().text();
    ASSERT_TRUE(symmetric.ok()) << symmetric.status().text();
    EXPECT_EQ(symmetric->step_count, full->step_count);
    EXPECT_EQ(symmetric->message_count, full->message_count);
    for (int rank = 0; rank < n; ++rank) {
        const Status image = is_rotation_of(ranks[0], ranks[rank], options);
        EXPECT_TRUE(image.ok()) << image.text();
    }
}

TEST(VerifySymmetric, AgreesWithTheProofOverAllRanks) {
    for (int n : {1, 2, 3, 4, 7, 16}) {
        for (std::uint32_t slots : {2u, 3u}) {
            for (int passes : {1, 3}) {
                VerifyOptions options = options_for(Contract::kAllReduce, slots);
                options.passes = passes;
                for (bool in_place : {false, true}) {
                    options.in_place = in_place;
                    if (n > 1) expect_agreement(ring, n, options);
                }
                options = options_for(Contract::kAllToAll, slots);
                expect_agreement(all_to_all, n, options);
            }
        }
    }
}

void expect_failure(const char* why, const std::function<void(Steps&)>& spoil,
                    Contract contract = Contract::kAllReduce) {
    Steps steps = contract == Contract::kAllToAll ? all_to_all(0, 5)
                                                  : *testing::ring_all_reduce_by_hand(0, 5);
    spoil(steps);
    const auto proof = verify_rotation(steps, options_for(contract));
    ASSERT_FALSE(proof.ok()) << "not seen: " << why;
    EXPECT_NE(proof.status().text().find(why), std::string::npos)
        << proof.status().text() << "\nlacks: " << why;
}

void drop(Steps& steps, std::size_t step) {
    std::vector<Step>& all = steps.lanes[0].steps;
    all.erase(all.begin() + static_cast<std::ptrdiff_t>(step));
}

TEST(VerifySymmetric, MistakesThatAllRanksMakeAreFound) {
    expect_failure("deadlock: waits for a message from 4", [](Steps& s) { drop(s, 0); });
    expect_failure("expects chunk",
                   [](Steps& s) { std::swap(s.lanes[0].steps[1], s.lanes[0].steps[2]); });
    expect_failure("left over", [](Steps& s) { drop(s, 8); });
    // The last addition is left out: what was received is delivered without the own term.
    expect_failure("output chunk", [](Steps& s) {
        Step& last = s.lanes[0].steps[4];
        s.lanes[0].operands[last.first_operand + 1] = s.lanes[0].operands[last.first_operand];
        ++last.first_operand;
        --last.source_count;
    });
    expect_failure("the copies of lane 1 differ", [](Steps& s) { s.lanes.emplace_back(); });
    expect_failure(
        "has no such symmetry", [](Steps&) {}, Contract::kBarrier);
    expect_failure("rotation: rank 1", [](Steps& s) { s.rank = 1; });
    expect_failure("rotation:", [](Steps& s) { s.max_span = 2; });
    // A block is sent to the wrong rank, by everybody alike.
    expect_failure(
        "may differ", [](Steps& s) { s.lanes[0].operands[2].chunk = 2; }, Contract::kAllToAll);
    expect_failure(
        "expects chunk", [](Steps& s) { std::swap(s.peers[0], s.peers[1]); }, Contract::kAllToAll);
}

TEST(VerifySymmetric, TooFewSlotsAreADeadlock) {
    // Two messages to the next rank before any is received.
    testing::StepsBuilder b(0, 3, 3);
    b.step({b.input(0)}, {b.slot(1, 0)}).step({b.input(1)}, {b.slot(1, 1)});
    const auto proof = verify_rotation(*b.build(), options_for(Contract::kAllReduce, 1));
    ASSERT_FALSE(proof.ok());
    EXPECT_NE(proof.status().text().find("waits for a free slot to 1"), std::string::npos);
}

// What holds of rank 0 holds of rank 3 only if rank 3 does the same.
TEST(VerifySymmetric, RanksThatAreNoRotationsAreFound) {
    const VerifyOptions options = options_for(Contract::kAllReduce);
    const Steps first = ring(0, 5);
    for (auto&& spoil : std::vector<std::function<void(Steps&)>>{
             [](Steps& s) { drop(s, 2); }, [](Steps& s) { s.lanes[1] = {}; },
             [](Steps& s) { s.lanes[0].operands[1].chunk ^= 1; },
             [](Steps& s) { s.lanes[0].operands[0].space = Space::kOutput; },
             [](Steps& s) { std::swap(s.peers[0], s.peers[1]); },
             [](Steps& s) { s.peers.pop_back(); }, [](Steps& s) { s.chunk_count = 4; },
             [](Steps& s) {
                 s.scratch_chunk_count = 0;
                 s.lanes[0].operands[0] = {Space::kScratch, 0, 0, 3};
             },
             [](Steps& s) { s.lanes.pop_back(); }}) {
        Steps steps = ring(3, 5);
        ASSERT_TRUE(is_rotation_of(first, steps, options).ok());
        spoil(steps);
        EXPECT_FALSE(is_rotation_of(first, steps, options).ok());
    }
}

}  // namespace
}  // namespace xccl
