// Goal: the model adds up what it says it adds up. Method: programs of a few steps whose cost can
// be worked out by hand, with costs that are powers of ten or two, so that each term shows.
#include "plan/cost_model.h"

#include <gtest/gtest.h>

#include <set>

namespace xccl {
namespace {

constexpr HostCosts kCosts = {
    .step_us = 1,
    .buffer_us_per_byte = 0.5,
    .combine_us_per_byte = 0.25,
    .switch_us = 64,
    .cache_bytes = 1024,
    .flagged = {.latency_us = 10,
                .message_us = 100,
                .us_per_byte = 2,
                .spilled_us_per_byte = 32,
                .wire_us_per_byte = 0},
    .slotted = {.latency_us = 20,
                .message_us = 200,
                .us_per_byte = 4,
                .spilled_us_per_byte = 32,
                .wire_us_per_byte = 0},
    .tcp = {.latency_us = 1000,
            .message_us = 300,
            .us_per_byte = 8,
            .spilled_us_per_byte = 32,
            .wire_us_per_byte = 16},
    .loopback = {.latency_us = 500,
                 .message_us = 400,
                 .us_per_byte = 6,
                 .spilled_us_per_byte = 32,
                 .wire_us_per_byte = 2,
                 .sent_us_per_byte = 3},
};

void add(Steps* steps, std::uint32_t round, std::vector<Operand> sources,
         std::vector<Operand> destinations, std::uint32_t span = 1) {
    if (steps->lanes.empty()) steps->lanes.resize(1);
    Lane& lane = steps->lanes[0];
    lane.steps.push_back({static_cast<std::uint32_t>(lane.operands.size()),
                          static_cast<std::uint16_t>(sources.size()),
                          static_cast<std::uint16_t>(destinations.size()), span, round});
    lane.operands.insert(lane.operands.end(), sources.begin(), sources.end());
    lane.operands.insert(lane.operands.end(), destinations.begin(), destinations.end());
}

constexpr Operand kIn{Space::kInput, 0, 0, 0};
constexpr Operand kOut{Space::kOutput, 0, 0, 0};
constexpr Operand kFirstPeer{Space::kSlot, 0, 0, 0};

Steps empty_program(int rank, int rank_count, std::vector<std::uint16_t> peers) {
    Steps steps;
    steps.rank = rank;
    steps.rank_count = rank_count;
    steps.peers = std::move(peers);
    steps.lanes.resize(1);
    return steps;
}

// Both ranks send their input to the other (round 0), then combine what came with it (round 1).
Program exchange() {
    Program program;
    program.round_count = 2;
    for (int rank = 0; rank < 2; ++rank) {
        program.ranks.push_back(empty_program(rank, 2, {static_cast<std::uint16_t>(1 - rank)}));
        add(&program.ranks.back(), 0, {kIn}, {kFirstPeer});
        add(&program.ranks.back(), 1, {kIn, kFirstPeer}, {kOut});
    }
    return program;
}

TEST(CostModel, AddsUpWorkAndLatencyOfAnExchange) {
    const auto program = exchange();
    const Profile flagged =
        profile_of(program, uniform_topology(2, 2, 2), kCosts, Protocol::kFlagged, 8);
    EXPECT_EQ(flagged.rounds, 2);
    // Two steps, two messages handled, one waited for.
    EXPECT_EQ(flagged.cached.first.fixed_us, 2 * 1 + 2 * 100 + 10);
    // The lines of the slot take longer than reading the buffer, and than reading, combining and
    // writing the output.
    EXPECT_EQ(flagged.cached.first.us_per_byte,
              std::max(0.5, 2.0) + std::max(0.5 + 0.25 + 0.5, 2.0));
    EXPECT_EQ(flagged.cached.busy.fixed_us, 202);
    EXPECT_EQ(flagged.cached.own.fixed_us, 212);
    EXPECT_EQ(flagged.cached.wire.us_per_byte, 0);

    const Profile slotted =
        profile_of(program, uniform_topology(2, 2, 2), kCosts, Protocol::kSlotted, 4);
    EXPECT_EQ(slotted.cached.first.fixed_us, 2 * 1 + 2 * 200 + 20);
}

TEST(CostModel, HostsApartPayForTheirWire) {
    const Profile tcp =
        profile_of(exchange(), uniform_topology(2, 1, 1), kCosts, Protocol::kSlotted, 4);
    EXPECT_EQ(tcp.cached.first.fixed_us, 2 * 1 + 2 * 300 + 1000);
    EXPECT_EQ(tcp.cached.wire.us_per_byte, 16);
    // The first round writes the wire, and the second waits for it: 16 twice.
    EXPECT_EQ(tcp.cached.first.us_per_byte, std::max(0.5 + 8, 16.0) + (0.5 + 8 + 0.25 + 0.5) + 16);
}

TEST(CostModel, RanksThatShareACoreTakeTurns) {
    const Profile alone =
        profile_of(exchange(), uniform_topology(2, 2, 2), kCosts, Protocol::kFlagged, 8);
    const Profile shared =
        profile_of(exchange(), uniform_topology(2, 2, 1), kCosts, Protocol::kFlagged, 8);
    EXPECT_EQ(shared.cached.busy.fixed_us, 2 * alone.cached.busy.fixed_us);
    EXPECT_EQ(shared.cached.busy.us_per_byte, 2 * alone.cached.busy.us_per_byte);
    // Two rounds, in each of which two ranks are given the core.
    EXPECT_EQ(shared.cached.first.fixed_us, 2 * alone.cached.busy.fixed_us + 4 * 64);
}

TEST(CostModel, SpansMultiplyBytesAndNotMessages) {
    auto program = exchange();
    for (Steps& steps : program.ranks) steps.lanes[0].steps[0].span = 3;
    const auto plain =
        profile_of(exchange(), uniform_topology(2, 2, 2), kCosts, Protocol::kFlagged, 8);
    const auto wide = profile_of(program, uniform_topology(2, 2, 2), kCosts, Protocol::kFlagged, 8);
    EXPECT_EQ(wide.cached.first.fixed_us, plain.cached.first.fixed_us);
    EXPECT_EQ(wide.cached.first.us_per_byte, plain.cached.first.us_per_byte + 2 * 2);
}

TEST(CostModel, AChainCostsEachHopOnceAndThenFlows) {
    // Rank r hands on what it got from r - 1.
    const int n = 5;
    Program program;
    for (int rank = 0; rank < n; ++rank) {
        const auto left = static_cast<std::uint16_t>(rank == 0 ? n - 1 : rank - 1);
        const auto right = static_cast<std::uint16_t>((rank + 1) % n);
        program.ranks.push_back(empty_program(rank, n, {left, right}));
        const Operand from = rank == 0 ? kIn : kFirstPeer;
        std::vector<Operand> to = {kOut};
        if (rank != n - 1) to.push_back({Space::kSlot, 0, 1, 0});
        add(&program.ranks.back(), static_cast<std::uint32_t>(rank), {from}, to);
    }
    const Profile chain =
        profile_of(program, uniform_topology(n, n, n), kCosts, Protocol::kFlagged, 8);
    EXPECT_EQ(chain.rounds, n);
    EXPECT_EQ(chain.cached.own.fixed_us, 1 + 200 + 10);  // one step of a rank in the middle
    EXPECT_EQ(chain.cached.first.fixed_us, 101 + 3 * 211 + 111);
    // Many tiles: bound by the rank in the middle, not by the length of the chain.
    TileShape shape{false, 1, 1, 1};
    const double one = predict_us(chain, shape, 1, 1);
    shape.count = 1001;
    const double many = predict_us(chain, shape, 1, 1);
    EXPECT_DOUBLE_EQ(many - one, 1000 * chain.cached.own.at(1));
    EXPECT_LT(many, 1001 * one / 3);
}

TEST(CostModel, RoundsThatNoSampledRankTakesPartInCostAsMuchAsOthers) {
    auto program = exchange();
    const auto whole =
        profile_of(program, uniform_topology(2, 2, 2), kCosts, Protocol::kFlagged, 8);
    program.round_count = 5;
    const auto more = profile_of(program, uniform_topology(2, 2, 2), kCosts, Protocol::kFlagged, 8);
    EXPECT_EQ(more.rounds, 5);
    EXPECT_EQ(more.cached.first.fixed_us, whole.cached.first.fixed_us + 3 * (1 + 100 + 10));
}

TEST(CostModel, StrandsOfATileAddUp) {
    auto program = exchange();
    for (Steps& steps : program.ranks) {
        steps.strand_count = 2;
        steps.lanes.push_back(steps.lanes[0]);
    }
    const auto one =
        profile_of(exchange(), uniform_topology(2, 2, 2), kCosts, Protocol::kFlagged, 8);
    const auto two = profile_of(program, uniform_topology(2, 2, 2), kCosts, Protocol::kFlagged, 8);
    EXPECT_EQ(two.cached.busy.fixed_us, 2 * one.cached.busy.fixed_us);
    EXPECT_EQ(two.cached.own.fixed_us,
              2 * one.cached.busy.fixed_us + 10);  // they wait side by side
    EXPECT_EQ(two.rounds, 2);
}

TEST(CostModel, LanesHideLatencyButNotWork) {
    const Profile profile = {2, {{100, 0}, {50, 0}, {20, 0}, {}}, {}, 0};
    const TileShape tiles{false, 64, 1, 1};
    EXPECT_EQ(predict_us(profile, tiles, 4, 1), 100 + 63 * 50);
    EXPECT_EQ(predict_us(profile, tiles, 4, 2), 100 + 31 * 50);
    EXPECT_EQ(predict_us(profile, tiles, 4, 8), 100 + 63 * 20);
    EXPECT_EQ(predict_us(profile, {false, 0, 1, 1}, 4, 1), 0);
}

// Three ranks that write to each other: each has a message in two mailboxes in its core's cache.
Program everybody_to_everybody() {
    Program program;
    for (std::uint16_t rank = 0; rank < 3; ++rank) {
        const std::uint16_t next = (rank + 1) % 3, last = (rank + 2) % 3;
        program.ranks.push_back(empty_program(rank, 3, {next, last}));
        for (std::uint16_t peer : {0, 1}) {
            add(&program.ranks.back(), 0, {kIn}, {{Space::kSlot, 0, peer, 0}});
            add(&program.ranks.back(), 1, {{Space::kSlot, 0, peer, 0}}, {kOut});
        }
    }
    return program;
}

TEST(CostModel, MailboxesTakeRoomInTheCacheOfACore) {
    const auto cache_per_byte = [](const Program& program, const Topology& topology) {
        return profile_of(program, topology, kCosts, Protocol::kSlotted, 2).cache_per_byte * 1024;
    };
    const Program program = everybody_to_everybody();
    EXPECT_EQ(cache_per_byte(program, uniform_topology(3, 3, 3)), 2);
    // One core holds those of three ranks; apart, each end has mailboxes of its own.
    EXPECT_EQ(cache_per_byte(program, uniform_topology(3, 3, 1)), 3 * 2);
    EXPECT_EQ(cache_per_byte(program, uniform_topology(3, 1, 1)), 2 * 2);
    // A slot holds the longest span of its mailbox.
    Program wide = exchange();
    for (Steps& steps : wide.ranks) steps.lanes[0].steps[0].span = 3;
    EXPECT_EQ(cache_per_byte(wide, uniform_topology(2, 2, 2)), 3);
    // More messages of a tile than slots go through the same ones.
    Program longer = exchange();
    for (Steps& steps : longer.ranks) {
        for (std::uint32_t round : {1, 2, 3}) {
            add(&steps, round, {kIn}, {{Space::kSlot, 0, 0, 0}});
        }
    }
    EXPECT_EQ(cache_per_byte(longer, uniform_topology(2, 2, 2)), 2);
}

TEST(CostModel, WhatDoesNotFitTheCacheCostsMore) {
    const auto profile =
        profile_of(exchange(), uniform_topology(2, 2, 2), kCosts, Protocol::kSlotted, 4);
    // Each rank reads one message and writes one.
    EXPECT_EQ(profile.spilled.busy.us_per_byte, profile.cached.busy.us_per_byte + 2 * 32);
    EXPECT_EQ(profile.spilled.busy.fixed_us, profile.cached.busy.fixed_us);
    const auto predicted = [&](std::uint64_t bytes, int copies) {
        return predict_us(profile, {false, bytes, 1, bytes}, 1, copies);
    };
    EXPECT_EQ(predicted(1024, 1), profile.cached.first.at(1024));  // one message: it fits
    const double half = (profile.cached.first.at(2048) + profile.spilled.first.at(2048)) / 2;
    EXPECT_EQ(predicted(2048, 1), half);
    EXPECT_EQ(predicted(1024, 2),
              (profile.cached.first.at(1024) + profile.spilled.first.at(1024)) / 2);
}

// To all peers at once: the bytes are written as often as to one of them.
TEST(CostModel, WhatSeveralRanksOfAHostGetIsWrittenOnce) {
    const auto work = [](Protocol protocol, std::vector<Operand> messages, int node_size) {
        Program program;
        program.ranks.push_back(empty_program(0, 3, {1, 2}));
        add(&program.ranks.back(), 0, {kIn}, std::move(messages));
        return profile_of(program, uniform_topology(3, node_size, 3), kCosts, protocol, 2);
    };
    const Operand to_one = {Space::kSlot, 0, 0, 0}, to_other = {Space::kSlot, 0, 1, 0};
    const Profile one = work(Protocol::kSlotted, {to_one}, 3);
    const Profile both = work(Protocol::kSlotted, {to_one, to_other}, 3);
    EXPECT_EQ(both.cached.busy.us_per_byte, one.cached.busy.us_per_byte);
    EXPECT_GT(both.cached.busy.fixed_us, one.cached.busy.fixed_us);  // each is a message
    EXPECT_EQ(both.cache_per_byte, one.cache_per_byte);
    // Small messages lie in the lines of their headers, and other hosts map nothing.
    EXPECT_GT(work(Protocol::kFlagged, {to_one, to_other}, 3).cached.busy.us_per_byte,
              work(Protocol::kFlagged, {to_one}, 3).cached.busy.us_per_byte);
    EXPECT_GT(work(Protocol::kSlotted, {to_one, to_other}, 1).cached.busy.us_per_byte,
              work(Protocol::kSlotted, {to_one}, 1).cached.busy.us_per_byte);
}

TEST(CostModel, HostsOfOneMachineShareItsCores) {
    Topology apart = uniform_topology(2, 1, 1);
    apart.machine_of_rank = {0, 0};
    apart.ranks_of_machine = {{0, 1}};
    apart.cores_of_machine = {1};
    const auto alone =
        profile_of(exchange(), uniform_topology(2, 1, 1), kCosts, Protocol::kSlotted, 4);
    const auto together = profile_of(exchange(), apart, kCosts, Protocol::kSlotted, 4);
    EXPECT_EQ(alone.cached.busy.fixed_us, 2 * 1 + 2 * 300);
    EXPECT_EQ(together.cached.busy.fixed_us, 2 * (2 * 1 + 2 * 400));
    EXPECT_EQ(together.cache_per_byte, 2 * alone.cache_per_byte);
}

Topology two_hosts_of_a_machine() {
    Topology apart = uniform_topology(2, 1, 1);
    apart.machine_of_rank = {0, 0};
    apart.ranks_of_machine = {{0, 1}};
    apart.cores_of_machine = {2};
    return apart;
}

TEST(CostModel, WhoSendsOverTheLoopbackWorksMore) {
    Program program;
    for (const std::uint16_t rank : {0, 1}) {
        program.ranks.push_back(empty_program(rank, 2, {static_cast<std::uint16_t>(1 - rank)}));
    }
    add(&program.ranks[0], 0, {kIn}, {kFirstPeer});
    add(&program.ranks[1], 0, {kFirstPeer}, {kOut});
    const auto work = [&](const Topology& topology) {
        return profile_of(program, topology, kCosts, Protocol::kSlotted, 4).cached.busy.us_per_byte;
    };
    EXPECT_EQ(work(two_hosts_of_a_machine()), 0.5 + 6 + 3);
    EXPECT_EQ(work(uniform_topology(2, 1, 1)), 0.5 + 8);  // of a network that is not known
}

TEST(CostModel, BetweenHostsOfOneMachineLiesTheLoopback) {
    const Profile profile =
        profile_of(exchange(), two_hosts_of_a_machine(), kCosts, Protocol::kSlotted, 4);
    EXPECT_EQ(profile.cached.first.fixed_us, 2 * 1 + 2 * 400 + 500);
    EXPECT_EQ(profile.cached.wire.us_per_byte, 2);
}

TEST(CostModel, TrafficIsCountedToTheByte) {
    auto program = exchange();
    // 7 elements in one tile of two chunks: 4 and 3. Both are sent.
    for (Steps& steps : program.ranks) {
        steps.chunk_count = 2;
        steps.lanes[0].steps[0].span = 2;
    }
    const TileShape shape{false, 7, 2, 16};
    const Traffic local = traffic_of(program.ranks[0], uniform_topology(2, 2, 2), shape, 4);
    EXPECT_EQ(local.sent_bytes, 28u);
    EXPECT_EQ(local.sent_between_hosts_bytes, 0u);
    program.ranks[0].lanes[0].steps[0].span = 1;
    const Traffic apart = traffic_of(program.ranks[0], uniform_topology(2, 1, 2), shape, 4);
    EXPECT_EQ(apart.sent_bytes, 16u);
    EXPECT_EQ(apart.sent_between_hosts_bytes, 16u);
}

TEST(CostModel, ASampleOfRanksStandsForMany) {
    EXPECT_EQ(ranks_to_profile(5, 3), (std::vector{0, 1, 2, 3, 4}));
    const std::vector<int> sample = ranks_to_profile(4096, 1000);
    EXPECT_LE(sample.size(), static_cast<std::size_t>(kProfiledRanks));
    const std::set<int> set(sample.begin(), sample.end());
    EXPECT_EQ(set.size(), sample.size());
    for (int rank : {0, 999, 1000, 1001, 4095}) EXPECT_TRUE(set.count(rank)) << rank;
    EXPECT_GE(*set.begin(), 0);
    EXPECT_LT(*set.rbegin(), 4096);
}

}  // namespace
}  // namespace xccl
