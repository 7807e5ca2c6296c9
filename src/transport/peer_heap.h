// Reads a peer's heap where it lies (shared_heap.h), and writes answers there: one end of "messages
// by reference" between two ranks of a host.
//
//     sender                                  receiver
//     heard()? not yet: offer(),
//       and the message asks for an answer    answer(): opens the heap, if it can, and says so
//     heard()? yes: the message holds
//       where its payload lies                at(): that place, in a mapping of its own
//       and where its answer may be put       landing(): that place, until landed()
//
// The heap is opened through /proc/PID/fd, and must show the sign that the sender named. So nothing
// is handed over unless it is used, and where it cannot be opened (processes that do not see each
// other, another user), messages go on being copied. An answer is for ever.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

#include "base/owned_descriptor.h"
#include "transport/landing_gate.h"
#include "transport/shared_heap.h"

namespace xccl {

// What a receiver has said of the sender's heap: a word beside the credit of their first lane.
enum class HeapAnswer : std::uint32_t {
    kNone,
    kReadable,
    kUnreadable,
    kWritable,  // and readable
};

class PeerHeap {
  public:
    struct Places {
        const HeapAddress* theirs = nullptr;  // where the peer's heap is
        HeapAddress* mine = nullptr;          // where this rank's own is
        std::atomic<HeapAnswer>* from_me = nullptr;
        const std::atomic<HeapAnswer>* to_me = nullptr;
        // Null: nobody writes into a peer's heap.
        const LandingGate* their_gate = nullptr;
        LandingGate* my_gate = nullptr;
    };
    explicit PeerHeap(const Places& places) : places_(places) {}
    PeerHeap(const PeerHeap&) = delete;
    PeerHeap& operator=(const PeerHeap&) = delete;
    PeerHeap(PeerHeap&&) = delete;
    PeerHeap& operator=(PeerHeap&&) = delete;
    ~PeerHeap();

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
    const std::byte* at(std::uint64_t offset, std::size_t bytes) { return place(offset, bytes); }
    // The same to be written; null if it may not be. To be followed by landed() in any case.
    std::byte* landing(std::uint64_t offset, std::size_t bytes) {
        if (places_.their_gate == nullptr || !writable_) return nullptr;
        places_.my_gate->begin_writing();
        return places_.their_gate->is_withdrawn() ? nullptr : place(offset, bytes);
    }
    // Nothing is written to any peer's heap any more, whichever of these is asked.
    void landed() const {
        if (places_.my_gate != nullptr) places_.my_gate->end_writing();
    }

  private:
    bool open();
    std::byte* place(std::uint64_t offset, std::size_t bytes) {
        if (offset <= mapped_bytes_ && bytes <= mapped_bytes_ - offset) return mapping_ + offset;
        return map_again(offset, bytes);
    }
    std::byte* map_again(std::uint64_t offset, std::size_t bytes);

    const Places places_;
    HeapAnswer heard_ = HeapAnswer::kNone;
    OwnedDescriptor file_;
    bool writable_ = false;
    std::byte* mapping_ = nullptr;
    std::uint64_t mapped_bytes_ = 0;
};

}  // namespace xccl
