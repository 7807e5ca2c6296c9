// Goal: a message may refer to a buffer exactly where that stays as it is until the message was
// released; and peers write answers and shares right into a buffer where it offers that.
// Method: programs written by hand; the operand that each step's messages may refer to.
// Covers: executor/lane_references.cc
#include "executor/references.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <functional>
#include <memory>
#include <numeric>
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

// Ranks whose buffers lie in this process's heap, and who read and write each other's.
class HeapWorld {
  public:
    static constexpr std::size_t kCount = kLeastReferredBytes / sizeof(std::int32_t);  // of a chunk
    static constexpr std::size_t kMostChunks = 2;

    // `cached_bytes`: see Launch.
    explicit HeapWorld(int rank_count, std::uint64_t cached_bytes = UINT64_MAX)
        : rig_(rank_count, geometry()), cached_bytes_(cached_bytes) {
        for (int rank = 0; rank < rank_count; ++rank) {
            buffers_.push_back(allocate());
            results_.push_back(allocate());
            std::fill(buffers_[rank], buffers_[rank] + kMostChunks * kCount, rank + 1);
        }
        SharedHeap::of_this_process().sign(&address_);
        for (int rank = 0; rank < rank_count; ++rank) {
            for (int peer = 0; peer < rank_count; ++peer) {
                if (peer == rank) continue;
                auto& heap = rig_.link(rank, peer)->heap;
                heap = std::make_unique<PeerHeap>(PeerHeap::Places{.theirs = &address_,
                                                                   .mine = &address_,
                                                                   .from_me = &answers_[rank][peer],
                                                                   .to_me = &answers_[peer][rank],
                                                                   .their_gate = &gates_[peer],
                                                                   .my_gate = &gates_[rank]});
                heap->answer();
            }
        }
    }
    HeapWorld(const HeapWorld&) = delete;
    HeapWorld& operator=(const HeapWorld&) = delete;
    HeapWorld(HeapWorld&&) = delete;
    HeapWorld& operator=(HeapWorld&&) = delete;
    ~HeapWorld() {
        for (const auto& buffers : {buffers_, results_}) {
            for (std::int32_t* buffer : buffers) {
                EXPECT_TRUE(SharedHeap::of_this_process().free(buffer).ok());
            }
        }
    }

    // In place.
    Ticket submit(int rank, Steps steps) {
        steps.read_in_place = true;
        return submit(rank, std::move(steps), buffers_[rank], true);
    }
    // `told`: peers may hear where the output is.
    Ticket submit_apart(int rank, Steps steps, bool told = true) {
        return submit(rank, std::move(steps), results_[rank], told);
    }
    Rig& rig() { return rig_; }
    LandingGate& gate(int rank) { return gates_[rank]; }
    std::int32_t at(int rank, std::size_t i) const { return buffers_[rank][i]; }
    std::int32_t result(int rank, std::size_t i) const { return results_[rank][i]; }
    // The element that all of a rank's buffer equals; 0 if they differ.
    int all_of(int rank) const {
        const std::int32_t first = buffers_[rank][0];
        return std::all_of(buffers_[rank], buffers_[rank] + count_,
                           [&](std::int32_t x) { return x == first; })
                   ? first
                   : 0;
    }

  private:
    static LaneGeometry geometry() {
        return {.flagged_slot_bytes = 128,
                .flagged_slot_count = 4,
                .slotted_slot_bytes = kLeastReferredBytes + 64,
                .slotted_slot_count = 2,
                .flagged_lanes = 1,
                .slotted_lanes = 1};
    }
    static std::int32_t* allocate() {
        const std::size_t bytes = kMostChunks * kLeastReferredBytes;
        return static_cast<std::int32_t*>(SharedHeap::of_this_process().allocate(bytes).value());
    }
    static std::uint64_t place_of(const void* data, std::size_t bytes) {
        return SharedHeap::of_this_process().offset_of(data, bytes).value();
    }
    Ticket submit(int rank, Steps steps, std::int32_t* output, bool told) {
        count_ = steps.chunk_count * kCount;
        const std::size_t bytes = count_ * sizeof(std::int32_t);
        Launch made = make_launch(std::make_shared<Steps>(std::move(steps)), rig_.geometry(),
                                  {.count = count_});
        made.cached_bytes = cached_bytes_;
        const auto launch = rig_.engine(rank).prepare(std::move(made));
        EXPECT_TRUE(launch.ok()) << launch.status().text();
        Buffers buffers{.input = reinterpret_cast<std::byte*>(buffers_[rank]),
                        .output = reinterpret_cast<std::byte*>(output),
                        .input_place = place_of(buffers_[rank], bytes)};
        if (told) buffers.output_place = place_of(output, bytes);
        return rig_.engine(rank).submit(*launch, buffers);
    }

