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
    signature_ = signature;
    tile_ = lane_->first_tile;
    step_index_ = 0;
    missing_ = 0;
}

// Flattened: of a small operation's few tens of nanoseconds, calls would be a fifth.
[[gnu::flatten]] LaneWalker::Outcome LaneWalker::advance(Workspace& workspace,
                                                         std::uint32_t* budget) {
    const std::vector<Step>& steps = lane_->lane->steps;
    for (; !finished(); finish_tile()) {
        for (; step_index_ < steps.size(); ++step_index_, missing_ = 0) {
            if (*budget == 0) return Outcome::kOutOfBudget;
            const Step& step = steps[step_index_];
            const StepBinding& binding = lane_->bindings[step_index_];
            const std::uint64_t elements = count_elements(binding, step.span);
            if (elements > 0) {
                const std::uint64_t byte_count = elements * launch_->wire_element_bytes();
                const Arrival arrival = gather(workspace, step, byte_count);
                if (arrival == Arrival::kMissing) return Outcome::kBlocked;
                if (arrival == Arrival::kBad) return Outcome::kBadMessage;
                if (mutated(Mutant::kEarlyReuse)) release(step);
                move(workspace, step, binding, elements);
                publish(step, byte_count);
                if (!mutated(Mutant::kEarlyReuse)) release(step);
            }
            --*budget;
        }
    }
    return Outcome::kFinished;
}

LaneWalker::Wait LaneWalker::wait() const {
    if (step_index_ >= lane_->lane->steps.size()) return {-1, false};
    const Step& step = lane_->lane->steps[step_index_];
    const Operand& operand = operands_of(step)[missing_];
    if (operand.space != Space::kSlot) return {-1, false};
    return {launch_->links()[operand.peer_index]->peer, missing_ >= step.source_count};
}

std::uint64_t LaneWalker::count_elements(const StepBinding& binding, std::uint32_t span) const {
    const Piece first = binding.map->piece(binding.chunk, tile_);
    if (span == 1) return first.count;
    if (binding.coalesced) {
        const Piece last = binding.map->piece(binding.chunk + span - 1, tile_);
        return last.offset + last.count - first.offset;
    }
    std::uint64_t elements = first.count;
    for (std::uint32_t i = 1; i < span; ++i) {
        elements += binding.map->piece((binding.chunk + i) % binding.modulus, tile_).count;
    }
    return elements;
}

// Looks at every message and slot of a step, first at the one that was missing last time.
LaneWalker::Arrival LaneWalker::gather(Workspace& workspace, const Step& step,
                                       std::uint64_t byte_count) {
    const Operand* operands = operands_of(step);
    const std::size_t count = step.source_count + std::size_t{step.destination_count};
    std::size_t index = missing_;
    for (std::size_t left = count; left > 0; --left) {
        if (operands[index].space == Space::kSlot) {
            Link& link = *launch_->links()[operands[index].peer_index];
            const bool is_source = index < step.source_count;
            std::byte* const slot = is_source ? receive(link, byte_count) : reserve(link);
            if (slot == nullptr) {
                missing_ = index;
                return bad_message_.peer < 0 ? Arrival::kMissing : Arrival::kBad;
            }
            workspace.slots[index] = slot;
        }
        index = index + 1 == count ? 0 : index + 1;
    }
    return Arrival::kAllThere;
}

// The payload of the head message; null if there is none, or a bad one.
std::byte* LaneWalker::receive(Link& link, std::uint64_t byte_count) {
    Message message;
    if (!link.receivers[lane_->link_lane].peek(&message)) return nullptr;
    if (message.signature != signature_ || message.byte_count != byte_count) {
        if (!same_epoch(message.signature, signature_)) return nullptr;
        bad_message_ = {link.peer, message.signature != signature_, byte_count, message.byte_count};
        return nullptr;
    }
    // Sources are only read; they share an array with destinations.
    return const_cast<std::byte*>(message.payload);
}

std::byte* LaneWalker::reserve(Link& link) const {
    Sender& sender = link.senders[lane_->link_lane];
    std::byte* const slot = sender.reserve();
    if (slot != nullptr || !mutated(Mutant::kIgnoredCredit)) return slot;
    return reinterpret_cast<std::byte*>(sender.view().header(sender.published() + 1) + 1);
}

