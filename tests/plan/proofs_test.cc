// Goal: what runs was proved, what is wrong does not run. Method: a right algorithm, and one that
// forgets a rank, made here; the canonical goal with one that does not reach it.
#include "plan/proofs.h"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>
#include <vector>

namespace xccl {
namespace {

std::atomic<int> generated{0};

Schedule counted_ring(const Shape& shape) {
    ++generated;
    return find_algorithm("ring_all_reduce")->generate(shape);
}

// The last round is left out: somebody lacks a chunk.
Schedule short_ring(const Shape& shape) {
    Schedule schedule = find_algorithm("ring_all_reduce")->generate(shape);
    schedule.strands[0].rounds.pop_back();
    return schedule;
}

Algorithm like_ring(const char* name, Schedule (*generate)(const Shape&)) {
    Algorithm algorithm = *find_algorithm("ring_all_reduce");
    algorithm.name = name;
    algorithm.generate = generate;
    return algorithm;
}

ProgramShape over(const Algorithm& algorithm, int rank_count, int copies = 1) {
    ProgramShape program;
    program.algorithm = &algorithm;
    program.shape.rank_count = rank_count;
    program.copies = copies;
    return program;
}

// Whether peers may read the input of an all-reduce in place.
TEST(Proofs, TellWhereTheInputMayBeReadInPlace) {
    for (const int n : {2, 3, 4, 8}) {
        Sharing sharing;
        EXPECT_TRUE(
            prove_program(over(*find_algorithm("direct_two_phase_all_reduce"), n), {}, &sharing)
                .ok());
        EXPECT_TRUE(sharing.read_in_place) << n;
        EXPECT_TRUE(sharing.lands) << n;
        EXPECT_FALSE(sharing.divides) << n;
        EXPECT_TRUE(
            prove_program(over(*find_algorithm("direct_all_reduce"), n), {}, &sharing).ok());
        EXPECT_FALSE(sharing.read_in_place) << n;
        EXPECT_FALSE(sharing.lands) << n << ": nothing comes back";
        EXPECT_TRUE(sharing.divides) << n;
    }
}

TEST(Proofs, RightStepsPass) {
    for (int copies : {1, 2}) {
        const Status status =
            prove_program(over(*find_algorithm("ring_all_reduce"), 5, copies), {});
        EXPECT_TRUE(status.ok()) << status.text();
    }
}

TEST(Proofs, WrongStepsAreNamed) {
    static const Algorithm wrong = like_ring("short_ring", short_ring);
    const Status status = prove_program(over(wrong, 5), {});
    ASSERT_FALSE(status.ok());
    EXPECT_NE(status.text().find("short_ring over 5 ranks"), std::string::npos) << status.text();
    EXPECT_FALSE(prove_program(over(wrong, 5), {}).ok()) << "the verdict is kept";
}

TEST(Proofs, TheCanonicalGoalIsProvedNotDeclared) {
    const ProofGoal canonical = {Rounding::kAtOutput, true};
    EXPECT_TRUE(prove_program(over(*find_algorithm("direct_all_reduce"), 5), canonical).ok());
    const Status ring = prove_program(over(*find_algorithm("ring_all_reduce"), 5), canonical);
    ASSERT_FALSE(ring.ok());
    EXPECT_NE(ring.text().find("canonical"), std::string::npos);
}

TEST(Proofs, ThreadsOfAProcessProveOnce) {
    static const Algorithm counted = like_ring("counted_ring", counted_ring);
    const int n = 6;
    std::vector<std::thread> ranks;
    std::atomic<int> failures{0};
    for (int rank = 0; rank < n; ++rank) {
        ranks.emplace_back([&] { failures += !prove_program(over(counted, n), {}).ok(); });
    }
    for (std::thread& rank : ranks) rank.join();
    EXPECT_EQ(failures, 0);
    EXPECT_EQ(generated, n);  // each rank's part once, not n times
}

// 2 * 1500 steps for each of 1500 ranks are too many to be proved one by one.
TEST(Proofs, WhatIsTooLargeIsProvedByRotation) {
    ProgramShape program = over(*find_algorithm("ring_all_reduce"), 1500, 2);
    for (int rank : {0, 1, 1499}) {
        program.shape.rank = rank;
        const Status status = prove_program(program, {});
        EXPECT_TRUE(status.ok()) << status.text();
    }
}

// As right as any, but rank 7 goes about it in its own way: nothing is proved of it.
Schedule all_but_one(const Shape& shape) {
    Schedule schedule = find_algorithm("ring_all_reduce")->generate(shape);
    if (shape.rank == 7) {
        std::swap(schedule.strands[0].rounds[0][0], schedule.strands[0].rounds[0][1]);
    }
    return schedule;
}

TEST(Proofs, ARankThatIsNoRotationIsRefused) {
    static const Algorithm wrong = like_ring("all_but_one", all_but_one);
    ProgramShape program = over(wrong, 1500);
    EXPECT_TRUE(prove_program(program, {}).ok());
    program.shape.rank = 7;
    const Status status = prove_program(program, {});
    ASSERT_FALSE(status.ok());
    EXPECT_NE(status.text().find("rank 7"), std::string::npos) << status.text();
}

TEST(Proofs, WhatAProofTakesIsKnownBeforehand) {
    const auto effort = [](const char* name, int rank_count) {
        const Algorithm& algorithm = *find_algorithm(name);
        const ProgramShape program = over(algorithm, rank_count);
        std::vector<Steps> some;
        for (int rank : {0, rank_count / 2}) {
            some.push_back(compile_program(program, rank).value());
        }
        return effort_of(algorithm, some, program.shape);
    };
    EXPECT_EQ(effort("direct_two_phase_all_reduce", 400), Effort::kQuick);
    EXPECT_EQ(effort("direct_two_phase_all_reduce", 2000), Effort::kTooMuch);
    EXPECT_EQ(effort("direct_all_reduce", 4000), Effort::kTooMuch) << "few steps, many messages";
    EXPECT_EQ(effort("halving_doubling_all_reduce", 1024), Effort::kQuick);
    EXPECT_EQ(effort("halving_doubling_all_reduce", 4096), Effort::kSlow) << "n chunks each";
    EXPECT_EQ(effort("ring_all_reduce", 4000), Effort::kQuick);
    EXPECT_EQ(effort("direct_gather", 4000), Effort::kQuick) << "only the root has many steps";
}

TEST(Proofs, StepsAreOfTheRankAskedFor) {
    const ProgramShape program = over(*find_algorithm("ring_all_reduce"), 4, 2);
    for (int rank = 0; rank < 4; ++rank) {
        const auto steps = compile_program(program, rank);
        ASSERT_TRUE(steps.ok());
        EXPECT_EQ(steps.value().rank, rank);
        EXPECT_EQ(steps.value().lanes.size(), 2u);
    }
}

}  // namespace
}  // namespace xccl
