// The gate to a rank's buffers: peers on its host may write into them, until it withdraws that.
//
// A message may say where its answer is to be put (mailbox.h): the peer then writes it into this
// rank's memory. A rank whose operation has failed gives its buffers back to its caller at once,
// and nobody may write there any more.
//
//     who writes                             whose buffers they are
//     writing := odd                         withdrawn := 1
//     (compiler barrier)                     a barrier on every rank that may write (barrier.h)
//     withdrawn? then the answer is          waits while `writing` of a peer is odd and stays as
//       sent like any other                    it is: it writes a step's bytes, not longer
//     ... writes ...
//     writing := even
//
// Without the barrier the load could overtake the store, and both sides would miss each other. So
// who writes pays for no fence; where the kernel has no such barrier, nothing is written.
#pragma once

#include <atomic>
#include <cstdint>

namespace xccl {

// In memory that the ranks of a host share; one for each rank. All zero bytes: open, nobody writes.
struct LandingGate {
    alignas(64) std::atomic<std::uint32_t> withdrawn;
    alignas(64) std::atomic<std::uint32_t> writing;  // into peers' buffers, while it is odd

    // ---- Of who writes; `writing` is its own rank's.
    void begin_writing() {
        const std::uint32_t now = writing.load(std::memory_order_relaxed);
        if (now % 2 == 0) writing.store(now + 1, std::memory_order_relaxed);
        // Keeps the compiler from moving the load of is_withdrawn() before this; the processor is
        // kept from it by the barrier of who withdraws.
        std::atomic_signal_fence(std::memory_order_seq_cst);
    }
    void end_writing() {
        const std::uint32_t now = writing.load(std::memory_order_relaxed);
        if (now % 2 != 0) writing.store(now + 1, std::memory_order_release);  // is_past()
    }

    // ---- Of the peer, asked by who writes.
    bool is_withdrawn() const { return withdrawn.load(std::memory_order_relaxed) != 0; }

    // ---- Of who has withdrawn, asked about a peer, of which it saw `writing` as `seen` before.
    bool is_past(std::uint32_t seen) const {
        // Pairs with end_writing(): what was written is there before what the caller writes.
        return seen % 2 == 0 || writing.load(std::memory_order_acquire) != seen;
    }
};
static_assert(sizeof(LandingGate) == 128);

}  // namespace xccl
