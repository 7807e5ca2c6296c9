// The doorbell: how a rank that sleeps is woken by those who publish to it or release its slots.
//
//     whoever publishes                    the rank that goes to sleep
//     flag.store(release)                  word: one more sleeper, armed
//     (compiler barrier)                   a barrier on every thread that may ring (barrier.h)
//     word.load(relaxed): armed? ring      looks again; sleeps only if there is still nothing
//
// Without the barrier the publisher's load could overtake its store, and both sides would miss each
// other. The sleeper's barrier makes the publisher's two accesses one or the other: either its
// store is seen by the second look, or its load sees `armed`. So nobody pays for a fence on the
// fast path, and no wake-up is lost.
//
// Several threads may sleep on one doorbell. A ring disarms it and wakes all; the next publisher
// finds it disarmed although the woken have not run yet, and pays nothing.
#pragma once

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>

#include "transport/barrier.h"
#include "transport/bell_word.h"

namespace xccl {

// In memory that all who ring can see. All zero bytes is a doorbell that nobody sleeps on.
struct alignas(64) Doorbell {
    static constexpr std::uint32_t kArmed = BellWord::kArmed;
    static constexpr std::uint32_t kOneSleeper = BellWord::kOneSleeper;
    BellWord::Word word{0};

    // Where a datagram wakes the owner, if it waits for descriptors rather than for the word: see
    // doorbell_socket.h. Zero, or the number that names the socket; written before the first sleep.
    std::atomic<std::uint64_t> socket_number[2] = {};
};
static_assert(sizeof(Doorbell) == 64);

void ring(Doorbell& bell);

// After every publish and release. One load of a line that changes only when somebody sleeps.
inline void ring_if_sleeping(Doorbell& bell) {
    // Keeps the compiler from moving the load before the store that it comes after; the processor
    // is kept from it by the sleeper's barrier.
    std::atomic_signal_fence(std::memory_order_seq_cst);
    if (__builtin_expect(BellWord::is_armed(bell.word), 0)) {
        ring(bell);
    }
}

// How long a sleeper dares to sleep where publishers cannot be made to see it.
constexpr std::chrono::microseconds kSleepWithoutBarrier{100};

// The two halves of a sleep. Between them the caller looks again.
void arm(Doorbell& bell);
void disarm(Doorbell& bell);
// Until the doorbell rings or `limit` has passed.
void wait_for_ring(Doorbell& bell, std::chrono::microseconds limit);

// Sleeps until the doorbell rings, at most `limit`, unless `ready()` says that there is something
// to do. `everyone_enrolled`: all who may ring have enrolled in barriers of this reach.
// Returns what ready() said.
template <class Ready>
bool sleep_on(Doorbell& bell, std::chrono::microseconds limit, BarrierReach reach,
              bool everyone_enrolled, Ready&& ready) {
    arm(bell);
    const bool seen = everyone_enrolled && barrier_everywhere(reach);
    const bool found = ready();
    if (!found) wait_for_ring(bell, seen ? limit : std::min(limit, kSleepWithoutBarrier));
    disarm(bell);
    return found;
}

}  // namespace xccl
