// The outbox: what a rank has written once for several ranks of its host to read.
//
// A message to several ranks would be copied into the mailbox of each. Its payload lies in a slot
// of the sender's outbox instead, in memory that all of them map, and each message holds the number
// of that slot:
//
//     sender                                          each reader
//     reserve()  a slot that nobody reads any more
//     ... writes the payload, once ...
//     publishes to each; sent() after each            finds the payload by its number, releases
//
// A slot is free again when all messages that name it were released. Where none is free the payload
// is copied into the mailboxes. So nobody ever waits for an outbox, and what was proved of bounded
// mailboxes holds.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "transport/mailbox.h"

namespace xccl {

// Where an outbox lies.
struct OutboxView {
    std::byte* slots = nullptr;
    std::uint32_t slot_count = 0;
    std::uint32_t slot_bytes = 0;

    // The number comes from a peer: null if no slot has it.
    std::byte* at(std::uint64_t number) const {
        return number < slot_count ? slots + number * slot_bytes : nullptr;
    }
};

class Outbox {
  public:
    Outbox() = default;
    explicit Outbox(const OutboxView& view) : view_(view), readers_(view.slot_count) {
        for (std::vector<Reader>& readers : readers_) readers.reserve(kMostReaders);
    }

    // Slots are taken in turn: null while the one whose turn it is may still be read.
    std::byte* reserve();
    // Of the slot that was reserved last.
    std::uint64_t number() const { return number_; }
    // The newest message of `sender`, which must stay where it is, names that slot.
    void sent(Sender* sender) { readers_[number_].push_back({sender, sender->published()}); }

  private:
    static constexpr std::size_t kMostReaders = 64;  // of a step
    struct Reader {
        Sender* sender = nullptr;
        std::uint32_t sequence = 0;
    };

    OutboxView view_;
    std::vector<std::vector<Reader>> readers_;  // by slot: whose messages name it
    std::uint32_t number_ = 0;
    std::uint32_t next_ = 0;
};

}  // namespace xccl
