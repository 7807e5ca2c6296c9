// Goal: two ranks in different calls find out, at the latest when they look, and say what differs,
// with both sides' values; ranks that are only late are left alone.
// Method: for each field of a call, two ranks that differ in it alone; every algorithm shape in
// which one side may never wait for the other.
#include "executor/mismatch.h"

#include <gtest/gtest.h>

#include <functional>

#include "executor/handmade_steps.h"
#include "executor/launches.h"
#include "executor/rig.h"

namespace xccl::testing {
namespace {

struct Side {
    LaunchShape shape;
    bool broadcast = false;  // else a direct all-reduce
};

Launch launch_of(const Rig& rig, int rank, const Side& side) {
    // The chain of a broadcast begins at its root.
    const int place =
        side.broadcast ? (rank + rig.rank_count() - side.shape.root) % rig.rank_count() : 0;
    if (!side.broadcast) {
        return make_launch(direct_all_reduce(rank, rig.rank_count()), rig.geometry(), side.shape);
    }
    StepsBuilder steps(rank, rig.rank_count());
    const int next = (rank + 1) % rig.rank_count();
    const int previous = (rank + rig.rank_count() - 1) % rig.rank_count();
    std::vector<Operand> destinations{steps.output(0)};
    if (place + 1 < rig.rank_count()) destinations.push_back(steps.slot(next, 0));
    steps.step({place == 0 ? steps.input(0) : steps.slot(previous, 0)}, destinations);
    return make_launch(steps.build(), rig.geometry(), side.shape);
}

// The failures of all ranks, in rank order, after `sides[rank]` and then, if that found nothing,
// one more call that is the same everywhere. Ranks that wait look for a mismatch.
std::vector<Status> run(const std::vector<Side>& sides, bool look = true) {
    Rig rig(static_cast<int>(sides.size()));
    std::vector<std::vector<std::byte>> memory(2 * sides.size(), std::vector<std::byte>(1 << 16));
    const Side after{{.count = 1, .flagged = true}};
    for (int turn = 0; turn < 2; ++turn) {
        for (int rank = 0; rank < rig.rank_count(); ++rank) {
            const Side& side = turn == 0 ? sides[rank] : after;
            auto launch = rig.engine(rank).prepare(launch_of(rig, rank, side));
            EXPECT_TRUE(launch.ok()) << launch.status().text();
            rig.engine(rank).submit(
                *launch, {.input = memory[2 * rank].data(), .output = memory[2 * rank + 1].data()});
        }
        rig.settle();
        for (int rank = 0; rank < rig.rank_count() && look; ++rank) {
            if (!rig.engine(rank).idle()) rig.engine(rank).check_mismatch();
        }
    }
    std::vector<Status> failures;
    for (int rank = 0; rank < rig.rank_count(); ++rank)
        failures.push_back(rig.engine(rank).status());
    return failures;
}

// The text of the one or two failures, which must be mismatches.
std::string found(const std::vector<Side>& sides) {
    std::string text;
    for (const Status& failure : run(sides)) {
        if (failure.ok()) continue;
        EXPECT_EQ(failure.code(), xcclInvalidUsage) << failure.text();
        text += failure.text() + "\n";
    }
    return text;
}

bool contains(const std::string& text, const std::string& part) {
    return text.find(part) != std::string::npos;
}

TEST(Mismatch, AgreementIsNotOne) {
    EXPECT_EQ(found({{{.count = 2}}, {{.count = 2}}, {{.count = 2}}}), "");
    const Side broadcast{{.coll = xcclCollBroadcast, .count = 5, .root = 1}, true};
    EXPECT_EQ(found({broadcast, broadcast, broadcast}), "");
}

TEST(Mismatch, SaysWhatBothSidesAreIn) {
    const std::string text =
        found({{{.count = 2, .type = xcclFloat32}},
               {{.coll = xcclCollBroadcast, .count = 2, .type = xcclFloat32, .root = 0}, true}});
    EXPECT_TRUE(
        contains(text,
                 "rank 0 on hostA is in all_reduce #1 of 2 float32, sum; rank 1 on hostB is "
                 "in broadcast #1 of 2 float32, root 0: operation all_reduce here, "
                 "broadcast there"))
        << text;
    EXPECT_TRUE(contains(text,
                         "call the same collectives in the same order with the same arguments "
                         "on every rank"))
        << text;
}

TEST(Mismatch, OfEveryFieldIsFound) {
    const LaunchShape base{.count = 2, .type = xcclInt32, .flagged = true};
    const auto changed = [&](const std::function<void(LaunchShape&)>& change) {
        LaunchShape shape = base;
        change(shape);
        return Side{shape};
    };
    const std::map<std::string, Side> others{
        {"count 2 here, 3 there", changed([](auto& s) { s.count = 3; })},
        {"count 2 here, 0 there", changed([](auto& s) { s.count = 0; })},
        // 8 bytes against 1 MiB takes other lanes, too.
        {"count 2 here, 10000 there", changed([](auto& s) {
             s.count = 10000;
             s.flagged = false;
         })},
        {"datatype int32 here, float32 there", changed([](auto& s) { s.type = xcclFloat32; })},
        {"op sum here, max there", changed([](auto& s) { s.op = xcclMax; })},
        {"root none here, 1 there", changed([](auto& s) { s.root = 1; })},
        {"operation all_reduce here, reduce there",
         changed([](auto& s) { s.coll = xcclCollReduce; })},
    };
    for (const auto& [expected, other] : others) {
        const std::string text = found({{base}, other});
        EXPECT_TRUE(contains(text, expected)) << expected << " in:\n" << text;
        const std::string three = found({{base}, other, {base}});
        EXPECT_TRUE(contains(three, expected)) << expected << " in:\n" << three;
    }
}

// Each rank thinks that it is the root, sends, and is done. The next call, which is the same on
// both, tells.
TEST(Mismatch, BetweenTwoThatOnlySendIsFoundByTheNextCall) {
    for (const bool flagged : {true, false}) {
        const auto root = [&](int r) {
            return Side{{.coll = xcclCollBroadcast, .count = 7, .root = r, .flagged = flagged},
                        true};
        };
        for (const bool look : {true, false}) {
            int failures = 0;
            for (const Status& failure : run({root(0), root(1)}, look)) {
                if (failure.ok()) continue;
                ++failures;
                EXPECT_TRUE(contains(failure.text(), "broadcast #1")) << failure.text();
                EXPECT_TRUE(contains(failure.text(), "root ")) << failure.text();
            }
            EXPECT_GT(failures, 0) << "flagged " << flagged << ", look " << look;
        }
    }
}

TEST(Mismatch, InTheOrderOfCallsIsFound) {
    Rig rig(2);
    std::vector<std::byte> memory(1 << 12);
    const Side sum{{.count = 4}}, max{{.count = 4, .op = xcclMax}};
    for (int rank = 0; rank < 2; ++rank) {
        for (const Side& side : rank == 0 ? std::vector{sum, max} : std::vector{max, sum}) {
            auto launch = rig.engine(rank).prepare(launch_of(rig, rank, side));
            rig.engine(rank).submit(*launch, {.input = memory.data(), .output = memory.data()});
        }
    }
    rig.settle();
    EXPECT_TRUE(contains(rig.engine(0).status().text(), "op sum here, max there"))
        << rig.engine(0).status().text();
}

TEST(Mismatch, LateIsNotMismatched) {
    Rig rig(3);
    std::vector<std::byte> memory(1 << 12);
    for (int rank = 0; rank < 2; ++rank) {
        auto launch = rig.engine(rank).prepare(launch_of(rig, rank, {{.count = 4}}));
        for (int i = 0; i < 1 + rank; ++i) {
            rig.engine(rank).submit(*launch, {.input = memory.data(), .output = memory.data()});
        }
    }
    rig.settle();
    for (int rank = 0; rank < 2; ++rank) {
        rig.engine(rank).check_mismatch();
        EXPECT_TRUE(rig.engine(rank).status().ok()) << rig.engine(rank).status().text();
        EXPECT_FALSE(rig.engine(rank).idle());
    }
}

// The v-variants' counts are not in the descriptor: the sizes of messages tell.
TEST(Mismatch, OfCountsThatOnlyMessagesShow) {
    Rig rig(2);
    std::vector<std::byte> memory(1 << 12);
    for (int rank = 0; rank < 2; ++rank) {
        Launch launch = launch_of(rig, rank, {{.count = 4u + static_cast<unsigned>(rank)}});
        launch.descriptor.count = 0;
        rig.engine(rank).submit(rig.engine(rank).prepare(std::move(launch)).value(),
                                {.input = memory.data(), .output = memory.data()});
    }
    rig.settle();
    EXPECT_EQ(rig.engine(0).status().code(), xcclInvalidUsage);
    EXPECT_TRUE(contains(rig.engine(0).status().text(),
                         "expects a message of 16 bytes from rank 1 on hostB, which sent 20"))
        << rig.engine(0).status().text();
}

// The peer has gone on, and its history no longer reaches back.
TEST(Mismatch, IsReportedWhenThePeersCallIsForgotten) {
    Rig rig(2);
    std::vector<std::byte> memory(1 << 12);
    for (int rank = 0; rank < 2; ++rank) {
        auto launch = rig.engine(rank).prepare(
            launch_of(rig, rank, {{.count = 4, .op = rank == 0 ? xcclSum : xcclMax}}));
        rig.engine(rank).submit(*launch, {.input = memory.data(), .output = memory.data()});
    }
    while (rig.engine(1).advance()) continue;
    rig.forget(1);
    rig.settle();
    EXPECT_TRUE(contains(rig.engine(0).status().text(), "belongs to another call"))
        << rig.engine(0).status().text();
}

}  // namespace
}  // namespace xccl::testing
