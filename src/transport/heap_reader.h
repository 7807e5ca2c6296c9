// Reads a peer's heap where it lies (shared_heap.h): one end of "messages by reference" between two
// ranks of a host.
//
//     sender                                  receiver
//     heard()? not yet: offer(),
//       and the message asks for an answer    answer(): opens the heap, if it can, and says so
//     heard()? yes: the message holds
//       where its payload lies                at(): that place, in a mapping of its own
//
// The heap is opened through /proc/PID/fd, and must show the sign that the sender named. So nothing
// is handed over unless it is used, and where it cannot be opened (processes that do not see each
// other, another user), messages go on being copied. An answer is for ever.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

#include "base/owned_descriptor.h"
#include "transport/shared_heap.h"

namespace xccl {

// What a receiver has said of the sender's heap: a word beside the credit of their first lane.
enum class HeapAnswer : std::uint32_t { kNone, kReadable, kUnreadable };

class HeapReader {
  public:
    struct Places {
        const HeapAddress* theirs = nullptr;  // where the peer's heap is
        HeapAddress* mine = nullptr;          // where this rank's own is
        std::atomic<HeapAnswer>* from_me = nullptr;
        const std::atomic<HeapAnswer>* to_me = nullptr;
    };
    explicit HeapReader(const Places& places) : places_(places) {}
    HeapReader(const HeapReader&) = delete;
    HeapReader& operator=(const HeapReader&) = delete;
    HeapReader(HeapReader&&) = delete;
    HeapReader& operator=(HeapReader&&) = delete;
    ~HeapReader();

    // ---- Of a sender.
    HeapAnswer heard() {
        if (heard_ == HeapAnswer::kNone) {
            heard_ = places_.to_me->load(std::memory_order_acquire);  // pairs with answer()
        }
        return heard_;
    }
    void offer() const { SharedHeap::of_this_process().sign(places_.mine); }

    // ---- Of a receiver.
    void answer();
    // [offset, offset + bytes) of the peer's heap; null if it has no such part. Valid until the
    // next call.
    const std::byte* at(std::uint64_t offset, std::size_t bytes) {
        if (offset <= mapped_bytes_ && bytes <= mapped_bytes_ - offset) return mapping_ + offset;
        return map_again(offset, bytes);
    }

  private:
    bool open();
    const std::byte* map_again(std::uint64_t offset, std::size_t bytes);

    const Places places_;
    HeapAnswer heard_ = HeapAnswer::kNone;
    OwnedDescriptor file_;
    const std::byte* mapping_ = nullptr;
    std::uint64_t mapped_bytes_ = 0;
};

}  // namespace xccl
