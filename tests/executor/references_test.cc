// Goal: a message may refer to a buffer exactly where that stays as it is until the message was
// released.
// Method: programs written by hand; the operand that each step's messages may refer to.
#include "executor/references.h"

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <vector>

#include "executor/engine.h"
#include "executor/handmade_steps.h"
#include "executor/launches.h"
#include "executor/rig.h"

namespace xccl::testing {
namespace {

constexpr std::uint16_t kNo = BoundStep::kNoOperand;

// By step of the first lane.
std::vector<std::uint16_t> referred(std::shared_ptr<const Steps> steps,
                                    const std::function<void(Launch&)>& change = {}) {
    Rig rig(steps->rank_count);
    const int rank = steps->rank;
    Launch launch = make_launch(std::move(steps), rig.geometry(), {.count = 64});
    if (change) change(launch);
    const auto prepared = rig.engine(rank).prepare(std::move(launch));
    EXPECT_TRUE(prepared.ok()) << prepared.status().text();
    std::vector<std::uint16_t> operands;
    for (const BoundStep& step : (*prepared)->lanes()[0].steps) operands.push_back(step.referred);
    return operands;
}

TEST(References, AreToTheInputThatIsSent) {
    StepsBuilder steps(0, 2, 2);
    steps.step({steps.input(1)}, {steps.slot(1, 1)});
    steps.step({steps.input(0), steps.slot(1, 0)}, {steps.output(0)});
    EXPECT_EQ(referred(steps.build()), (std::vector<std::uint16_t>{0, kNo}));
}

TEST(References, AreToTheOutputThatIsSentAsItIsWritten) {
    StepsBuilder steps(0, 2, 1);
    steps.step({steps.input(0), steps.slot(1, 0)}, {steps.output(0), steps.slot(1, 0)});
    EXPECT_EQ(referred(steps.build()), (std::vector<std::uint16_t>{2}));
}

TEST(References, AreNotToWhatALaterStepWrites) {
    StepsBuilder steps(0, 2, 2);
    steps.step({steps.input(0)}, {steps.output(0)});
    steps.step({steps.output(0)}, {steps.slot(1, 0)});
    steps.step({steps.slot(1, 0)}, {steps.output(0)});
    steps.step({steps.output(0)}, {steps.slot(1, 0)});
    EXPECT_EQ(referred(steps.build()), (std::vector<std::uint16_t>{kNo, kNo, kNo, 0}));
}

TEST(References, AreNotToScratchNorToWhatIsOnlyPassedOn) {
    StepsBuilder steps(0, 3, 1);
    steps.step({steps.slot(1, 0)}, {steps.scratch(0)});
    steps.step({steps.scratch(0)}, {steps.slot(1, 0)});
    steps.step({steps.slot(1, 0), steps.input(0)}, {steps.slot(2, 0)});
    steps.step({steps.slot(2, 0)}, {steps.slot(1, 0)});
    EXPECT_EQ(referred(steps.build()), (std::vector<std::uint16_t>{kNo, kNo, kNo, kNo}));
}

TEST(References, AreNotToWhatIsDividedOrScaledAfterwards) {
    StepsBuilder steps(0, 2, 1);
    steps.step({steps.input(0)}, {steps.slot(1, 0)});
    steps.step({steps.input(0), steps.slot(1, 0)}, {steps.output(0), steps.slot(1, 0)});
    const auto program = steps.build();
    EXPECT_EQ(referred(program, [](Launch& launch) { launch.divide_output_by = 2; }),
              (std::vector<std::uint16_t>{0, kNo}));
    EXPECT_EQ(referred(program, [](Launch& launch) { launch.scale_input = true; }),
              (std::vector<std::uint16_t>{kNo, 2}));
}

TEST(References, OutputIsLeftByTheStepAfterWhichNobodyUsesIt) {
    StepsBuilder steps(0, 2, 2);
    steps.step({steps.input(0)}, {steps.output(0)});
    steps.step({steps.output(0)}, {steps.slot(1, 0)});
    steps.step({steps.input(1), steps.slot(1, 1)}, {steps.output(1), steps.slot(1, 1)});
    steps.step({steps.slot(1, 0)}, {steps.output(0)});
    Rig rig(2);
    const auto prepared =
        rig.engine(0).prepare(make_launch(steps.build(), rig.geometry(), {.count = 64}));
    ASSERT_TRUE(prepared.ok()) << prepared.status().text();
    std::vector<bool> leaves;
    for (const BoundStep& step : (*prepared)->lanes()[0].steps) {
        leaves.push_back(step.leaves_output);
    }
    EXPECT_EQ(leaves, (std::vector<bool>{false, false, true, true}));
}

// Of an all-reduce in two phases, all that is sent lies in a buffer.
TEST(References, ServeBothPhasesOfADirectAllReduce) {
    StepsBuilder steps(0, 2, 2);
    steps.step({steps.input(1)}, {steps.slot(1, 1)});
    steps.step({steps.input(0), steps.slot(1, 0)}, {steps.output(0), steps.slot(1, 0)});
    steps.step({steps.slot(1, 1)}, {steps.output(1)});
    EXPECT_EQ(referred(steps.build()), (std::vector<std::uint16_t>{0, 2, kNo}));
}

}  // namespace
}  // namespace xccl::testing
