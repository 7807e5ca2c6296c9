// Tells a peer that there is something to look at: through its doorbell if it sees the same
// memory, through the carrier otherwise.
#pragma once

#include "executor/mutant.h"
#include "transport/doorbell.h"
#include "transport/link.h"

namespace xccl {

inline void tell_published(Link& link, int lane) {
    if (link.carrier != nullptr) return link.carrier->published(link.peer, lane);
    if (link.doorbell != nullptr) ring_if_sleeping(*link.doorbell);
}

inline void tell_released(Link& link, int lane) {
    if (mutated(Mutant::kLostWakeUp)) return;
    if (link.carrier != nullptr) return link.carrier->released(link.peer, lane);
    if (link.doorbell != nullptr) ring_if_sleeping(*link.doorbell);
}

}  // namespace xccl
