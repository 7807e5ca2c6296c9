// A doorbell that can be heard by poll(): for a rank that sleeps on sockets and on shared memory at
// the same time.
//
// The owner binds a datagram socket to an abstract name made of 128 random bits that stand in its
// doorbell; whoever rings sends it an empty datagram. A stranger who finds the name can wake the
// rank for nothing, and no more.
#pragma once

#include <chrono>

#include "base/owned_descriptor.h"
#include "base/status.h"
#include "transport/doorbell.h"

namespace xccl {

class DoorbellSocket {
  public:
    // Binds a socket and writes its number into the doorbell: before the first sleep.
    static Result<DoorbellSocket> open(Doorbell& bell);

    int descriptor() const { return descriptor_.get(); }
    // Waits until the doorbell rings, `other_descriptor` polls readable, or `limit` has passed.
    void wait(Doorbell& bell, int other_descriptor, std::chrono::microseconds limit) const;

  private:
    OwnedDescriptor descriptor_;
};

// Wakes the owner. Never blocks.
void ring_socket(const Doorbell& bell);

// As sleep_on() of doorbell.h, also until `other_descriptor` polls readable.
template <class Ready>
bool sleep_on(Doorbell& bell, const DoorbellSocket& socket, int other_descriptor,
              std::chrono::microseconds limit, BarrierReach reach, bool everyone_enrolled,
              Ready&& ready) {
    arm(bell);
    const bool seen = everyone_enrolled && barrier_everywhere(reach);
    const bool found = ready();
    if (!found) {
        socket.wait(bell, other_descriptor, seen ? limit : std::min(limit, kSleepWithoutBarrier));
    }
    disarm(bell);
    return found;
}

}  // namespace xccl
