// The mailbox: one direction of one lane between two ranks. A bounded ring of slots in memory that
// both ends can see, one writer, one reader. Everything that xccl sends goes through one.
//
//     sender                                   receiver
//     reserve()  a free slot, or none          peek()     the head message, or none
//     ... write the payload ...                ... read the payload ...
//     publish()  flag := sequence | signature  release()  consumed := sequence
//
// A slot is [SlotHeader][payload]; or, in place of the payload, where it lies in the sender's heap
// (peer_heap.h). The flag shares the first cache line with the start of the payload, so a small
// message crosses in one trip. Mailboxes of large slots may have trays (trays.h): then the payload
// of a message lies in the tray that its header names, which begins on a line of its own behind the
// header of some slot. The flag word holds the message's sequence number (never equal to what the
// slot held before, also after wrap-around) and the signature of the operation it belongs to, so a
// reader sees a mismatched call without a second look.
//
// Credit is the distance between what was published and what was consumed. The sender keeps the
// last consumed count it saw and reads the shared word only when that says "full". Both counts
// belong to the connection and span operations. Beside the count of what was consumed stands, for
// each slot, the tray that was given back for its message.
//
// Memory ordering, in C++ terms (x86 gets it for free, Arm does not):
//     payload writes   -> publish: flag.store(release)     pairs with  peek: flag.load(acquire)
//     payload reads    -> release: consumed.store(release)
//                         pairs with  reserve: consumed.load(acquire)
//
// The templates take a Memory policy (memory_policy.h), so that the host's atomics and a
// memory-model checker run this very source.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <utility>

#include "base/assert.h"
#include "transport/memory_policy.h"
#include "transport/trays.h"

namespace xccl {

enum class MessageKind : std::uint16_t {
    kPayload,    // it is in the slot or the tray
    kReference,  // behind the header is its place, eight bytes; until release() the sender leaves
                 // what is there as it is. For a carrier (Link::by_address) that is its address,
                 // else where it is in the heap
    kOffer,      // as kPayload; the sender's heap is to be answered for
    kReferenceWithLanding,  // as kReference, in the heap; behind it is where in the sender's heap
                            // the answer to this message may be put, eight bytes
    kLanded,                // no payload: it was put where the message that this one answers said
    kShared,  // behind the header is the number of a slot of the sender's outbox (outbox.h)
    kPlaced,  // it is where the reader wanted it (PostedReceive, link.h), whose address is behind
              // the header
};

constexpr bool is_payload(MessageKind kind) {
    return kind == MessageKind::kPayload || kind == MessageKind::kOffer;
}

template <class Memory>
struct BasicSlotHeader {
    typename Memory::template Atomic<std::uint64_t> flag;  // sequence << 32 | signature
    typename Memory::template Plain<std::uint32_t> byte_count;
    typename Memory::template Plain<std::uint16_t> kind;  // a MessageKind
    typename Memory::template Plain<std::uint16_t> tray;
};
using SlotHeader = BasicSlotHeader<HostMemory>;
static_assert(sizeof(SlotHeader) == 16);

// Where a tray begins in a slot: not in the line of the header, which belongs to another message.
template <class Memory>
constexpr std::size_t kTrayOffset = (sizeof(BasicSlotHeader<Memory>) + 63) / 64 * 64;

// Where a mailbox lies. All zero bytes is the empty mailbox.
template <class Memory>
struct BasicMailboxView {
    std::byte* slots = nullptr;  // slot_count * slot_bytes, aligned to 64
    typename Memory::template Atomic<std::uint32_t>* consumed = nullptr;
    // Trays, by slot; null: there cannot be any.
    typename Memory::template Plain<std::uint8_t>* given_back = nullptr;
    std::uint32_t slot_count = 0;          // a power of two
    std::uint32_t slot_bytes = 0;          // header and payload
    std::uint32_t payload_bytes() const {  // so many in a tray, too, if there may be trays
        const std::size_t offset =
            given_back != nullptr ? kTrayOffset<Memory> : sizeof(BasicSlotHeader<Memory>);
        return slot_bytes - static_cast<std::uint32_t>(offset);
    }
    BasicSlotHeader<Memory>* header(std::uint32_t sequence) const {
        const std::size_t index = (sequence - 1) & (slot_count - 1);
        return reinterpret_cast<BasicSlotHeader<Memory>*>(slots + index * slot_bytes);
    }
    // Makes the payload in the slot of `sequence` a message. Senders publish in order; a carrier
    // whose messages overtake each other need not, since each slot has a flag of its own.
    void publish(std::uint32_t sequence, std::uint32_t byte_count, std::uint32_t signature,
                 MessageKind kind = MessageKind::kPayload) const {
        publish_in(header(sequence), sequence, byte_count, signature, kind, 0);
    }
    static void publish_in(BasicSlotHeader<Memory>* slot, std::uint32_t sequence,
                           std::uint32_t byte_count, std::uint32_t signature, MessageKind kind,
                           std::uint8_t tray) {
        slot->byte_count = byte_count;
        slot->kind = static_cast<std::uint16_t>(kind);
        slot->tray = tray;
        slot->flag.store(static_cast<std::uint64_t>(sequence) << 32 | signature,
                         Memory::kFlagStore);
    }
};
using MailboxView = BasicMailboxView<HostMemory>;

struct Message {
    const std::byte* payload;
    std::uint32_t byte_count;
    std::uint32_t signature;
    MessageKind kind;
};

template <class Memory>
class BasicReceiver;

template <class Memory>
class BasicSender {
  public:
    BasicSender() = default;
    explicit BasicSender(BasicMailboxView<Memory> view, std::uint32_t start = 0)
        : view_(view), next_(view.header(start + 1)), published_(start), consumed_seen_(start) {}

