// Goal: work chunks live where the header says, and schedules that make no sense are refused.
// Method: small schedules, as the printer shows their steps; one refusal of each kind.
#include "schedule/encode.h"

#include <gtest/gtest.h>

#include "base/limits.h"
#include "schedule/print.h"

namespace xccl {
namespace {

Schedule of(Contract contract, int rank = 0, int rank_count = 3, std::uint32_t chunks = 1) {
    Schedule schedule;
    schedule.contract = contract;
    schedule.rank = rank;
    schedule.rank_count = rank_count;
    schedule.chunk_count = chunks;
    schedule.max_span = chunks;
    return schedule;
}

// The steps without their first line and places.
std::string steps_of(const Schedule& schedule) {
    const auto steps = encode(schedule);
    if (!steps.ok()) return steps.status().text();
    const std::string text = print(*steps);
    std::string moves;
    for (std::size_t at = text.find("lane "); at != std::string::npos;
         at = text.find("lane ", at + 1)) {
        const std::size_t begin = text.find(": ", at) + 2;
        moves += text.substr(begin, text.find('\n', begin) - begin) + "\n";
    }
    return moves;
}

TEST(Encode, AChunkIsReadFromTheInputUntilItIsWritten) {
    Schedule s = of(Contract::kAllReduce);
    s.round({send(0, 1), recv_reduce(0, 1), recv_reduce(0, 2), send(0, 2)});
    EXPECT_EQ(steps_of(s),
              ">1:0 := input 0\n"
              "scratch 0 := input 0 + <1:0\n"   // a partial result is not rounded
              "output 0 := scratch 0 + <2:0\n"  // the last write delivers
              ">2:0 := output 0\n");
}

TEST(Encode, WhoMustNotDeliverKeepsItInScratch) {
    Schedule s = of(Contract::kReduce, 1);
    s.round({recv_reduce(0, 2), send(0, 0)});
    EXPECT_EQ(steps_of(s), "scratch 0 := input 0 + <2:0\n>0:0 := scratch 0\n");
}

TEST(Encode, WhatNobodyWroteIsDeliveredAtTheEnd) {
    EXPECT_EQ(steps_of(of(Contract::kAllReduce, 0, 1, 2)),
              "output 0 := input 0\noutput 1 := input 1\n");
    Schedule gather = of(Contract::kAllGather, 1, 2, 2);
    gather.round({send(1, 0), recv(0, 0)});
    EXPECT_EQ(steps_of(gather), ">0:1 := input 0\noutput 0 := <0:0\noutput 1 := input 0\n");
}

TEST(Encode, ScratchOfWorkChunksLiesBehindTheNamedOneAndIsAsLong) {
    Schedule s = of(Contract::kReduceScatter, 0, 3, 3);
    s.scratch_count = 2;  // rounded up to 3: scratch chunk i is as long as chunk i % 3
    s.round({reduce(scratch(1), {{1, Cell(1)}, {-1, Cell(1)}}), recv_reduce(2, 1), send(2, 1)});
    s.round({recv_reduce(0, 1)});
    EXPECT_EQ(steps_of(s),
              "scratch 1 := <1:1 + input 1\n"
              "scratch 5 := input 2 + <1:2\n"
              ">1:2 := scratch 5\n"
              "output 0 := input 0 + <1:0\n");
    EXPECT_EQ(encode(s)->scratch_chunk_count, 6u);
}

TEST(Encode, AllToAllNamesMessagesByTheirReceiver) {
    Schedule s = of(Contract::kAllToAll, 1, 3, 3);
    s.round({send(input(2), 2), recv(output(0), 0), copy(output(1), input(1))});
    EXPECT_EQ(steps_of(s), ">2:2 := input 2\noutput 0 := <0:1\noutput 1 := input 1\n");
}

TEST(Encode, StrandsBecomeLanes) {
    Schedule s = of(Contract::kAllReduce, 0, 2, 2);
    s.strands.resize(2);
    s.strands[0].round({send(0, 1), recv_reduce(0, 1)});
    s.strands[1].round({send(1, 1), recv_reduce(1, 1)});
    const auto steps = encode(s);
    ASSERT_TRUE(steps.ok());
    EXPECT_EQ(steps->strand_count, 2u);
    ASSERT_EQ(steps->lanes.size(), 2u);
    EXPECT_EQ(steps->lanes[1].steps.size(), 2u);
    EXPECT_EQ(steps->peers, std::vector<std::uint16_t>{1});
}

void expect_refusal(const Schedule& schedule, const char* why) {
    const auto steps = encode(schedule);
    ASSERT_FALSE(steps.ok()) << why;
    EXPECT_NE(steps.status().text().find(why), std::string::npos) << steps.status().text();
}

TEST(Encode, SchedulesThatMakeNoSenseAreRefused) {
    const auto with = [](Schedule schedule, Round round) {
        schedule.round(std::move(round));
        return schedule;
    };
    const Schedule sum = of(Contract::kAllReduce, 0, 3, 4);
    expect_refusal(with(of(Contract::kBroadcast, 1), {send(0, 2)}), "undefined");
    expect_refusal(of(Contract::kBroadcast, 1), "never receives chunk 0");
    expect_refusal(with(sum, {send(4, 1)}), "do not exist");
    expect_refusal(with(sum, {send(work(3, 2), 1)}), "do not exist");
    expect_refusal(with(sum, {send(0, 0)}), "no peer 0");
    expect_refusal(with(sum, {send(0, 3)}), "no peer 3");
    expect_refusal(with(sum, {recv(input(0), 1)}), "writes to the input");
    expect_refusal(with(sum, {copy(output(0), input(0, 2))}), "spans differ");
    expect_refusal(with(sum, {reduce(0, {})}), "a reduction of 0 terms");
    expect_refusal(with(sum, {reduce(0, {{-1, input(0, 2)}})}), "spans differ");
    expect_refusal(with(sum, {send(scratch(0), 1)}), "do not exist");
    expect_refusal(with(of(Contract::kAllToAll), {send(0, 1)}), "do not exist");
    // Chunk 0 is a partial result in scratch, chunk 1 is still an input: no span has both.
    expect_refusal(with(sum, {recv_reduce(0, 1), send(work(0, 2), 1), recv_reduce(0, 2)}),
                   "not beside the rest of its span");
    // One write delivers chunk 0, but chunk 1 is written once more.
    expect_refusal(with(sum, {recv_reduce(work(0, 2), 1), recv_reduce(1, 2)}), "go to two places");
    Schedule spans = sum;
    spans.max_span = 1;
    expect_refusal(with(spans, {send(work(0, 2), 1)}), "do not exist");
}

TEST(Encode, ShapesAreBounded) {
    const auto spoiled = [](auto&& spoil) {
        Schedule schedule = of(Contract::kAllReduce);
        spoil(schedule);
        return schedule;
    };
    expect_refusal(spoiled([](Schedule& s) { s.rank_count = 0; }), "malformed");
    expect_refusal(spoiled([](Schedule& s) { s.rank_count = kMaxRanks + 1; }), "malformed");
    expect_refusal(spoiled([](Schedule& s) { s.rank = 3; }), "malformed");
    expect_refusal(spoiled([](Schedule& s) { s.root = -1; }), "malformed");
    expect_refusal(spoiled([](Schedule& s) { s.chunk_count = 0; }), "malformed");
    expect_refusal(spoiled([](Schedule& s) { s.max_span = 0; }), "malformed");
    expect_refusal(spoiled([](Schedule& s) { s.strands.clear(); }), "malformed");
    expect_refusal(spoiled([](Schedule& s) { s.strands.resize(kMaxLanes + 1); }), "malformed");
}

}  // namespace
}  // namespace xccl
