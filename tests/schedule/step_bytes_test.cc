// Goal: steps survive the way through bytes, and nothing else passes. Method: a program with every
// kind of operand; then each of its bytes changed, dropped and added to.
#include "schedule/step_bytes.h"

#include <gtest/gtest.h>

#include "base/limits.h"
#include "executor/handmade_steps.h"

namespace xccl {
namespace {

Steps example_steps() {
    testing::StepsBuilder builder(1, 4, 4, 2);
    const Operand from = builder.slot(0, 2);
    builder.step({from, builder.input(2), builder.scratch(0, 2)},
                 {builder.slot(3, 2), builder.output(2)}, 2);
    builder.step({builder.input(0)}, {builder.scratch(1)});
    return *builder.build();
}

std::string text_of(std::string_view bytes) {
    const auto decoded = steps_of_bytes(bytes);
    return decoded.ok() ? "" : decoded.status().text();
}

TEST(StepBytes, ComeBackAsTheyWere) {
    for (const Steps& steps : {example_steps(), *testing::ring_all_reduce_by_hand(2, 5, 3),
                               *testing::direct_all_reduce(0, 1)}) {
        const std::string bytes = bytes_of_steps(steps);
        const auto decoded = steps_of_bytes(bytes);
        ASSERT_TRUE(decoded.ok()) << decoded.status().text();
        EXPECT_EQ(*decoded, steps);
        EXPECT_EQ(bytes_of_steps(*decoded), bytes);
    }
}

TEST(StepBytes, NoPartOfThemWillDo) {
    const std::string bytes = bytes_of_steps(example_steps());
    for (std::size_t size = 0; size < bytes.size(); ++size) {
        const auto decoded = steps_of_bytes(std::string_view(bytes).substr(0, size));
        ASSERT_FALSE(decoded.ok()) << size;
        EXPECT_EQ(decoded.status().code(), xcclInvalidArgument);
    }
    EXPECT_NE(text_of(bytes + '\0'), "");
    EXPECT_NE(text_of(bytes + bytes), "");
}

// Any byte may change: what is still accepted is another program, whose bytes these are.
TEST(StepBytes, AChangedByteIsRefusedOrMeansSomethingElse) {
    const std::string bytes = bytes_of_steps(example_steps());
    int refused = 0;
    for (std::size_t at = 0; at < bytes.size(); ++at) {
        for (int bit = 0; bit < 8; ++bit) {
            std::string changed = bytes;
            changed[at] = static_cast<char>(changed[at] ^ 1 << bit);
            const auto decoded = steps_of_bytes(changed);
            refused += !decoded.ok();
            if (!decoded.ok()) continue;
            EXPECT_FALSE(*decoded == example_steps());
            EXPECT_EQ(bytes_of_steps(*decoded), changed);
        }
    }
    EXPECT_GT(refused, static_cast<int>(bytes.size()));
}

// Each rule of the format broken by itself, so that the message is that rule's own.
TEST(StepBytes, EachRuleSpeaksForItself) {
    const auto refusal = [](auto&& spoil) {
        Steps steps = example_steps();
        spoil(steps);
        return text_of(bytes_of_steps(steps));
    };
    const auto operand = [&](auto&& spoil) {
        return refusal([&](Steps& steps) { spoil(steps.lanes[0].operands); });
    };
    const auto contains = [](const std::string& text, const char* part) {
        EXPECT_NE(text.find(part), std::string::npos) << text << " lacks " << part;
    };
    std::string bytes = bytes_of_steps(example_steps());
    bytes[0] = 'X';
    contains(text_of(bytes), "begin with");
    bytes[0] = 'x';
    bytes[4] = 9;
    contains(text_of(bytes), "version 9");
    contains(refusal([](Steps& s) { s.rank = 4; }), "rank 4 of 4");
    contains(refusal([](Steps& s) { s.rank_count = kMaxRanks + 1; }), "of 65537");
    contains(refusal([](Steps& s) { s.chunk_count = 0; }), "0 chunks");
    contains(refusal([](Steps& s) { s.scratch_chunk_count = UINT32_MAX; }), "in scratch");
    contains(refusal([](Steps& s) { s.max_span = 5; }), "spans up to 5");
    contains(refusal([](Steps& s) { s.strand_count = 3; }), "2 lanes of 3 strands");
    contains(refusal([](Steps& s) { s.lanes.resize(kMaxLanes + 1); }), "17 lanes");
    contains(refusal([](Steps& s) { s.lanes.clear(); }), "0 lanes");
    contains(refusal([](Steps& s) { s.peers = {0, 2, 3, 0}; }), "4 peers");
    contains(refusal([](Steps& s) { s.peers[1] = 1; }), "peer 1");
    contains(refusal([](Steps& s) { s.peers[1] = 0; }), "peer 0");
    contains(refusal([](Steps& s) { s.lanes[0].steps[0].span = 3; }), "span 3");
    contains(refusal([](Steps& s) { s.lanes[0].steps[1].destination_count = 0; }),
             "0 destinations");
    contains(operand([](auto& all) { all[0].peer_index = 2; }), "no peer 2");
    contains(operand([](auto& all) { all[1].peer_index = 1; }), "no peer 1");
    contains(operand([](auto& all) { all[1].chunk = 4; }), "no chunk 4");
    contains(operand([](auto& all) { all[2].chunk = 2; }), "no chunk 2");
    contains(operand([](auto& all) { all[4].space = Space::kInput; }), "write to the input");
    contains(operand([](auto& all) { all[0].space = static_cast<Space>(4); }), "no space 4");
}

// A length that is a lie must not be believed: memory would go before the bytes end.
TEST(StepBytes, ABillionStepsInFewBytesAreRefusedAtOnce) {
    Steps steps = example_steps();
    steps.lanes.resize(1);
    steps.lanes[0] = {};
    std::string bytes = bytes_of_steps(steps);
    bytes.replace(bytes.size() - 4, 4, "\xff\xff\xff\x3f");
    EXPECT_NE(text_of(bytes).find("end within a step"), std::string::npos);
}

}  // namespace
}  // namespace xccl
