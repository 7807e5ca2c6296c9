#include "executor/point_to_point.h"

#include <algorithm>
#include <cstring>

#include "base/datatypes.h"
#include "device/kernels.h"
#include "device/taken.h"
#include "executor/message_signature.h"
#include "executor/notify.h"
#include "transport/geometry.h"

namespace xccl {
namespace {

constexpr std::uint32_t kMessagesPerTurn = 4;  // of one queue, before the next one has its turn

// How often a transfer must be seen waiting for a peer that has called its last: what that peer has
// sent may be on its way, for long if a network carries it. Looks are some 100 ms apart.
constexpr int kLooksInMemory = 2, kLooksOverNetwork = 100;

TransferHeader header_of(const PointToPoint::Transfer& transfer) {
    return {transfer.descriptor.count, transfer.descriptor.datatype, 0};
}

bool same_transfer(const TransferHeader& a, const TransferHeader& b) {
    return a.count == b.count && a.datatype == b.datatype;
}

// "12 float32", also for a datatype that came from outside and means nothing.
std::string amount(const TransferHeader& header) {
    const char* name = header.datatype < xcclNumTypes
                           ? datatype_name(static_cast<xcclDataType_t>(header.datatype))
                           : nullptr;
    return name != nullptr ? fmt::format("{} {}", header.count, name)
                           : fmt::format("{} of datatype {}", header.count, header.datatype);
}

}  // namespace

Result<std::uint64_t> PointToPoint::submit(int peer, bool is_send, const Transfer& transfer) {
    XCCL_ASSIGN(Pair * both, pair(peer));
    Queue& queue = is_send ? both->send : both->receive;
    if (!queue.active) active_.push_back(&queue);
    queue.active = true;
    queue.transfers.push() = transfer;
    return ++queue.submitted;
}

Result<PointToPoint::Pair*> PointToPoint::pair(int peer) {
    if (peer < 0 || peer >= context_.rank_count) {
        return internal_error("peer {} is outside [0, {})", peer, context_.rank_count);
    }
    if (pairs_.empty()) pairs_.resize(context_.rank_count);
    if (pairs_[peer] == nullptr) {
        Link* link = nullptr;
        if (peer != context_.rank) {
            XCCL_ASSIGN(link, context_.link(peer));
        }
        pairs_[peer] = std::make_unique<Pair>();
        for (const bool is_send : {true, false}) {
            Queue& queue = is_send ? pairs_[peer]->send : pairs_[peer]->receive;
            queue.peer = peer;
            queue.is_send = is_send;
            queue.link = link;
        }
        active_.reserve(active_.capacity() + 2);
    }
    return pairs_[peer].get();
}

const PointToPoint::Queue* PointToPoint::find(int peer, bool is_send) const {
    if (pairs_.empty() || pairs_[peer] == nullptr) return nullptr;
    return is_send ? &pairs_[peer]->send : &pairs_[peer]->receive;
}

std::uint64_t PointToPoint::completed(int peer, bool is_send) const {
    const Queue* queue = find(peer, is_send);
    return queue == nullptr ? 0 : queue->completed;
}

bool PointToPoint::advance(std::uint32_t budget) {
    bool moved = false;
    std::size_t stuck_in_a_row = 0;
    while (stuck_in_a_row < active_.size() && budget > 0) {
        if (next_ >= active_.size()) next_ = 0;
        Queue& queue = *active_[next_];
        const bool queue_moved = advance_queue(queue, &budget);
        if (!context_.failure.ok()) return false;
        stuck_in_a_row = queue_moved ? 0 : stuck_in_a_row + 1;
        moved |= queue_moved;
        if (queue.transfers.empty()) {
            queue.active = false;
            active_[next_] = active_.back();
            active_.pop_back();
        } else {
            ++next_;
        }
    }
    return moved;
}

// One turn of one queue.
bool PointToPoint::advance_queue(Queue& queue, std::uint32_t* budget) {
    bool moved = false;
    for (std::uint32_t turn = 0; turn<kMessagesPerTurn&& * budget> 0; ++turn) {
        if (queue.transfers.empty()) return moved;
        const bool message_moved = move_message(queue);
        const bool finished = finish_front(queue);
        if (!message_moved && !finished) return moved;
        moved = true;
        --*budget;
    }
    return moved;
}

bool PointToPoint::move_message(Queue& queue) {
    if (queue.link == nullptr) return copy_to_self(queue);
    return queue.is_send ? send_message(queue) : receive_message(queue);
}

bool PointToPoint::send_message(Queue& queue) {
    const Transfer& transfer = queue.transfers.front();
    if (queue.header_moved && queue.moved_bytes == transfer.bytes) return false;
    const int lane = context_.geometry.point_to_point_lane();
    std::byte* slot = queue.link->senders[lane].reserve();
    if (slot == nullptr) return false;

    std::uint64_t header_bytes = 0;
    if (!queue.header_moved) {
        const TransferHeader header = header_of(transfer);
        std::memcpy(slot, &header, sizeof header);
        header_bytes = sizeof header;
    }
    const std::uint64_t data_bytes =
        std::min(transfer.bytes - queue.moved_bytes, capacity(queue) - header_bytes);
    if (data_bytes > 0) {
        copy_bytes(slot + header_bytes, transfer.data + queue.moved_bytes, data_bytes);
    }
    queue.link->senders[lane].publish(static_cast<std::uint32_t>(header_bytes + data_bytes),
                                      signature(queue));
    tell_published(*queue.link, lane);
    queue.header_moved = true;
    queue.moved_bytes += data_bytes;
    return true;
}

bool PointToPoint::receive_message(Queue& queue) {
    const Transfer& transfer = queue.transfers.front();
    const int lane = context_.geometry.point_to_point_lane();
    Receiver& receiver = queue.link->receivers[lane];
    Message message;
    if (!receiver.peek(&message)) return false;
    if (!same_epoch(message.signature, signature(queue))) return false;
    if (!queue.header_moved && !accept_header(queue, message)) return false;

    const std::uint64_t header_bytes = queue.header_moved ? 0 : sizeof(TransferHeader);
    const std::uint64_t data_bytes =
        std::min(transfer.bytes - queue.moved_bytes, capacity(queue) - header_bytes);
    if (message.signature != signature(queue) || message.byte_count != header_bytes + data_bytes) {
        context_.fail(internal_error(
            "{} has sent {} bytes out of turn to {}", context_.neighbourhood->name_of(queue.peer),
            message.byte_count, context_.neighbourhood->name_of(context_.rank)));
        return false;
    }
    if (data_bytes > 0) {
        (receiver.keeps() ? copy_bytes_taken : copy_bytes)(
            transfer.data + queue.moved_bytes, message.payload + header_bytes, data_bytes);
    }
    receiver.release();
    tell_released(*queue.link, lane);
    queue.header_moved = true;
    queue.moved_bytes += data_bytes;
    return true;
}

// Is this the beginning of the transfer that the front expects?
bool PointToPoint::accept_header(const Queue& queue, const Message& message) {
    TransferHeader theirs{};
    std::memcpy(&theirs, message.payload, std::min<std::size_t>(message.byte_count, sizeof theirs));
    if (same_transfer(theirs, header_of(queue.transfers.front()))) return true;
    fail_mismatch(queue, theirs);
    return false;
}

// A send and a receive of this rank meet: whichever has its turn moves the bytes of both. They end
// together.
bool PointToPoint::copy_to_self(Queue& queue) {
    Queue& send = pairs_[queue.peer]->send;
    Queue& receive = pairs_[queue.peer]->receive;
    if (send.transfers.empty() || receive.transfers.empty()) return false;
    const Transfer& from = send.transfers.front();
    const Transfer& to = receive.transfers.front();
    if (!same_transfer(header_of(from), header_of(to))) {
        fail_mismatch(receive, header_of(from));
        return false;
    }
    const std::uint64_t bytes = std::min(from.bytes - send.moved_bytes, capacity(queue));
    if (bytes > 0 && to.data != from.data) {
        copy_bytes(to.data + send.moved_bytes, from.data + send.moved_bytes, bytes);
    }
    for (Queue* half : {&send, &receive}) {
        half->header_moved = true;
        half->moved_bytes += bytes;
        if (half != &queue) finish_front(*half);
    }
    return true;
}

// Drops the front if it is complete. A send is when its messages have left this process.
bool PointToPoint::finish_front(Queue& queue) {
    if (queue.transfers.empty() || !queue.header_moved ||
        queue.moved_bytes < queue.transfers.front().bytes) {
        return false;
    }
    const Link* link = queue.link;
    if (queue.is_send && link != nullptr && link->carrier != nullptr &&
        !link->carrier->flushed(queue.peer, context_.geometry.point_to_point_lane())) {
        return false;
    }
    queue.transfers.pop();
    queue.header_moved = false;
    queue.moved_bytes = 0;
    ++queue.completed;
    return true;
}

void PointToPoint::fail_mismatch(const Queue& queue, const TransferHeader& theirs) {
    Neighbourhood& neighbourhood = *context_.neighbourhood;
    const TransferHeader mine = header_of(queue.transfers.front());
    context_.fail(invalid_usage(
        "{} receives {}; {} sends {} (transfer #{} of this pair): {} differ; the k-th send to a "
        "rank must have the count and datatype of the k-th receive there",
        neighbourhood.name_of(context_.rank), amount(mine), neighbourhood.name_of(queue.peer),
        amount(theirs), queue.completed + 1,
        mine.count != theirs.count ? "the counts" : "the datatypes"));
}

std::uint32_t PointToPoint::signature(const Queue& queue) const {
    return message_signature(context_.epoch, queue.completed + 1);
}

std::uint64_t PointToPoint::capacity(const Queue& queue) const {
    if (queue.link == nullptr) return context_.geometry.slotted_slot_bytes;
    return payload_bytes(context_.geometry, context_.geometry.point_to_point_lane());
}

std::optional<Blockage> PointToPoint::blockage() const {
    const auto found = std::find_if(active_.begin(), active_.end(),
                                    [](const Queue* q) { return !q->transfers.empty(); });
    if (found == active_.end()) return std::nullopt;
    const Queue& queue = **found;
    Blockage blockage;
    blockage.peer = queue.peer;
    blockage.for_credit = queue.is_send;
    blockage.point_to_point = true;
    blockage.operation = queue.transfers.front().descriptor;
    blockage.lane = static_cast<std::uint32_t>(context_.geometry.point_to_point_lane());
    return blockage;
}

void PointToPoint::check_abandoned() {
    Abandoned found;
    for (const Queue* queue : active_) {
        if (queue->link == nullptr || queue->transfers.empty()) continue;
        const auto last = context_.neighbourhood->last_of(queue->peer);
        if (!last || !is_final(*last)) continue;
        found = {queue, queue->completed, queue->moved_bytes};
        break;
    }
    abandoned_looks_ = found == abandoned_ ? abandoned_looks_ + 1 : 1;
    abandoned_ = found;
    if (found.queue == nullptr) return;
    const Queue& queue = *found.queue;
    if (abandoned_looks_ < (queue.link->carrier ? kLooksOverNetwork : kLooksInMemory)) return;
    Neighbourhood& neighbourhood = *context_.neighbourhood;
    context_.fail(invalid_usage(
        "{} {} {} {} {} (transfer #{} of this pair), which has finalized the communicator; every "
        "send needs a receive, and every receive a send",
        neighbourhood.name_of(context_.rank), queue.is_send ? "sends" : "receives",
        amount(header_of(queue.transfers.front())), queue.is_send ? "to" : "from",
        neighbourhood.name_of(queue.peer), queue.completed + 1));
}

std::optional<Status> PointToPoint::unreceived() const {
    const int lane = context_.geometry.point_to_point_lane();
    for (const auto& [peer, link] : context_.links) {
        // Where both map the mailbox, the sender sees that a message was not read, even by a peer
        // that has never looked. Else the receiver sees what has come.
        const bool mapped = link->carrier == nullptr;
        const std::byte* payload = nullptr;
        if (mapped) {
            payload = link->senders[lane].oldest_unread();
            if (payload == nullptr) continue;
        } else {
            Message message;
            if (!link->receivers[lane].peek(&message) ||
                !same_epoch(message.signature, message_signature(context_.epoch, 0))) {
                continue;
            }
            payload = message.payload;
        }
        TransferHeader header;
        std::memcpy(&header, payload, sizeof header);
        const int sender = mapped ? context_.rank : peer, receiver = mapped ? peer : context_.rank;
        Neighbourhood& neighbourhood = *context_.neighbourhood;
        return invalid_usage(
            "{} has sent {} to {}, which has finalized the communicator without receiving it; "
            "every send needs a receive",
            neighbourhood.name_of(sender), amount(header), neighbourhood.name_of(receiver));
    }
    return std::nullopt;
}

void PointToPoint::drop_all() {
    for (Queue* queue : active_) {
        queue->transfers.clear();
        queue->active = false;
    }
    active_.clear();
}

}  // namespace xccl
