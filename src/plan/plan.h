// A plan: how one shape of call runs. Immutable and shared; a communicator keeps one per request.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "algorithms/registry.h"
#include "plan/collective_shape.h"
#include "plan/cost_model.h"
#include "plan/request.h"
#include "plan/tile_shape.h"
#include "schedule/steps.h"

namespace xccl {

// What the planner decided: alike on all ranks.
struct Choice {
    const Algorithm* algorithm = nullptr;
    Protocol protocol = Protocol::kSlotted;
    int copies = 1;  // tiles under way at once
    TileShape tiles;
    std::uint64_t wire_bytes = 1;  // of one element in a message
    int rounds = 0;
    double predicted_us = 0;
};

struct Plan {
    Request request;
    CollectiveShape shape;
    Choice choice;
    std::shared_ptr<const Steps> steps;  // of this rank, one lane per strand and copy
    int first_lane = 0;                  // of the links' lanes
    // Messages and scratch hold accumulate_type(type), rounded once when the result is stored.
    bool wide_wire = false;

    const char* name() const { return choice.algorithm->name; }
    std::uint64_t piece_elements() const { return choice.tiles.piece_elements; }
};

}  // namespace xccl
