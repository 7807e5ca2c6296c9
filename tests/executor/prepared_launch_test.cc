// Goal: a launch that cannot run is refused when it is prepared, and its cause is named.
// Method: a launch that is fine, spoiled in one way at a time.
#include "executor/prepared_launch.h"

#include <gtest/gtest.h>

#include "executor/handmade_steps.h"
#include "executor/launches.h"
#include "executor/rig.h"

namespace xccl::testing {
namespace {

std::string refusal(const std::function<void(Launch&)>& spoil) {
    Rig rig(3);
    Launch launch =
        make_launch(direct_all_reduce(0, 3), rig.geometry(), {.count = 10, .flagged = true});
    spoil(launch);
    const auto prepared = rig.engine(0).prepare(std::move(launch));
    EXPECT_TRUE(prepared.ok() || prepared.status().code() == xcclInternalError);
    return prepared.status().text();
}

std::function<void(Launch&)> with_steps(const std::function<void(Steps&)>& spoil) {
    return [spoil](Launch& launch) {
        auto steps = std::make_shared<Steps>(*launch.steps);
        spoil(*steps);
        launch.steps = steps;
    };
}

TEST(PreparedLaunch, IsRefusedWithItsCause) {
    const std::vector<std::pair<std::string, std::function<void(Launch&)>>> cases{
        {"", [](Launch&) {}},
        {"launch: messages of 116 bytes do not fit slots of 112",
         [](Launch& launch) { launch.piece_elements = 29; }},
        {"launch: messages of 0 bytes do not fit slots of 112",
         [](Launch& launch) { launch.piece_elements = 0; }},
        {"launch: lanes [3, 4) are not all slotted", [](Launch& launch) { launch.first_lane = 3; }},
        {"launch: lanes [-1, 0) are not all flagged",
         [](Launch& launch) { launch.first_lane = -1; }},
        {"launch: output layout has 1 counts and 0 displacements",
         [](Launch& launch) {
             launch.output_layout.kind = ChunkLayout::Kind::kVector;
             launch.output_layout.counts = {1};
         }},
        {"launch: steps of rank 1 of 3 given to rank 0 of 3",
         with_steps([](Steps& steps) { steps.rank = 1; })},
        {"launch: a step of round 0 names a peer that does not exist",
         with_steps([](Steps& steps) { steps.peers.clear(); })},
        {"launch: a step of round 1 names scratch that does not exist",
         with_steps([](Steps& steps) {
             steps.lanes[0].operands.back() = {Space::kScratch, 0, 0, 0};
         })},
        {"launch: a step of round 1 is malformed",
         with_steps([](Steps& steps) { steps.lanes[0].steps[1].span = 2; })},
        {"launch: a step of round 0 is malformed",
         with_steps([](Steps& steps) { steps.lanes[0].steps[0].source_count = 0; })},
        {"launch: a step of round 1 is malformed",
         with_steps([](Steps& steps) { steps.lanes[0].steps[1].destination_count = 9; })},
        {"launch: a step of round 0 names a peer twice",
         with_steps([](Steps& steps) { steps.lanes[0].operands[2] = steps.lanes[0].operands[1]; })},
    };
    for (const auto& [text, spoil] : cases) EXPECT_EQ(refusal(spoil), text);
}

}  // namespace
}  // namespace xccl::testing
