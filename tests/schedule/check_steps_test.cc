// Goal: each thing that the executor relies on is checked, and its message names it. Method: a
// right program, spoiled in one place at a time.
#include "schedule/check_steps.h"

#include <gtest/gtest.h>

#include "base/limits.h"
#include "executor/handmade_steps.h"

namespace xccl {
namespace {

using testing::StepsBuilder;

// Rank 1 of 4, four chunks: adds what comes from 0 and passes it on to 3.
Steps example() {
    StepsBuilder b(1, 4, 4, 2);
    const Operand from = b.slot(0, 0);
    b.step({from, b.input(0)}, {b.slot(3, 0), b.scratch(0, 4)}, 2);
    b.step({b.scratch(0)}, {b.output(0)}, 2);
    return *b.build();
}

Party party(Contract contract = Contract::kAllReduce, int root = 0) {
    return {contract, 1, 4, root, 4};
}

std::string refusal(const Steps& steps, const Party& who = party(), bool in_place = false) {
    return check_steps(steps, who, in_place).text();
}

void expect_refusal(const char* why, const std::function<void(Steps&)>& spoil,
                    const Party& who = party()) {
    Steps steps = example();
    spoil(steps);
    const std::string text = refusal(steps, who);
    EXPECT_NE(text.find(why), std::string::npos) << "\"" << text << "\" lacks: " << why;
}

TEST(CheckSteps, ARightProgramPasses) {
    EXPECT_EQ(refusal(example()), "");
    EXPECT_EQ(refusal(example(), party(), true), "");
}

TEST(CheckSteps, Shapes) {
    expect_refusal("0 lanes", [](Steps& s) { s.lanes.clear(); });
    expect_refusal("17 lanes", [](Steps& s) { s.lanes.resize(kMaxLanes + 1); });
    expect_refusal("3 strands", [](Steps& s) { s.strand_count = 3; });
    expect_refusal("0 strands", [](Steps& s) { s.strand_count = 0; });
    expect_refusal("0 chunks", [](Steps& s) { s.chunk_count = 0; });
    expect_refusal("no peer 4", [](Steps& s) { s.peers[0] = 4; });
    expect_refusal("no peer 1", [](Steps& s) { s.peers[0] = 1; });
    expect_refusal("two indices", [](Steps& s) { s.peers[1] = 0; });
}

TEST(CheckSteps, StepsAndTheirOperands) {
    const auto step = [](auto&& spoil) {
        return [spoil](Steps& s) { spoil(s.lanes[1].steps[0]); };
    };
    const auto operand = [](std::size_t index, auto&& spoil) {
        return [index, spoil](Steps& s) { spoil(s.lanes[1].operands[index]); };
    };
    expect_refusal("0 sources", step([](Step& s) { s.source_count = 0; }));
    expect_refusal("65 sources", step([](Step& s) { s.source_count = kMaxReduceSources + 1; }));
    expect_refusal("0 destinations", step([](Step& s) { s.destination_count = 0; }));
    expect_refusal("9 destinations", step([](Step& s) { s.destination_count = 9; }));
    expect_refusal("span 0", step([](Step& s) { s.span = 0; }));
    expect_refusal("span 3", step([](Step& s) { s.span = 3; }));
    expect_refusal("destinations", step([](Step& s) { s.first_operand = 1000; }));
    expect_refusal("no such peer", operand(0, [](Operand& o) { o.peer_index = 2; }));
    expect_refusal("no chunk 4", operand(0, [](Operand& o) { o.chunk = 4; }));
    expect_refusal("of a space of 4", operand(1, [](Operand& o) { o.chunk = 3; }));
    expect_refusal("of a space of 4", operand(3, [](Operand& o) { o.chunk = 3; }));
    expect_refusal("writes to the input", operand(3, [](Operand& o) { o.space = Space::kInput; }));
    expect_refusal("no such space",
                   operand(1, [](Operand& o) { o.space = static_cast<Space>(7); }));
    expect_refusal("names peer 0 twice", operand(1, [](Operand& o) { o.space = Space::kSlot; }));
    expect_refusal("lengths may differ", operand(1, [](Operand& o) { o.chunk = 1; }));
    expect_refusal("lengths may differ", operand(2, [](Operand& o) { o.chunk = 1; }));
    expect_refusal("rank 1, lane 1, step 0", operand(0, [](Operand& o) { o.chunk = 4; }));
}

TEST(CheckSteps, BuffersThatAContractDoesNotGive) {
    // Only the root of a broadcast has an input; only the root of a reduce has an output.
    expect_refusal(
        "of a space of 0", [](Steps&) {}, party(Contract::kBroadcast));
    expect_refusal(
        "of a space of 0", [](Steps&) {}, party(Contract::kReduce));
    EXPECT_EQ(refusal(example(), party(Contract::kReduce, 1)), "");
}

TEST(CheckSteps, AllToAllMovesOneBlockAtATime) {
    expect_refusal(
        "a span in an all_to_all", [](Steps&) {}, party(Contract::kAllToAll));
    StepsBuilder b(1, 4, 4);
    b.step({b.slot(0, 1)}, {b.slot(3, 3)});
    EXPECT_NE(refusal(*b.build(), party(Contract::kAllToAll)).find("nothing tells the length"),
              std::string::npos);
    StepsBuilder c(1, 4, 4);
    c.step({c.input(2)}, {c.output(2)});  // what 1 has for 2 is not as long as what 2 has for 1
    EXPECT_NE(refusal(*c.build(), party(Contract::kAllToAll)).find("may differ"),
              std::string::npos);
}

TEST(CheckSteps, SpansMustNotBeShiftedOntoThemselves) {
    StepsBuilder b(1, 4, 2);
    b.step({b.scratch(0, 2)}, {b.scratch(1, 3)}, 2);  // chunks 0 1 to 1 2
    Steps steps = *b.build();
    steps.scratch_chunk_count = 6;
    EXPECT_NE(refusal(steps, {Contract::kAllReduce, 1, 4, 0, 2}).find("may differ"),
              std::string::npos);
    StepsBuilder c(1, 4, 1);
    c.step({c.input(0)}, {c.output(0), c.output(0)});
    EXPECT_NE(refusal(*c.build(), {Contract::kAllReduce, 1, 4, 0, 1}).find("writes a cell twice"),
              std::string::npos);
}

// In place, chunk r of the output is the input of an all_gather: cells follow the buffers.
TEST(CheckSteps, InPlaceCellsAreShared) {
    const auto cells = [](Contract contract, bool in_place) {
        const MemoryMap map({contract, 2, 4, 2, 4}, in_place, 3);
        return std::make_tuple(map.cell(Space::kInput, 0), map.cell(Space::kOutput, 0),
                               map.buffer_cell_count(), map.cell_count());
    };
    using Cells = std::tuple<std::uint32_t, std::uint32_t, std::uint32_t, std::uint32_t>;
    EXPECT_EQ(cells(Contract::kAllReduce, false), Cells(0, 4, 8, 11));
    EXPECT_EQ(cells(Contract::kAllReduce, true), Cells(0, 0, 4, 7));
    EXPECT_EQ(cells(Contract::kAllGather, true), Cells(2, 0, 4, 7));
    EXPECT_EQ(cells(Contract::kReduceScatter, true), Cells(0, 2, 4, 7));
    EXPECT_EQ(cells(Contract::kBroadcast, true), Cells(0, 0, 4, 7));
}

TEST(CheckSteps, StrandsShareNoCellThatOneWrites) {
    const auto strands = [](std::uint32_t other_chunk, bool in_place) {
        StepsBuilder b(1, 4, 4, 2);
        b.step({b.input(0)}, {b.output(0)});
        Steps steps = *b.build();
        steps.strand_count = 2;
        steps.lanes[1].operands[0].chunk = other_chunk;  // reads
        steps.lanes[1].operands[1].chunk = other_chunk;  // writes
        return refusal(steps, party(), in_place);
    };
    EXPECT_EQ(strands(1, false), "");
    EXPECT_EQ(strands(1, true), "");
    EXPECT_NE(strands(0, false).find("two strands share cell"), std::string::npos);
    EXPECT_NE(strands(0, true).find("two strands share cell"), std::string::npos);
}

}  // namespace
}  // namespace xccl
