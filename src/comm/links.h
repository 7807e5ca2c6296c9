// This rank's roads to its peers: shared memory to those on this host, TCP to the others. Also the
// places that are seen without a message: what peers are doing, who is alive, what failed.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "comm/failure_watch.h"
#include "comm/membership.h"
#include "executor/engine.h"
#include "transport/doorbell_socket.h"
#include "transport/link.h"
#include "transport/shared_memory.h"

namespace xccl {

class Links : public Neighbourhood {
  public:
    // `remote` null: nobody is reached by TCP.
    Links(const Membership* membership, std::unique_ptr<SharedMemoryTransport> local,
          std::unique_ptr<Transport> remote, DoorbellSocket doorbell_socket);

    // Neighbourhood: what the engine asks for.
    Result<Link*> link(int peer) override;
    void publish(const OperationDescriptor& operation) override;
    std::optional<OperationDescriptor> last_of(int peer) override;
    std::optional<OperationDescriptor> at_of(int peer, std::uint64_t sequence) override;
    std::string name_of(int peer) override;

    const LaneGeometry& geometry() const { return segment().layout().geometry(); }
    Carrier* carrier() const { return remote_ ? remote_->carrier() : nullptr; }
    // Payload bytes that each transport carried out of this process's memory.
    std::vector<std::pair<std::string, std::uint64_t>> bytes_sent() const;

    // Sleeps until something may have come, unless look() finds something first; at most `limit`.
    void sleep(std::chrono::microseconds limit, const std::function<bool()>& look);
    // Before this rank gives buffers back though their operation is not done: until then peers may
    // write answers there. Returns one that may do so still when the deadline has passed; -1: none.
    int withdraw_buffers(Deadline deadline) {
        return segment().withdraw_buffers(local_index(membership_->rank), deadline);
    }
    // Ends the sleep of this rank's threads.
    void wake();
    // Takes leave of peers that are reached by TCP; waits for what is on its way to them.
    void leave(Deadline deadline) {
        if (remote_) remote_->leave(deadline);
    }

    Segment& segment() const { return *local_->segment(); }
    // The place of a peer in the segment; -1: it is reached by TCP.
    int local_index(int peer) const { return local_->local_index(peer); }

  private:
    const Membership* const membership_;
    const std::unique_ptr<SharedMemoryTransport> local_;
    const std::unique_ptr<Transport> remote_;
    const DoorbellSocket doorbell_socket_;  // used if there is a carrier
    Doorbell& my_bell_;
    OperationBoard& my_board_;
    std::vector<std::unique_ptr<Link>> links_;  // by rank; null until the engine wants it
};

}  // namespace xccl
