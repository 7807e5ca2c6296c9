// One step, in this order, which is what makes bounded mailboxes safe:
//
//     all its messages are there and all its slots are free    (else nothing happens: kBlocked)
//     combine into buffers and slots
//     publish what was written, release what was read, tell the peers
//
// Trying again costs one look at the operand that was missing.
#include "executor/lane_walker.h"

#include "executor/message_signature.h"
#include "executor/notify.h"

namespace xccl {

void Workspace::reserve(std::size_t operand_count) {
    if (slots.size() >= operand_count) return;
    slots.resize(operand_count);
    sources.resize(operand_count);
    destinations.resize(operand_count);
}

void LaneWalker::start(const PreparedLaunch* launch, int lane_index, const Buffers& buffers,
                       std::uint32_t signature) {
    launch_ = launch;
    lane_ = &launch->lanes()[lane_index];
    buffers_ = buffers;
    signature_ = step_signature_ = signature;
    tile_ = lane_->first_tile;
    step_index_ = 0;
    missing_ = 0;
}

// Flattened: of a small operation's few tens of nanoseconds, calls would be a fifth.
[[gnu::flatten]] LaneWalker::Outcome LaneWalker::advance(Workspace& workspace,
                                                         std::uint32_t* budget) {
    const BoundStep* const steps = lane_->steps.data();
    const std::size_t step_count = lane_->steps.size();
    for (; !finished(); finish_tile()) {
        for (; step_index_ < step_count; ++step_index_, missing_ = 0) {
            if (*budget == 0) return Outcome::kOutOfBudget;
            const BoundStep& step = steps[step_index_];
            const std::uint64_t elements = step.elements(tile_);
            if (takes_place(step, elements)) {
                const std::uint64_t byte_count = elements * launch_->wire_element_bytes();
                const Arrival arrival = gather(workspace, step, byte_count);
                if (arrival == Arrival::kMissing) return Outcome::kBlocked;
                if (arrival == Arrival::kBad) return Outcome::kBadMessage;
                if (mutated(Mutant::kEarlyReuse)) release(step);
                if (elements > 0) move(workspace, step, elements);
                publish(step, byte_count);
                if (!mutated(Mutant::kEarlyReuse)) release(step);
            }
            --*budget;
        }
    }
    return Outcome::kFinished;
}

LaneWalker::Wait LaneWalker::wait() const {
    if (step_index_ >= lane_->steps.size()) return {-1, false};
    const BoundStep& step = lane_->steps[step_index_];
    if (step.receive_count + step.send_count == 0) return {-1, false};
    return {lane_->ends[step.first_end + missing_].link->peer, missing_ >= step.receive_count};
}

// Has a step of `elements` anything to do? Sees to the signature of its messages.
bool LaneWalker::takes_place(const BoundStep& step, std::uint64_t elements) {
    if (__builtin_expect(!launch_->launch().tells_lengths, 1)) return elements > 0;
    more_ = step.elements(tile_ + 1) > 0;
    step_signature_ = with_more(signature_, more_);
    return elements > 0 || tile_ == 0;
}

// Looks at every message and slot of a step, first at the one that was missing last time.
LaneWalker::Arrival LaneWalker::gather(Workspace& workspace, const BoundStep& step,
                                       std::uint64_t byte_count) {
    const BoundEnd* const ends = lane_->ends.data() + step.first_end;
    const std::uint32_t count = step.receive_count + std::uint32_t{step.send_count};
    std::uint32_t index = missing_;
    for (std::uint32_t left = count; left > 0; --left) {
        const BoundEnd& end = ends[index];
        std::byte* const slot =
            index < step.receive_count ? receive(end, byte_count) : reserve(end);
        if (slot == nullptr) {
            missing_ = index;
            return bad_message_.peer < 0 ? Arrival::kMissing : Arrival::kBad;
        }
        workspace.slots[end.operand] = slot;
        index = index + 1 == count ? 0 : index + 1;
    }
    return Arrival::kAllThere;
}

// The payload of the head message; null if there is none, or a bad one.
std::byte* LaneWalker::receive(const BoundEnd& end, std::uint64_t byte_count) {
    Message message;
    if (!end.receiver->peek(&message)) return nullptr;
    if (message.signature != step_signature_ || message.byte_count != byte_count) {
        if (!same_epoch(message.signature, signature_)) return nullptr;
        const bool ends_differ = launch_->launch().tells_lengths &&
                                 message.signature == with_more(step_signature_, true);
        bad_message_ = {.peer = end.link->peer,
                        .other_call = message.signature != step_signature_ && !ends_differ,
                        .end = !ends_differ ? BadMessage::End::kSame
                               : more_      ? BadMessage::End::kTheirs
                                            : BadMessage::End::kMine,
                        .expected_bytes = byte_count,
                        .byte_count = message.byte_count};
        return nullptr;
    }
    // Sources are only read; they share an array with destinations.
    return const_cast<std::byte*>(message.payload);
}

std::byte* LaneWalker::reserve(const BoundEnd& end) const {
    Sender& sender = *end.sender;
    std::byte* const slot = sender.reserve();
    if (slot != nullptr || !mutated(Mutant::kIgnoredCredit)) return slot;
    return reinterpret_cast<std::byte*>(sender.view().header(sender.published() + 1) + 1);
}

void LaneWalker::move(Workspace& workspace, const BoundStep& step, std::uint64_t elements) const {
    if (step.span == 1 || step.coalesced) return move_run(workspace, step, 0, elements, 0);
    std::size_t message_offset = 0;
    for (std::uint32_t i = 0; i < step.span; ++i) {
        const std::uint32_t chunk = (step.chunk + i) % step.modulus;
        const std::uint64_t run = step.map->piece(chunk, tile_).count;
        if (run == 0) continue;
        move_run(workspace, step, i, run, message_offset);
        message_offset += run * launch_->wire_element_bytes();
    }
}

// `elements` that lie side by side in every operand, from chunk `index` of the span on.
void LaneWalker::move_run(Workspace& workspace, const BoundStep& step, std::uint32_t index,
                          std::uint64_t elements, std::size_t message_offset) const {
    if (!step.plain_copy) return combine(workspace, step, index, elements, message_offset);
    const BoundOperand* const operands = lane_->operands.data() + step.first_operand;
    const std::byte* source = address(operands[0], workspace.slots[0], index, message_offset);
    const std::size_t byte_count = elements * (operands[0].wide ? launch_->wire_element_bytes()
                                                                : launch_->buffer_element_bytes());
    for (std::size_t i = 1; i <= step.destination_count; ++i) {
        std::byte* destination = address(operands[i], workspace.slots[i], index, message_offset);
        if (destination != source) copy_bytes(destination, source, byte_count);
    }
}

void LaneWalker::combine(Workspace& workspace, const BoundStep& step, std::uint32_t index,
                         std::uint64_t elements, std::size_t message_offset) const {
    const Launch& launch = launch_->launch();
    const BoundOperand* operand = lane_->operands.data() + step.first_operand;
    std::byte* const* slot = workspace.slots.data();
    for (std::size_t i = 0; i < step.source_count; ++i, ++operand, ++slot) {
        workspace.sources[i] = {address(*operand, *slot, index, message_offset), operand->wide,
                                operand->scaled};
    }
    for (std::size_t i = 0; i < step.destination_count; ++i, ++operand, ++slot) {
        workspace.destinations[i] = {address(*operand, *slot, index, message_offset),
                                     operand->wide};
    }
    reduce({.type = launch.type,
            .kind = launch.reduce_kind,
            .sources = {workspace.sources.data(), step.source_count},
            .destinations = {workspace.destinations.data(), step.destination_count},
            .count = elements,
            .scale = buffers_.scale});
}

// Where chunk `index` of the span of an operand begins; `slot` if it is a message.
std::byte* LaneWalker::address(const BoundOperand& operand, std::byte* slot, std::uint32_t index,
                               std::size_t message_offset) const {
    switch (operand.space) {
        case Space::kInput:  // only ever a source
            return const_cast<std::byte*>(buffers_.input) +
                   buffer_offset(operand, launch_->input(), index);
        case Space::kOutput:
            return buffers_.output + buffer_offset(operand, launch_->output(), index);
        case Space::kScratch:
            return lane_->scratch + operand.first_offset + index * launch_->scratch_stride();
        case Space::kSlot:
            break;
    }
    return slot + message_offset;
}

std::uint64_t LaneWalker::buffer_offset(const BoundOperand& operand, const PieceMap& map,
                                        std::uint32_t index) const {
    if (tile_ == 0 && index == 0) return operand.first_offset;
    return map.piece(operand.chunk + index, tile_).offset * launch_->buffer_element_bytes();
}

void LaneWalker::publish(const BoundStep& step, std::uint64_t byte_count) const {
    const BoundEnd* end = lane_->ends.data() + step.first_end + step.receive_count;
    for (std::uint32_t left = step.send_count; left > 0; --left, ++end) {
        end->sender->publish(static_cast<std::uint32_t>(byte_count), step_signature_);
        tell_published(*end->link, lane_->link_lane);
    }
}

void LaneWalker::release(const BoundStep& step) const {
    const BoundEnd* end = lane_->ends.data() + step.first_end;
    for (std::uint32_t left = step.receive_count; left > 0; --left, ++end) {
        end->receiver->release();
        tell_released(*end->link, lane_->link_lane);
    }
}

// Only what this tile's steps wrote is final now; what they passed on was not divided.
void LaneWalker::finish_tile() {
    const Launch& launch = launch_->launch();
    for (const std::uint32_t chunk : lane_->output_chunks) {
        const Piece piece = launch_->output().piece(chunk, tile_);
        divide_integers(launch.type,
                        buffers_.output + piece.offset * launch_->buffer_element_bytes(),
                        piece.count, launch.divide_output_by);
    }
    tile_ += lane_->tile_stride;
    step_index_ = 0;
}

}  // namespace xccl
