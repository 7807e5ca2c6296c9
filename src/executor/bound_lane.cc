#include "executor/bound_lane.h"

#include <algorithm>
#include <span>

#include "base/datatypes.h"

namespace xccl {
namespace {

bool is_buffer(Space space) {
    return space == Space::kInput || space == Space::kOutput;
}

const PieceMap& map_of(const LaneBinding& binding, Space space) {
    if (space == Space::kInput) return binding.input;
    return space == Space::kOutput ? binding.output : binding.work;
}

BoundOperand bind_operand(const LaneBinding& binding, const Operand& operand) {
    BoundOperand bound;
    bound.space = operand.space;
    bound.wide = binding.wide && !is_buffer(operand.space);
    bound.scaled = binding.launch.scale_input && operand.space == Space::kInput;
    bound.chunk = operand.chunk;
    if (is_buffer(operand.space)) {
        bound.first_offset = map_of(binding, operand.space).piece(operand.chunk, 0).offset *
                             element_bytes(binding.launch.type);
    } else if (operand.space == Space::kScratch) {
        bound.first_offset = operand.chunk * binding.scratch_stride;
    }
    return bound;
}

void bind_ends(const LaneBinding& binding, const Lane& lane, const Step& step, BoundLane* bound) {
    BoundStep& to = bound->steps.back();
    to.first_end = static_cast<std::uint32_t>(bound->ends.size());
    const std::uint32_t count = step.source_count + std::uint32_t{step.destination_count};
    for (std::uint32_t i = 0; i < count; ++i) {
        const Operand& operand = lane.operands[step.first_operand + i];
        if (operand.space != Space::kSlot) continue;
        BoundEnd end;
        end.link = binding.links[operand.peer_index];
        end.operand = i;
        if (i < step.source_count) {
            end.receiver = &end.link->receivers[bound->link_lane];
            ++to.receive_count;
        } else {
            end.sender = &end.link->senders[bound->link_lane];
            ++to.send_count;
        }
        bound->ends.push_back(end);
    }
}

void bind_pieces(const LaneBinding& binding, const Lane& lane, const Step& step, BoundStep* bound) {
    const std::span<const Operand> operands(
        lane.operands.data() + step.first_operand,
        step.source_count + std::size_t{step.destination_count});
    const auto order = [](const Operand& operand) {
        if (is_buffer(operand.space)) return 0;
        return operand.space == Space::kScratch ? 1 : 2;
    };
    const Operand& best =
        *std::min_element(operands.begin(), operands.end(),
                          [&](const Operand& a, const Operand& b) { return order(a) < order(b); });
    bound->map = &map_of(binding, best.space);
    bound->modulus = is_buffer(best.space) ? UINT32_MAX : binding.launch.steps->chunk_count;
    bound->chunk = best.chunk % bound->modulus;
    bound->span = step.span;
    bound->coalesced =
        bound->map->contiguous() && std::uint64_t{bound->chunk} + step.span <= bound->modulus;
    for (const Operand& operand : operands) {
        bound->coalesced &=
            operand.space != Space::kScratch && map_of(binding, operand.space).contiguous();
    }
    bound->first_elements = bound->count_elements(0);
    bound->first_bytes = bound->first_elements * binding.wire_element_bytes;
}

BoundStep::Kind kind_of(const LaneBinding& binding, const BoundStep& step,
                        std::span<const BoundOperand> operands) {
    const bool wide = operands.front().wide;
    const bool as_they_are = std::all_of(
        operands.begin(), operands.end(),
        [&](const BoundOperand& operand) { return operand.wide == wide && !operand.scaled; });
    if (as_they_are && step.source_count == 1) return BoundStep::Kind::kCopy;
    const bool accumulable = wide || accumulate_type(binding.launch.type) == binding.launch.type;
    if (as_they_are && accumulable && step.source_count == 2 && step.destination_count == 1) {
        return BoundStep::Kind::kPair;
    }
    return BoundStep::Kind::kReduce;
}

void bind_step(const LaneBinding& binding, const Lane& lane, const Step& step, BoundLane* bound) {
    BoundStep& to = bound->steps.emplace_back();
    to.first_operand = step.first_operand;
    to.source_count = step.source_count;
    to.destination_count = step.destination_count;
    bind_ends(binding, lane, step, bound);
    bind_pieces(binding, lane, step, &to);
    const std::span<const BoundOperand> operands(
        bound->operands.data() + step.first_operand,
        step.source_count + std::size_t{step.destination_count});
    to.kind = kind_of(binding, to, operands);
}

std::vector<std::uint32_t> written_chunks(const Lane& lane) {
    std::vector<std::uint32_t> chunks;
    for (const Step& step : lane.steps) {
        for (const Operand& operand : lane.destinations(step)) {
            for (std::uint32_t i = 0; operand.space == Space::kOutput && i < step.span; ++i) {
                chunks.push_back(operand.chunk + i);
            }
        }
    }
    std::sort(chunks.begin(), chunks.end());
    chunks.erase(std::unique(chunks.begin(), chunks.end()), chunks.end());
    return chunks;
}

}  // namespace

std::uint64_t BoundStep::count_elements(std::uint64_t tile) const {
    const Piece first = map->piece(chunk, tile);
    if (span == 1) return first.count;
    if (coalesced) {
        const Piece last = map->piece(chunk + span - 1, tile);
        return last.offset + last.count - first.offset;
    }
    std::uint64_t elements = first.count;
    for (std::uint32_t i = 1; i < span; ++i) {
        elements += map->piece((chunk + i) % modulus, tile).count;
    }
    return elements;
}

BoundLane bind_lane(const LaneBinding& binding, int index) {
    const Steps& steps = *binding.launch.steps;
    const Lane& lane = steps.lanes[index];
    BoundLane bound;
    bound.link_lane = binding.launch.first_lane + index;
    bound.first_tile = steps.copy_of(static_cast<std::uint32_t>(index));
    bound.tile_stride = steps.copy_count();
    for (const Operand& operand : lane.operands) {
        bound.operands.push_back(bind_operand(binding, operand));
    }
    bound.steps.reserve(lane.steps.size());
    for (const Step& step : lane.steps) bind_step(binding, lane, step, &bound);
    for (BoundStep& step : bound.steps) step.ends = bound.ends.data() + step.first_end;
    if (binding.launch.divide_output_by != 0) bound.output_chunks = written_chunks(lane);
    return bound;
}

}  // namespace xccl