    LandingGate gates_[3] = {};
    Rig rig_;
    const std::uint64_t cached_bytes_;
    std::size_t count_ = kCount;
    std::vector<std::int32_t*> buffers_;
    std::vector<std::int32_t*> results_;
    HeapAddress address_{};
    std::atomic<HeapAnswer> answers_[3][3] = {};
};

// Rank 0 sends its buffer to 1, and gets 2's in its place.
TEST(References, AreReadBeforeTheirBufferIsOverwritten) {
    HeapWorld world(3);
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

// ---- Landings -------------------------------------------------------------------------------

StepsBuilder two_phases(int rank) {
    const int peer = 1 - rank;
    const auto mine = static_cast<std::uint32_t>(rank), theirs = static_cast<std::uint32_t>(peer);
    StepsBuilder steps(rank, 2, 2);
    steps.step({steps.input(theirs)}, {steps.slot(peer, theirs)});
    steps.step({steps.input(mine), steps.slot(peer, mine)},
               {steps.output(mine), steps.slot(peer, mine)});
    steps.step({steps.slot(peer, theirs)}, {steps.output(theirs)});
    return steps;
}

// An answer takes the place of the message that it answers, from which the output is not made any
// more then.
TEST(Answers, RoundOutputsPastTheCachesFromWhatWasCombined) {
    using Halves = std::vector<std::uint16_t>;
    constexpr std::uint16_t kOne = 0x3f80, kTwo = 0x4000, kThree = 0x4040;
    constexpr std::uint64_t kCount = 1000;
    Rig rig(2);
    const std::vector<Halves> input{Halves(kCount, kOne), Halves(kCount, kTwo)};
    std::vector<Halves> output(2, Halves(kCount));
    for (int rank = 0; rank < 2; ++rank) {
        Launch made = make_launch(two_phases(rank).build(), rig.geometry(),
                                  {.count = kCount, .type = xcclBfloat16, .wide_wire = true});
        made.cached_bytes = 0;
        const auto launch = rig.engine(rank).prepare(std::move(made));
        ASSERT_TRUE(launch.ok()) << launch.status().text();
        rig.engine(rank).submit(*launch, {.input = in(input[rank]), .output = out(output[rank])});
    }
    rig.settle();
    for (int rank = 0; rank < 2; ++rank) EXPECT_EQ(output[rank], Halves(kCount, kThree)) << rank;
}

// Of a broadcast to three ranks the last one reads nothing: once it has all slots of the outbox,
// payloads are copied, as far as its mailbox has room.
TEST(Shared, ArePayloadsWhileTheOutboxHasAFreeSlot) {
    constexpr std::uint64_t kCount = 20000;
    LaneGeometry geometry = small_geometry();
    geometry.slotted_slot_bytes = kLeastSharedBytes + 128;
    geometry.slotted_slot_count = 16;
    Rig rig(4, geometry);
    rig.use_outboxes();
    std::vector<std::int32_t> input(kCount);
    std::iota(input.begin(), input.end(), 1);
    std::vector<std::vector<std::int32_t>> output(4, std::vector<std::int32_t>(kCount));
    for (int rank = 0; rank < 4; ++rank) {
        StepsBuilder steps(rank, 4, 1);
        if (rank == 0) {
            steps.step({steps.input(0)}, {steps.slot(1, 0), steps.slot(2, 0), steps.slot(3, 0)});
        } else {
            steps.step({steps.slot(0, 0)}, {steps.output(0)});
        }
        const auto launch = rig.engine(rank).prepare(
            make_launch(steps.build(), geometry, {.coll = xcclCollBroadcast, .count = kCount}));
        ASSERT_TRUE(launch.ok()) << launch.status().text();
        rig.engine(rank).submit(*launch, {.input = in(input), .output = out(output[rank])});
    }
    while (rig.engine(0).advance() || rig.engine(1).advance() || rig.engine(2).advance()) continue;
    const Sender& sender = rig.link(0, 3)->senders[1];
    ASSERT_EQ(sender.published(), geometry.slotted_slot_count);
    for (std::uint32_t message = 1; message <= sender.published(); ++message) {
        EXPECT_EQ(static_cast<MessageKind>(std::uint16_t{sender.view().header(message)->kind}),
                  message <= kOutboxSlots ? MessageKind::kShared : MessageKind::kPayload)
            << message;
    }
    rig.settle();
    for (int rank = 1; rank < 4; ++rank) EXPECT_EQ(output[rank], input) << rank;
}

std::shared_ptr<const Steps> two_phases_of(int rank, int rank_count) {
    StepsBuilder steps(rank, rank_count, static_cast<std::uint32_t>(rank_count));
    const auto mine = static_cast<std::uint32_t>(rank);
    std::vector<Operand> sources, destinations{steps.output(mine)};
    for (int peer = 0; peer < rank_count; ++peer) {
        const auto theirs = static_cast<std::uint32_t>(peer);
        sources.push_back(peer == rank ? steps.input(mine) : steps.slot(peer, mine));
        if (peer == rank) continue;
        steps.step({steps.input(theirs)}, {steps.slot(peer, theirs)});
        destinations.push_back(steps.slot(peer, mine));
    }
    steps.step(sources, destinations);
    for (int peer = 0; peer < rank_count; ++peer) {
        if (peer == rank) continue;
        const auto theirs = static_cast<std::uint32_t>(peer);
        steps.step({steps.slot(peer, theirs)}, {steps.output(theirs)});
    }
    return steps.build();
}

// An all-reduce whose last message from rank 0 to rank 1 is an answer, and how that was sent.
MessageKind kind_of_answers(int rank_count) {
    constexpr std::uint64_t kCount = 4000;
    LaneGeometry geometry = small_geometry();
    geometry.slotted_slot_bytes = 4 * kLeastSharedBytes + 128;
    Rig rig(rank_count, geometry);
    rig.use_outboxes();
    const std::vector<std::int32_t> input(kCount, 3);
    std::vector<std::vector<std::int32_t>> output(static_cast<std::size_t>(rank_count),
                                                  std::vector<std::int32_t>(kCount));
    for (int rank = 0; rank < rank_count; ++rank) {
        const auto launch = rig.engine(rank).prepare(
            make_launch(two_phases_of(rank, rank_count), geometry, {.count = kCount}));
        EXPECT_TRUE(launch.ok()) << launch.status().text();
        rig.engine(rank).submit(*launch, {.input = in(input), .output = out(output[rank])});
    }
    rig.settle();
    for (const auto& values : output) {
        EXPECT_EQ(values, std::vector<std::int32_t>(kCount, 3 * rank_count));
    }
    const Sender& sender = rig.link(0, 1)->senders[1];
    return static_cast<MessageKind>(std::uint16_t{sender.view().header(sender.published())->kind});
}

TEST(Shared, AreAnswersToManyAlone) {
    EXPECT_EQ(kind_of_answers(4), MessageKind::kPayload);
    EXPECT_EQ(kind_of_answers(kLeastReadersOfAnswers), MessageKind::kPayload);
    EXPECT_EQ(kind_of_answers(kLeastReadersOfAnswers + 1), MessageKind::kShared);
}

Steps landing(const StepsBuilder& steps) {
    Steps built = *steps.build();
    built.lands = true;
    return built;
}

TEST(Landings, AreOfferedAndTakenWhereProgramsAllow) {
    Rig rig(2);
    const auto prepared = rig.engine(0).prepare(make_launch(
        std::make_shared<Steps>(landing(two_phases(0))), rig.geometry(), {.count = 64}));
    ASSERT_TRUE(prepared.ok()) << prepared.status().text();
    const BoundLane& lane = (*prepared)->lanes()[0];
    EXPECT_TRUE(lane.steps[0].sends()[0].offers);
    EXPECT_TRUE(lane.steps[1].answers);
    EXPECT_EQ(lane.steps[1].sends()[0].answers, 1);
    EXPECT_TRUE(lane.steps[2].lands);
}

// Whoever waits finds the answer in its buffer before it has looked at the message.
TEST(Landings, ArePutWhereTheMessageSays) {
    HeapWorld world(2);
    world.submit(0, landing(two_phases(0)));
    while (world.rig().engine(0).advance()) continue;
    world.submit(1, landing(two_phases(1)));
    while (world.rig().engine(1).advance()) continue;
    EXPECT_EQ(world.at(0, 2 * HeapWorld::kCount - 1), 3) << "written by rank 1";
    EXPECT_EQ(world.at(0, 0), 1) << "by rank 0, which has not run on";
    world.rig().settle();
    EXPECT_EQ(world.all_of(0), 3);
    EXPECT_EQ(world.all_of(1), 3);
}

// Results that are not where the input was, past the caches at both ends.
TEST(Landings, ArePutPastTheCaches) {
    HeapWorld world(2, 0);
    world.submit_apart(0, landing(two_phases(0)));
    while (world.rig().engine(0).advance()) continue;
    world.submit_apart(1, landing(two_phases(1)));
    while (world.rig().engine(1).advance()) continue;
    EXPECT_EQ(world.result(0, 2 * HeapWorld::kCount - 1), 3) << "written by rank 1";
    EXPECT_EQ(world.result(0, 0), 0) << "by rank 0, which has not run on";
    world.rig().settle();
    for (int rank = 0; rank < 2; ++rank) {
        for (std::size_t i = 0; i < 2 * HeapWorld::kCount; ++i) {
            ASSERT_EQ(world.result(rank, i), 3) << rank << ", " << i;
        }
    }
}

// The buffer is its caller's again: the answer goes where it would have gone without an offer.
TEST(Landings, AreNotPutWhereTheyWereWithdrawn) {
    HeapWorld world(2);
    world.submit(0, landing(two_phases(0)));
    while (world.rig().engine(0).advance()) continue;
    world.gate(0).withdrawn.store(1);
    world.submit(1, landing(two_phases(1)));
    while (world.rig().engine(1).advance()) continue;
    EXPECT_EQ(world.all_of(0), 1) << "written after it was withdrawn";
}

Steps divided(int rank, int rank_count) {
    Steps steps = *direct_all_reduce(rank, rank_count);
    steps.divides = true;
    return steps;
}

// Of three ranks that have all sent, two combine their thirds before the last one runs on.
void expect_shares_to_all(std::uint64_t cached_bytes) {
    HeapWorld world(3, cached_bytes);
    for (int rank = 0; rank < 3; ++rank) {
        world.submit_apart(rank, divided(rank, 3));
        world.rig().engine(rank).advance(1);
    }
    while (world.rig().engine(2).advance()) continue;
    for (int rank = 0; rank < 3; ++rank) {
        EXPECT_EQ(world.result(rank, HeapWorld::kCount - 1), 6) << rank;
        EXPECT_EQ(world.result(rank, 0), 0) << rank;
    }
    world.rig().settle();
    for (int rank = 0; rank < 3; ++rank) {
        for (std::size_t i = 0; i < HeapWorld::kCount; ++i) {
            ASSERT_EQ(world.result(rank, i), 6) << rank << ", " << i;
        }
    }
    EXPECT_TRUE(world.rig().engine(0).idle());
}

TEST(Divided, EachRankWritesItsShareToAll) {
    expect_shares_to_all(UINT64_MAX);
}

TEST(Divided, EachRankWritesItsSharePastTheCaches) {
    expect_shares_to_all(0);
}

// One that cannot offer its output: all combine everything.
TEST(Divided, NothingIsUnlessAllOfferTheirs) {
    HeapWorld world(3);
    for (int rank = 0; rank < 3; ++rank) {
        world.submit_apart(rank, divided(rank, 3), rank != 1);
        world.rig().engine(rank).advance(1);
    }
    while (world.rig().engine(0).advance()) continue;
    for (const std::size_t i : {std::size_t{0}, HeapWorld::kCount - 1}) {
        EXPECT_EQ(world.result(0, i), 6);
        EXPECT_EQ(world.result(1, i), 0);
        EXPECT_EQ(world.result(2, i), 0);
    }
    world.rig().settle();
    for (int rank = 0; rank < 3; ++rank) EXPECT_EQ(world.result(rank, 0), 6) << rank;
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