    // From now on payloads lie in trays, and those of `receiver`, the other direction, too.
    // `first`: true at one end alone. Before the first message; neither end may move afterwards.
    void share_trays(BasicReceiver<Memory>* receiver, bool first) {
        XCCL_DEBUG_ASSERT(!trays_ && view_.given_back != nullptr &&
                          view_.slot_bytes == receiver->view().slot_bytes &&
                          view_.slot_count == receiver->view().slot_count);
        std::byte* const there = receiver->view().slots;
        std::array<std::byte*, 2> slots = {view_.slots, there};
        if (!first) std::swap(slots[0], slots[1]);
        trays_ =
            Trays(slots, first ? 0 : 1, view_.slot_count, view_.slot_bytes, kTrayOffset<Memory>);
        receiver->back_ = this;
    }

    // Where the next message's payload goes; null while the ring is full. Here and below: who knows
    // that this lane has no trays need not ask each time.
    template <bool kMayHaveTrays = true>
    std::byte* reserve() {
        XCCL_DEBUG_ASSERT(kMayHaveTrays || !trays_);
        if (published_ - consumed_seen_ == view_.slot_count) {
            look_for_credit();
            if (published_ - consumed_seen_ == view_.slot_count) return nullptr;
        }
        if (!kMayHaveTrays || !trays_) return reinterpret_cast<std::byte*>(next_ + 1);
        if (reserved_ == kNoTray) reserved_ = trays_.take();
        return trays_.at(reserved_);
    }
    // Where the next message's place goes, if its payload is elsewhere; and that of its landing.
    std::byte* reference() const { return reinterpret_cast<std::byte*>(next_ + 1); }

    // Makes the reserved message visible.
    template <bool kMayHaveTrays = true>
    void publish(std::uint32_t byte_count, std::uint32_t signature,
                 MessageKind kind = MessageKind::kPayload) {
        XCCL_DEBUG_ASSERT(!trays_ || reserved_ != kNoTray);
        view_.publish_in(next_, ++published_, byte_count, signature, kind, reserved_);
        next_ = view_.header(published_ + 1);
        if (!kMayHaveTrays || !trays_) return;
        reserved_ = kNoTray;
        trays_.sent();
    }

    // After publish(). Where messages go one way, the tray of the next one lies in the reader's
    // cache until somebody asks for it: where its payload will be, if that is known already. Else
    // null.
    const std::byte* payload_to_take() {
        XCCL_DEBUG_ASSERT(reserved_ == kNoTray);
        if (!trays_.one_way()) return nullptr;
        if (trays_.empty()) look_for_credit();
        return trays_.empty() ? nullptr : trays_.at(trays_.next());
    }

    std::uint32_t published() const { return published_; }
    // Has the reader released the message of that sequence number?
    bool is_consumed(std::uint32_t sequence) {
        if (static_cast<std::int32_t>(consumed_seen_ - sequence) < 0) look_for_credit();
        return static_cast<std::int32_t>(consumed_seen_ - sequence) >= 0;
    }
    // Has the reader released all that was published? Nothing that it referred to is read any more.
    bool all_consumed() {
        if (consumed_seen_ != published_) look_for_credit();
        return consumed_seen_ == published_;
    }
    // The payload of the oldest message that was not released; null if all were. It stays only
    // while the reader does nothing.
    const std::byte* oldest_unread() const {
        const std::uint32_t consumed = view_.consumed->load(Memory::kConsumedLoad);
        if (consumed == published_) return nullptr;
        const BasicSlotHeader<Memory>* const slot = view_.header(consumed + 1);
        return trays_ ? trays_.at(slot->tray) : reinterpret_cast<const std::byte*>(slot + 1);
    }
    const BasicMailboxView<Memory>& view() const { return view_; }

