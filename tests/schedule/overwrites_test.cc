// Goal: a step that writes over what was sent from the input waits for exactly those messages.
// Method: programs written by hand.
#include "schedule/overwrites.h"

#include <gtest/gtest.h>

#include "executor/handmade_steps.h"

namespace xccl {
namespace {

using testing::StepsBuilder;
using Overwrites = std::vector<Overwrite>;

Overwrites of(const StepsBuilder& steps) {
    return overwrites_of(steps.build()->lanes[0]);
}

TEST(Overwrites, AreWhereAChunkComesBackThatWasSent) {
    StepsBuilder steps(0, 2, 2);
    steps.step({steps.input(1)}, {steps.slot(1, 1)});
    steps.step({steps.input(0), steps.slot(1, 0)}, {steps.output(0), steps.slot(1, 0)});
    steps.step({steps.slot(1, 1)}, {steps.output(1)});
    EXPECT_EQ(of(steps), (Overwrites{{.step = 2, .message = 1, .peer_index = 0}}));
}

TEST(Overwrites, CountMessagesToEachPeer) {
    StepsBuilder steps(0, 3, 2);
    steps.step({steps.input(0)}, {steps.slot(1, 0)});
    steps.step({steps.input(1)}, {steps.slot(1, 1), steps.slot(2, 1)});
    steps.step({steps.slot(1, 1)}, {steps.output(1)});
    EXPECT_EQ(of(steps), (Overwrites{{.step = 2, .message = 2, .peer_index = 0},
                                     {.step = 2, .message = 1, .peer_index = 1}}));
}

TEST(Overwrites, CoverSpans) {
    StepsBuilder steps(0, 2, 4);
    steps.step({steps.input(1)}, {steps.slot(1, 1)}, 3);
    steps.step({steps.slot(1, 0)}, {steps.output(0)}, 2);
    steps.step({steps.slot(1, 2)}, {steps.output(2)}, 2);
    EXPECT_EQ(of(steps), (Overwrites{{.step = 1, .message = 1, .peer_index = 0},
                                     {.step = 2, .message = 1, .peer_index = 0},
                                     {.step = 2, .message = 1, .peer_index = 0}}));
}

// What is not a copy of the input is not read there; and what a step sends as it writes it is what
// it leaves.
TEST(Overwrites, AreNotWhereSumsWereSent) {
    StepsBuilder steps(0, 2, 1);
    steps.step({steps.input(0), steps.slot(1, 0)}, {steps.slot(1, 0)});
    steps.step({steps.input(0)}, {steps.output(0), steps.slot(1, 0)});
    EXPECT_EQ(of(steps), Overwrites{});
}

}  // namespace
}  // namespace xccl
