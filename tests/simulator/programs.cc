#include "simulator/programs.h"

#include <algorithm>

#include "base/datatypes.h"
#include "plan/collective_shape.h"
#include "plan/proofs.h"
#include "transport/geometry.h"

namespace xccl::simulator {
namespace {

PlanLimits limits_of(const LaneGeometry& geometry) {
    PlanLimits limits;
    limits.flagged_payload_bytes = payload_bytes(geometry, 0);
    limits.slotted_payload_bytes = payload_bytes(geometry, geometry.flagged_lanes);
    limits.flagged_slot_count = geometry.flagged_slot_count;
    limits.slotted_slot_count = geometry.slotted_slot_count;
    limits.flagged_lanes = geometry.flagged_lanes;
    limits.slotted_lanes = geometry.slotted_lanes;
    return limits;
}

Request request_of(const Operation& operation) {
    Request request;
    request.coll = operation.coll;
    request.count = operation.count;
    if (operation.coll == xcclCollAlltoAllv || operation.coll == xcclCollBarrier) request.count = 0;
    request.type = operation.type;
    if (operation.combines()) request.op = operation.premultiplied ? xcclSum : operation.op;
    request.root = operation.is_rooted() ? operation.root : 0;
    request.reproducible = operation.reproducible;
    return request;
}

ChunkLayout layout_of(BufferShape shape, const Operation& operation, int rank,
                      const Blocks& blocks) {
    ChunkLayout layout;
    layout.count = operation.coll == xcclCollBarrier ? 1 : operation.count;
    switch (shape) {
        case BufferShape::kTile:
        case BufferShape::kUnused:
            break;
        case BufferShape::kOneBlock:
        case BufferShape::kBlocks:
            layout.kind = ChunkLayout::Kind::kBlocks;
            break;
        case BufferShape::kOwnEntry:
            layout.kind = ChunkLayout::Kind::kBlocks;
            layout.count = operation.counts[static_cast<std::size_t>(rank)];
            break;
        case BufferShape::kVector:
            layout.kind = ChunkLayout::Kind::kVector;
            layout.counts = blocks.counts;
            layout.displacements = blocks.displacements;
            break;
    }
    return layout;
}

ReduceKind kind_of(const Operation& operation) {
    switch (operation.op) {
        case xcclProd:
            return ReduceKind::kProd;
        case xcclMax:
            return ReduceKind::kMax;
        case xcclMin:
            return ReduceKind::kMin;
        default:
            return ReduceKind::kSum;
    }
}

}  // namespace

Programs::Programs(Topology topology, const LaneGeometry& geometry, const std::string& algorithms,
                   int lanes)
    : topology_(std::move(topology)) {
    auto planner =
        Planner::make(topology_, 0, limits_of(geometry), {.algorithm = algorithms, .lanes = lanes});
    failure_ = planner.status();
    if (planner.ok()) planner_ = std::move(planner).value();
}

Result<std::shared_ptr<const Steps>> Programs::steps_of(const Plan& plan, int rank) {
    if (rank == plan.steps->rank) return plan.steps;
    auto& ranks = steps_[{plan.choice.algorithm, plan.request.root, plan.choice.copies}];
    ranks.resize(static_cast<std::size_t>(topology_.rank_count));
    auto& steps = ranks[static_cast<std::size_t>(rank)];
    if (steps == nullptr) {
        const ProgramShape program = {.algorithm = plan.choice.algorithm,
                                      .shape = {.rank = rank,
                                                .rank_count = topology_.rank_count,
                                                .root = plan.request.root,
                                                .node_of_rank = topology_.node_of_rank},
                                      .copies = plan.choice.copies};
        XCCL_ASSIGN(Steps compiled, compile_program(program, rank));
        compiled.read_in_place = plan.steps->read_in_place;  // proved of all ranks together
        compiled.lands = plan.steps->lands;
        compiled.divides = plan.steps->divides;
        steps = std::make_shared<const Steps>(std::move(compiled));
    }
    return steps;
}

Result<Launch> Programs::launch(const Operation& operation, int rank) {
    XCCL_TRY(failure_);
    XCCL_ASSIGN(const std::shared_ptr<const Plan> plan, planner_->plan(request_of(operation)));
    const int n = topology_.rank_count;
    const CollectiveShape& shape = plan->shape;
    Launch launch;
    XCCL_ASSIGN(launch.steps, steps_of(*plan, rank));
    launch.first_lane = plan->first_lane;
    launch.piece_elements = plan->piece_elements();
    launch.wide_wire = plan->wide_wire;
    if (operation.count % 2 == 0) launch.cached_bytes = 0;  // half of all write past the caches
    const Blocks input = operation.is_vector() ? input_blocks(operation, rank, n) : Blocks{};
    const Blocks output = operation.is_vector() ? output_blocks(operation, rank, n) : Blocks{};
    launch.input_layout = layout_of(shape.input, operation, rank, input);
    launch.output_layout = layout_of(shape.output, operation, rank, output);
    launch.work_layout = layout_of(shape.work, operation, rank, input);
    launch.type = operation.coll == xcclCollBarrier ? xcclUint8 : operation.type;
    launch.tells_lengths = operation.coll == xcclCollAlltoAllv;
    launch.descriptor = operation.descriptor();
    if (operation.coll == xcclCollBarrier) launch.reduce_kind = ReduceKind::kMax;
    if (!operation.combines()) return launch;
    const bool average = operation.op == xcclAvg;
    launch.reduce_kind = kind_of(operation);
    launch.scale_input = operation.premultiplied || (average && is_float(operation.type));
    launch.divide_output_by = average && !is_float(operation.type) ? n : 0;
    return launch;
}

}  // namespace xccl::simulator
