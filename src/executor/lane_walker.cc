// One step, in this order, which is what makes bounded mailboxes safe:
//
//     all its messages are there and all its slots are free    (else nothing happens: kBlocked)
//     combine into buffers and slots
//     publish what was written, release what was read, tell the peers
//
// Trying again costs one look at the operand that was missing.
#include "executor/lane_walker.h"

#include <cstring>

#include "device/streamed.h"
#include "device/taken.h"
#include "executor/message_signature.h"
#include "executor/notify.h"
#include "executor/references.h"

namespace xccl {
namespace {

// The longest messages whose next tray is taken ahead, which takes the sender about a microsecond
// once it has sent. Broadcasts of 2 ranks, hot, in turns with and without (compare.py, 2 cores of
// an Intel Xeon, 2026-11-29): 1 KiB 0.45 and 0.70 us, 4 KiB 0.94 and 1.54, 16 KiB 2.68 and 3.88.
constexpr std::uint64_t kMostTakenAhead = 16384;

// Not if it is a message that is a reference.
bool is_written(const BoundOperand& operand, const std::byte* slot) {
    return operand.space != Space::kSlot || slot != nullptr;
}

}  // namespace

void Workspace::reserve(std::size_t operand_count) {
    if (slots.size() >= operand_count) return;
    slots.resize(operand_count);
    taken.resize(operand_count);
    kinds.resize(operand_count);
    landings.resize(operand_count, kNoLanding);
    landed.resize(operand_count);
    sources.resize(operand_count);
    destinations.resize(operand_count);
    streamed.resize(operand_count);
}

void LaneWalker::start(const PreparedLaunch* launch, int lane_index, const Buffers& buffers,
                       std::uint32_t signature) {
    launch_ = launch;
    lane_ = &launch->lanes()[static_cast<std::size_t>(lane_index)];
    buffers_ = buffers;
    // Of the input, sources are only read; they share this with destinations.
    bases_ = {const_cast<std::byte*>(buffers.input), buffers.output, lane_->scratch, nullptr};
    signature_ = step_signature_ = signature;
    tile_ = lane_->first_tile;
    tile_count_ = launch->tile_count();
    step_ = lane_->steps.data();
    steps_end_ = step_ + lane_->steps.size();
    missing_ = 0;
    forget_references();
    refers_ = offers_all_ = false;
}

// Flattened: of a small operation's few tens of nanoseconds, calls would be a fifth.
[[gnu::flatten]] LaneWalker::Outcome LaneWalker::advance(Workspace& workspace,
                                                         std::uint32_t* budget) {
    std::uint32_t left = *budget;  // in a register
    const Outcome outcome = walk(workspace, left);
    *budget = left;
    return outcome;
}

LaneWalker::Outcome LaneWalker::walk(Workspace& workspace, std::uint32_t& budget) {
    for (; !walked(); finish_tile()) {
        for (; step_ != steps_end_; ++step_, missing_ = 0) {
            if (budget == 0) return Outcome::kOutOfBudget;
            const BoundStep& step = *step_;
            const Arrival arrival = tile_ == 0 && step.plain ? do_step<true>(workspace, step)
                                                             : do_step<false>(workspace, step);
            if (arrival == Arrival::kMissing) return Outcome::kBlocked;
            if (arrival == Arrival::kBad) return Outcome::kBadMessage;
            --budget;
        }
    }
    if (__builtin_expect(refers_, 0)) {
        if (unreleased() != nullptr) return Outcome::kBlocked;
        refers_ = false;
    }
    return Outcome::kFinished;
}

// Does a step, if all that it waits for is there and it has anything to do. `kPlain`: it is a
// BoundStep::plain one in tile 0, of which most questions need not be asked, trays among them.
template <bool kPlain>
LaneWalker::Arrival LaneWalker::do_step(Workspace& workspace, const BoundStep& step) {
    const std::uint64_t elements = kPlain ? step.first_elements : step.elements(tile_);
    if (!kPlain && !takes_place(step, elements)) return Arrival::kAllThere;
    if (!kPlain && step.overwritten_count > 0 && !step.divides && unread(step) != nullptr) {
        return Arrival::kMissing;
    }
    const std::uint64_t byte_count =
        kPlain || tile_ == 0 ? step.first_bytes : elements * launch_->wire_element_bytes();
    const Arrival arrival = gather<kPlain>(workspace, step, byte_count);
    if (!kPlain && arrival == Arrival::kMissing) post(step, byte_count);
    if (arrival != Arrival::kAllThere) return arrival;
    const bool divided = !kPlain && step.divides && is_divided(workspace, step);
    if (!kPlain && step.divides && !divided && unread(step) != nullptr) return Arrival::kMissing;
    if (mutated(Mutant::kEarlyReuse)) release<kPlain>(step);
    const bool referred = !kPlain && is_referred(step, byte_count);
    const bool landing = !kPlain && step.answers && has_landing(workspace, step);
    if (referred || landing) refer(workspace, step, referred, byte_count);
    const bool shared = !kPlain && !referred && !landing && step.outbox != nullptr &&
                        share(workspace, step, byte_count);
    if (!kPlain) workspace.shared = shared;
    const bool held = kPlain || !(referred || landing || shared);
    if (kPlain) {
        move_run<true>(workspace, step, 0, elements, 0);
    } else if (divided) {
        move_share(workspace, step, elements);
    } else if (elements > 0) {
        move(workspace, step, elements);
    }
    if (!held) {
        publish_kinds(workspace, step, byte_count);
    } else {
        publish<kPlain>(step, byte_count);
    }
    if (!mutated(Mutant::kEarlyReuse)) release<kPlain>(step);
    if (!kPlain && held && byte_count <= kMostTakenAhead) take_ahead(step, byte_count);
    return Arrival::kAllThere;
}

LaneWalker::Wait LaneWalker::wait() const {
    if (walked()) {
        const BoundEnd* const end = unreleased();
        return end != nullptr ? Wait{end->link->peer, true} : Wait{-1, false};
    }
    if (step_ != steps_end_ && (!step_->divides || has_all_messages(*step_))) {
        if (const BoundEnd* const end = unread(*step_)) return {end->link->peer, true};
    }
    if (step_ == steps_end_ || step_->receive_count + step_->send_count == 0) return {-1, false};
    return {lane_->ends[step_->first_end + missing_].link->peer, missing_ >= step_->receive_count};
}

// Has a step of `elements` anything to do? Sees to the signature of its messages.
bool LaneWalker::takes_place(const BoundStep& step, std::uint64_t elements) {
    if (__builtin_expect(!launch_->launch().tells_lengths, 1)) return elements > 0;
    more_ = step.elements(tile_ + 1) > 0;
    step_signature_ = with_more(signature_, more_);
    return elements > 0 || tile_ == 0;
}

// Looks at every message and slot of a step, first at the one that was missing last time.
template <bool kPlain>
LaneWalker::Arrival LaneWalker::gather(Workspace& workspace, const BoundStep& step,
                                       std::uint64_t byte_count) {
    const BoundEnd* const ends = step.ends;
    const std::uint32_t receive_count = step.receive_count;
    const std::uint32_t count = receive_count + step.send_count;
    std::byte** const slots = workspace.slots.data();
    const auto is_there = [&](std::uint32_t index) {
        const BoundEnd& end = ends[index];
        std::byte* const slot = index < receive_count ? receive<kPlain>(workspace, end, byte_count)
                                                      : reserve<kPlain>(end);
        if (slot == nullptr) missing_ = index;
        slots[end.operand] = slot;
        return slot != nullptr;
    };
    bool all = missing_ == 0 || is_there(missing_);
    for (std::uint32_t index = 0; all && index < count; ++index) all = is_there(index);
    if (all) return Arrival::kAllThere;
    return bad_message_.peer < 0 ? Arrival::kMissing : Arrival::kBad;
}

// The payload of the head message; null if there is none, or a bad one.
template <bool kPlain>
std::byte* LaneWalker::receive(Workspace& workspace, const BoundEnd& end,
                               std::uint64_t byte_count) {
    Message message;
    if (!end.receiver->peek<!kPlain>(&message)) return nullptr;
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
    if (!kPlain && end.answered) end.receiver->keep();
    workspace.taken[end.operand] = !kPlain && end.receiver->keeps();
    if (!kPlain) workspace.landings[end.operand] = Workspace::kNoLanding;
    if (__builtin_expect(message.kind != MessageKind::kPayload, 0)) {
        workspace.taken[end.operand] &= message.kind == MessageKind::kOffer;
        return look_up(workspace, end, message);
    }
    // Sources are only read; they share an array with destinations.
    return const_cast<std::byte*>(message.payload);
}

template <bool kPlain>
std::byte* LaneWalker::reserve(const BoundEnd& end) const {
    Sender& sender = *end.sender;
    std::byte* const slot = sender.reserve<!kPlain>();
    if (slot != nullptr || !mutated(Mutant::kIgnoredCredit)) return slot;
    return reinterpret_cast<std::byte*>(sender.view().header(sender.published() + 1) + 1);
}

void LaneWalker::move(Workspace& workspace, const BoundStep& step, std::uint64_t elements) const {
    if (step.span == 1 || step.coalesced) {
        return move_run<false>(workspace, step, 0, elements, 0);
    }
    std::size_t message_offset = 0;
    for (std::uint32_t i = 0; i < step.span; ++i) {
        const std::uint32_t chunk = (step.chunk + i) % step.modulus;
        const std::uint64_t run = step.map->piece(chunk, tile_).count;
        if (run == 0) continue;
        move_run<false>(workspace, step, i, run, message_offset);
        message_offset += run * launch_->wire_element_bytes();
    }
}

// `elements` that lie side by side in every operand, from chunk `index` of the span on.
template <bool kPlain>
void LaneWalker::move_run(Workspace& workspace, const BoundStep& step, std::uint32_t index,
                          std::uint64_t elements, std::size_t message_offset) const {
    const BoundOperand* const operands = lane_->operands.data() + step.first_operand;
    std::byte* const* const slots = workspace.slots.data();
    const auto at = [&](std::size_t i) {
        return kPlain ? first_address(operands[i], slots[i])
                      : address(operands[i], slots[i], index, message_offset);
    };
    const bool streamed = !kPlain && streams() && is_streamed(workspace, step);
    const auto is_taken = [&](std::size_t i) {
        return !kPlain && operands[i].space == Space::kSlot && workspace.taken[i] != 0;
    };
    if (step.kind == BoundStep::Kind::kPair && !streamed && !is_taken(0) && !is_taken(1)) {
        launch_->pair_kernel()(at(2), at(0), at(1), elements);
        return;
    }
    if (step.kind != BoundStep::Kind::kCopy) {
        return combine(workspace, step, index, elements, message_offset, streamed);
    }
    const std::byte* const source = at(0);
    const std::size_t byte_count = elements * (operands[0].wide ? launch_->wire_element_bytes()
                                                                : launch_->buffer_element_bytes());
    for (std::size_t i = 1; i <= step.destination_count; ++i) {
        if (!kPlain && (!is_written(operands[i], slots[i]) || at(i) == source)) continue;
        if (streamed && operands[i].space == Space::kOutput) {
            (is_taken(0) ? copy_bytes_taken_streamed : copy_bytes_streamed)(at(i), source,
                                                                            byte_count);
        } else if (is_taken(0)) {
            copy_bytes_taken(at(i), source, byte_count);
        } else {
            copy_bytes(at(i), source, byte_count);
        }
    }
}

void LaneWalker::combine(Workspace& workspace, const BoundStep& step, std::uint32_t index,
                         std::uint64_t elements, std::size_t message_offset, bool streamed) const {
    const Launch& launch = launch_->launch();
    const BoundOperand* operand = lane_->operands.data() + step.first_operand;
    std::byte* const* slot = workspace.slots.data();
    for (std::size_t i = 0; i < step.source_count; ++i, ++operand, ++slot) {
        workspace.sources[i] = {.data = address(*operand, *slot, index, message_offset),
                                .wide = operand->wide,
                                .scaled = operand->scaled,
                                .taken = operand->space == Space::kSlot && workspace.taken[i] != 0};
    }
    const bool lands = step.answers && has_landing(workspace, step);
    std::size_t destination_count = 0, streamed_count = 0;
    for (std::size_t i = 0; i < step.destination_count; ++i, ++operand, ++slot) {
        if (!is_written(*operand, *slot)) continue;
        const ReduceDestination destination{address(*operand, *slot, index, message_offset),
                                            operand->wide};
        const bool is_last =
            operand->space == Space::kOutput || (lands && operand->space == Space::kSlot &&
                                                 workspace.landed[step.source_count + i] != 0);
        if (streamed && is_last) {
            workspace.streamed[streamed_count++] = destination;
        } else {
            workspace.destinations[destination_count++] = destination;
        }
    }
    Reduction reduction{.type = launch.type,
                        .kind = launch.reduce_kind,
                        .sources = {workspace.sources.data(), step.source_count},
                        .destinations = {workspace.destinations.data(), destination_count},
                        .count = elements,
                        .scale = buffers_.scale};
    if (streamed_count == 0) return reduce(reduction);
    reduction.destinations = {workspace.streamed.data(), streamed_count};
    reduce_streamed(reduction, {workspace.destinations.data(), destination_count});
}

// Does the step write the output for good, outside the caches, and does nobody read it there?
bool LaneWalker::is_streamed(const Workspace& workspace, const BoundStep& step) const {
    if (!step.leaves_output || is_in_place()) return false;
    const std::span<const BoundOperand> operands = lane_->operands_of(step);
    for (std::size_t i = step.source_count; i < operands.size(); ++i) {
        // A peer looks there, unless it looks into the outbox.
        if (!workspace.shared && !is_written(operands[i], workspace.slots[i])) return false;
    }
    return true;
}

// Where chunk `index` of the span of an operand begins; `slot` if it is a message.
std::byte* LaneWalker::address(const BoundOperand& operand, std::byte* slot, std::uint32_t index,
                               std::size_t message_offset) const {
    std::byte* const first = first_address(operand, slot);
    if (operand.space == Space::kSlot) return first + message_offset;
    if (operand.space == Space::kScratch) return first + index * launch_->scratch_stride();
    if (tile_ == 0 && index == 0) return first;
    const PieceMap& map = operand.space == Space::kInput ? launch_->input() : launch_->output();
    return bases_[static_cast<std::size_t>(operand.space)] +
           map.piece(operand.chunk + index, tile_).offset * launch_->buffer_element_bytes();
}

// May the messages of a step be references, in this call?
bool LaneWalker::is_referred(const BoundStep& step, std::uint64_t byte_count) const {
    if (step.referred == BoundStep::kNoOperand || byte_count < kLeastReferredBytes) return false;
    const Space space = lane_->operands[step.first_operand + step.referred].space;
    const bool is_input = space == Space::kInput;
    if (launch_->by_address()) return !is_input || buffers_.input_stays;
    return (is_input ? buffers_.input_place : buffers_.output_place) != Buffers::kNotInHeap;
}

template <bool kPlain>
void LaneWalker::publish(const BoundStep& step, std::uint64_t byte_count) const {
    for (const BoundEnd& end : step.sends()) {
        end.sender->publish<!kPlain>(static_cast<std::uint32_t>(byte_count), step_signature_);
        tell_published(*end.link, lane_->link_lane);
    }
}

// Takes the lines of each next message that would have to be fetched from the reader when it is
// written, which the reader would then wait for.
void LaneWalker::take_ahead(const BoundStep& step, std::uint64_t byte_count) const {
    for (const BoundEnd& end : step.sends()) {
        const std::byte* const payload = end.sender->payload_to_take();
        if (payload == nullptr) continue;
        take_line(end.sender->reference());
        take_lines(payload, byte_count);
    }
}

template <bool kPlain>
void LaneWalker::release(const BoundStep& step) const {
    for (const BoundEnd& end : step.receives()) {
        end.receiver->release<!kPlain>();
        tell_released(*end.link, lane_->link_lane);
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
    forget_references();
    tile_ += lane_->tile_stride;
    step_ = lane_->steps.data();
}

}  // namespace xccl
