// Goal: the engine does what steps say, whatever stands in its way: full mailboxes, missing
// messages, tiles, lanes, empty pieces, budgets.
// Method: programs written by hand, n engines in one thread, results compared with a plain loop.
// Covers: executor/bound_lane.cc executor/collective_queue.cc executor/lane_walker.cc
// Covers: executor/piece_map.cc
#include "executor/engine.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <cstring>
#include <new>
#include <numeric>

#include "executor/handmade_steps.h"
#include "executor/launches.h"
#include "executor/rig.h"

namespace {
std::atomic<std::size_t> allocation_count{0};
}

// Counts what this program allocates. Not inlined, lest compilers take malloc() for a mistake.
[[gnu::noinline]] void* operator new(std::size_t bytes) {
    ++allocation_count;
    if (void* memory = std::malloc(bytes == 0 ? 1 : bytes)) return memory;
    throw std::bad_alloc();
}
[[gnu::noinline]] void operator delete(void* memory) noexcept {
    std::free(memory);
}
[[gnu::noinline]] void operator delete(void* memory, std::size_t) noexcept {
    std::free(memory);
}

namespace xccl::testing {
namespace {

using Values = std::vector<std::int32_t>;

Values values_of(int rank, std::uint64_t count) {
    Values values(count);
    for (std::uint64_t i = 0; i < count; ++i) {
        values[i] =
            static_cast<std::int32_t>(i * 7 + static_cast<std::uint64_t>(rank) * 1000003 + 1);
    }
    return values;
}

Values sum_of_all(int rank_count, std::uint64_t count) {
    Values sum(count);
    for (int rank = 0; rank < rank_count; ++rank) {
        const Values term = values_of(rank, count);
        for (std::uint64_t i = 0; i < count; ++i) sum[i] += term[i];
    }
    return sum;
}

using Program = std::shared_ptr<const Steps> (*)(int, int, int);

// Runs one all-reduce on a fresh rig and checks every rank.
void check_all_reduce(Program program, int rank_count, std::uint64_t count, bool flagged,
                      bool in_place, std::uint32_t budget, std::uint64_t cached_bytes) {
    SCOPED_TRACE(
        fmt::format("{} ranks, {} elements, flagged {}, in place {}, budget {}, caches of {}",
                    rank_count, count, flagged, in_place, budget, cached_bytes));
    Rig rig(rank_count);
    const int lanes = flagged ? rig.geometry().flagged_lanes : rig.geometry().slotted_lanes;
    std::vector<Values> input, output;
    std::vector<Ticket> tickets;
    for (int rank = 0; rank < rank_count; ++rank) {
        input.push_back(values_of(rank, count));
        output.push_back(in_place ? input[rank] : Values(count, -1));
    }
    for (int rank = 0; rank < rank_count; ++rank) {
        Launch made = make_launch(program(rank, rank_count, lanes), rig.geometry(),
                                  {.count = count, .flagged = flagged});
        made.cached_bytes = cached_bytes;
        const auto launch = rig.engine(rank).prepare(std::move(made));
        ASSERT_TRUE(launch.ok()) << launch.status().text();
        tickets.push_back(rig.engine(rank).submit(
            launch.value(),
            {.input = in(in_place ? output[rank] : input[rank]), .output = out(output[rank])}));
    }
    rig.settle(budget);
    for (int rank = 0; rank < rank_count; ++rank) {
        ASSERT_TRUE(rig.engine(rank).done(tickets[rank])) << "rank " << rank;
        EXPECT_TRUE(rig.engine(rank).idle());
        EXPECT_EQ(output[rank], sum_of_all(rank_count, count)) << "rank " << rank;
        EXPECT_EQ(input[rank], values_of(rank, count)) << "rank " << rank;
    }
}

// In the caches, and past them.
void check_all_reduce(Program program, int rank_count, std::uint64_t count, bool flagged,
                      bool in_place, std::uint32_t budget) {
    for (const std::uint64_t cached_bytes : {UINT64_MAX, std::uint64_t{0}}) {
        check_all_reduce(program, rank_count, count, flagged, in_place, budget, cached_bytes);
    }
}

TEST(Engine, AllReducesDirectly) {
    for (const int ranks : {1, 2, 3, 5, 8}) {
        for (const std::uint64_t count : {0u, 1u, 28u, 29u, 59u, 60u, 61u, 1009u}) {
            for (const bool flagged : {true, false}) {
                check_all_reduce(direct_all_reduce, ranks, count, flagged, false, 64);
                check_all_reduce(direct_all_reduce, ranks, count, flagged, true, 1);
            }
        }
    }
}

TEST(Engine, AllReducesAroundARing) {
    for (const int ranks : {2, 3, 4, 7, 13}) {
        for (const std::uint64_t count : {0u, 1u, 5u, 60u, 1009u, 4000u}) {
            check_all_reduce(ring_all_reduce_by_hand, ranks, count, false, false, 64);
            check_all_reduce(ring_all_reduce_by_hand, ranks, count, false, false, 1);
        }
    }
}

// What a rank sends to several lies once in its outbox, and nobody waits longer than without.
TEST(Engine, WritesOnceWhatSeveralRead) {
    constexpr int kRanks = 4, kCalls = 3;
    constexpr std::uint64_t kCount = 40000;
    LaneGeometry geometry = small_geometry();
    geometry.slotted_slot_bytes = 2048 + 128;
    geometry.slotted_slot_count = 16;  // more than an outbox has
    Rig rig(kRanks, geometry);
    rig.use_outboxes();
    std::vector<Values> input, output(kRanks, Values(kCount, -1));
    std::vector<Ticket> tickets;
    for (int rank = 0; rank < kRanks; ++rank) input.push_back(values_of(rank, kCount));
    for (int rank = 0; rank < kRanks; ++rank) {
        const auto launch = rig.engine(rank).prepare(
            make_launch(direct_all_reduce(rank, kRanks, 2), geometry, {.count = kCount}));
        ASSERT_TRUE(launch.ok()) << launch.status().text();
        for (int call = 0; call < kCalls; ++call) {
            tickets.push_back(rig.engine(rank).submit(
                *launch, {.input = in(input[rank]), .output = out(output[rank])}));
        }
    }
    // Everybody but the last goes as far as it can.
    while (rig.engine(0).advance() || rig.engine(1).advance() || rig.engine(2).advance()) continue;
    const MailboxView view = rig.link(0, 3)->senders[1].view();
    std::vector<MessageKind> kinds;
    for (std::uint32_t message = 1; message <= rig.link(0, 3)->senders[1].published(); ++message) {
        kinds.push_back(static_cast<MessageKind>(std::uint16_t{view.header(message)->kind}));
    }
    EXPECT_NE(std::count(kinds.begin(), kinds.end(), MessageKind::kShared), 0);
    rig.settle();
    for (const Ticket& ticket : tickets) {
        EXPECT_TRUE(rig.engine(static_cast<int>(&ticket - tickets.data()) / kCalls).done(ticket));
    }
    for (int rank = 0; rank < kRanks; ++rank) EXPECT_EQ(output[rank], sum_of_all(kRanks, kCount));
}

TEST(Engine, ANumberThatNoSlotOfAnOutboxHasIsRefused) {
    constexpr std::uint64_t kCount = 400;
    LaneGeometry geometry = small_geometry();
    geometry.slotted_slot_bytes = 2048 + 128;
    Rig rig(3, geometry);
    rig.use_outboxes();
    Values output(kCount);
    const Values input = values_of(0, kCount);
    for (int rank = 0; rank < 3; ++rank) {
        const auto launch = rig.engine(rank).prepare(
            make_launch(direct_all_reduce(rank, 3, 1), geometry, {.count = kCount}));
        ASSERT_TRUE(launch.ok()) << launch.status().text();
        rig.engine(rank).submit(*launch, {.input = in(input), .output = out(output)});
    }
    rig.engine(0).advance();
    const MailboxView view = rig.link(0, 1)->senders[1].view();
    ASSERT_EQ(MessageKind{std::uint16_t{view.header(1)->kind}}, MessageKind::kShared);
    const std::uint64_t number = kOutboxSlots;
    std::memcpy(static_cast<void*>(view.header(1) + 1), &number, sizeof number);
    rig.engine(2).advance();
    rig.engine(1).advance();
    EXPECT_FALSE(rig.engine(1).status().ok());
}

// Every rank but the last has done its part long before the last one starts: nobody overruns it.
TEST(Engine, WaitsForCreditOfASlowPeer) {
    constexpr int kRanks = 3;
    constexpr std::uint64_t kCount = 5000;
    Rig rig(kRanks);
    std::vector<Values> output(kRanks, Values(kCount));
    const Values input = values_of(0, kCount);
    std::vector<Ticket> tickets;
    for (int rank = 0; rank < kRanks; ++rank) {
        auto launch = rig.engine(rank).prepare(
            make_launch(chain_broadcast(rank, kRanks, 3), rig.geometry(),
                        {.coll = xcclCollBroadcast, .count = kCount, .root = 0}));
        ASSERT_TRUE(launch.ok());
        for (int i = 0; i < 3; ++i) {
            tickets.push_back(rig.engine(rank).submit(
                *launch, {.input = in(input), .output = out(output[rank])}));
        }
    }
    while (rig.engine(0).advance() || rig.engine(1).advance()) continue;
    const auto blockage = rig.engine(1).blockage();
    ASSERT_TRUE(blockage);
    EXPECT_EQ(blockage->peer, 2);
    EXPECT_TRUE(blockage->for_credit);
    EXPECT_EQ(blockage->operation.sequence, 1u);
    EXPECT_FALSE(rig.engine(0).done(tickets[0]));
    rig.settle();
    for (int rank = 0; rank < kRanks; ++rank) EXPECT_EQ(output[rank], input);
    EXPECT_EQ(rig.engine(0).collectives_submitted(), 3u);
    EXPECT_FALSE(rig.engine(0).blockage());
}

TEST(Engine, NamesWhomItWaitsFor) {
    Rig rig(3);
    Values values(10);
    auto launch = rig.engine(1).prepare(
        make_launch(direct_all_reduce(1, 3), rig.geometry(), {.count = 10, .flagged = true}));
    rig.engine(1).submit(*launch, {.input = in(values), .output = out(values)});
    while (rig.engine(1).advance()) continue;
    const auto blockage = rig.engine(1).blockage();
    ASSERT_TRUE(blockage);
    EXPECT_EQ(blockage->peer, 0);
    EXPECT_FALSE(blockage->for_credit);
    EXPECT_FALSE(blockage->point_to_point);
    EXPECT_EQ(blockage->step, 1u);
}

TEST(Engine, DoesABoundedAmountOfWork) {
    Rig rig(2);
    const Values input = values_of(0, 10000);
    Values output(10000);
    auto launch = rig.engine(0).prepare(
        make_launch(direct_all_reduce(0, 2), rig.geometry(), {.count = 10000}));
    rig.engine(0).submit(*launch, {.input = in(input), .output = out(output)});
    EXPECT_TRUE(rig.engine(0).advance(1));
    EXPECT_EQ(rig.link(0, 1)->senders[rig.geometry().flagged_lanes].published(), 1u);
}

// Block j of rank i is (i, j); blocks longer and shorter than a slot.
TEST(Engine, MovesBlocksAllToAll) {
    for (const int ranks : {1, 2, 5}) {
        for (const std::uint64_t count : {1u, 60u, 61u, 307u}) {
            Rig rig(ranks);
            std::vector<Values> input, output(ranks, Values(ranks * count, -1));
            for (int rank = 0; rank < ranks; ++rank) {
                input.push_back(values_of(rank, ranks * count));
                Launch launch = make_launch(direct_all_to_all(rank, ranks), rig.geometry(),
                                            {.coll = xcclCollAlltoAll, .count = count});
                for (ChunkLayout* layout :
                     {&launch.input_layout, &launch.output_layout, &launch.work_layout}) {
                    layout->kind = ChunkLayout::Kind::kBlocks;
                }
                auto prepared = rig.engine(rank).prepare(std::move(launch));
                ASSERT_TRUE(prepared.ok());
                rig.engine(rank).submit(*prepared,
                                        {.input = in(input[rank]), .output = out(output[rank])});
            }
            rig.settle();
            for (int to = 0; to < ranks; ++to) {
                for (int from = 0; from < ranks; ++from) {
                    EXPECT_TRUE(std::equal(input[from].begin() + to * count,
                                           input[from].begin() + (to + 1) * count,
                                           output[to].begin() + from * count));
                }
            }
        }
    }
}

// Rank r sends r + j elements to rank j; nothing from r to r. Pairs differ in tiles, too.
TEST(Engine, MovesVectorsAllToAll) {
    constexpr int kRanks = 4;
    const auto count_of = [](int from, int to) -> std::uint64_t {
        return from == to ? 0 : (from * 53 + to * 31) % 200;
    };
    Rig rig(kRanks);
    std::vector<Values> input, output(kRanks, Values(1000, -1));
    for (int rank = 0; rank < kRanks; ++rank) {
        input.push_back(values_of(rank, 1000));
        Launch launch = make_launch(direct_all_to_all(rank, kRanks), rig.geometry(),
                                    {.coll = xcclCollAlltoAllv, .count = 0});
        for (int peer = 0; peer < kRanks; ++peer) {
            launch.input_layout.counts.push_back(count_of(rank, peer));
            launch.output_layout.counts.push_back(count_of(peer, rank));
            launch.input_layout.displacements.push_back(peer * 200);
            launch.output_layout.displacements.push_back(peer * 210);
        }
        launch.input_layout.kind = launch.output_layout.kind = ChunkLayout::Kind::kVector;
        auto prepared = rig.engine(rank).prepare(std::move(launch));
        ASSERT_TRUE(prepared.ok());
        rig.engine(rank).submit(*prepared, {.input = in(input[rank]), .output = out(output[rank])});
    }
    rig.settle();
    for (int to = 0; to < kRanks; ++to) {
        Values expected(1000, -1);
        for (int from = 0; from < kRanks; ++from) {
            std::copy_n(input[from].begin() + to * 200, count_of(from, to),
                        expected.begin() + from * 210);
        }
        EXPECT_TRUE(rig.engine(to).idle());
        EXPECT_EQ(output[to], expected);
    }
}

// Spans: two blocks travel in one message, though they are not neighbours in the buffer, and wait
// in scratch on the other side.
TEST(Engine, PacksSpansOfBlocks) {
    constexpr std::uint64_t kCount = 25;  // the piece is 30: one tile, but room to be careless
    for (const std::uint64_t count : {kCount, std::uint64_t{70}}) {
        Rig rig(2);
        StepsBuilder sender(0, 2, 4);
        sender.step({sender.input(1)}, {sender.slot(1, 1)}, 2);
        StepsBuilder receiver(1, 2, 4);
        receiver.step({receiver.slot(0, 1)}, {receiver.scratch(1, 2)}, 2);
        receiver.step({receiver.scratch(2)}, {receiver.output(0)});
        receiver.step({receiver.scratch(1)}, {receiver.output(3)});
        const Values input = values_of(0, 4 * count);
        Values output(4 * count, -1);
        for (int rank = 0; rank < 2; ++rank) {
            Launch launch = make_launch(rank == 0 ? sender.build() : receiver.build(),
                                        rig.geometry(), {.count = count});
            launch.piece_elements = largest_piece(rig.geometry(), false, 2, 4);
            for (ChunkLayout* layout :
                 {&launch.input_layout, &launch.output_layout, &launch.work_layout}) {
                layout->kind = ChunkLayout::Kind::kBlocks;
            }
            auto prepared = rig.engine(rank).prepare(std::move(launch));
            ASSERT_TRUE(prepared.ok()) << prepared.status().text();
            rig.engine(rank).submit(*prepared, {.input = in(input), .output = out(output)});
        }
        rig.settle();
        Values expected(4 * count, -1);
        std::copy_n(input.begin() + 2 * count, count, expected.begin());
        std::copy_n(input.begin() + 1 * count, count, expected.begin() + 3 * count);
        EXPECT_EQ(output, expected);
    }
}

// Two strands work on the two chunks of each tile; two copies of them on every other tile.
TEST(Engine, StrandsShareTilesAndCopiesTakeTurns) {
    LaneGeometry geometry = small_geometry();
    geometry.slotted_lanes = 4;
    for (const int copies : {1, 2}) {
        Rig rig(2, geometry);
        std::vector<Values> output(2, Values(1000, -1));
        const Values input = values_of(0, 1000);
        for (int rank = 0; rank < 2; ++rank) {
            Steps steps;
            for (int lane = 0; lane < 2 * copies; ++lane) {
                const auto chunk = static_cast<std::uint32_t>(lane % 2);
                StepsBuilder builder(rank, 2, 2);
                const Operand message = builder.slot(1 - rank, chunk);
                if (rank == 0) builder.step({builder.input(chunk)}, {message});
                if (rank == 1) builder.step({message}, {builder.output(chunk)});
                Steps strand = *builder.build();
                strand.lanes.insert(strand.lanes.begin(), steps.lanes.begin(), steps.lanes.end());
                steps = std::move(strand);
            }
            steps.strand_count = 2;
            auto launch = rig.engine(rank).prepare(
                make_launch(std::make_shared<const Steps>(steps), rig.geometry(), {.count = 1000}));
            ASSERT_TRUE(launch.ok()) << launch.status().text();
            rig.engine(rank).submit(*launch, {.input = in(input), .output = out(output[rank])});
        }
        rig.settle();
        EXPECT_EQ(output[1], input);
        EXPECT_TRUE(rig.engine(0).idle() && rig.engine(1).idle());
    }
}

TEST(Engine, DividesIntegerAveragesOnceAtTheEnd) {
    constexpr int kRanks = 3;
    constexpr std::uint64_t kCount = 500;
    Rig rig(kRanks);
    std::vector<Values> input, output(kRanks, Values(kCount));
    for (int rank = 0; rank < kRanks; ++rank) {
        input.push_back(values_of(rank, kCount));
        Launch launch = make_launch(ring_all_reduce_by_hand(rank, kRanks, 2), rig.geometry(),
                                    {.count = kCount, .op = xcclAvg});
        launch.divide_output_by = kRanks;
        auto prepared = rig.engine(rank).prepare(std::move(launch));
        ASSERT_TRUE(prepared.ok());
        rig.engine(rank).submit(*prepared, {.input = in(input[rank]), .output = out(output[rank])});
    }
    rig.settle();
    Values expected = sum_of_all(kRanks, kCount);
    for (auto& value : expected) value /= kRanks;
    for (int rank = 0; rank < kRanks; ++rank) EXPECT_EQ(output[rank], expected);
}

// The scalar may be another one on each rank, and at each call of the same launch.
TEST(Engine, ScalesWhatItReadsFromTheInput) {
    for (const bool in_place : {false, true}) {
        Rig rig(2);
        std::vector<std::shared_ptr<const PreparedLaunch>> launches;
        for (int rank = 0; rank < 2; ++rank) {
            Launch launch = make_launch(direct_all_reduce(rank, 2), rig.geometry(), {.count = 100});
            launch.scale_input = true;
            launches.push_back(rig.engine(rank).prepare(std::move(launch)).value());
        }
        for (const std::uint64_t factor : {2u, 5u}) {
            std::vector<Values> input{values_of(0, 100), values_of(1, 100)};
            std::vector<Values> output = input;
            for (std::size_t rank = 0; rank < 2; ++rank) {
                rig.engine(static_cast<int>(rank))
                    .submit(launches[rank], {.input = in(in_place ? output[rank] : input[rank]),
                                             .output = out(output[rank]),
                                             .scale = {.floating = 0, .integer = factor + rank}});
            }
            rig.settle();
            Values expected(100);
            for (std::size_t i = 0; i < 100; ++i) {
                expected[i] =
                    static_cast<std::int32_t>(input[0][i] * factor + input[1][i] * (factor + 1));
            }
            EXPECT_EQ(output[0], expected);
            EXPECT_EQ(output[1], expected);
        }
    }
}

// In bfloat16, 256 + 1 is 256; with wide messages 256 + 1 + 1 is 258, rounded once.
TEST(Engine, KeepsPartialSumsWideOnTheWire) {
    using Halves = std::vector<std::uint16_t>;
    constexpr std::uint16_t kOne = 0x3f80, k256 = 0x4380, k258 = 0x4381;
    for (const bool wide : {false, true}) {
        Rig rig(3);
        std::vector<Halves> input{Halves(90, k256), Halves(90, kOne), Halves(90, kOne)};
        std::vector<Halves> output(3, Halves(90));
        for (int rank = 0; rank < 3; ++rank) {
            auto launch = rig.engine(rank).prepare(
                make_launch(ring_all_reduce_by_hand(rank, 3), rig.geometry(),
                            {.count = 90, .type = xcclBfloat16, .wide_wire = wide}));
            ASSERT_TRUE(launch.ok()) << launch.status().text();
            rig.engine(rank).submit(*launch,
                                    {.input = in(input[rank]), .output = out(output[rank])});
        }
        rig.settle();
        // Chunk 0 starts at rank 0 with 256; it gathers one 1 per hop.
        for (int rank = 0; rank < 3; ++rank) EXPECT_EQ(output[rank][0], wide ? k258 : k256);
    }
}

TEST(Engine, AllocatesNothingForACachedLaunch) {
    Rig rig(2);
    std::vector<std::shared_ptr<const PreparedLaunch>> launches;
    std::vector<Values> values{values_of(0, 300), values_of(1, 300)};
    std::vector<Values> output(2, Values(300));
    for (int rank = 0; rank < 2; ++rank) {
        launches.push_back(
            rig.engine(rank)
                .prepare(make_launch(direct_all_reduce(rank, 2), rig.geometry(), {.count = 300}))
                .value());
    }
    const auto round = [&] {
        std::size_t used = 0;
        for (int rank = 0; rank < 2; ++rank) {
            const std::size_t before = allocation_count;
            rig.engine(rank).submit(launches[rank],
                                    {.input = in(values[rank]), .output = out(output[rank])});
            used += allocation_count - before;
        }
        while (!rig.engine(0).idle() || !rig.engine(1).idle()) {
            // The first advance() publishes, which the rig notes in a map: not the engine's.
            rig.engine(0).advance(1);
            rig.engine(1).advance(1);
            const std::size_t before = allocation_count;
            rig.engine(0).advance();
            rig.engine(1).advance();
            used += allocation_count - before;
        }
        return used;
    };
    EXPECT_GT(round(), 0u);  // the queue's first slots
    EXPECT_EQ(round(), 0u);
    EXPECT_EQ(output[0], sum_of_all(2, 300));
}

TEST(Engine, EndsEverythingWithTheFirstFailure) {
    Rig rig(2);
    Values values(100);
    auto launch =
        rig.engine(0).prepare(make_launch(direct_all_reduce(0, 2), rig.geometry(), {.count = 100}));
    const Ticket ticket =
        rig.engine(0).submit(*launch, {.input = in(values), .output = out(values)});
    rig.engine(0).advance();
    EXPECT_FALSE(rig.engine(0).done(ticket));
    rig.engine(0).fail(remote_error("rank 1 died"));
    rig.engine(0).fail(timeout_error("too late"));
    EXPECT_TRUE(rig.engine(0).done(ticket));
    EXPECT_TRUE(rig.engine(0).idle());
    EXPECT_EQ(rig.engine(0).status().code(), xcclRemoteError);
    EXPECT_EQ(rig.engine(0).status().text(), "rank 1 died");
    EXPECT_FALSE(rig.engine(0).advance());
    EXPECT_TRUE(rig.engine(0).done(
        rig.engine(0).submit(*launch, {.input = in(values), .output = out(values)})));
}

// What another epoch left in the same memory is not there.
TEST(Engine, TakesMessagesOfAnotherEpochForNotThere) {
    const LaneGeometry geometry = small_geometry();
    MailboxMemory there(geometry), back(geometry);
    const auto run = [&](std::uint8_t epoch, std::int32_t value, bool both) {
        there.restart();
        back.restart();
        class OnePeer : public Neighbourhood {
          public:
            OnePeer(int peer, MailboxMemory& to, MailboxMemory& from) {
                link_.peer = peer;
                link_.senders = to.senders();
                link_.receivers = from.receivers();
            }
            Result<Link*> link(int) override { return &link_; }
            void publish(const OperationDescriptor&) override {}
            std::optional<OperationDescriptor> last_of(int) override { return {}; }
            std::optional<OperationDescriptor> at_of(int, std::uint64_t) override { return {}; }
            std::string name_of(int peer) override { return fmt::format("rank {}", peer); }

          private:
            Link link_;
        };
        OnePeer of_0(1, there, back), of_1(0, back, there);
        Engine engine_0(0, 2, geometry, &of_0, epoch), engine_1(1, 2, geometry, &of_1, epoch);
        Values input(20, value), output_0(20, -1), output_1(20, -1);
        engine_0.submit(
            engine_0.prepare(make_launch(direct_all_reduce(0, 2), geometry, {.count = 20})).value(),
            {.input = in(input), .output = out(output_0)});
        engine_1.submit(
            engine_1.prepare(make_launch(direct_all_reduce(1, 2), geometry, {.count = 20})).value(),
            {.input = in(input), .output = out(output_1)});
        while (engine_0.advance() || (both && engine_1.advance())) continue;
        EXPECT_TRUE(engine_0.status().ok());
        EXPECT_EQ(engine_0.idle(), both);
        EXPECT_EQ(output_0[19], both ? 2 * value : -1);
    };
    run(1, 10, true);
    run(2, 100, false);  // rank 1's message of epoch 1 still lies in the slot
    run(3, 1000, true);
}

class SlowCarrier : public Carrier {
  public:
    const char* name() const override { return "slow"; }
    void published(int peer, int lane) override { published_lanes.push_back({peer, lane}); }
    void released(int peer, int lane) override { released_lanes.push_back({peer, lane}); }
    Result<bool> progress() override { return false; }
    bool flushed() const override { return false; }
    bool flushed(int, int lane) const override { return lane != held_lane; }
    void announce(const OperationDescriptor&) override {}
    void tell(int) override {}
    std::optional<OperationDescriptor> heard(int) const override { return {}; }

