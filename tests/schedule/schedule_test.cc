// Goal: verbs say what they were asked to, and rounds keep their numbers. Method: each once.
#include "schedule/schedule.h"

#include <gtest/gtest.h>

namespace xccl {
namespace {

TEST(Schedule, VerbsHoldWhatTheyAreGiven) {
    EXPECT_EQ(send(3, 1).kind, Verb::Kind::kSend);
    EXPECT_EQ(send(3, 1).cell, Cell(3));
    EXPECT_EQ(send(3, 1).peer, 1);
    EXPECT_EQ(recv(work(2, 4), 1).cell.span, 4u);
    EXPECT_EQ(recv(2, 1).kind, Verb::Kind::kRecv);
    EXPECT_EQ(recv_reduce(2, 1).kind, Verb::Kind::kRecvReduce);
    const Verb copied = copy(output(1), input(0));
    EXPECT_EQ(copied.kind, Verb::Kind::kCopy);
    EXPECT_EQ(copied.cell, output(1));
    EXPECT_EQ(copied.source, input(0));
    const Verb reduced = reduce(scratch(5), {{-1, Cell(0)}, {3, Cell(0)}});
    EXPECT_EQ(reduced.kind, Verb::Kind::kReduce);
    EXPECT_EQ(reduced.cell, scratch(5));
    ASSERT_EQ(reduced.terms.size(), 2u);
    EXPECT_EQ(reduced.terms[1].peer, 3);
}

TEST(Schedule, ARoundThatIsSkippedIsEmpty) {
    Strand strand;
    strand.at(2, send(0, 1));
    strand.at(2, recv(0, 1));
    strand.at(0, send(0, 2));
    ASSERT_EQ(strand.rounds.size(), 3u);
    EXPECT_EQ(strand.rounds[0].size(), 1u);
    EXPECT_TRUE(strand.rounds[1].empty());
    EXPECT_EQ(strand.rounds[2], (Round{send(0, 1), recv(0, 1)}));
    strand.round({send(0, 3)});
    EXPECT_EQ(strand.rounds.size(), 4u);
}

}  // namespace
}  // namespace xccl
