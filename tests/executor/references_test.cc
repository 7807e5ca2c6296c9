// Goal: a message may refer to a buffer exactly where that stays as it is until the message was
// released.
// Method: programs written by hand; the operand that each step's messages may refer to.
#include "executor/references.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <functional>
#include <memory>
#include <vector>

#include "executor/engine.h"
#include "executor/handmade_steps.h"
#include "executor/launches.h"
#include "executor/rig.h"
#include "transport/shared_heap.h"

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

// Three ranks whose buffers lie in this process's heap, and who read each other's.
class HeapWorld {
  public:
    static constexpr std::uint64_t kCount = kLeastReferredBytes / sizeof(std::int32_t);

    HeapWorld() {
        for (auto& buffer : buffers_) {
            void* const memory =
                SharedHeap::of_this_process().allocate(kLeastReferredBytes).value();
            buffer = static_cast<std::int32_t*>(memory);
        }
        SharedHeap::of_this_process().sign(&address_);
        for (int rank = 0; rank < 3; ++rank) {
            std::fill(buffers_[rank], buffers_[rank] + kCount, rank + 1);
            for (int peer = 0; peer < 3; ++peer) {
                if (peer == rank) continue;
                auto& reader = rig_.link(rank, peer)->heap;
                reader = std::make_unique<HeapReader>(
                    HeapReader::Places{.theirs = &address_,
                                       .mine = &address_,
                                       .from_me = &answers_[rank][peer],
                                       .to_me = &answers_[peer][rank]});
                reader->answer();
            }
        }
    }
    HeapWorld(const HeapWorld&) = delete;
    HeapWorld& operator=(const HeapWorld&) = delete;
    HeapWorld(HeapWorld&&) = delete;
    HeapWorld& operator=(HeapWorld&&) = delete;
    ~HeapWorld() {
        for (std::int32_t* buffer : buffers_) {
            EXPECT_TRUE(SharedHeap::of_this_process().free(buffer).ok());
        }
    }

    // In place.
    Ticket submit(int rank, Steps steps) {
        steps.read_in_place = true;
        const auto launch = rig_.engine(rank).prepare(
            make_launch(std::make_shared<Steps>(steps), rig_.geometry(), {.count = kCount}));
        EXPECT_TRUE(launch.ok()) << launch.status().text();
        auto* const bytes = reinterpret_cast<std::byte*>(buffers_[rank]);
        const std::uint64_t place =
            SharedHeap::of_this_process().offset_of(bytes, kLeastReferredBytes).value();
        return rig_.engine(rank).submit(
            *launch,
            {.input = bytes, .output = bytes, .input_place = place, .output_place = place});
    }
    Rig& rig() { return rig_; }
    // The element that all of a rank's buffer equals; 0 if they differ.
    int all_of(int rank) const {
        const std::int32_t first = buffers_[rank][0];
        return std::all_of(buffers_[rank], buffers_[rank] + kCount,
                           [&](std::int32_t x) { return x == first; })
                   ? first
                   : 0;
    }

  private:
    Rig rig_{3,
             {.flagged_slot_bytes = 128,
              .flagged_slot_count = 4,
              .slotted_slot_bytes = kLeastReferredBytes + 64,
              .slotted_slot_count = 2,
              .flagged_lanes = 1,
              .slotted_lanes = 1}};
    std::int32_t* buffers_[3] = {};
    HeapAddress address_{};
    std::atomic<HeapAnswer> answers_[3][3] = {};
};

// Rank 0 sends its buffer to 1, and gets 2's in its place.
TEST(References, AreReadBeforeTheirBufferIsOverwritten) {
    HeapWorld world;
    StepsBuilder gives(0, 3), takes(1, 3), sends(2, 3);
    gives.step({gives.input(0)}, {gives.slot(1, 0)});
    gives.step({gives.slot(2, 0)}, {gives.output(0)});
    takes.step({takes.slot(0, 0)}, {takes.output(0)});
    sends.step({sends.input(0)}, {sends.slot(0, 0)});
    const Ticket given = world.submit(0, *gives.build());
    const Ticket sent = world.submit(2, *sends.build());
    while (world.rig().engine(0).advance() || world.rig().engine(2).advance()) continue;
    EXPECT_EQ(world.all_of(0), 1) << "overwritten before it was read";
    const auto blockage = world.rig().engine(0).blockage();
    ASSERT_TRUE(blockage);
    EXPECT_EQ(blockage->peer, 1);
    EXPECT_TRUE(blockage->for_credit);
    EXPECT_FALSE(world.rig().engine(2).done(sent)) << "its buffer was not read yet";

    const Ticket taken = world.submit(1, *takes.build());
    world.rig().settle();
    EXPECT_TRUE(world.rig().engine(0).done(given));
    EXPECT_TRUE(world.rig().engine(1).done(taken));
    EXPECT_TRUE(world.rig().engine(2).done(sent));
    EXPECT_EQ(world.all_of(0), 3);
    EXPECT_EQ(world.all_of(1), 1);
    EXPECT_EQ(world.all_of(2), 3);
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
