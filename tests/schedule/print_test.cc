// Goal: what is printed is what stands there. Method: one of each kind, and a whole small program.
#include "schedule/print.h"

#include <gtest/gtest.h>

#include "executor/handmade_steps.h"

namespace xccl {
namespace {

TEST(Print, CellsAndVerbs) {
    EXPECT_EQ(print(Cell(3)), "3");
    EXPECT_EQ(print(work(3, 4)), "3..6");
    EXPECT_EQ(print(input(0)), "input 0");
    EXPECT_EQ(print(output(2, 2)), "output 2..3");
    EXPECT_EQ(print(send(1, 2)), "send 1 -> 2");
    EXPECT_EQ(print(recv(work(0, 2), 3)), "recv 0..1 <- 3");
    EXPECT_EQ(print(recv_reduce(0, 3)), "recv_reduce 0 <- 3");
    EXPECT_EQ(print(copy(output(1), input(1))), "copy output 1 := input 1");
    EXPECT_EQ(print(reduce(scratch(4), {{-1, Cell(0)}, {7, Cell(0)}})),
              "reduce scratch 4 := 0 + <7");
}

Schedule two_rounds(int rank) {
    Schedule schedule;
    schedule.rank = rank;
    schedule.rank_count = 2;
    schedule.at(0, send(0, 1 - rank));
    if (rank == 1) schedule.at(2, recv_reduce(0, 0));
    return schedule;
}

TEST(Print, SchedulesLeaveOutEmptyRounds) {
    EXPECT_EQ(print(two_rounds(1)),
              "all_reduce, rank 1 of 2, 1 chunks\n"
              "round 0: send 0 -> 0\n"
              "round 2: recv_reduce 0 <- 0\n");
    Schedule strands = two_rounds(0);
    strands.strands.resize(2);
    EXPECT_EQ(print(strands),
              "all_reduce, rank 0 of 2, 1 chunks\nstrand 0\nround 0: send 0 -> 1\nstrand 1\n");
}

TEST(Print, TablesHaveARowForEachRoundOfAnyRank) {
    const Schedule ranks[] = {two_rounds(0), two_rounds(1)};
    EXPECT_EQ(print_table(ranks),
              "| round | rank 0 | rank 1 |\n"
              "|---|---|---|\n"
              "| 0 | send 0 -> 1 | send 0 -> 0 |\n"
              "| 1 |  |  |\n"
              "| 2 |  | recv_reduce 0 <- 0 |\n");
}

TEST(Print, StepsNameTheRanksOfTheirMessages) {
    testing::StepsBuilder builder(1, 4, 4);
    builder.step({builder.slot(0, 2), builder.input(2)}, {builder.slot(3, 2), builder.output(2)},
                 2);
    builder.step({builder.input(0)}, {builder.scratch(0)});
    EXPECT_EQ(print(*builder.build()),
              "rank 1 of 4, 4 chunks, 1 in scratch, spans up to 2\n"
              "lane 0, round 0: >3:2..3, output 2..3 := <0:2..3 + input 2..3\n"
              "lane 0, round 1: scratch 0 := input 0\n");
}

}  // namespace
}  // namespace xccl
