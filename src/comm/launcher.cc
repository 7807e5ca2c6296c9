#include "comm/launcher.h"

#include <algorithm>

#include "base/datatypes.h"
#include "plan/collective_shape.h"
#include "plan/explain.h"

namespace xccl {
namespace {

// Launches that are kept per communicator; when there are more, all are forgotten.
constexpr std::size_t kMaxLaunches = 1024;

ReduceKind kind_of(xcclRedOp_t op) {
    switch (static_cast<int>(op)) {
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

Launcher::Launcher(int rank, int rank_count, std::unique_ptr<Planner> planner, bool reproducible,
                   std::uint64_t cached_bytes)
    : rank_(rank),
      rank_count_(rank_count),
      planner_(std::move(planner)),
      reproducible_(reproducible),
      cached_bytes_(cached_bytes),
      outputs_(cached_bytes) {}

std::size_t Launcher::KeyHash::operator()(const Key& key) const {
    const std::uint64_t hash =
        (key.count ^ key.rest << 20) * 0x9e3779b97f4a7c15u;  // 2^64 / golden ratio
    return static_cast<std::size_t>(hash ^ hash >> 32 ^ key.rest);
}

Request Launcher::request_of(const Call& call) const {
    Request request;
    request.coll = call.coll;
    request.count = call.coll == xcclCollBarrier ? 0 : call.count;
    if (call.vectors) {
        const auto& counts = call.coll == xcclCollReduceScatterv ? call.vectors->send_counts
                                                                 : call.vectors->recv_counts;
        request.count =
            call.coll == xcclCollAlltoAllv ? 0 : *std::max_element(counts.begin(), counts.end());
    }
    request.type = call.type;
    request.op = call.op;
    request.root = std::max(call.root, 0);
    request.reproducible = reproducible_;
    return request;
}

Result<const std::shared_ptr<const PreparedLaunch>*> Launcher::prepared(const Call& call,
                                                                        Engine& engine) {
    if (const auto* launch = repeated(call)) return launch;
    const Key key = key_of(call);
    if (call.vectors) {
        last_key_ = Key{};
        XCCL_ASSIGN(last_, prepare(call, engine));
        return &last_;
    }
    auto found = launches_.find(key);
    if (found == launches_.end()) {
        XCCL_ASSIGN(auto made, prepare(call, engine));
        if (launches_.size() >= kMaxLaunches) launches_.clear();
        found = launches_.emplace(key, std::move(made)).first;
    }
    last_ = found->second;
    last_key_ = key;
    return &last_;
}

Result<std::shared_ptr<const PreparedLaunch>> Launcher::prepare(const Call& call, Engine& engine) {
    XCCL_ASSIGN(const std::shared_ptr<const Plan> plan, planner_->plan(request_of(call)));
    const CollectiveShape shape = collective_shape(call.coll);
    Launch launch;
    launch.steps = plan->steps;
    launch.first_lane = plan->first_lane;
    launch.input_layout = layout_of(shape.input, call, true);
    launch.output_layout = layout_of(shape.output, call, false);
    launch.work_layout = layout_of(shape.work, call, call.coll == xcclCollReduceScatterv);
    launch.piece_elements = plan->piece_elements();
    launch.type = call.coll == xcclCollBarrier ? xcclUint8 : call.type;
    launch.wide_wire = plan->wide_wire;
    launch.cached_bytes = cached_bytes_;
    if (shape.combines) set_operator(call, &launch);
    if (call.coll == xcclCollBarrier) launch.reduce_kind = ReduceKind::kMax;
    launch.tells_lengths = call.coll == xcclCollAlltoAllv;
    launch.descriptor = descriptor_of(call, 0);
    return engine.prepare(std::move(launch));
}

ChunkLayout Launcher::layout_of(BufferShape shape, const Call& call, bool input) const {
    ChunkLayout layout;
    layout.count = call.coll == xcclCollBarrier ? 1 : call.count;
    switch (shape) {
        case BufferShape::kTile:
        case BufferShape::kUnused:
            break;
        case BufferShape::kOneBlock:
        case BufferShape::kBlocks:
            layout.kind = ChunkLayout::Kind::kBlocks;
            break;
        case BufferShape::kOwnEntry: {
            const auto& counts = input ? call.vectors->recv_counts : call.vectors->send_counts;
            layout.kind = ChunkLayout::Kind::kBlocks;
            layout.count = counts[static_cast<std::size_t>(rank_)];
            break;
        }
        case BufferShape::kVector:
            layout.kind = ChunkLayout::Kind::kVector;
            layout.counts = input ? call.vectors->send_counts : call.vectors->recv_counts;
            layout.displacements =
                input ? call.vectors->send_displacements : call.vectors->recv_displacements;
            break;
    }
    return layout;
}

void Launcher::set_operator(const Call& call, Launch* launch) const {
    launch->reduce_kind = kind_of(call.op);
    launch->scale_input = call.premul || (call.op == xcclAvg && is_float(call.type));
    launch->divide_output_by = call.op == xcclAvg && !is_float(call.type) ? rank_count_ : 0;
}

Buffers Launcher::buffers_of(const Call& call, const PreparedLaunch& launch) {
    Buffers buffers;
    if (__builtin_expect(call.coll == xcclCollBarrier, 0)) {
        buffers.input = &barrier_bytes_[0];
        buffers.output = &barrier_bytes_[1];
        return buffers;
    }
    buffers.input = static_cast<const std::byte*>(call.send);
    buffers.output = static_cast<std::byte*>(call.recv);
    buffers.scale = call.scale;
    if (call.op == xcclAvg) buffers.scale.floating = 1.0 / rank_count_;
    if (__builtin_expect(launch.may_refer(), 0)) find_places(launch, &buffers);
    if (__builtin_expect(launch.may_stream(), 0)) {
        buffers.output_left =
            outputs_.has_left(buffers.output, launch.input_bytes() + launch.output_bytes());
    }
    return buffers;
}

// Peers may read the output where it lies, and the input, too, if nothing is written over it, or
// not before it was read.
void Launcher::find_places(const PreparedLaunch& launch, Buffers* buffers) {
    buffers->output_place = output_places_.find(buffers->output, launch.output_bytes());
    const auto input = reinterpret_cast<std::uintptr_t>(buffers->input);
    const auto output = reinterpret_cast<std::uintptr_t>(buffers->output);
    const bool overlap =
        input < output + launch.output_bytes() && output < input + launch.input_bytes();
    // Of two ranks that divide their work, at most one has to wait until its input was read: if
    // both refer to theirs, they divide it.
    const bool may_wait =
        launch.steps().read_in_place || (launch.divides() && launch.steps().rank_count == 2);
    if (overlap && (input != output || !may_wait)) return;
    buffers->input_stays = !overlap || launch.steps().read_in_place;
    buffers->input_place = input_places_.find(buffers->input, launch.input_bytes());
}

Result<std::string> Launcher::explain(const Call& call) {
    return planner_->explain(request_of(call));
}

}  // namespace xccl
