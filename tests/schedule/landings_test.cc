// Goal: an answer may be put into the output only where nothing else touches that chunk meanwhile;
// and work is divided only where all ranks do the same.
// Method: programs written by hand.
#include "schedule/landings.h"

#include <gtest/gtest.h>

#include "executor/handmade_steps.h"

namespace xccl {
namespace {

using testing::StepsBuilder;
using Landings = std::vector<Landing>;

Landings landings(const StepsBuilder& steps) {
    return landings_of(steps.build()->lanes[0]);
}

std::vector<Steps> direct_all_reduces(int rank_count, int lane_count = 1) {
    std::vector<Steps> ranks;
    for (int rank = 0; rank < rank_count; ++rank) {
        ranks.push_back(*testing::direct_all_reduce(rank, rank_count, lane_count));
    }
    return ranks;
}

TEST(Landings, AreWhereAChunkComesBackThatWasSent) {
    StepsBuilder steps(0, 2, 2);
    steps.step({steps.input(1)}, {steps.slot(1, 1)});
    steps.step({steps.input(0), steps.slot(1, 0)}, {steps.output(0), steps.slot(1, 0)});
    steps.step({steps.slot(1, 1)}, {steps.output(1)});
    EXPECT_EQ(landings(steps), (Landings{{.sent = 0, .received = 2}}));
}

TEST(Landings, CoverWholeSpans) {
    StepsBuilder steps(0, 2, 4);
    steps.step({steps.input(0)}, {steps.slot(1, 0)}, 2);
    steps.step({steps.input(2)}, {steps.slot(1, 2)}, 2);
    steps.step({steps.slot(1, 0)}, {steps.output(0)}, 2);
    steps.step({steps.slot(1, 2)}, {steps.output(2)});
    steps.step({steps.slot(1, 3)}, {steps.output(3)});
    EXPECT_EQ(landings(steps), (Landings{{.sent = 0, .received = 2}}));
}

TEST(Landings, AreNotOfAChunkThatOthersWereSentToo) {
    StepsBuilder steps(0, 3, 1);
    steps.step({steps.input(0)}, {steps.slot(1, 0), steps.slot(2, 0)});
    steps.step({steps.slot(1, 0)}, {steps.output(0)});
    EXPECT_EQ(landings(steps), Landings{});
    StepsBuilder later(0, 3, 1);
    later.step({later.input(0)}, {later.slot(1, 0)});
    later.step({later.input(0)}, {later.slot(2, 0)});
    later.step({later.slot(1, 0)}, {later.output(0)});
    EXPECT_EQ(landings(later), Landings{});
}

TEST(Landings, AreNotWhereTheChunkIsUsedMeanwhile) {
    StepsBuilder read(0, 2, 1);
    read.step({read.input(0)}, {read.slot(1, 0)});
    read.step({read.input(0)}, {read.scratch(0)});
    read.step({read.slot(1, 0)}, {read.output(0)});
    EXPECT_EQ(landings(read), Landings{});
    StepsBuilder written(0, 2, 1);
    written.step({written.input(0)}, {written.slot(1, 0)});
    written.step({written.scratch(0)}, {written.output(0)});
    written.step({written.slot(1, 0)}, {written.output(0)});
    EXPECT_EQ(landings(written), Landings{});
}

TEST(Landings, AreNotWhereTheAnswerIsCombinedOrComesFromElsewhere) {
    StepsBuilder combined(0, 2, 1);
    combined.step({combined.input(0)}, {combined.slot(1, 0)});
    combined.step({combined.input(0), combined.slot(1, 0)}, {combined.output(0)});
    EXPECT_EQ(landings(combined), Landings{});
    StepsBuilder other(0, 3, 1);
    other.step({other.input(0)}, {other.slot(1, 0)});
    other.step({other.slot(2, 0)}, {other.output(0)});
    EXPECT_EQ(landings(other), Landings{});
}

// Which of the two messages would be the answer?
TEST(Landings, AreNotWhereThePeerSendsTheChunkTwice) {
    StepsBuilder steps(0, 2, 1);
    steps.step({steps.slot(1, 0)}, {steps.scratch(0)});
    steps.step({steps.input(0)}, {steps.slot(1, 0)});
    steps.step({steps.slot(1, 0)}, {steps.output(0)});
    EXPECT_EQ(landings(steps), Landings{});
}

TEST(Divisible, AreProgramsInWhichAllDoTheSame) {
    for (const int n : {2, 3, 4, 5, 8}) EXPECT_TRUE(are_divisible(direct_all_reduces(n, 2))) << n;
    EXPECT_FALSE(are_divisible({}));
}

TEST(Divisible, AreNotProgramsThatCutTheirInput) {
    std::vector<Steps> ranks = direct_all_reduces(2);
    for (Steps& steps : ranks) steps.chunk_count = 2;
    EXPECT_FALSE(are_divisible(ranks));
}

TEST(Divisible, AreNotProgramsThatCombineInAnotherOrder) {
    std::vector<Steps> ranks = direct_all_reduces(3);
    Lane& lane = ranks[1].lanes[0];
    std::swap(lane.operands[lane.steps[1].first_operand],
              lane.operands[lane.steps[1].first_operand + 2]);
    EXPECT_FALSE(are_divisible(ranks));
}

TEST(Divisible, AreNotProgramsOfWhichOneRankHasMoreToDo) {
    std::vector<Steps> ranks = direct_all_reduces(2);
    ranks[1].lanes[0].steps.push_back(ranks[1].lanes[0].steps[1]);
    EXPECT_FALSE(are_divisible(ranks));
}

}  // namespace
}  // namespace xccl
