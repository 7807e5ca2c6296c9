#include "executor/prepared_launch.h"

#include <algorithm>

#include "base/datatypes.h"
#include "base/limits.h"
#include "executor/references.h"
#include "transport/geometry.h"

namespace xccl {
namespace {

// What a call touches at least, for its output to be written past the caches.
constexpr std::uint64_t kLeastStreamedBytes = std::uint64_t{1} << 21;

constexpr std::size_t kMostExpected = 16;  // lines that a core waits for at a time, about

// Does a peer appear twice among these? A step could then see the head message only once.
bool repeats_peer(std::span<const Operand> operands) {
    std::vector<std::uint16_t> peers;
    for (const Operand& operand : operands) {
        if (operand.space == Space::kSlot) peers.push_back(operand.peer_index);
    }
    std::sort(peers.begin(), peers.end());
    return std::adjacent_find(peers.begin(), peers.end()) != peers.end();
}

// Where what several ranks read can be written once; null: too few of the step's messages can be
// read there.
Outbox* outbox_of(const BoundStep& step) {
    Outbox* outbox = nullptr;
    int readers = 0;
    for (const BoundEnd& end : step.sends()) {
        if (end.link->outbox == nullptr) continue;
        outbox = end.link->outbox;
        ++readers;
    }
    return readers >= (step.answers ? kLeastReadersOfAnswers : 2) ? outbox : nullptr;
}

bool has_long_reference(const BoundLane& lane) {
    return std::any_of(lane.steps.begin(), lane.steps.end(), [](const BoundStep& step) {
        return step.referred != BoundStep::kNoOperand && step.first_bytes >= kLeastReferredBytes;
    });
}

// Where chunk `chunk` ends, in elements from the start of the buffer.
std::uint64_t end_of(const ChunkLayout& layout, std::uint32_t chunk) {
    if (layout.kind == ChunkLayout::Kind::kTile) return layout.count;
    if (layout.kind == ChunkLayout::Kind::kBlocks) return layout.count * (chunk + 1);
    if (chunk >= layout.counts.size() || layout.counts[chunk] == 0) return 0;
    return layout.displacements[chunk] + layout.counts[chunk];
}

// How far into a buffer steps reach, in elements.
std::uint64_t extent_of(const std::vector<BoundLane>& lanes, Space space,
                        const ChunkLayout& layout) {
    std::uint64_t extent = 0;
    for (const BoundLane& lane : lanes) {
        for (const BoundStep& step : lane.steps) {
            for (const BoundOperand& operand : lane.operands_of(step)) {
                for (std::uint32_t i = 0; operand.space == space && i < step.span; ++i) {
                    extent = std::max(extent, end_of(layout, operand.chunk + i));
                }
            }
        }
    }
    return extent;
}

Status check_layout(const char* name, const ChunkLayout& layout) {
    if (layout.kind == ChunkLayout::Kind::kVector &&
        layout.counts.size() != layout.displacements.size()) {
        return internal_error("launch: {} layout has {} counts and {} displacements", name,
                              layout.counts.size(), layout.displacements.size());
    }
    return ok_status();
}

}  // namespace

PreparedLaunch::PreparedLaunch(Launch launch, std::uint64_t call_hash)
    : launch_(std::move(launch)), call_hash_(call_hash) {}

Status PreparedLaunch::bind(const LaneGeometry& geometry, std::vector<Link*> links) {
    XCCL_TRY(check(geometry));
    const Steps& program = steps();
    input_ = PieceMap(launch_.input_layout, program.chunk_count, launch_.piece_elements);
    output_ = PieceMap(launch_.output_layout, program.chunk_count, launch_.piece_elements);
    work_ = PieceMap(launch_.work_layout, program.chunk_count, launch_.piece_elements);
    tile_count_ = std::max({input_.tile_count(), output_.tile_count(), work_.tile_count()});
    if (launch_.tells_lengths) tile_count_ = std::max<std::uint64_t>(tile_count_, 1);

    const xcclDataType_t accumulated_type = accumulate_type(launch_.type);
    pair_kernel_ = xccl::pair_kernel(accumulated_type, launch_.reduce_kind);
    wide_ = launch_.wide_wire && accumulated_type != launch_.type;
    buffer_element_bytes_ = static_cast<std::uint32_t>(element_bytes(launch_.type));
    wire_element_bytes_ =
        wide_ ? static_cast<std::uint32_t>(element_bytes(accumulated_type)) : buffer_element_bytes_;
    const std::size_t piece_bytes = launch_.piece_elements * wire_element_bytes_;
    scratch_stride_ = (piece_bytes + kScratchAlignment - 1) / kScratchAlignment * kScratchAlignment;

    links_ = std::move(links);
    carried_ = std::any_of(links_.begin(), links_.end(),
                           [](const Link* link) { return link->carrier != nullptr; });
    const LaneBinding binding{
        launch_, input_, output_, work_, links_, wide_, wire_element_bytes_, scratch_stride_};
    for (int index = 0; index < static_cast<int>(program.lanes.size()); ++index) {
        lanes_.push_back(bind_lane(binding, index));
        for (const Step& step : program.lanes[index].steps) {
            operand_limit_ = std::max<std::size_t>(
                operand_limit_, step.source_count + std::size_t{step.destination_count});
        }
    }
    lane_count_ = static_cast<int>(lanes_.size());
    find_references(launch_, links_, wide_, &lanes_);
    divides_ = !lanes_[0].steps.empty() && lanes_[0].steps.back().divides;
    const bool refers = std::any_of(lanes_.begin(), lanes_.end(), has_long_reference);
    by_address_ = refers && std::any_of(links_.begin(), links_.end(),
                                        [](const Link* link) { return link->by_address; });
    may_refer_ = by_address_ ||
                 (refers && std::any_of(links_.begin(), links_.end(),
                                        [](const Link* link) { return link->heap != nullptr; }));
    input_bytes_ = extent_of(lanes_, Space::kInput, launch_.input_layout) * buffer_element_bytes_;
    output_bytes_ =
        extent_of(lanes_, Space::kOutput, launch_.output_layout) * buffer_element_bytes_;
    streams_ = input_bytes_ + output_bytes_ > launch_.cached_bytes;
    may_stream_ = streams_ || input_bytes_ + output_bytes_ >= kLeastStreamedBytes;
    const bool has_trays = !geometry.is_flagged(launch_.first_lane);
    for (BoundLane& lane : lanes_) {
        for (BoundStep& step : lane.steps) {
            step.plain = !has_trays && is_plain(step);
            if (has_trays) step.outbox = outbox_of(step);
        }
    }
    find_first_messages();
    return ok_status();
}

// Only plain messages are short enough to be asked for as a whole.
void PreparedLaunch::find_first_messages() {
    first_messages_.reserve(kMostExpected);
    for (const BoundLane& lane : lanes_) {
        for (const BoundStep& step : lane.steps) {
            for (const BoundEnd& end : step.receives()) {
                const bool known = std::any_of(
                    first_messages_.begin(), first_messages_.end(),
                    [&](const FirstMessage& first) { return first.receiver == end.receiver; });
                if (known || first_messages_.size() == kMostExpected) continue;
                const auto bytes = static_cast<std::uint32_t>(step.plain ? step.first_bytes : 0);
                first_messages_.push_back({end.receiver, bytes});
            }
        }
    }
}

bool PreparedLaunch::is_plain(const BoundStep& step) const {
    const bool has_long_messages = step.first_bytes >= kLeastReferredBytes;
    const bool may_be_referred = step.referred != BoundStep::kNoOperand && has_long_messages;
    const bool may_post = step.posted != BoundStep::kNoOperand && has_long_messages;
    return step.first_elements > 0 && (step.span == 1 || step.coalesced) && !may_be_referred &&
           !may_post && (step.overwritten_count == 0 || !may_refer_) && !launch_.tells_lengths &&
           !may_stream_;
}

std::size_t PreparedLaunch::scratch_bytes() const {
    return lanes_.size() * steps().scratch_chunk_count * scratch_stride_;
}

void PreparedLaunch::use_scratch(std::shared_ptr<std::byte> memory) {
    scratch_ = std::move(memory);
    for (std::size_t index = 0; index < lanes_.size(); ++index) {
        lanes_[index].scratch =
            scratch_.get() + index * steps().scratch_chunk_count * scratch_stride_;
    }
}

Status PreparedLaunch::check(const LaneGeometry& geometry) const {
    XCCL_TRY(check_layout("input", launch_.input_layout));
    XCCL_TRY(check_layout("output", launch_.output_layout));
    XCCL_TRY(check_layout("work", launch_.work_layout));
    const int lane_count = static_cast<int>(steps().lanes.size());
    const bool flagged = geometry.is_flagged(launch_.first_lane);
    const int limit = flagged ? geometry.flagged_lanes : geometry.point_to_point_lane();
    if (lane_count < 1 || launch_.first_lane < 0 || launch_.first_lane + lane_count > limit) {
        return internal_error("launch: lanes [{}, {}) are not all {}", launch_.first_lane,
                              launch_.first_lane + lane_count, flagged ? "flagged" : "slotted");
    }
    const std::uint64_t most_bytes = payload_bytes(geometry, launch_.first_lane);
    const xcclDataType_t wire = launch_.wide_wire ? accumulate_type(launch_.type) : launch_.type;
    const std::uint64_t message_bytes =
        launch_.piece_elements * steps().max_span * element_bytes(wire);
    if (launch_.piece_elements == 0 || message_bytes > most_bytes) {
        return internal_error("launch: messages of {} bytes do not fit slots of {}", message_bytes,
                              most_bytes);
    }
    for (const Lane& lane : steps().lanes) XCCL_TRY(check_lane(lane));
    return ok_status();
}

Status PreparedLaunch::check_lane(const Lane& lane) const {
    for (const Step& step : lane.steps) {
        const std::size_t end =
            std::size_t{step.first_operand} + step.source_count + step.destination_count;
        if (step.source_count < 1 || step.source_count > kMaxReduceSources || step.span < 1 ||
            step.span > steps().max_span || end > lane.operands.size()) {
            return internal_error("launch: a step of round {} is malformed", step.round);
        }
        XCCL_TRY(check_step(lane, step));
    }
    return ok_status();
}

Status PreparedLaunch::check_step(const Lane& lane, const Step& step) const {
    if (launch_.tells_lengths && step.span != 1) {
        return internal_error(
            "launch: a step of round {} moves {} blocks whose lengths are to be "
            "told one by one",
            step.round, step.span);
    }
    for (const auto& operands : {lane.sources(step), lane.destinations(step)}) {
        for (const Operand& operand : operands) {
            const bool bad_peer =
                operand.space == Space::kSlot && operand.peer_index >= steps().peers.size();
            const bool bad_chunk = operand.space == Space::kScratch &&
                                   operand.chunk + step.span > steps().scratch_chunk_count;
            if (bad_peer || bad_chunk) {
                return internal_error("launch: a step of round {} names {} that does not exist",
                                      step.round, bad_peer ? "a peer" : "scratch");
            }
        }
        if (repeats_peer(operands)) {
            return internal_error("launch: a step of round {} names a peer twice", step.round);
        }
    }
    return ok_status();
}

}  // namespace xccl
