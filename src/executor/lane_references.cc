// The part of a lane's walker that deals with messages which do not hold their payload
// (references.h): what they refer to, and what is written where a peer offers it.
#include <algorithm>
#include <cstring>
#include <utility>

#include "device/streamed.h"
#include "executor/lane_walker.h"
#include "executor/notify.h"
#include "executor/references.h"

namespace xccl {
namespace {

// Shares begin on lines of their own, if the buffers do.
constexpr std::uint64_t kShareAlignment = 64;

}  // namespace

// The payload of a message that does not hold it; one that offers to send such is answered.
std::byte* LaneWalker::look_up(Workspace& workspace, const BoundEnd& end, const Message& message) {
    PeerHeap* const heap = end.link->heap.get();
    if (message.kind == MessageKind::kOffer) {
        if (heap != nullptr) heap->answer();
        return const_cast<std::byte*>(message.payload);
    }
    if (message.kind == MessageKind::kLanded && step_->lands) {
        return address(lane_->destinations(*step_)[0], nullptr, 0, 0);
    }
    if (message.kind == MessageKind::kPlaced && end.link->carrier != nullptr) {
        std::byte* place = nullptr;
        std::memcpy(&place, message.payload, sizeof place);
        return place;
    }
    if (message.kind == MessageKind::kShared) {
        std::uint64_t number = 0;
        std::memcpy(&number, message.payload, sizeof number);
        const std::byte* const shared = end.link->peer_outbox.at(number);
        if (shared == nullptr) bad_message_ = {.peer = end.link->peer, .unreadable = true};
        return const_cast<std::byte*>(shared);
    }
    std::uint64_t places[2] = {};  // of the payload, and of the landing
    std::memcpy(places, message.payload, sizeof places);
    const std::byte* payload = nullptr;
    const bool offers = message.kind == MessageKind::kReferenceWithLanding;
    // An offer that cannot be taken is no smaller failure: its sender may count on it.
    if (heap != nullptr && message.kind != MessageKind::kLanded &&
        (!offers || heap->at(places[1], message.byte_count) != nullptr)) {
        if (offers) workspace.landings[end.operand] = places[1];
        payload =
            heap->at(places[0], message.byte_count);  // after the other: that may have moved it
    }
    if (payload == nullptr) bad_message_ = {.peer = end.link->peer, .unreadable = true};
    return const_cast<std::byte*>(payload);
}

// The step waits for nothing but its message, or for slots to pass it on: from now on it may be
// written where the step would copy it.
void LaneWalker::post(const BoundStep& step, std::uint64_t byte_count) const {
    if (step.posted == BoundStep::kNoOperand || byte_count < kLeastReferredBytes) return;
    if (missing_ >= step.receive_count) return;
    const BoundEnd& end = step.receives()[0];
    const BoundOperand& operand = lane_->operands[step.first_operand + step.posted];
    end.link->carrier->post(end.link->peer, lane_->link_lane,
                            {.sequence = end.receiver->consumed() + 1,
                             .signature = step_signature_,
                             .byte_count = static_cast<std::uint32_t>(byte_count),
                             .address = address(operand, nullptr, 0, 0)});
}

bool LaneWalker::has_all_messages(const BoundStep& step) {
    const std::span<const BoundEnd> receives = step.receives();
    return std::all_of(receives.begin(), receives.end(), [](const BoundEnd& end) {
        Message message;
        return end.receiver->peek(&message);
    });
}

// Does a message that the step reads offer a place for the answer?
bool LaneWalker::has_landing(const Workspace& workspace, const BoundStep& step) const {
    const std::span<const BoundEnd> sends = step.sends();
    return std::any_of(sends.begin(), sends.end(), [&](const BoundEnd& end) {
        return end.answers != BoundEnd::kNoAnswer &&
               workspace.landings[end.answers] != Workspace::kNoLanding;
    });
}

// Says of each message how it is sent: in its slot, as the place of what the step writes or has
// sent already (`referred`), or where the message that it answers says.
void LaneWalker::refer(Workspace& workspace, const BoundStep& step, bool referred,
                       std::uint64_t byte_count) {
    MessageKind* kind = workspace.kinds.data();
    if (step.offers) offers_all_ = referred && may_offer_all(step);
    for (const BoundEnd& end : step.sends()) {
        *kind = MessageKind::kPayload;
        workspace.landed[end.operand] = 0;
        if (end.answers != BoundEnd::kNoAnswer &&
            workspace.landings[end.answers] != Workspace::kNoLanding) {
            std::byte* const landing =
                end.link->heap->landing(workspace.landings[end.answers], byte_count);
            if (landing != nullptr) {
                workspace.slots[end.operand] = landing;
                workspace.landed[end.operand] = 1;
                *kind = MessageKind::kLanded;
            }
        }
        if (*kind == MessageKind::kPayload && referred) *kind = refer_one(workspace, step, end);
        ++kind;
    }
}

// Writes the place of the payload into the message, if its reader can look there; asks one that has
// not said yet.
MessageKind LaneWalker::refer_one(Workspace& workspace, const BoundStep& step,
                                  const BoundEnd& end) {
    const BoundOperand& operand = lane_->operands[step.first_operand + step.referred];
    const bool is_input = operand.space == Space::kInput;
    const std::uint64_t heap_place = is_input ? buffers_.input_place : buffers_.output_place;
    PeerHeap* const heap = end.link->heap.get();
    const bool in_heap = heap != nullptr && heap_place != Buffers::kNotInHeap;
    const HeapAnswer answer = in_heap ? heap->heard() : HeapAnswer::kUnreadable;
    if (!end.link->by_address &&
        (answer == HeapAnswer::kNone || answer == HeapAnswer::kUnreadable)) {
        if (answer == HeapAnswer::kUnreadable) return MessageKind::kPayload;
        heap->offer();
        return MessageKind::kOffer;
    }
    // Each would wait until the others have read it.
    if (step.offers && !offers_all_ && is_input && !buffers_.input_stays) {
        return MessageKind::kPayload;
    }
    const std::byte* const payload = address(operand, nullptr, 0, 0);
    const auto offset =
        static_cast<std::uint64_t>(payload - (is_input ? buffers_.input : buffers_.output));
    // Chunks lie in the output where they lie in the input.
    const bool offers = (end.offers && answer == HeapAnswer::kWritable &&
                         buffers_.output_place != Buffers::kNotInHeap) ||
                        (step.offers && offers_all_);
    const std::uint64_t places[2] = {
        end.link->by_address ? reinterpret_cast<std::uintptr_t>(payload) : heap_place + offset,
        buffers_.output_place + offset};
    std::memcpy(end.sender->reference(), places, offers ? sizeof places : sizeof places[0]);
    workspace.slots[end.operand] = nullptr;
    refers_ = true;
    if (is_input) {
        sent_as_[static_cast<std::size_t>(&end - lane_->ends.data())] = end.sender->published() + 1;
    }
    return offers ? MessageKind::kReferenceWithLanding : MessageKind::kReference;
}

// May all that the step sends to write into this rank's output? Either all of them learn that, or
// none.
bool LaneWalker::may_offer_all(const BoundStep& step) const {
    if (buffers_.output_place == Buffers::kNotInHeap ||
        buffers_.input_place == Buffers::kNotInHeap) {
        return false;
    }
    const std::span<const BoundEnd> sends = step.sends();
    return std::all_of(sends.begin(), sends.end(), [](const BoundEnd& end) {
        return end.link->heap != nullptr && end.link->heap->heard() == HeapAnswer::kWritable;
    });
}

// Has everybody offered everybody to write a share of the output? Then all know that, and do so.
bool LaneWalker::is_divided(const Workspace& workspace, const BoundStep& step) const {
    const std::span<const BoundEnd> receives = step.receives();
    return offers_all_ && std::all_of(receives.begin(), receives.end(), [&](const BoundEnd& end) {
               return workspace.landings[end.operand] != Workspace::kNoLanding;
           });
}

// Combines this rank's share, and writes it to the outputs of all.
void LaneWalker::move_share(Workspace& workspace, const BoundStep& step,
                            std::uint64_t elements) const {
    const Launch& launch = launch_->launch();
    const auto rank = static_cast<std::uint64_t>(launch_->steps().rank);
    const std::uint64_t rank_count = step.source_count;
    const std::uint64_t width = launch_->buffer_element_bytes();
    const std::uint64_t line = std::max<std::uint64_t>(kShareAlignment / width, 1);
    const std::uint64_t share = ((elements + rank_count - 1) / rank_count + line - 1) / line * line;
    const std::uint64_t first = std::min(rank * share, elements);
    const std::uint64_t count = std::min(share, elements - first);
    const std::span<const BoundOperand> operands = lane_->operands_of(step);
    const std::size_t skipped = first * width;
    for (std::size_t i = 0; i < step.source_count; ++i) {
        workspace.sources[i] = {.data = address(operands[i], workspace.slots[i], 0, 0) + skipped,
                                .wide = false,
                                .scaled = false};
    }
    workspace.destinations[0] = {address(operands[step.source_count], nullptr, 0, 0) + skipped,
                                 false};
    std::size_t destination_count = 1;
    for (const BoundEnd& end : step.receives()) {
        std::byte* const output =
            end.link->heap->landing(workspace.landings[end.operand], elements * width);
        // Else the peer has failed, and so has the operation.
        if (output == nullptr) continue;
        workspace.destinations[destination_count++] = {output + skipped, false};
    }
    const Reduction reduction{.type = launch.type,
                              .kind = launch.reduce_kind,
                              .sources = {workspace.sources.data(), step.source_count},
                              .destinations = {workspace.destinations.data(), destination_count},
                              .count = count,
                              .scale = buffers_.scale};
    if (count > 0 && streams() && !is_in_place()) {
        reduce_streamed(reduction);
    } else if (count > 0) {
        reduce(reduction);
    }
    step.receives()[0].link->heap->landed();
}

// Has the payload written once, in the outbox, if that has a free slot, for all that can read
// there.
bool LaneWalker::share(Workspace& workspace, const BoundStep& step,
                       std::uint64_t byte_count) const {
    if (byte_count < kLeastSharedBytes) return false;
    std::byte* payload = step.outbox->reserve();
    if (payload == nullptr) return false;
    const std::uint64_t number = step.outbox->number();
    MessageKind* kind = workspace.kinds.data();
    for (const BoundEnd& end : step.sends()) {
        const bool reads_there = end.link->outbox != nullptr;
        *kind++ = reads_there ? MessageKind::kShared : MessageKind::kPayload;
        if (!reads_there) continue;
        std::memcpy(end.sender->reference(), &number, sizeof number);
        workspace.slots[end.operand] = std::exchange(payload, nullptr);
    }
    return true;
}

void LaneWalker::publish_kinds(const Workspace& workspace, const BoundStep& step,
                               std::uint64_t byte_count) const {
    const MessageKind* kind = workspace.kinds.data();
    for (const BoundEnd& end : step.sends()) {
        if (end.answers != BoundEnd::kNoAnswer && end.link->heap != nullptr) {
            end.link->heap->landed();
        }
        end.sender->publish(static_cast<std::uint32_t>(byte_count), step_signature_, *kind);
        if (*kind++ == MessageKind::kShared) end.link->outbox->sent(end.sender);
        tell_published(*end.link, lane_->link_lane);
    }
}

// A message of this tile that refers to what the step is about to overwrite, and was not released.
const BoundEnd* LaneWalker::unread(const BoundStep& step) const {
    if (buffers_.input != buffers_.output) return nullptr;
    for (std::uint32_t i = 0; i < step.overwritten_count; ++i) {
        const std::uint32_t index = lane_->overwritten[step.first_overwritten + i];
        const BoundEnd& end = lane_->ends[index];
        const std::uint64_t sequence = sent_as_[index];
        if (sequence == kNotReferred) continue;
        if (!end.sender->is_consumed(static_cast<std::uint32_t>(sequence))) return &end;
    }
    return nullptr;
}

// One of the lane's messages that were not released yet; null if all were.
const BoundEnd* LaneWalker::unreleased() const {
    for (const BoundEnd& end : lane_->ends) {
        if (end.sender == nullptr) continue;
        if (end.link->heap == nullptr && !end.link->by_address) continue;
        if (!end.sender->all_consumed()) return &end;
    }
    return nullptr;
}

}  // namespace xccl
