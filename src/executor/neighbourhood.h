// What an engine sees of the other ranks.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/operation.h"
#include "base/status.h"
#include "transport/link.h"

namespace xccl {

// Gives the engine its link to a peer the first time that a plan needs it, and tells it what peers
// do. Implemented by the communicator and by the simulator.
class Neighbourhood {
  public:
    Neighbourhood() = default;
    Neighbourhood(const Neighbourhood&) = delete;
    Neighbourhood& operator=(const Neighbourhood&) = delete;
    Neighbourhood(Neighbourhood&&) = delete;
    Neighbourhood& operator=(Neighbourhood&&) = delete;
    virtual ~Neighbourhood() = default;
    virtual Result<Link*> link(int peer) = 0;  // the same pointer every time
    // Makes this rank's current operation visible to all peers (a line of shared memory; with the
    // next frame of each carrier). Costs one cache line.
    // Called when a collective starts.
    virtual void publish(const OperationDescriptor& operation) = 0;
    // What `peer` was last seen doing; and at a given sequence number, if that is still known.
    virtual std::optional<OperationDescriptor> last_of(int peer) = 0;
    virtual std::optional<OperationDescriptor> at_of(int peer, std::uint64_t sequence) = 0;
    // "rank 3 on node7"; also of this rank itself.
    virtual std::string name_of(int peer) = 0;
};

}  // namespace xccl