  private:
    friend BasicReceiver<Memory>;
    static constexpr std::uint8_t kNoTray = 0xff;

    void look_for_credit() {
        const std::uint32_t consumed = view_.consumed->load(Memory::kConsumedLoad);
        for (; trays_ && consumed_seen_ != consumed; ++consumed_seen_) {
            trays_.add(view_.given_back[consumed_seen_ & (view_.slot_count - 1)]);
        }
        consumed_seen_ = consumed;
    }
    // What the receiver of the other direction gives back for `tray`.
    std::uint8_t give_back(std::uint8_t tray) {
        if (!trays_.keeps()) return tray;
        if (trays_.empty()) look_for_credit();
        return trays_.keep(tray);
    }

    BasicMailboxView<Memory> view_;
    BasicSlotHeader<Memory>* next_ = nullptr;  // to be published
    std::uint32_t published_ = 0;
    std::uint32_t consumed_seen_ = 0;
    std::uint8_t reserved_ = kNoTray;
    Trays trays_;
};
using Sender = BasicSender<HostMemory>;

template <class Memory>
class BasicReceiver {
  public:
    BasicReceiver() = default;
    explicit BasicReceiver(BasicMailboxView<Memory> view, std::uint32_t start = 0)
        : view_(view), next_(view.header(start + 1)), consumed_(start) {}

    // Is there a message? If so *message describes it; it stays until release().
    template <bool kMayHaveTrays = true>
    bool peek(Message* message) const {
        const std::uint64_t flag = next_->flag.load(Memory::kFlagLoad);
        if (static_cast<std::uint32_t>(flag >> 32) != consumed_ + 1) return false;
        const auto kind = static_cast<MessageKind>(static_cast<std::uint16_t>(next_->kind));
        const bool in_tray = kMayHaveTrays && back_ != nullptr && is_payload(kind);
        *message = {
            in_tray ? back_->trays_.at(next_->tray) : reinterpret_cast<const std::byte*>(next_ + 1),
            next_->byte_count, static_cast<std::uint32_t>(flag), kind};
        return true;
    }
    // Asks for the lines that the next message will be in, `byte_count` of payload among them: if
    // it is there already, they come while this end does something else. If not, they are still in
    // this core's caches, and nothing is lost. Payloads in trays are not asked for.
    void expect(std::uint32_t byte_count) const {
        const auto* const slot = reinterpret_cast<const std::byte*>(next_);
        const std::size_t bytes = sizeof *next_ + (back_ == nullptr ? byte_count : 0);
        for (std::size_t at = 0; at < bytes; at += kLineBytes) __builtin_prefetch(slot + at);
    }
    // Will this end write where the payload of the head message lies? Then it had better be read
    // with the right to write.
    bool keeps() const {
        if (back_ == nullptr) return false;
        return is_kept_ ? give_back_ != next_->tray : back_->trays_.keeps();
    }

    // The next message of the other direction, if it is reserved from now on and if possible, shall
    // lie where the payload of the head message does: an answer that takes its place. The payload
    // can be read until that is written.
    void keep() {
        if (back_ == nullptr || is_kept_) return;
        give_back_ = back_->give_back(static_cast<std::uint8_t>(next_->tray));
        is_kept_ = true;
    }

    // Gives the slot of the message that peek() showed back to the sender.
    template <bool kMayHaveTrays = true>
    void release() {
        if (kMayHaveTrays && back_ != nullptr) {
            keep();
            view_.given_back[consumed_ & (view_.slot_count - 1)] = give_back_;
            is_kept_ = false;
        }
        view_.consumed->store(++consumed_, Memory::kConsumedStore);
        next_ = view_.header(consumed_ + 1);
    }

    std::uint32_t consumed() const { return consumed_; }
    const BasicMailboxView<Memory>& view() const { return view_; }

  private:
    friend BasicSender<Memory>;
    static constexpr std::size_t kLineBytes = 64;

    BasicMailboxView<Memory> view_;
    BasicSlotHeader<Memory>* next_ = nullptr;  // whose message is the next one
    std::uint32_t consumed_ = 0;
    BasicSender<Memory>* back_ = nullptr;  // of the other direction, if there are trays
    bool is_kept_ = false;                 // the tray of the head message
    std::uint8_t give_back_ = 0;           // for it
};
using Receiver = BasicReceiver<HostMemory>;

}  // namespace xccl
