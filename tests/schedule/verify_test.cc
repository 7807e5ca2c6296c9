// Goal: the verifier accepts what is right and reports each thing that can be wrong, by its name.
// Method: hand-made programs of two to four ranks, right ones and one for each failure; all the
// single mistakes that can be made in real ones are in tests/algorithms/mutation_test.cc.
#include "schedule/verify.h"

#include <gtest/gtest.h>

#include <functional>

#include "executor/handmade_steps.h"

namespace xccl {
namespace {

using testing::StepsBuilder;
using Write = std::function<void(int rank, StepsBuilder&)>;

std::vector<Steps> world(int rank_count, std::uint32_t chunk_count, const Write& write) {
    std::vector<Steps> ranks;
    std::uint32_t max_span = 1;
    for (int rank = 0; rank < rank_count; ++rank) {
        StepsBuilder builder(rank, rank_count, chunk_count);
        write(rank, builder);
        ranks.push_back(*builder.build());
        max_span = std::max(max_span, ranks.back().max_span);
    }
    for (Steps& steps : ranks) steps.max_span = max_span;
    return ranks;
}

VerifyOptions options_of(Contract contract, std::uint32_t slots = kLeastSlotCount) {
    VerifyOptions options;
    options.contract = contract;
    options.slot_count = slots;
    return options;
}

void expect_failure(const char* why, const std::vector<Steps>& ranks,
                    const VerifyOptions& options) {
    const auto proof = verify(ranks, options);
    ASSERT_FALSE(proof.ok()) << "not seen: " << why;
    EXPECT_NE(proof.status().text().find(why), std::string::npos) << proof.status().text();
}

std::vector<Steps> handmade(std::shared_ptr<const Steps> (*program)(int, int, int), int n,
                            int lanes = 1) {
    std::vector<Steps> ranks;
    for (int rank = 0; rank < n; ++rank) ranks.push_back(*program(rank, n, lanes));
    return ranks;
}

// Whoever would add its term to a chunk passes on what it has received.
void spoil_sum_of(std::vector<Steps>& ranks, std::uint32_t chunk) {
    for (Steps& steps : ranks) {
        for (Lane& lane : steps.lanes) {
            for (Step& step : lane.steps) {
                Operand* const operands = lane.operands.data() + step.first_operand;
                if (step.source_count != 2 || operands[step.source_count].chunk != chunk) continue;
                if (operands[0].space == Space::kSlot) std::swap(operands[0], operands[1]);
                ++step.first_operand;
                --step.source_count;
            }
        }
    }
}

TEST(Verify, RightProgramsPassAndAreCounted) {
    for (int n : {1, 2, 3, 5, 8}) {
        const auto direct =
            verify(handmade(testing::direct_all_reduce, n), options_of(Contract::kAllReduce));
        ASSERT_TRUE(direct.ok()) << direct.status().text();
        EXPECT_EQ(direct->message_count, static_cast<std::uint64_t>(n * (n - 1)));
        EXPECT_TRUE(direct->canonical);
        ASSERT_EQ(direct->results.size(), 1u);
    }
    const auto ring =
        verify(handmade(testing::ring_all_reduce_by_hand, 4), options_of(Contract::kAllReduce));
    ASSERT_TRUE(ring.ok()) << ring.status().text();
    EXPECT_EQ(ring->message_count, 4u * 2 * 3);
    EXPECT_FALSE(ring->canonical);
    EXPECT_EQ(ring->expressions.print(ring->results[0]), "(((x0 x1) x2) x3)");
}

TEST(Verify, PassesFollowEachOtherOverTheSameConnections) {
    VerifyOptions options = options_of(Contract::kAllReduce);
    options.passes = 5;
    const auto proof = verify(handmade(testing::ring_all_reduce_by_hand, 3), options);
    ASSERT_TRUE(proof.ok()) << proof.status().text();
    EXPECT_EQ(proof->message_count, 5u * 3 * 2 * 2);
}

TEST(Verify, EqualCopiesShareAProofAndOthersDoNot) {
    auto ranks = handmade(testing::direct_all_reduce, 2, 2);
    EXPECT_TRUE(verify(ranks, options_of(Contract::kAllReduce)).ok());
    for (Steps& steps : ranks) {  // the second copy sends nothing and delivers its own input
        steps.lanes[1] = {};
        steps.lanes[1].operands = {{Space::kInput, 0, 0, 0}, {Space::kOutput, 0, 0, 0}};
        steps.lanes[1].steps = {{.first_operand = 0, .source_count = 1, .destination_count = 1}};
    }
    expect_failure("output chunk 0 is x0", ranks, options_of(Contract::kAllReduce));
}

TEST(Verify, RoundingIsPartOfTheExpression) {
    const auto ranks = handmade(testing::ring_all_reduce_by_hand, 3);
    const auto expression = [&](Rounding rounding) {
        VerifyOptions options = options_of(Contract::kAllReduce);
        options.rounding = rounding;
        auto proof = verify(ranks, options);
        EXPECT_TRUE(proof.ok()) << proof.status().text();
        return proof.ok() ? proof->expressions.print(proof->results[0]) : "";
    };
    EXPECT_EQ(expression(Rounding::kNone), "((x0 x1) x2)");
    EXPECT_EQ(expression(Rounding::kEverywhere), "r(r(x0 x1) x2)");
}

// Rank 0 delivers the sum before it is rounded for its message to 1: the two get different bits.
TEST(Verify, RanksThatRoundDifferentlyAreFound) {
    const auto ranks = world(2, 1, [](int rank, StepsBuilder& b) {
        if (rank == 1) {
            b.step({b.input(0)}, {b.slot(0, 0)}).step({b.slot(0, 0)}, {b.output(0)});
            return;
        }
        b.step({b.slot(1, 0), b.input(0)}, {b.slot(1, 0), b.output(0)});
    });
    for (Rounding rounding : {Rounding::kNone, Rounding::kAtOutput, Rounding::kEverywhere}) {
        VerifyOptions options = options_of(Contract::kAllReduce);
        options.rounding = rounding;
        EXPECT_TRUE(verify(ranks, options).ok());
    }
    // Three ranks: 0 rounds the sum of 0 and 1 on its way to 2, and not for itself.
    const auto three = world(3, 1, [](int rank, StepsBuilder& b) {
        if (rank == 0) {
            b.step({b.slot(1, 0), b.input(0)}, {b.scratch(0), b.slot(2, 0)});
            b.step({b.scratch(0), b.slot(2, 0)}, {b.output(0), b.slot(1, 0)});
        } else if (rank == 1) {
            b.step({b.input(0)}, {b.slot(0, 0)}).step({b.slot(0, 0)}, {b.output(0)});
        } else {
            b.step({b.input(0)}, {b.slot(0, 0)});
            b.step({b.slot(0, 0), b.input(0)}, {b.output(0)});
        }
    });
    EXPECT_TRUE(verify(three, options_of(Contract::kAllReduce)).ok());
}

TEST(Verify, DifferentOrdersOnDifferentRanksAreFound) {
    const auto ranks = world(3, 1, [](int rank, StepsBuilder& b) {
        const int first = (rank + 1) % 3, second = (rank + 2) % 3;
        b.step({b.input(0)}, {b.slot(first, 0), b.slot(second, 0)});
        b.step({b.input(0), b.slot(first, 0), b.slot(second, 0)}, {b.output(0)});
    });
    expect_failure("elsewhere as", ranks, options_of(Contract::kAllReduce));
}

TEST(Verify, MissingAndDoubledContributionsAreFound) {
    const auto with = [](const Write& last) {
        return world(2, 1, [&](int rank, StepsBuilder& b) {
            b.step({b.input(0)}, {b.slot(1 - rank, 0)});
            last(rank, b);
        });
    };
    expect_failure("rank 0: output chunk 0 is x1", with([](int rank, StepsBuilder& b) {
                       b.step({b.slot(1 - rank, 0)}, {b.output(0)});
                   }),
                   options_of(Contract::kAllReduce));
    expect_failure("output chunk 0 is", with([](int rank, StepsBuilder& b) {
                       b.step({b.slot(1 - rank, 0), b.input(0), b.input(0)}, {b.output(0)});
                   }),
                   options_of(Contract::kAllReduce));
    expect_failure("output chunk 0 is undefined", with([](int rank, StepsBuilder& b) {
                       b.step({b.slot(1 - rank, 0), b.input(0)}, {b.scratch(0)});
                   }),
                   options_of(Contract::kAllReduce));
}

TEST(Verify, MessagesMustMeetTheStepThatExpectsThem) {
    const auto crossed = world(2, 2, [](int rank, StepsBuilder& b) {
        if (rank == 0) {
            for (std::uint32_t c : {0u, 1u}) b.step({b.input(c)}, {b.output(c), b.slot(1, c)});
        } else {
            for (std::uint32_t c : {1u, 0u}) b.step({b.slot(0, c)}, {b.output(c)});
        }
    });
    expect_failure("expects chunks 1 + 1 of 0, gets 0 + 1", crossed,
                   options_of(Contract::kBroadcast));
    const auto lengths = world(2, 2, [](int rank, StepsBuilder& b) {
        if (rank == 0) {
            b.step({b.input(0)}, {b.output(0), b.slot(1, 0)}, 2);
        } else {
            for (std::uint32_t c : {0u, 1u}) b.step({b.slot(0, c)}, {b.output(c)});
        }
    });
    expect_failure("expects chunks 0 + 1 of 0, gets 0 + 2", lengths,
                   options_of(Contract::kBroadcast));
}

TEST(Verify, LeftOverMessagesAreFound) {
    const auto ranks = world(2, 1, [](int rank, StepsBuilder& b) {
        if (rank == 0) b.step({b.input(0)}, {b.output(0), b.slot(1, 0)});
        if (rank == 0) b.step({b.input(0)}, {b.slot(1, 0)});
        if (rank == 1) b.step({b.slot(0, 0)}, {b.output(0)});
    });
    expect_failure("a message from rank 0 to rank 1 on lane 0 is left over", ranks,
                   options_of(Contract::kBroadcast));
}

TEST(Verify, DeadlocksAreFoundAndNameWhomTheyWaitFor) {
    const auto receive_first = world(2, 1, [](int rank, StepsBuilder& b) {
        b.step({b.slot(1 - rank, 0), b.input(0)}, {b.output(0)});
        b.step({b.input(0)}, {b.slot(1 - rank, 0)});
    });
    expect_failure("deadlock: waits for a message from", receive_first,
                   options_of(Contract::kAllReduce));
    // Both send two messages before they receive any: fine with two slots, stuck with one.
    const auto flood = world(2, 2, [](int rank, StepsBuilder& b) {
        for (std::uint32_t c : {0u, 1u}) b.step({b.input(c)}, {b.slot(1 - rank, c)});
        for (std::uint32_t c : {0u, 1u}) {
            b.step({b.slot(1 - rank, c), b.input(c)}, {b.output(c)});
        }
    });
    EXPECT_TRUE(verify(flood, options_of(Contract::kAllReduce, 2)).ok());
    expect_failure("deadlock: waits for a free slot to", flood,
                   options_of(Contract::kAllReduce, 1));
}

TEST(Verify, OverwritingTooEarlyIsFound) {
    // Rank r overwrites chunk 0 of its output before it sends chunk 0 of its input.
    const auto ranks = world(2, 1, [](int rank, StepsBuilder& b) {
        if (rank == 0) {
            b.step({b.slot(1, 0), b.input(0)}, {b.output(0)}).step({b.input(0)}, {b.slot(1, 0)});
        } else {
            b.step({b.input(0)}, {b.slot(0, 0)});
            b.step({b.slot(0, 0), b.input(0)}, {b.output(0)});
        }
    });
    VerifyOptions options = options_of(Contract::kAllReduce);
    EXPECT_TRUE(verify(ranks, options).ok());
    options.in_place = true;
    expect_failure("output chunk 0 is", ranks, options);
}

// Whether an input that is the output may be read where it lies.
TEST(Verify, WaitsBeforeItOverwritesAnInputThatIsRead) {
    VerifyOptions options = options_of(Contract::kAllReduce);
    options.in_place = options.read_in_place = true;
    options.passes = 2;
    // Each sums its chunk and sends it back: what comes back was read before.
    const auto two_phases = world(2, 2, [](int rank, StepsBuilder& b) {
        const auto mine = static_cast<std::uint32_t>(rank);
        const int peer = 1 - rank;
        b.step({b.input(1 - mine)}, {b.slot(peer, 1 - mine)});
        const std::vector<Operand> terms = rank == 0 ? std::vector{b.input(0), b.slot(peer, 0)}
                                                     : std::vector{b.slot(peer, 1), b.input(1)};
        b.step(terms, {b.output(mine), b.slot(peer, mine)});
        b.step({b.slot(peer, 1 - mine)}, {b.output(1 - mine)});
    });
    EXPECT_TRUE(verify(two_phases, options).ok()) << verify(two_phases, options).status().text();
    // Each would read the other's in the step that it waits with.
    const auto one_shot = handmade(testing::direct_all_reduce, 2);
    expect_failure("deadlock: waits for a free slot", one_shot, options);
    options.read_in_place = false;
    EXPECT_TRUE(verify(one_shot, options).ok());
}

TEST(Verify, UndefinedScratchAndForgottenScratchAreFound) {
    const auto undefined =
        world(1, 1, [](int, StepsBuilder& b) { b.step({b.scratch(0)}, {b.output(0)}); });
    expect_failure("undefined", undefined, options_of(Contract::kAllReduce));
    // What a tile leaves in scratch is gone when the next one begins.
    const auto kept = world(1, 1, [](int, StepsBuilder& b) {
        b.step({b.input(0)}, {b.scratch(0)}).step({b.scratch(0)}, {b.output(0)});
    });
    VerifyOptions twice = options_of(Contract::kAllReduce);
    twice.passes = 2;
    EXPECT_TRUE(verify(kept, twice).ok());
}

TEST(Verify, BarriersNeedOnlyToHaveHeardOfEveryone) {
    const auto heard_twice = world(2, 1, [](int rank, StepsBuilder& b) {
        b.step({b.input(0)}, {b.slot(1 - rank, 0)});
        b.step({b.slot(1 - rank, 0), b.input(0), b.input(0)}, {b.output(0)});
    });
    EXPECT_TRUE(verify(heard_twice, options_of(Contract::kBarrier)).ok());
    const auto deaf =
        world(2, 1, [](int, StepsBuilder& b) { b.step({b.input(0)}, {b.output(0)}); });
    expect_failure("output chunk 0 is x0", deaf, options_of(Contract::kBarrier));
}

TEST(Verify, RanksMustFitTogether) {
    const auto spoiled = [](const std::function<void(Steps&)>& spoil) {
        auto ranks = handmade(testing::direct_all_reduce, 3);
        spoil(ranks[1]);
        return ranks;
    };
    const VerifyOptions options = options_of(Contract::kAllReduce);
    const char* const misfit = "rank 1 does not fit in with rank 0";
    expect_failure(misfit, spoiled([](Steps& s) { s.rank = 2; }), options);
    expect_failure(misfit, spoiled([](Steps& s) { s.rank_count = 4; }), options);
    expect_failure(misfit, spoiled([](Steps& s) { s.chunk_count = 2; }), options);
    expect_failure(misfit, spoiled([](Steps& s) { s.max_span = 2; }), options);
    expect_failure(misfit, spoiled([](Steps& s) { s.lanes.resize(2); }), options);
    expect_failure("1 chunks for 3 ranks", spoiled([](Steps&) {}),
                   options_of(Contract::kReduceScatter));
    expect_failure("0 ranks", {}, options);
    for (auto&& spoil : std::vector<std::function<void(VerifyOptions&)>>{
             [](VerifyOptions& o) { o.passes = 0; }, [](VerifyOptions& o) { o.slot_count = 0; },
             [](VerifyOptions& o) { o.root = 3; }, [](VerifyOptions& o) { o.root = -1; }}) {
        VerifyOptions wrong = options;
        spoil(wrong);
        expect_failure("verify: 3 ranks", spoiled([](Steps&) {}), wrong);
    }
}

// A ring of ranks whose program for chunk `odd` is spoiled: whatever the windows, it is seen, and
// what is right is proved alike.
TEST(Verify, WindowsOfChunksProveWhatOneDoes) {
    for (std::uint32_t odd : {0u, 3u, 6u}) {
        std::vector<Steps> ranks = handmade(testing::ring_all_reduce_by_hand, 7);
        const VerifyOptions whole = options_of(Contract::kAllReduce);
        const auto proof = verify(ranks, whole);
        ASSERT_TRUE(proof.ok()) << proof.status().text();
        for (std::uint64_t values : {1u, 14u, 21u, 48u}) {
            VerifyOptions options = whole;
            options.window_values = values;
            const auto windows = verify(ranks, options);
            ASSERT_TRUE(windows.ok()) << windows.status().text();
            EXPECT_EQ(windows->step_count, proof->step_count);
            EXPECT_EQ(windows->message_count, proof->message_count);
            EXPECT_EQ(windows->canonical, proof->canonical);
            EXPECT_TRUE(windows->results.empty());

            std::vector<Steps> spoiled = ranks;
            spoil_sum_of(spoiled, odd);
            expect_failure("output chunk", spoiled, options);
        }
    }
}

TEST(Verify, TheWorkIsBounded) {
    VerifyOptions options = options_of(Contract::kAllReduce);
    options.passes = 300'000;
    expect_failure("too many", handmade(testing::direct_all_reduce, 2), options);
}

// Messages name the rank, the lane and the step, so that a mistake in an algorithm can be found.
TEST(Verify, FailuresNameTheirStep) {
    auto ranks = handmade(testing::ring_all_reduce_by_hand, 4);
    ranks[2].lanes[0].steps.erase(ranks[2].lanes[0].steps.begin() + 3);
    const auto proof = verify(ranks, options_of(Contract::kAllReduce));
    ASSERT_FALSE(proof.ok());
    EXPECT_NE(proof.status().text().find("rank 2, lane 0, step 3"), std::string::npos)
        << proof.status().text();
}

}  // namespace
}  // namespace xccl
