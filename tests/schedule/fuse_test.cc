// Goal: neighbours become one move where the header says so, and nowhere else. Method: small
// programs before and after, as the printer shows them.
#include "schedule/fuse.h"

#include <gtest/gtest.h>

#include "base/limits.h"
#include "executor/handmade_steps.h"
#include "schedule/print.h"

namespace xccl {
namespace {

using testing::StepsBuilder;

// The moves of lane 0, one a line.
std::string fused(const StepsBuilder& builder) {
    const std::string text = print(fuse(*builder.build()));
    std::string moves;
    for (std::size_t at = text.find("lane 0"); at != std::string::npos;
         at = text.find("lane 0", at + 1)) {
        const std::size_t begin = text.find(": ", at) + 2;
        moves += text.substr(begin, text.find('\n', begin) - begin) + "\n";
    }
    return moves;
}

TEST(Fuse, AddThenSendIsOneMoveAndThePartialSumStaysOutOfMemory) {
    StepsBuilder b(1, 3);
    b.step({b.input(0), b.slot(0, 0)}, {b.scratch(0)}).step({b.scratch(0)}, {b.slot(2, 0)});
    EXPECT_EQ(fused(b), ">2:0 := input 0 + <0:0\n");
    EXPECT_EQ(fuse(*b.build()).scratch_chunk_count, 0u);
}

TEST(Fuse, ForwardingStoresWhatMustBeDelivered) {
    StepsBuilder b(1, 3);
    b.step({b.slot(0, 0)}, {b.output(0)}).step({b.output(0)}, {b.slot(2, 0)});
    EXPECT_EQ(fused(b), "output 0, >2:0 := <0:0\n");
}

TEST(Fuse, OneCellToManyIsReadOnce) {
    StepsBuilder b(0, 4);
    for (int peer : {1, 2, 3}) b.step({b.input(0)}, {b.slot(peer, 0)});
    EXPECT_EQ(fused(b), ">1:0, >2:0, >3:0 := input 0\n");
}

TEST(Fuse, OneMessageAfterAnotherToOnePeerStayTwo) {
    StepsBuilder b(0, 2);
    b.step({b.input(0)}, {b.slot(1, 0)}).step({b.input(0)}, {b.slot(1, 0)});
    EXPECT_EQ(fused(b), ">1:0 := input 0\n>1:0 := input 0\n");
}

// ((x0 x1) x2) is the canonical tree of three, (((x0 x1) x2) x3) is not that of four.
TEST(Fuse, AddingUpJoinsOnlyWhereTheTreeStaysTheSame) {
    StepsBuilder b(0, 4);
    b.step({b.input(0), b.slot(1, 0)}, {b.scratch(0)})
        .step({b.scratch(0), b.slot(2, 0)}, {b.scratch(0)})
        .step({b.scratch(0), b.slot(3, 0)}, {b.scratch(0)})
        .step({b.scratch(0)}, {b.output(0)});
    EXPECT_EQ(fused(b),
              "scratch 0 := input 0 + <1:0 + <2:0\n"
              "output 0 := scratch 0 + <3:0\n");
}

TEST(Fuse, SpansAndDistantStepsStayApart) {
    StepsBuilder b(1, 3, 4);
    b.step({b.slot(0, 0)}, {b.output(0)}, 2).step({b.output(0)}, {b.slot(2, 0)}, 1);
    EXPECT_EQ(fused(b), "output 0..1 := <0:0..1\n>2:0 := output 0\n");
    StepsBuilder c(1, 3, 2);
    c.step({c.slot(0, 0)}, {c.output(0)})
        .step({c.input(1)}, {c.slot(0, 1)})
        .step({c.output(0)}, {c.slot(2, 0)});
    EXPECT_EQ(fused(c), "output 0 := <0:0\n>0:1 := input 1\n>2:0 := output 0\n")
        << "a message must not overtake another";
}

TEST(Fuse, NoMoveReadsWhatItShifts) {
    StepsBuilder b(1, 2, 4);
    b.step({b.slot(0, 0)}, {b.output(0)}, 2)
        .step({b.output(0)}, {b.output(1)}, 2)
        .step({b.output(1)}, {b.slot(0, 1)}, 2);
    EXPECT_EQ(fused(b), "output 0..1 := <0:0..1\noutput 1..2, >0:1..2 := output 0..1\n");
}

TEST(Fuse, DeadStoresGoAndTheirMessagesAreStillTaken) {
    StepsBuilder b(1, 3);
    b.step({b.input(0)}, {b.scratch(0)})       // nobody reads it
        .step({b.slot(0, 0)}, {b.scratch(0)})  // nor this, but it is a message
        .step({b.input(0)}, {b.output(0)});
    EXPECT_EQ(fused(b), "scratch 0 := <0:0\noutput 0 := input 0\n");
}

TEST(Fuse, AReductionNeverGrowsBeyondItsLimit) {
    const int n = static_cast<int>(kMaxReduceSources) + 1;
    StepsBuilder b(0, n);
    std::vector<Operand> terms = {b.input(0)};
    for (int peer = 1; peer < n - 1; ++peer) terms.push_back(b.slot(peer, 0));
    ASSERT_EQ(terms.size(), kMaxReduceSources);
    b.step(terms, {b.scratch(0)}).step({b.scratch(0), b.slot(n - 1, 0)}, {b.output(0)});
    const Steps steps = fuse(*b.build());
    ASSERT_EQ(steps.lanes[0].steps.size(), 2u);
    EXPECT_EQ(steps.lanes[0].steps[0].source_count, kMaxReduceSources);
}

}  // namespace
}  // namespace xccl
