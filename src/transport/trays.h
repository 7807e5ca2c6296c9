// Trays: what the payloads of one lane between two ranks lie in, where both map the memory.
//
// A message takes its tray along. Who releases it may keep that tray and give back another one, a
// free one of its own, and does so once for each tray that it has sent away itself. So what it
// writes next lies in lines that its own cache holds with the right to write them, since it has
// just read them so: each line is transferred once for what it carries. A tray that always came
// back would be fetched back, too: two transfers.
//
//     take()      the free tray that was used last: the sender writes there
//     keep()      the tray of a message that is released, and which one to give back for it
//     add()       a tray that came back from the peer, the next to be given back
//
// What holds: either end has as many trays as its mailbox has slots, less those in messages that it
// was not given back for. So who has credit has a tray.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace xccl {

class Trays {
  public:
    static constexpr std::uint32_t kMostSlots = 32;  // of a mailbox with trays

    Trays() = default;  // none: payloads lie behind the headers of their slots
    // Those of the mailbox at `slots[0]` have numbers from 0 to `slot_count`, which is a power of
    // two; those at `slots[1]` follow. `own`: in which of the two this end's lie at first.
    Trays(std::array<std::byte*, 2> slots, int own, std::uint32_t slot_count,
          std::uint32_t slot_bytes, std::uint32_t offset)
        : slots_(slots), slot_count_(slot_count), slot_bytes_(slot_bytes), offset_(offset) {
        for (std::uint32_t i = 0; i < slot_count; ++i) {
            free_[top_++] = static_cast<std::uint8_t>(own == 0 ? i : slot_count + i);
        }
    }
    explicit operator bool() const { return slot_count_ != 0; }

    // Whatever number comes from the peer is that of a tray.
    std::byte* at(std::uint32_t tray) const {
        const std::uint32_t slot = tray & (slot_count_ - 1);
        return slots_[(tray & slot_count_) != 0] + std::size_t{slot} * slot_bytes_ + offset_;
    }
    bool empty() const { return top_ == bottom_; }
    // The tray that take() will give, unless another one is kept before.
    std::uint8_t next() const { return free_[(top_ - 1) % kRoom]; }
    std::uint8_t take() { return free_[--top_ % kRoom]; }
    void add(std::uint8_t tray) { free_[--bottom_ % kRoom] = tray; }

    // One was sent away.
    void sent() {
        if (wanted_ < slot_count_) ++wanted_;
    }
    bool keeps() const { return wanted_ > 0; }
    // Have as many been sent away as there are slots, and none kept? Then messages go one way.
    bool one_way() const { return slot_count_ != 0 && wanted_ == slot_count_; }
    std::uint8_t keep(std::uint8_t tray) {
        --wanted_;
        free_[top_++ % kRoom] = tray;
        return free_[bottom_++ % kRoom];
    }

  private:
    static constexpr std::uint32_t kRoom = 2 * kMostSlots;

    std::array<std::byte*, 2> slots_{};
    std::uint32_t slot_count_ = 0;
    std::uint32_t slot_bytes_ = 0;
    std::uint32_t offset_ = 0;
    std::uint32_t wanted_ = 0;  // sent away, and none kept for it
    std::uint32_t top_ = 0;     // one past the free tray that was used last
    std::uint32_t bottom_ = 0;  // the one to be given back next
    std::array<std::uint8_t, kRoom> free_{};
};

}  // namespace xccl