void LaneWalker::move(Workspace& workspace, const Step& step, const StepBinding& binding,
                      std::uint64_t elements) const {
    if (step.span == 1 || binding.coalesced) {
        return move_run(workspace, step, binding.plain_copy, 0, elements, 0);
    }
    std::size_t message_offset = 0;
    for (std::uint32_t i = 0; i < step.span; ++i) {
        const std::uint32_t chunk = (binding.chunk + i) % binding.modulus;
        const std::uint64_t run = binding.map->piece(chunk, tile_).count;
        if (run == 0) continue;
        move_run(workspace, step, binding.plain_copy, i, run, message_offset);
        message_offset += run * launch_->wire_element_bytes();
    }
}

// `elements` that lie side by side in every operand, from chunk `index` of the span on.
void LaneWalker::move_run(Workspace& workspace, const Step& step, bool plain_copy,
                          std::uint32_t index, std::uint64_t elements,
                          std::size_t message_offset) const {
    if (!plain_copy) return combine(workspace, step, index, elements, message_offset);
    const Operand* operands = operands_of(step);
    const std::size_t byte_count =
        elements * (operands[0].space == Space::kInput || operands[0].space == Space::kOutput
                        ? launch_->buffer_element_bytes()
                        : launch_->wire_element_bytes());
    const std::byte* source = address(workspace, operands, 0, index, message_offset);
    for (std::size_t i = 1; i <= step.destination_count; ++i) {
        std::byte* destination = address(workspace, operands, i, index, message_offset);
        if (destination != source) copy_bytes(destination, source, byte_count);
    }
}

void LaneWalker::combine(Workspace& workspace, const Step& step, std::uint32_t index,
                         std::uint64_t elements, std::size_t message_offset) const {
    const Launch& launch = launch_->launch();
    const Operand* operands = operands_of(step);
    const auto is_wide = [&](const Operand& operand) {
        return launch_->wide() &&
               (operand.space == Space::kScratch || operand.space == Space::kSlot);
    };
    for (std::size_t i = 0; i < step.source_count; ++i) {
        workspace.sources[i] = {address(workspace, operands, i, index, message_offset),
                                is_wide(operands[i]),
                                launch.scale_input && operands[i].space == Space::kInput};
    }
    for (std::size_t i = 0; i < step.destination_count; ++i) {
        const std::size_t operand = step.source_count + i;
        workspace.destinations[i] = {address(workspace, operands, operand, index, message_offset),
                                     is_wide(operands[operand])};
    }
    reduce({.type = launch.type,
            .kind = launch.reduce_kind,
            .sources = {workspace.sources.data(), step.source_count},
            .destinations = {workspace.destinations.data(), step.destination_count},
            .count = elements,
            .scale = buffers_.scale});
}

// Where chunk `index` of the span of an operand begins.
std::byte* LaneWalker::address(const Workspace& workspace, const Operand* operands,
                               std::size_t operand, std::uint32_t index,
                               std::size_t message_offset) const {
    const std::uint32_t chunk = operands[operand].chunk + index;
    const std::uint64_t width = launch_->buffer_element_bytes();
    switch (operands[operand].space) {
        case Space::kInput:  // only ever a source
            return const_cast<std::byte*>(buffers_.input) +
                   launch_->input().piece(chunk, tile_).offset * width;
        case Space::kOutput:
            return buffers_.output + launch_->output().piece(chunk, tile_).offset * width;
        case Space::kScratch:
            return lane_->scratch + chunk * launch_->scratch_stride();
        case Space::kSlot:
            break;
    }
    return workspace.slots[operand] + message_offset;
}

void LaneWalker::publish(const Step& step, std::uint64_t byte_count) const {
    for (const Operand& operand : lane_->lane->destinations(step)) {
        if (operand.space != Space::kSlot) continue;
        Link& link = *launch_->links()[operand.peer_index];
        link.senders[lane_->link_lane].publish(static_cast<std::uint32_t>(byte_count), signature_);
        tell_published(link, lane_->link_lane);
    }
}

void LaneWalker::release(const Step& step) const {
    for (const Operand& operand : lane_->lane->sources(step)) {
        if (operand.space != Space::kSlot) continue;
        Link& link = *launch_->links()[operand.peer_index];
        link.receivers[lane_->link_lane].release();
        tell_released(link, lane_->link_lane);
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