    std::vector<std::pair<int, int>> published_lanes, released_lanes;
    int held_lane = -1;
};

TEST(Engine, TellsCarriersAndWaitsUntilTheyHaveFlushed) {
    Rig rig(2);
    SlowCarrier carrier;
    rig.use_carrier(&carrier);
    const int lane = rig.geometry().flagged_lanes;
    carrier.held_lane = lane;
    std::vector<Values> input{values_of(0, 20), values_of(1, 20)}, output(2, Values(20));
    for (int rank = 0; rank < 2; ++rank) {
        auto launch = rig.engine(rank).prepare(
            make_launch(direct_all_reduce(rank, 2), rig.geometry(), {.count = 20}));
        rig.engine(rank).submit(*launch, {.input = in(input[rank]), .output = out(output[rank])});
    }
    rig.settle();
    using Pairs = std::vector<std::pair<int, int>>;
    EXPECT_EQ(carrier.published_lanes, (Pairs{{1, lane}, {0, lane}}));
    EXPECT_EQ(carrier.released_lanes.size(), 2u);
    EXPECT_EQ(output[0], sum_of_all(2, 20));
    EXPECT_FALSE(rig.engine(0).idle());
    EXPECT_TRUE(rig.engine(0).blockage()->for_credit);
    carrier.held_lane = -1;
    rig.settle();
    EXPECT_TRUE(rig.engine(0).idle());
}

}  // namespace
}  // namespace xccl::testing
